"""How well kinds of documents are told where they are known; what importance sampling takes for a target of one kind.

    PYTHONPATH=.:tests python -m benchmarks.bench_document_kinds [--data DIR]

Planted corpora say of each document how it was made. The folder of --data has `corpora/pydocs` (pages in one language),
`corpora/pydocs_bilingual` (pages in which each English paragraph is followed by its translation), a word list and
a tokenizer; without it these columns are left out. Three homes are built in a scratch folder: some minutes. Rewrites
docs/benchmarks/document-kinds.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import duckdb

from support.places import PROJECT, SHARED_DATA

PAGE = PROJECT / "docs" / "benchmarks" / "document-kinds.md"
TOKENIZER = PROJECT / "ml" / "base_model" / "tokenizer.json"
BUDGET = 100_000
MIXTURE = {"planted": 2, "sampled": 4}  # scales of the two planted corpora
# How a planted document was made -> the kind that it should be told as. Copies and junk have no kind of their own.
PLANTED_KINDS = {
    "plain": "monolingual",
    "mixed": "mixed",
    "parallel": "parallel",
    "glossary": "parallel",
    "code_switched": "code_switched",
}


class Told(NamedTuple):
    """How well one kind is told."""

    kind: str
    n_docs: int  # of this kind, by the truth
    precision: float | None
    recall: float


def main() -> None:
    """Build the homes, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="real corpora")
    data: Path = parser.parse_args().data
    with tempfile.TemporaryDirectory() as scratch:
        planted = told_on_planted(Path(scratch) / "planted")
        real = told_on_documentation(Path(scratch) / "real", data) if (data / "corpora" / "pydocs").exists() else None
        shares = shares_of_selections(Path(scratch) / "sampled")
    PAGE.write_text(page(planted, real, shares))
    print(PAGE.read_text())


def told_on_planted(home: Path) -> list[Told]:
    """Compare kinds with how the documents were planted."""
    plant(home, scale=MIXTURE["planted"], seed=1)
    pivots(home, "build", "--select", "+fct_document_kinds +dim_documents", "--no-publish")
    cases = " ".join(f"when '{form}' then '{kind}'" for form, kind in PLANTED_KINDS.items())
    truth = f"select doc_id, case form {cases} end as kind from ({planted_forms(home)})"
    return compared(home, f"select * from ({truth}) where kind is not null")


def told_on_documentation(home: Path, data: Path) -> list[Told]:
    """Compare kinds with the folder that a page is from."""
    pivots(home, "words", "import", data / "words" / "clwtd.jsonl.zst")
    folders = [data / "corpora" / name for name in ("pydocs", "pydocs_bilingual")]
    pivots(home, "ingest", *folders, "--corpus", "docs", "--tokenizer", data / "tokenizers" / "olmo.json")
    pivots(home, "count", "--corpus", "docs", "--unit", "window", "--window-tokens", "1500")
    pivots(home, "build", "--select", "+fct_document_kinds +dim_documents", "--no-publish")
    return compared(
        home,
        "select doc_id, if(source_file like '%pydocs_bilingual%', 'parallel', 'monolingual') as kind"
        " from marts.dim_documents",
    )


def shares_of_selections(home: Path) -> dict[str, dict[str, float]]:
    """Return the share of tokens of each planted form in two selections: strategy -> form -> share."""
    plant(home, scale=MIXTURE["sampled"], seed=0)
    variables = json.dumps({"dsir_target": "parallel"})
    budget = ("--budget-tokens", BUDGET)
    pivots(
        home,
        "build",
        "--select",
        "+fct_selected_documents +dim_documents",
        "--vars",
        variables,
        *budget,
        "--no-publish",
    )
    rows = query(
        home,
        f"""
        select strategy, form, sum(n_tokens) / sum(sum(n_tokens)) over (partition by strategy) as share
        from marts.fct_selected_documents join ({planted_forms(home)}) using (doc_id)
        where strategy in ('dsir', 'random_multilingual')
        group by strategy, form order by strategy, form
        """,
    )
    shares: dict[str, dict[str, float]] = {}
    for strategy, form, share in rows:
        shares.setdefault(strategy, {})[form] = share
    return shares


def plant(home: Path, *, scale: int, seed: int) -> None:
    """Plant documents of two languages, ingest and count them."""
    folder = home / "planted"
    pivots(home, "plant", "--out", folder, "--scale", scale, "--seed", seed, "--setting", "bilingual", has_home=False)
    pivots(home, "words", "import", folder / "words.jsonl")
    pivots(home, "ingest", folder / "documents", "--corpus", "planted", "--tokenizer", TOKENIZER)
    pivots(home, "truth", "import", folder / "truth", "--corpus", "planted")
    pivots(home, "count", "--corpus", "planted")


def planted_forms(home: Path) -> str:
    """Return a query of the form of each planted document."""
    files = f"read_json('{home}/planted/documents/*', columns = {{id: 'varchar', metadata: 'struct(form varchar)'}})"
    return (
        "select documents.doc_id, planted.metadata.form as form from marts.dim_documents as documents"
        f" join {files} as planted on documents.source_id = planted.id"
    )


def compared(home: Path, truth: str) -> list[Told]:
    """Compare the mart's kinds with a query of doc_id and kind."""
    rows = query(
        home,
        f"""
        with pairs as (
            select truth.kind, told.document_kind as told
            from ({truth}) as truth join marts.fct_document_kinds as told using (doc_id)
        )
        select
            kind, count(*), count(*) filter (told = kind) / count(*) as recall,
            any_value(right_ones) / any_value(n_told) as of_told
        from pairs
        join (
            select told as kind, count(*) as n_told, count(*) filter (told = kind) as right_ones
            from pairs group by told
        ) using (kind)
        group by kind order by kind
        """,
    )
    return [Told(kind, n_docs, precision, recall) for kind, n_docs, recall, precision in rows]


def query(home: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def pivots(home: Path, *arguments: object, has_home: bool = True) -> None:
    command = [Path(sys.executable).with_name("pivots"), *arguments, *(("--home", home) if has_home else ())]
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)


def page(planted: list[Told], real: list[Told] | None, shares: dict[str, dict[str, float]]) -> str:
    """Return the page."""
    real_rows = {told.kind: told for told in real or ()}

    def ratio(form: str) -> float:
        return shares["dsir"].get(form, 0) / shares["random_multilingual"][form]

    n_pages = sum(told.n_docs for told in real or ())
    lines = [
        "# Kinds of documents where they are known",
        "",
        "Made by `PYTHONPATH=.:tests python -m benchmarks.bench_document_kinds`.",
        "",
        f"Planted: `pivots plant --scale {MIXTURE['planted']} --seed 1 --setting bilingual` (thresholds were set on",
        "seed 0). Glossaries count as parallel; copies and junk have no kind of their own and are left out.",
        "Documentation: Python's, in four languages, with its pages in which every English paragraph is followed by",
        f"its translation ({f'{n_pages:,} pages, counted by windows of 1,500 tokens' if real else 'not run'}).",
        "",
        "| kind | planted, documents | precision | recall | documentation, pages | precision | recall |",
        "|---|---|---|---|---|---|---|",
        *(f"| `{told.kind}` | {_cells(told)} | {_cells(real_rows.get(told.kind))} |" for told in planted),
        "",
        "## What importance sampling takes for a target of one kind",
        "",
        f"Shares of the tokens of two selections of {BUDGET:,} tokens, by how the documents were planted"
        f" (`--scale {MIXTURE['sampled']} --seed 0`, `dsir_target: parallel`):",
        "",
        "| form | `dsir` | `random_multilingual` |",
        "|---|---|---|",
        *(
            f"| `{form}` | {shares['dsir'].get(form, 0):.1%} | {shares['random_multilingual'].get(form, 0):.1%} |"
            for form in sorted({form for strategy in shares.values() for form in strategy})
        ),
        "",
        f"Of what it is to find it takes {ratio('parallel'):.1f} times as much as chance, of junk"
        f" {ratio('junk'):.1f} times.",
    ]
    return "\n".join(lines) + "\n"


def _cells(told: Told | None) -> str:
    if told is None:
        return " | | "
    precision = "" if told.precision is None else f"{told.precision:.3f}"
    return f"{told.n_docs:,} | {precision} | {told.recall:.3f}"


if __name__ == "__main__":
    main()

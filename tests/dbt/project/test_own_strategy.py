"""The page on adding a strategy, done as it says: its model and its commands, on a small home."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from support.corpora.random_rows import (
    N_TOKENS,
    SPECIAL,
    TOKENIZER,
    VARIABLES,
    make_corpus,
    write_corpus,
    write_vocabulary,
)
from support.homes.raw_home import write_raw
from support.places import PROJECT
from warehouse.base.settings import Home
from warehouse.build.build import build

pytestmark = pytest.mark.slow

PAGE = (PROJECT / "docs" / "add-a-strategy.md").read_text(encoding="utf-8")
BUDGET = 2000


def block(language: str) -> str:
    """Return the page's one block of a language."""
    [text] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return text


@pytest.fixture(scope="module")
def home(new_home: Callable[[str], Home]) -> Home:
    home = new_home("own-strategy")
    write_vocabulary(home)
    write_corpus(home, make_corpus("demo", 1, n_docs=200, languages=["en", "fr", "ja"]))
    corpus = {"corpus": "demo", "tokenizer_hash": TOKENIZER, "tokenizer_name": TOKENIZER, "vocab_size": N_TOKENS}
    write_raw(home, "corpora", [corpus | {"eos_token_id": SPECIAL}], corpus="demo")  # exports need a separator
    (home.lake / "tokenizers").mkdir()
    (home.lake / "tokenizers" / f"{TOKENIZER}.json").write_text("{}")
    build(home, variables=VARIABLES)
    return home


def test_a_model_added_as_the_page_says_selects_and_is_exported(home: Home, tmp_path: Path) -> None:
    model = tmp_path / "model.sql"
    model.write_text(block("sql"), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIVOTS_", "DBT_"))}
    environment |= {
        "PIVOTS_HOME": str(home.root),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "EDITOR": f"cp {model}",  # writes the file that it is given
    }
    commands = f"set -e\n{block('bash')}"
    done = subprocess.run(["bash", "-c", commands], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr

    with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
        [(description,)] = connection.execute(
            "select description from marts.dim_strategies where strategy = 'shortest'"
        ).fetchall()
        assert "int_shortest_documents__keyed" in description
        rows = connection.execute(
            "select doc_id, lang, n_tokens, rank_in_lang, min_budget_tokens from marts.fct_selected_documents"
            " where strategy = 'shortest' order by lang, rank_in_lang"
        ).fetchall()
        others = connection.execute(
            "select lang, n_docs, token_share from marts.fct_selection_summary where strategy = 'shortest'"
        ).fetchall()
        eligible = connection.execute("select count(*) from marts.dim_documents where is_eligible").fetchall()
    assert [(len(rows),)] == eligible
    for lang in ("en", "fr", "ja"):
        members = [row for row in rows if row[1] == lang]
        assert members == sorted(members, key=lambda row: (row[2], row[0]))
    assert {lang for lang, n_docs, _ in others if n_docs} == {"en", "fr", "ja"}
    [export] = home.exports.glob("demo-shortest-*")
    exported = {
        doc_id for file in export.glob("*.documents.parquet") for doc_id in pq.read_table(file)["doc_id"].to_pylist()
    }
    assert exported == {row[0] for row in rows if row[4] <= BUDGET} != set()


def test_the_page_names_models_that_there_are() -> None:
    folder = PROJECT / "dbt_project" / "models"
    known = {path.stem for path in folder.rglob("*.sql")} | {"int_shortest_documents__keyed"}
    assert set(re.findall(r"\b(?:int|stg|fct|dim)_\w+[a-z]\b", PAGE)) <= known
    assert "own_strategies: []" in (PROJECT / "dbt_project" / "dbt_project.yml").read_text()

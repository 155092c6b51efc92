"""`pivots run` on files as people have them: two languages, a CSV, and nothing known before."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from support.corpora.two_languages import PAIRS, write_two_languages
from support.places import PROJECT
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.experiments.evaluation_set import export_evaluation_set
from warehouse.lake.connections import open_published
from warehouse.operations.whole_run import WholeRun, run_whole

TOKENIZER = str(PROJECT / "ml" / "base_model" / "tokenizer.json")
PIVOTS = str(Path(sys.executable).with_name("pivots"))


def pivots(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIVOTS_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    return subprocess.run([PIVOTS, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], subprocess.CompletedProcess[str]]:
    """Return the home, the command's arguments, and how it ended."""
    folder = tmp_path_factory.mktemp("own")
    documents, words = write_two_languages(folder)
    command = ["run", str(documents), "--tokenizer", TOKENIZER, "--words", str(words)]
    done = pivots(folder / "home", *command)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "home", command, done


@pytest.mark.slow
def test_it_ends_with_what_came_out_and_where_to_look(
    ran: tuple[Path, list[str], subprocess.CompletedProcess[str]],
) -> None:
    home, _, done = ran
    steps = re.findall(r"^\[(\d)/6\] (\w+): .+ \([\d.]+ s; \d+ s in all\)$", done.stderr, re.MULTILINE)
    names = ["words", "ingest", "count", "build", "publish", "report"]
    assert steps == [(str(number), name) for number, name in enumerate(names, start=1)]
    assert re.search(r"^built +\d+ models, \d+ tests passed$", done.stdout, re.MULTILINE)
    best = re.search(
        r"^pivots +best of (\w+) \(de\) and (\w+) \(en\) in documents: '.+', '.+', '.+'$", done.stdout, re.M
    )
    assert best is not None
    assert PAIRS[best[2]] == best[1]
    for part in (f"report     {home / 'report.html'}", "next ", "pivots dashboard", "pivots sql"):
        assert part in done.stdout
    assert not re.search(r"\d+ (pass|success)\b", done.stdout)
    assert (home / "report.html").stat().st_size > 10_000


@pytest.mark.slow
def test_two_languages_fill_every_pivot_set_and_selection(
    ran: tuple[Path, list[str], subprocess.CompletedProcess[str]],
) -> None:
    home = Home(ran[0])
    with open_published(home) as connection:
        sets = dict(connection.execute("select pivot_set, count(*) from dim_pivot_tokens group by 1").fetchall())
        assert {"adjacency", "bridge", "pairs", "pairs_paper"} <= set(sets)
        arms = connection.execute(
            "select strategy from fct_selection_summary where n_docs > 0 group by 1 having count(distinct lang) = 2"
        ).fetchall()
        assert {"original", "random_multilingual", "pivot_aware", "word_density"} <= {name for (name,) in arms}
    made = export_evaluation_set(home, corpus="documents")
    assert made.manifest["distractor_rule"] == "nearest 9 by frequency and length"
    assert made.manifest["n_drawn_distractors"] == 2 * 9 * len(PAIRS)
    rows = pq.read_table(made.folder / "candidates.parquet").to_pylist()
    by_query: dict[tuple[int, str, str], list[int]] = {}
    for row in rows:
        by_query.setdefault((row["item_id"], row["source_lang"], row["target_lang"]), []).append(row["candidate"])
    assert len(by_query) == 2 * len(PAIRS)
    assert all(sorted(candidates) == list(range(10)) for candidates in by_query.values())


@pytest.mark.slow
def test_again_it_does_only_what_is_missing(
    ran: tuple[Path, list[str], subprocess.CompletedProcess[str]],
) -> None:
    home, command, _ = ran
    lake = {path: path.read_bytes() for path in (home / "lake").rglob("*.parquet")}
    again = pivots(home, *command[:4])  # the words are known
    assert again.returncode == 0, again.stderr[-3000:]
    assert "[4/6] build: nothing has changed" in again.stderr
    assert "nothing has changed since copy 1" in again.stdout
    assert {path: path.read_bytes() for path in (home / "lake").rglob("*.parquet")} == lake


def asked(documents: Path, words: Path | None, **changed: str) -> WholeRun:
    given = {
        "tokenizer": TOKENIZER,
        "corpus": None,
        "window_tokens": None,
        "lang": None,
        "lang_column": None,
        **changed,
    }
    return WholeRun(documents=documents, words=words, **given)  # type: ignore[arg-type]


def test_a_bad_request_is_refused_before_any_work(tmp_path: Path) -> None:
    documents, words = write_two_languages(tmp_path, n_docs=4)
    home = Home(tmp_path / "home")
    inside = documents / "words.jsonl"
    inside.write_text('{"en": "house", "de": "Haus"}\n')
    (tmp_path / "list.csv").write_text("house,Haus\n")
    for request, why in (
        (asked(documents, None), "give --words FILE"),
        (asked(documents, tmp_path / "absent.csv"), "no such file"),
        (asked(documents, inside), "would be read as documents"),
        (asked(documents, tmp_path / "list.csv"), "names the languages"),
        (asked(tmp_path / "absent", words), "no such file or folder"),
        (asked(documents, words, tokenizer=str(tmp_path / "absent.json")), "no such tokenizer"),
    ):
        with pytest.raises(UsageError, match=why):
            run_whole(home, request)
    assert not home.lake.exists()

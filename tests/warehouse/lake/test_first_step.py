"""Every command on an unfinished home names the first step that is missing, never one that would refuse too."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from support.corpora.files import write_jsonl, write_tokenizer
from support.homes.raw_home import write_raw
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.build.dbt_runner import generate_docs
from warehouse.counting.count import count_corpus
from warehouse.ingest.corpus import ingest_corpus
from warehouse.ingest.word_list import import_words
from warehouse.lake.connections import open_published
from warehouse.lake.first_step import check_counted
from warehouse.serving.publish import publish
from warehouse.serving.report import write_report
from warehouse.serving.sql.prompt import open_prompt
from warehouse.serving.status import status


def _read(home: Home) -> None:
    with open_published(home):
        pass


RAN_NOTHING = '{"results": [], "metadata": {"invocation_id": "i", "generated_at": "2026-01-01", "dbt_version": "1"}}'
ASKED: dict[str, Callable[[Home], object]] = {
    "build": check_counted,
    "docs": generate_docs,
    "publish": publish,
    "sql": _read,
    "prompt": open_prompt,
    "report": write_report,
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_the_first_missing_step_is_named(ask: Callable[[Home], object], tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    def refused(step: str, *, status_says: bool = True) -> None:
        with pytest.raises(UsageError) as refusal:
            ask(home)
        assert f"run `{step}" in str(refusal.value)
        assert "\n" not in str(refusal.value)
        if status_says:
            assert status(home)["stale"][0]["fix"].startswith(step)

    refused("pivots ingest")
    home.root.mkdir(exist_ok=True)
    with duckdb.connect(str(home.warehouse_file)):  # what an earlier attempt left
        pass
    refused("pivots ingest")
    documents = write_jsonl(tmp_path / "a.jsonl", [{"id": "a", "text": "The dog. Der Hund."}])
    ingest_corpus(home, [documents], corpus="c", tokenizer=str(write_tokenizer(tmp_path)))
    refused("pivots words import")
    import_words(home, write_jsonl(tmp_path / "w.jsonl", [{"en": "dog", "de": "Hund"}]))
    refused("pivots count --corpus c")
    count_corpus(home, "c")
    if ask is check_counted:
        check_counted(home)
        return
    refused("pivots build")
    home.dbt_target.mkdir(parents=True)
    (home.dbt_target / "run_results.json").write_text(RAN_NOTHING)
    if ask in (_read, open_prompt, write_report):
        refused("pivots publish", status_says=False)


def test_answers_of_an_index_are_enough_to_build(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(UsageError):
        check_counted(home)
    write_raw(home, "infini_gram_counts", [{"run_id": "r", "corpus": "far"}])
    check_counted(home)

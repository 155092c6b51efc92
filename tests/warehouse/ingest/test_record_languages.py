"""What language a record is said to be in, by an option or by a column of its own."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.corpora.files import rows, write_jsonl
from support.corpora.ingested import ingest
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.ingest.corpus import IngestOptions


def test_languages_by_option_and_column(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    record = {"id": "a", "text": "water", "where": {"code": "swh"}}
    ingest(
        home, write_jsonl(tmp_path / "a.jsonl", [record]), tokenizer=tokenizer, options=IngestOptions(lang="cmn_Hani")
    )
    record["id"] = "b"
    options = IngestOptions(lang_column="where.code")
    ingest(home, write_jsonl(tmp_path / "b.jsonl", [record]), tokenizer=tokenizer, options=options)
    assert rows(home, "select source_id, lang, lang_source from raw.documents order by 1") == [
        ("a", "zh", "option"),
        ("b", "sw", "metadata"),
    ]


def test_a_language_column_that_no_record_has_is_refused(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    """In every format, before anything is written; one record that states its language there is enough."""
    folder, options = tmp_path / "in", IngestOptions(lang_column="where.l\u00e5ng", max_reject_share=1)
    stated = {"id": "b", "text": "The water is old.", "where": {"l\u00e5ng": "en"}}
    silent = [{"id": "a", "text": "where l\u00e5ng"}, {"id": "a2", "text": "water", "where": {"l\u00e5ng": None}}, "{"]
    write_jsonl(folder / "a.jsonl", silent)
    pq.write_table(pa.Table.from_pylist([{"text": "water", "where": {"lang": "en"}}]), folder / "c.parquet")
    (folder / "page.txt").write_text("The river is cold.")
    for paths, why in (([folder / "a.jsonl"], "no record states"), ([folder / "c.parquet"], "no record states")):
        with pytest.raises(UsageError, match=f"^--lang-column where.l\u00e5ng: {why} its language there") as refusal:
            ingest(home, *paths, tokenizer=tokenizer, options=options)
        assert "\n" not in str(refusal.value)
    with pytest.raises(UsageError, match="plain text and token files have no columns"):
        ingest(home, folder / "page.txt", tokenizer=tokenizer, options=options)
    with pytest.raises(UsageError, match="no record states"):
        ingest(home, folder, tokenizer=tokenizer, options=options)
    assert not list(home.lake.rglob("*.parquet"))

    write_jsonl(folder / "z.jsonl", [stated])
    ingest(home, folder, tokenizer=tokenizer, options=options)
    assert rows(home, "select source_id from raw.documents where lang_source = 'metadata'") == [("b",)]
    # what is added to a corpus that was read so may lack it
    write_jsonl(folder / "y.jsonl", [{"id": "y", "text": "The house is old."}])
    assert ingest(home, folder, tokenizer=tokenizer, options=options).n_new_files == 1


def test_a_file_without_a_good_record_is_no_mistake_in_the_column(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", ["{", {"id": "a"}])
    summary = ingest(
        home, path, tokenizer=tokenizer, options=IngestOptions(lang_column="speech\u00e9", max_reject_share=1)
    )
    assert summary.tally.n_rejects == 2

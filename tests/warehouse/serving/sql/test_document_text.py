"""The SQL function document_text: the text that was ingested, and nothing for what is not there."""

import json
from pathlib import Path

import pytest

from support.corpora.files import small_tokenizer_json
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.ingest.corpus import ingest_corpus
from warehouse.lake.connections import open_writer, writer_lock
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.serving.publish import publish
from warehouse.serving.sql import query_table

TEXTS = {"a": "The water is cold.", "b": "L'eau est froide: 水。", "c": "The water is cold.", "d": "naïve café 🙂"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two corpora of the same documents, published without a build of dbt."""
    folder = tmp_path_factory.mktemp("texts")
    home = Home(folder / "home")
    lines = [json.dumps({"id": name, "text": text, "metadata": {"lang": "en"}}) for name, text in TEXTS.items()]
    (folder / "docs.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "tokenizer.json").write_text(small_tokenizer_json())
    for corpus in ("one", "two"):
        ingest_corpus(home, [folder / "docs.jsonl"], corpus=corpus, tokenizer=str(folder / "tokenizer.json"))
    with writer_lock(home), open_writer(home) as connection:
        refresh_raw_views(home, connection)
        connection.execute("create schema marts")
        columns = "corpus, doc_id, source_id, lang, n_chars"
        connection.execute(f"create table marts.dim_documents as select {columns} from raw.documents")
    publish(home)
    return home


def test_every_document_is_the_text_that_was_ingested(home: Home) -> None:
    query = "select corpus, source_id, document_text(corpus, doc_id) as text from marts.dim_documents"
    rows = query_table(home, query).to_pylist()
    assert {(row["corpus"], row["source_id"]): row["text"] for row in rows} == {
        (corpus, name): text for corpus in ("one", "two") for name, text in TEXTS.items()
    }


def test_text_can_be_asked_for_and_nested(home: Home) -> None:
    query = """
        select upper(Document_Text (corpus, doc_id)) as text from marts.dim_documents
        where corpus = 'one' and document_text(corpus, doc_id) like '%eau%'
    """
    assert query_table(home, query).to_pylist() == [{"text": "L'EAU EST FROIDE: 水。"}]


def test_what_is_not_there_has_no_text(home: Home) -> None:
    query = """
        select document_text('one', 3) as id, document_text('none', d.doc_id) as corpus,
            document_text(null, 3) as no_corpus, document_text('one', null) as no_id
        from marts.dim_documents d limit 1
    """
    assert set(query_table(home, query).to_pylist()[0].values()) == {None}


def test_other_queries_have_no_such_function(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    with monkeypatch.context() as spied:
        spied.setattr("warehouse.serving.sql.document_text.open_memory", lambda: opened.append(1))
        assert query_table(home, "select 'document_text' as name").to_pylist() == [{"name": "document_text"}]
    assert opened == []
    with pytest.raises(UsageError, match="read_parquet"):
        query_table(home, "select document_text(corpus, doc_id) from read_parquet('x')")


def test_a_file_that_is_gone_is_said(home: Home, tmp_path: Path) -> None:
    (kept,) = (home.lake / "tokenizers").glob("*.json")
    moved = kept.rename(tmp_path / kept.name)
    try:
        with pytest.raises(UsageError, match=r"tokenizer .* is gone"):
            query_table(home, "select document_text(corpus, doc_id) from marts.dim_documents")
    finally:
        moved.rename(kept)

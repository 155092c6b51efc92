"""Which record of an id stays: the same in SQL and in Python, and however a file is cut."""

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.corpora.files import rows, write_tokenizer
from warehouse.base.settings import Home
from warehouse.ingest.corpus import IngestOptions, ingest_corpus
from warehouse.ingest.readers import dolma
from warehouse.lake.document_order import DETECTOR, DOCUMENT_ORDER, document_order

LANGUAGES = st.sampled_from(["", "en", "fr", "und", "en-fr", "é", "￿", "😀", "Z", "a"])
RECORDS = st.lists(
    st.tuples(st.integers(0, 3), LANGUAGES, st.sampled_from([DETECTOR, "metadata", "option"]), st.integers(0, 99)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(RECORDS)
def test_sql_and_python_order_alike(records: list[tuple[int, str, str, int]]) -> None:
    columns = zip(*records, strict=True)
    table = pa.table(dict(zip(("content_hash", "lang", "lang_source", "line_number"), map(list, columns), strict=True)))
    with duckdb.connect() as connection:
        connection.register("documents", table)
        ordered = connection.execute(f"from documents order by {DOCUMENT_ORDER}, line_number").fetchall()
    assert ordered == sorted(records, key=lambda record: (*document_order(*record[:3]), record[3]))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    records=st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from(["The water of a river", "L'eau de la rivière", "The house"]),
            st.sampled_from([None, "en", "fr", "de", "xx"]),
        ),
        min_size=1,
        max_size=12,
    ),
    lang=st.sampled_from([None, "sw"]),
    piece=st.integers(1, 200),
)
def test_a_file_gives_the_same_documents_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory,
    tokenizer: Path,
    records: list[tuple[str, str, str | None]],
    lang: str | None,
    piece: int,
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    lines = [json.dumps({"id": i, "text": text, "lang": code}) for i, text, code in records]
    (folder / "a.jsonl").write_text("\n".join(lines))
    options = IngestOptions(lang=lang, max_reject_share=1)

    def documents(name: str) -> tuple[list[tuple], list[tuple]]:
        home = Home(folder / name)
        ingest_corpus(home, [folder / "a.jsonl"], corpus="c", tokenizer=str(tokenizer), options=options)
        kept = rows(
            home, "select source_id, line_number, lang, lang_source, content_hash from raw.documents order by 1"
        )
        return kept, rows(home, "select line_number, reason from raw.rejects order by 1")

    whole = documents("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dolma, "PIECE_BYTES", piece)
        assert documents("pieces") == whole

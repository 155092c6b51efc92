"""What becomes of bad records and broken files."""

from pathlib import Path

import pytest

from support.corpora.files import REJECTS, document, rows, write_jsonl
from support.corpora.ingested import ingest
from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.ingest.corpus import IngestOptions


def test_bad_records_are_rejects_and_good_ones_documents(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = write_jsonl(
        tmp_path / "in" / "mixed.jsonl",
        [
            document("good", "The water is cold."),
            "",
            b'{"id": "utf8", "text": "\xff"}',
            "[1, 2]",
            '{"id": "cut", "text": "abc',
            {"id": "no text"},
            {"id": "null", "text": None},
            {"id": "number", "text": 3},
            {"text": "no id"},
            {"id": ["list"], "text": "id of a wrong type"},
            document("blank", " \n\t\u3000"),
            '{"id": "surrogate", "text": "a\\ud800b"}',
            document("nul", "a\0b"),
            document("good", "The water is cold."),
            document("last", "Die Katze", lang=None),
        ],
    )
    ingest(home, path, tokenizer=tokenizer)
    assert rows(home, "select source_id, line_number, lang, lang_source from raw.documents order by 2") == [
        ("good", 1, "en", "metadata"),
        ("last", 15, "de", "detector"),
    ]
    assert rows(home, "select line_number, reason from raw.rejects order by line_number") == [
        (3, "invalid UTF-8"),
        (4, "not a JSON object"),
        (5, "invalid JSON"),
        (6, "missing text"),
        (7, "missing text"),
        (8, "text is not a string"),
        (9, "missing id"),
        (10, "id is not a string"),
        (11, "blank text"),
        (12, "lone surrogate in text"),
        (13, "NUL in text"),
        (14, "duplicate id"),
    ]
    assert rows(home, "select n_docs, n_rejects, format, source_file from raw.source_files") == [
        (2, 12, "dolma", "mixed.jsonl")
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.jsonl", b"", "empty file"),
        ("empty.txt", b"", "empty file"),
        ("empty.parquet", b"", "empty file"),
        ("broken.parquet", b"PAR1 and then nothing", "not readable as Parquet"),
        ("cut.jsonl.gz", b"\x1f\x8b\x08", "truncated file"),
        ("bad.txt", b"\xff\xfe", "invalid UTF-8"),
        ("short.npy", b"\0\0" * 5, "shorter than one instance"),
    ],
)
def test_unreadable_files_are_rejects(
    home: Home, tokenizer: Path, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    ingest(home, tmp_path / name, tokenizer=tokenizer)
    assert rows(home, REJECTS) == [(name, None, reason)]
    assert rows(home, "select n_docs, n_rejects from raw.source_files") == [(0, 1)]


def test_complete_lines_of_a_truncated_file_are_kept(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "t.jsonl.zst", [document(str(i), f"water {i * i} {i:x}") for i in range(5000)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    ingest(home, path, tokenizer=tokenizer)
    [(reason, detail)] = rows(home, "select reason, detail from raw.rejects")
    [(n_docs, last)] = rows(home, "select count(*), max(line_number) from raw.documents")
    assert reason == "truncated file"
    assert n_docs == last
    assert n_docs > 1000
    assert detail.startswith(f"after line {n_docs}:")


def test_past_the_share_of_rejects_it_stops_and_keeps_what_it_has(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [document("a", "water"), "[]", "[]", "{}"])
    for _ in range(2):  # the second time all is ingested, and still too much of it rejected
        with pytest.raises(StepFailed, match=r"3 of 4 records .* 2 for 'not a JSON object', 3 in a\.jsonl"):
            ingest(home, path, tokenizer=tokenizer, options=IngestOptions(max_reject_share=0.5))
    assert rows(home, "select count(*) from raw.documents") == [(1,)]
    assert ingest(home, path, tokenizer=tokenizer, options=IngestOptions(max_reject_share=0.75)).tally.n_rejects == 3

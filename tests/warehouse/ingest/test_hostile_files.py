"""Records and files made to break a reader: each record is a document or a reject, and nothing ends the ingest."""

import gzip
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from support.corpora.files import document, rows
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.ingest import piece_rows
from warehouse.ingest.corpus import IngestOptions, IngestSummary, ingest_corpus
from warehouse.ingest.readers import compressed, dolma, hf_parquet
from warehouse.ingest.word_list import read_word_list

MIB = 1 << 20


def ingest(home: Home, path: Path, tokenizer: Path, **options: Any) -> IngestSummary:
    chosen = IngestOptions(**{"max_reject_share": 1, **options})
    return ingest_corpus(home, [path], corpus="c", tokenizer=str(tokenizer), options=chosen)


def rejects(home: Home) -> list[tuple[int | None, str]]:
    return rows(home, "select line_number, reason from raw.rejects order by all")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"id": "\ud800", "text": "x"}, "lone surrogate in id"),
        ({"id": "a", "source": "s\udfff", "text": "x"}, "lone surrogate in source"),
        ({"id": "a", "text": "x", "metadata": {"lang": "\ud800"}}, "lone surrogate in language"),
        ({"id": "a", "text": "x\ud800"}, "lone surrogate in text"),
    ],
)
def test_a_lone_surrogate_anywhere_is_a_reject_and_the_rest_goes_in(
    home: Home, tokenizer: Path, tmp_path: Path, record: dict[str, Any], reason: str
) -> None:
    lines = [record, document("good", "The water")]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    assert ingest(home, tmp_path / "a.jsonl", tokenizer).tally.n_docs == 1
    assert rejects(home) == [(1, reason)]


def test_a_lone_surrogate_in_parquet_metadata_is_a_reject(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    table = pa.table({"text": ["one", "two"], "metadata": ['{"lang": "\\ud800"}', '{"lang": "en"}']})
    pq.write_table(table, tmp_path / "a.parquet")
    assert ingest(home, tmp_path / "a.parquet", tokenizer).tally.n_docs == 1
    assert rejects(home) == [(1, "lone surrogate in language")]


def test_a_lone_surrogate_in_a_word_list_is_a_reject(tmp_path: Path) -> None:
    item = {"en": {"en": "dog"}, "fr": {"fr": "chien"}, "\ud800": {"\ud800": "x"}}
    (tmp_path / "words.jsonl").write_text(json.dumps(item))
    words = read_word_list(tmp_path / "words.jsonl")
    assert [item.words for item in words.items] == [{"en": "dog", "fr": "chien"}]
    assert [reject.reason for reject in words.rejects] == ["unusable language"]


def test_nested_metadata_is_a_reject(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    deep = "[" * 100_000
    pq.write_table(pa.table({"text": ["one", "two"], "metadata": [deep, "{"]}), tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_text(f'{{"id": "d", "text": "x", "metadata": {deep}\n{json.dumps(document("e", "y"))}')
    assert ingest(home, tmp_path / "a.parquet", tokenizer).tally.n_docs == 1
    assert ingest(home, tmp_path / "b.jsonl", tokenizer).tally.n_docs == 1
    assert rejects(home) == [(1, "invalid JSON"), (1, "metadata nested too deeply")]


def test_parquet_ids_that_are_no_names_are_rejects(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    nan = pa.table({"text": ["one", "two"], "id": [float("nan"), float("nan")]})
    structs = pa.table({"text": ["three", "four"], "id": [{"a": 1}, {"a": 1}]})
    numbers = pa.table({"text": ["five", "six"], "id": [5, None]})
    for name, table in (("nan", nan), ("structs", structs), ("numbers", numbers)):
        pq.write_table(table, tmp_path / f"{name}.parquet")
        ingest(home, tmp_path / f"{name}.parquet", tokenizer)
    assert rejects(home) == [(1, "id is not a string")] * 2 + [(2, "id is not a string")] * 2
    assert len(rows(home, "select source_id from raw.documents")) == 2


def test_each_row_of_a_broken_row_group_counts(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"text {i}" for i in range(1000)]}), path, row_group_size=400, compression="zstd")
    metadata = pq.read_metadata(path)
    start = metadata.row_group(1).column(0).dictionary_page_offset or metadata.row_group(1).column(0).data_page_offset
    content = bytearray(path.read_bytes())
    content[start + 20 : start + 80] = b"\xff" * 60
    path.write_bytes(content)
    with pytest.raises(StepFailed, match=r"40\.0%"):  # by one row per group this would be under 1 %
        ingest(home, path, tokenizer, max_reject_share=0.05)
    tally = ingest(home, path, tokenizer).tally
    assert (tally.n_docs, tally.n_rejects) == (600, 400)
    assert [line for line, _ in rejects(home)] == list(range(401, 801))
    assert {reason for _, reason in rejects(home)} == {"broken row group"}


def test_a_record_that_is_neither_document_nor_reject_stops_the_file(
    home: Home, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(document("a", "b")) + "\n" + json.dumps(document("c", "d")))
    monkeypatch.setattr(piece_rows, "_problem", lambda text: None)
    normalise = piece_rows._normalise
    monkeypatch.setattr(piece_rows, "_normalise", lambda r: (normalise(r), piece_rows._select(r, [0])))
    with pytest.raises(StepFailed, match=r"1 documents and 0 rejects do not make up its 2 records"):
        ingest(home, tmp_path / "a.jsonl", tokenizer)
    assert rows(home, "select * from raw.source_files") == []


@settings(deadline=None, max_examples=150)
@given(
    sizes=st.lists(st.integers(0, 60), max_size=12),
    max_bytes=st.integers(1, 50),
    piece=st.integers(1, 60),
    block=st.integers(1, 40),
    truncated=st.booleans(),
)
def test_long_lines_are_rejects_wherever_blocks_end(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], max_bytes: int, piece: int, block: int, truncated: bool
) -> None:
    path = tmp_path_factory.mktemp("long") / "a.jsonl"
    content = b"\n".join(b"x" * size for size in sizes)
    path.write_bytes(gzip.compress(content)[:-1] if truncated else content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dolma, "PIECE_BYTES", piece)
        patch.setattr(compressed, "_READ_BYTES", max(block, 4))
        patch.setattr(compressed, "_BLOCK_BYTES", block)
        found = [dolma.parse(p, max_bytes=max_bytes) for p in dolma.pieces(path, max_bytes=max_bytes)]
    by_line = sorted((r.line_number, r.reason) for one in found for r in one.rejects if r.line_number)
    whole = [(line, size) for line, size in enumerate(sizes, 1) if size]
    if truncated and sizes[-1:] > [0]:
        whole.pop()
    long, short = "document too large", "invalid JSON"
    assert by_line == [(line, long if size > max_bytes else short) for line, size in whole]
    assert all(one.n_read == len(one.texts) + len(one.rejects) for one in found)


def bomb(path: Path, head: bytes, filler: bytes, tail: bytes, size: int) -> Path:
    """Write a zstd file of some bytes, which are `size` bytes of filler between head and tail."""
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    with path.open("wb") as stream:
        stream.write(compressor.compress(head))
        for _ in range(size // MIB):
            stream.write(compressor.compress(filler * MIB))
        stream.write(compressor.compress(tail) + compressor.flush())
    assert path.stat().st_size < size / 10_000
    return path


MEASURED = """
import resource, sys
from pathlib import Path
from warehouse.base.settings import Home
from warehouse.ingest.corpus import IngestOptions, ingest_corpus
options = IngestOptions(max_reject_share=1, max_document_bytes=32 << 20)
made = ingest_corpus(Home(Path(sys.argv[1])), [Path(sys.argv[3])], corpus="c", tokenizer=sys.argv[2], options=options)
print(made.tally.n_docs, made.tally.n_rejects, *made.tally.reasons, sep="|")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.parametrize("kind", ["line", "text", "newlines"])
@pytest.mark.slow
def test_a_small_file_of_two_gigabytes_needs_little_memory(
    home: Home, tokenizer: Path, tmp_path: Path, kind: str
) -> None:
    after = b'"}\n' + json.dumps(document("after", "The water")).encode()
    path, expected = {
        "line": (lambda: bomb(tmp_path / "a.jsonl.zst", b'{"id": "b", "text": "', b"a", after, 2048 * MIB), "1|1|doc"),
        "text": (lambda: bomb(tmp_path / "a.txt.zst", b"", b"a", b"", 2048 * MIB), "0|1|doc"),
        "newlines": (lambda: bomb(tmp_path / "a.jsonl.zst", b"", b"\n", after[3:], 512 * MIB), "1|0"),
    }[kind]
    command = [sys.executable, "-c", MEASURED, str(home.root), str(tokenizer), str(path())]
    limit = 6 << 30  # of addresses, not of memory: what used to be reached ends in an error instead of a full machine
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    counted, peak_mib = done.stdout.splitlines()
    assert counted.startswith(expected)
    assert int(peak_mib) < 1024  # of 2 GiB: the document never stands in memory whole


def test_a_long_text_in_parquet_is_a_reject(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["short", "x" * 2000, None, "also short"]}), tmp_path / "a.parquet")
    assert ingest(home, tmp_path / "a.parquet", tokenizer, max_document_bytes=1000).tally.n_docs == 2
    assert rejects(home) == [(2, "document too large"), (3, "missing text")]
    with pytest.raises(UsageError, match="--max-document-mib"):  # the same file read otherwise is another shard
        ingest(home, tmp_path / "a.parquet", tokenizer)


def test_a_row_group_with_fewer_rows_than_promised_is_counted_in_full(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a", "b"]}), path)
    (piece,) = hf_parquet.pieces(path)
    promised = type(piece)(piece.format, (str(path), 0, 0, 5), 1, 0)
    records = hf_parquet.parse(promised)
    assert [reject.line_number for reject in records.rejects] == [1, 2, 3, 4, 5]
    assert records.n_read == 5


@pytest.mark.parametrize("lang", ["<script>", "en/../../x", "e", "1", "en fr", "x" * 9, "ēn"])
def test_what_is_no_language_code_is_refused(home: Home, tokenizer: Path, tmp_path: Path, lang: str) -> None:
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(UsageError, match="not a language code"):
        ingest(home, tmp_path / "a.txt", tokenizer, lang=lang)

"""Files of every format, whole and broken, read in pieces."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from support.corpora.files import document, rows, write_jsonl
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.ingest.corpus import IngestOptions, IngestSummary, ingest_corpus
from warehouse.ingest.readers import compressed, dolma, memmap
from warehouse.ingest.readers.compressed import UnreadableFile, read_blocks
from warehouse.ingest.readers.records import Records
from warehouse.text.tokenizing import Encoder


def ingest(home: Home, path: Path, tokenizer: Path, eos_token_id: int | None = None) -> IngestSummary:
    options = IngestOptions(max_reject_share=1, eos_token_id=eos_token_id)
    return ingest_corpus(home, [path], corpus="c", tokenizer=str(tokenizer), options=options)


def read_all(path: Path) -> tuple[list[tuple[int, str]], list[tuple[int | None, str]]]:
    """Return (line, text) of a Dolma file's records and (line, reason) of its rejects."""
    parsed: list[Records] = [dolma.parse(piece) for piece in dolma.pieces(path)]
    texts = [pair for r in parsed for pair in zip(r.line_numbers, r.texts, strict=True)]
    return texts, [(reject.line_number, reject.reason) for r in parsed for reject in r.rejects]


def test_compressions_and_members(tmp_path: Path) -> None:
    lines = [json.dumps(document(str(i), f"text {i}")).encode() + b"\n" for i in range(100)]
    halves = b"".join(lines[:50]), b"".join(lines[50:])
    contents = {
        "plain.jsonl": b"".join(halves),
        "no_newline.jsonl": b"".join(halves).rstrip(b"\n"),
        "bom.jsonl": b"\xef\xbb\xbf" + b"".join(halves),
        "dos.jsonl": b"".join(halves).replace(b"\n", b"\r\n"),
        "members.jsonl.gz": b"".join(map(gzip.compress, halves)),
        "padded.jsonl.gz": gzip.compress(b"".join(halves)) + b"\0" * 512,
        "frames.jsonl.zst": b"".join(map(zstandard.compress, halves)),
        "long_window.jsonl.zst": zstandard.ZstdCompressor(
            compression_params=zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True)
        ).compress(b"".join(halves)),
    }
    expected = [(i + 1, f"text {i}") for i in range(100)]
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert read_all(tmp_path / name) == (expected, []), name


@settings(deadline=None)
@given(
    lines=st.lists(
        st.sampled_from([b"", b" ", b'{"id": "i", "text": "t"}', b"[]", b"{", b"\xff", b'"\xe6']), max_size=12
    ),
    end=st.sampled_from([b"", b"\n"]),
    piece=st.integers(1, 60),
    block=st.integers(1, 40),
)
def test_pieces_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bytes, piece: int, block: int
) -> None:
    path = tmp_path_factory.mktemp("pieces") / "a.jsonl"
    path.write_bytes(b"\n".join(lines) + end)
    whole = read_all(path)
    assert [line for line, _ in whole[0]] == [i for i, line in enumerate(lines, 1) if b'"text"' in line]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dolma, "PIECE_BYTES", piece)
        patch.setattr(compressed, "_READ_BYTES", block)
        assert read_all(path) == whole


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress])
@pytest.mark.parametrize("damage", ["cut", "flipped", "tail"])
def test_damaged_compression_is_noticed(tmp_path: Path, compress, damage: str) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    content = compress(rng.bytes(300_000))
    damaged = {
        "cut": content[:-1000],
        "flipped": content[:150_000] + bytes([content[150_000] ^ 0xFF]) + content[150_001:],
        "tail": content + b"no compressed member",
    }[damage]
    path = tmp_path / "x"
    path.write_bytes(damaged)
    with pytest.raises(UnreadableFile) as problem:
        list(read_blocks(path))
    assert problem.value.reason == ("truncated file" if damage == "cut" else "broken compression")


def test_last_line_of_a_truncated_file_is_not_read(tmp_path: Path) -> None:
    lines = b"".join(json.dumps(document(str(i), "x" * 50)).encode() + b"\n" for i in range(1000))
    member = gzip.compress(lines, compresslevel=0)
    (tmp_path / "a.jsonl.gz").write_bytes(member[: len(member) // 2])
    texts, rejects = read_all(tmp_path / "a.jsonl.gz")
    assert 400 < len(texts) < 600
    assert rejects == [(None, "truncated file")]


def test_parquet(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array(["The water", None, "  ", "l'eau", "the river", "The water", "house"], pa.large_string()),
            "id": pa.array(["1", "2", "3", None, "", None, "7"]),
            "language": ["eng_Latn", "en", "en", "fr", "en", None, None],
            "metadata": [{"lang": "de"}] + [None] * 5 + [{"lang": "sw"}],
            "other": range(7),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=3)
    ingest(home, tmp_path / "a.parquet", tokenizer)
    found = rows(home, "select line_number, source_id, lang, lang_source from raw.documents order by 1")
    assert [(line, lang, source) for line, _, lang, source in found] == [
        (1, "de", "metadata"),
        (4, "fr", "metadata"),
        (5, "en", "metadata"),
        (6, "en", "detector"),
        (7, "sw", "metadata"),
    ]
    ids = [source_id for _, source_id, _, _ in found]
    assert ids[0] == "1"
    assert len({*ids[1:4]}) == 3
    assert all(len(i) == 16 for i in ids[1:4])  # rows without an id are identified by their text
    assert rows(home, "select line_number, reason from raw.rejects order by 1") == [
        (2, "missing text"),
        (3, "blank text"),
    ]


def test_parquet_rows_do_not_depend_on_row_groups(tokenizer: Path, tmp_path: Path) -> None:
    table = pa.table({"text": [f"text {i}" for i in range(10_000)], "metadata": ['{"language": "zho"}'] * 10_000})
    found = []
    for size in (10_000, 300):
        pq.write_table(table, tmp_path / f"{size}.parquet", row_group_size=size)
        home = Home(tmp_path / f"home{size}")
        ingest(home, tmp_path / f"{size}.parquet", tokenizer)
        found.append(rows(home, "select doc_id, line_number, lang, token_ids from raw.documents order by line_number"))
    assert found[0] == found[1]
    assert len(found[0]) == 10_000
    assert {row[2] for row in found[0]} == {"zh"}


def test_parquet_that_is_something_else(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    for columns, message in (({"body": ["x"]}, "has no column `text`"), ({"text": [1]}, "of type int64")):
        pq.write_table(pa.table(columns), tmp_path / "a.parquet")
        with pytest.raises(UsageError, match=message):
            ingest(home, tmp_path / "a.parquet", tokenizer)


def test_parquet_with_broken_utf8_in_one_row(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    text = pa.array([b"water", b"\xff\xfe", b"house"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    ingest(home, tmp_path / "a.parquet", tokenizer)
    assert rows(home, "select line_number from raw.documents order by 1") == [(1,), (3,)]
    assert rows(home, "select line_number, reason from raw.rejects") == [(2, "invalid UTF-8")]


def test_plain_text(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes(b"\xef\xbb\xbfThe water is cold.\n\nAnd old.\n")
    (tmp_path / "in" / "b.txt.gz").write_bytes(gzip.compress(b"La maison est vieille et froide."))
    assert ingest(home, tmp_path / "in", tokenizer).files_by_format == {"text": 2}
    assert rows(home, "select source_file, lang, n_chars from raw.documents order by 1") == [
        ("in/a.txt", "en", 29),
        ("in/b.txt.gz", "fr", 32),
    ]


def _instances(tokenizer: Path, texts: list[str], dtype: str, eos: int) -> np.ndarray:
    encoder = Encoder(tokenizer.read_bytes(), "tokenizers")
    encoded = encoder.encode([text.encode() for text in texts])
    parts = [np.append(encoded.token_ids[encoded.offsets[i] : encoded.offsets[i + 1]], eos) for i in range(len(texts))]
    return np.concatenate(parts).astype(dtype)


@pytest.mark.parametrize("header", [False, True])
def test_memmap_round_trip(home: Home, tokenizer: Path, tmp_path: Path, header: bool) -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(["water", "l'été", "水は冷たい", "龘🙂"], rng.integers(1, 400))) for _ in range(60)]
    tokens = _instances(tokenizer, texts, "<u2", eos=0)
    path = tmp_path / "part.npy"
    if header:
        np.save(path, tokens)
    else:
        tokens.tofile(path)
    ingest(home, path, tokenizer)
    n_instances = len(tokens) // memmap.INSTANCE_TOKENS
    assert n_instances > 3
    found = rows(
        home, "select line_number, source_id, token_ids, n_bytes from raw.documents order by line_number, doc_id"
    )
    fragments = sorted(found, key=lambda row: (row[0], int(row[1].split(":")[2])))
    for instance in range(n_instances):
        whole = tokens[instance * 2048 : (instance + 1) * 2048].tolist()
        expected = [
            [int(t) for t in part if t] for part in np.split(np.array(whole), np.flatnonzero(np.array(whole) == 0))
        ]
        assert [row[2] for row in fragments if row[0] == instance + 1] == [part for part in expected if part]
    vocabulary = Encoder(tokenizer.read_bytes(), "tokenizers").vocabulary
    for _, _, ids, n_bytes in fragments:
        assert len(vocabulary.decode(np.array(ids, np.int32))[0]) == n_bytes


def test_memmap_mistakes(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    path = tmp_path / "part.npy"
    np.full(4096, 7, "<u2").tofile(path)
    with pytest.raises(UsageError, match=r"holds no separator 0 in a sample of .*: pass --eos-token-id"):
        ingest(home, path, tokenizer)
    np.save(path, np.zeros(4096))
    with pytest.raises(UsageError, match="NumPy file of float64"):
        ingest(home, path, tokenizer)


def test_memmap_with_an_odd_byte_and_unknown_ids(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    instance = np.full(2048, 300, "<u2")
    instance[[0, 10]] = 0
    bad = instance.copy()
    bad[20] = 60_000
    (tmp_path / "part.npy").write_bytes(instance.tobytes() + bad.tobytes() + b"\1")
    ingest(home, tmp_path / "part.npy", tokenizer)
    assert rows(home, "select line_number, n_tokens from raw.documents order by all") == [(1, 9), (1, 2037), (2, 9)]
    assert rows(home, "select line_number, reason from raw.rejects order by 1") == [
        (2, "unknown token id"),
        (None, "truncated file"),
    ]


def test_memmap_cut_within_a_character_keeps_its_words(home: Home, tokenizer: Path, tmp_path: Path) -> None:
    """Half a character at an instance's edge moves no match."""
    from warehouse.ingest.word_list import import_words

    word_list = write_jsonl(tmp_path / "w.jsonl", [{"en": {"en": "water"}, "zh": {"zh": "水"}}])
    encoder = Encoder(tokenizer.read_bytes(), "tokenizers")
    face = encoder.encode(["🙂".encode()]).token_ids
    ids = np.concatenate([face[2:], encoder.encode([" 水 water".encode()]).token_ids, face[:2]])
    instance = np.zeros(2048, "<u2")
    instance[1 : 1 + len(ids)] = ids
    instance.tofile(tmp_path / "part.npy")
    import_words(home, word_list)
    ingest(home, tmp_path / "part.npy", tokenizer)
    [(token_ids, n_chars)] = rows(home, "select token_ids, n_chars from raw.documents")
    assert token_ids == ids.tolist()
    assert n_chars == 4 + len(" 水 water")
    data, ends = encoder.vocabulary.decode(ids)
    expected = [(word, [int(np.searchsorted(ends, data.index(word.encode()), "right"))]) for word in ("water", "水")]
    query = "select word, token_starts from raw.word_documents join raw.words using (word_id) order by 1"
    assert rows(home, query) == expected

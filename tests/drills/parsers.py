"""Everything that reads what others wrote, as functions of bytes that a fuzzer calls, with inputs to start from.

Each function returns how many records it saw, and raises when the reader does something else than to read, to reject
or to refuse in one line. What a reader refuses is no failure; a traceback, a lost record and a broken promise are.
"""

import contextlib
import gzip
import io
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
import zstandard

from support.corpora.files import document, write_tokenizer
from support.ml_runs.inputs import make_eval_set, make_export
from support.ml_runs.training import BASE
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash
from warehouse.contract.presets import read_preset
from warehouse.contract.result_schemas import RESULT
from warehouse.experiments.results import write_back
from warehouse.experiments.sentence_set import read_parallel
from warehouse.experiments.training_export import read_export
from warehouse.ingest import readers
from warehouse.ingest.piece_rows import Origin, Tools, rows_of_piece
from warehouse.ingest.readers import dolma, hf_parquet, memmap, plain_text
from warehouse.ingest.readers.instances import choose_instances
from warehouse.ingest.word_list import read_word_list
from warehouse.lake.runs import Run
from warehouse.review.questions import read_answer
from warehouse.text.tokenizing import load_tokenizer

_REFUSED = (UsageError, StepFailed)
_VOCAB_SIZE = 500
_MAX_DOCUMENT_BYTES = 1 << 16
_WORDS = ("water", "eau", "maison", "the", "水", "Wasser", "e\u0301")


@dataclass(frozen=True)
class Parser:
    """One reader.

    Attributes:
        seeds: good inputs, which the fuzzer changes.
        read: reads an input; returns how many records it saw.
    """

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[bytes], int]


def parsers(folder: Path) -> dict[str, Parser]:
    """Return all of them; inputs that must be files are written below `folder`."""
    texts = _Ingest(folder / "ingest")
    found = [
        Parser("jsonl", tuple(_jsonl_seeds()), texts.reader("a.jsonl", dolma.FORMAT)),
        Parser("jsonl in gzip", tuple(_jsonl_seeds()), texts.reader("a.jsonl.gz", dolma.FORMAT, _gzip)),
        Parser("gzip", tuple(map(gzip.compress, _jsonl_seeds())), texts.reader("a.jsonl.gz", dolma.FORMAT)),
        Parser("zstd", tuple(map(zstandard.compress, _jsonl_seeds())), texts.reader("a.jsonl.zst", dolma.FORMAT)),
        Parser("parquet", tuple(_parquet_seeds()), texts.reader("a.parquet", hf_parquet.FORMAT)),
        Parser("memmap", tuple(_memmap_seeds()), texts.reader("a.npy", memmap.FORMAT)),
        Parser(
            "plain text", (b"The water\n\nLa maison\n", "水\r\n\x0c".encode()), texts.reader("a.txt", plain_text.FORMAT)
        ),
        Parser("index arrays", tuple(_index_seeds()), _IndexArray(folder / "indices").read),
        Parser("word lists", tuple(_word_list_seeds()), _WordList(folder / "lists").read),
        Parser(
            "parallel sentences",
            (b"en\tfr\nwater\teau\n", b"de\tja\nx\t\xe6\xb0\xb4\n"),
            _Sentences(folder / "tsv").read,
        ),
        Parser("tokenizer.json", (_tokenizer(folder / "tokenizers"),), _Tokenizer(folder / "tokenizers").read),
        Parser("presets", (yaml.safe_dump({"train": BASE}).encode(),), _Preset(folder / "presets").read),
        Parser("manifests", tuple(_manifest_seeds(folder / "manifests")), _Manifest(folder / "manifests").read),
        Parser("evaluation sets", tuple(_set_seeds(folder / "sets")), _EvaluationSet(folder / "sets").read),
        Parser("result files", tuple(_result_seeds()), _Results(folder / "results").read),
        Parser("review answers", (b"[1, 3]", b"I think [2] or [1,\n2]"), _read_review),
    ]
    return {parser.name: parser for parser in found}


class _Ingest:
    """What `pivots ingest` does with a file, until its rows would be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True)
        self.tools = Tools(write_tokenizer(folder, vocab_size=_VOCAB_SIZE), "tokenizers", ())
        self.origin = Origin("c", "0" * 12, "f", None, None, 0, _MAX_DOCUMENT_BYTES)

    def reader(self, name: str, file_format: str, pack: Callable[[bytes], bytes] = bytes) -> Callable[[bytes], int]:
        path = self.folder / name

        def read(data: bytes) -> int:
            path.write_bytes(pack(data))
            n_records = 0
            for piece in readers.pieces(path, file_format, vocab_size=_VOCAB_SIZE, max_bytes=_MAX_DOCUMENT_BYTES):
                rows = rows_of_piece(self.tools, self.origin, piece)
                n_documents, n_rejects = rows.documents.num_rows, len(rows.rejects)
                if n_documents + n_rejects != rows.n_read:
                    raise AssertionError(f"{n_documents} documents and {n_rejects} rejects of {rows.n_read} records")
                rows.documents.validate(full=True)
                n_records += rows.n_read
            return max(n_records, 1)

        return read


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, 1)


def _jsonl_seeds() -> Iterable[bytes]:
    good = [
        json.dumps(document(str(i), f"{word} is {word}", lang=None if i % 2 else "en")) for i, word in enumerate(_WORDS)
    ]
    yield "\n".join(good * 4).encode()
    yield "\n".join(
        json.dumps(document(str(i % 3), word), ensure_ascii=False) for i, word in enumerate(_WORDS)
    ).encode()
    bad = ('{"id": 5, "text": "x", "metadata": {"lang": ["a"]}}', '{"text": null}', "[]", "", '{"id": "\\ud800"}', '{"')
    yield "\n".join(bad).encode()


def _parquet_seeds() -> Iterable[bytes]:
    ids = [str(i) for i in range(len(_WORDS))]
    for compression in ("none", "zstd"):
        table = pa.table({"id": ids, "text": list(_WORDS), "metadata": ['{"lang": "en"}', None, "["] + ["{}"] * 4})
        stream = io.BytesIO()
        pq.write_table(table, stream, row_group_size=3, compression=compression)
        yield stream.getvalue()


def _memmap_seeds() -> Iterable[bytes]:
    ids = np.random.default_rng(1).integers(0, _VOCAB_SIZE, 2 * memmap.INSTANCE_TOKENS).astype("<u2")
    ids[::97] = 0
    yield ids.tobytes()
    stream = io.BytesIO()
    np.save(stream, ids)
    yield stream.getvalue()


def _index_seeds() -> Iterable[bytes]:
    yield np.arange(3, dtype="<u4").tobytes()
    for kind in ("<i8", "<u4"):
        stream = io.BytesIO()
        np.save(stream, np.arange(3, dtype=kind))
        yield stream.getvalue()


def _word_list_seeds() -> Iterable[bytes]:
    pairs = [("water", "eau"), ("house", "maison"), ("light", "lumière")]
    yield b"j" + "\n".join(json.dumps({"en": {"en": a, "fr": ["chat"]}, "fr": {"fr": b}}) for a, b in pairs).encode()
    yield b"j" + "\n".join(json.dumps({"en": a, "fr": b}) for a, b in pairs).encode()
    yield b"c" + b'en,fr\nwater,eau\n"a ""b""",c\n'
    yield b"t" + b"en\tfr\tde\nwater\teau\t\n"
    yield b"x" + b"en;fr\nwater;eau\n"


class _File:
    """A reader of one file."""

    def __init__(self, folder: Path, name: str = "input") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.path = folder, folder / name


class _IndexArray(_File):
    def read(self, data: bytes) -> int:
        self.path.write_bytes(data)
        tokens = self.folder / "tokens.bin"
        if not tokens.exists():
            tokens.write_bytes(next(iter(_memmap_seeds())))
        try:
            choose_instances(self.path, None, [tokens, tokens], vocab_size=_VOCAB_SIZE)
        except _REFUSED:
            return 1
        return max(len(data) // 4, 1)


class _WordList(_File):
    """The first byte says what the file is called: JSON lines, CSV, TSV, or something else."""

    def read(self, data: bytes) -> int:
        suffix = {b"j": ".jsonl", b"c": ".csv", b"t": ".tsv"}.get(data[:1], ".list")
        path = self.path.with_suffix(suffix)
        path.write_bytes(data[1:])
        try:
            words = read_word_list(path)
        except _REFUSED:
            return 1
        for item in words.items:
            json.dumps(item.words, ensure_ascii=False).encode()
        return max(len({reject.line_number for reject in words.rejects}) + len(words.items), 1)


class _Sentences(_File):
    def read(self, data: bytes) -> int:
        self.path.with_suffix(".tsv").write_bytes(data)
        try:
            columns = read_parallel(self.path.with_suffix(".tsv"))
        except _REFUSED:
            return 1
        lengths = {len(texts) for texts in columns.values()}
        if len(lengths) != 1:
            raise AssertionError(f"columns of {sorted(lengths)} sentences")
        return max(*lengths, 1)


class _Tokenizer(_File):
    def read(self, data: bytes) -> int:
        self.path.with_suffix(".json").write_bytes(data)
        with contextlib.suppress(*_REFUSED):
            load_tokenizer(str(self.path.with_suffix(".json")))
        return 1


class _Preset(_File):
    def read(self, data: bytes) -> int:
        self.path.with_suffix(".yml").write_bytes(data)
        with contextlib.suppress(*_REFUSED):
            read_preset(self.path.with_suffix(".yml"))
        return 1


class _Manifest(_File):
    """The manifest of an export, read before a training."""

    def read(self, data: bytes) -> int:
        from ml.training.sequences import open_export

        path = self.folder / "export" / "manifest.json"
        path.write_bytes(data)
        with contextlib.suppress(*_REFUSED):
            read_export(path.parent)
        with contextlib.suppress(*_REFUSED):
            open_export(path.parent)
        return 1


class _EvaluationSet(_File):
    """The first byte says which of its files is changed."""

    def read(self, data: bytes) -> int:
        from ml.translation.eval_set import open_eval_set, read_pivots, read_topics

        changed = self.folder / "changed"
        shutil.copytree(self.folder / "set", changed, dirs_exist_ok=True)
        names = ("manifest.json", "items.parquet", "candidates.parquet", "pivots.parquet")
        (changed / names[data[0] % 4 if data else 0]).write_bytes(data[1:])
        try:
            opened = open_eval_set(changed)
            read_pivots(opened)
            read_topics(opened)
        except _REFUSED:
            return 1
        return len(opened.queries)


class _Results(_File):
    def read(self, data: bytes) -> int:
        results = self.folder / "run" / "results"
        results.mkdir(parents=True, exist_ok=True)
        file = results / "held_out_losses.parquet"
        file.write_bytes(data)
        home = Home(self.folder / "home")
        try:
            n_rows = write_back(home, Run(kind="score", config={}, inputs={"file": file_hash(file)}), results.parent)
        except _REFUSED:
            return 1
        finally:
            shutil.rmtree(home.root, ignore_errors=True)
        return max(sum(n_rows.values()), 1)


def _tokenizer(folder: Path) -> bytes:
    folder.mkdir(parents=True)
    return write_tokenizer(folder).read_bytes()


def _manifest_seeds(folder: Path) -> Iterable[bytes]:
    folder.mkdir(parents=True)
    yield (make_export(folder / "export") / "manifest.json").read_bytes()


def _set_seeds(folder: Path) -> Iterable[bytes]:
    folder.mkdir(parents=True)
    made = make_eval_set(folder / "set", n_scored=1)
    for number, name in enumerate(("manifest.json", "items.parquet", "candidates.parquet", "pivots.parquet")):
        yield bytes([number]) + (made / name).read_bytes()


def _result_seeds() -> Iterable[bytes]:
    schema = RESULT["held_out_losses"]
    for rows in (0, 3):
        stream = io.BytesIO()
        pq.write_table(pa.table([pa.nulls(rows, field.type) for field in schema], schema=schema), stream)
        yield stream.getvalue()


def _read_review(data: bytes) -> int:
    statuses = read_answer(data.decode(errors="replace"), n_candidates=3)
    if len(statuses) != 3:
        raise AssertionError(f"{len(statuses)} statuses of three candidates")
    return 1

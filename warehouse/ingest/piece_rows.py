"""One piece of a file to rows: the work of one process, for ingest and for words that are imported later."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.ingest.readers import memmap, parse
from warehouse.ingest.readers.records import MAX_DOCUMENT_BYTES, Piece, Records, Rejected
from warehouse.lake import identity
from warehouse.lake.document_order import DETECTOR, document_order
from warehouse.lake.schemas import MATCH_POLICY, SHARDED
from warehouse.text.languages import detect_language, instance_languages, language_code
from warehouse.text.token_offsets import place_tokens
from warehouse.text.tokenizing import Encoded, Encoder
from warehouse.text.word_matcher import WordMatcher, WordMatches

# one document in this number is encoded a second time by the reference tokenizer, by its content's hash
_CHECKED_SHARE = 256


@dataclass(frozen=True, slots=True)
class Tools:
    """What a process loads once: which tokenizer with which engine, and which word lists. Small, so it travels."""

    tokenizer_file: Path
    engine: str
    word_files: tuple[Path, ...]  # raw.words shards, sorted


@dataclass(frozen=True, slots=True)
class Origin:
    """The columns that are the same for all rows of a file, and what the request says about its languages."""

    corpus: str
    shard_id: str
    source_file: str
    lang: str | None  # given by option
    lang_column: str | None
    eos_token_id: int | None
    max_document_bytes: int = MAX_DOCUMENT_BYTES


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one piece: each of its `n_read` records is a document or a reject."""

    documents: pa.Table
    word_documents: tuple[pa.Table, ...]  # one per word file
    rejects: tuple[Rejected, ...]
    n_source_bytes: int
    n_read: int


def rows_of_piece(tools: Tools, origin: Origin, piece: Piece) -> Rows:
    """Read, normalise, check, tokenise and match one piece.

    Raises:
        EnginesDiffer: the fast tokenizer is not exact on a sample of this piece.
    """
    encoder = _encoder(tools.tokenizer_file, tools.engine)
    records = parse(
        piece,
        lang_column=origin.lang_column,
        eos_token_id=origin.eos_token_id,
        max_bytes=origin.max_document_bytes,
    )
    if piece.format == memmap.FORMAT:
        _decode_fragments(encoder, records)
    else:
        _normalise(records)
    ids = _Identities.of(origin.corpus, records)
    kept = ids.distinct(origin, records)
    texts = [records.texts[i] for i in kept]
    raw = [text.encode() for text in texts]
    encoded = _encode(encoder, records, kept, raw)
    _check_sample(encoder, [ids.content_hashes[i] for i in kept], texts)

    spelt = encoder.spelt(raw, encoded)
    data = b"".join(spelt)
    token_ends, is_lossless = place_tokens(encoder.vocabulary, encoded, spelt, data)
    for position in np.flatnonzero(~is_lossless).tolist():
        # half characters of memmap fragments decode to one control character each
        is_lossless[position] = _decoded(encoder, encoded, position) == texts[position]
    is_lossless &= ~encoder.lost(encoded)
    if not all(is_lossless):
        for position in np.flatnonzero(~is_lossless).tolist():
            line_number = records.line_numbers[kept[position]]
            records.reject(line_number, "text is lost in tokens", "decoding its tokens gives another text")
        kept = [i for i, ok in zip(kept, is_lossless, strict=True) if ok]
        texts = [records.texts[i] for i in kept]
        raw = [text.encode() for text in texts]
        encoded = _selected(encoded, is_lossless)
        spelt = encoder.spelt(raw, encoded)
        data = b"".join(spelt)
        token_ends, _ = place_tokens(encoder.vocabulary, encoded, spelt, data)

    documents = _document_rows(origin, records, ids, kept, texts, encoded, np.array([len(r) for r in raw], np.int64))
    if piece.format == memmap.FORMAT:
        documents = _with_instance_languages(documents)
    word_documents = match_documents(tools, documents, data, token_ends)
    return Rows(documents, word_documents, tuple(records.rejects), piece.n_source_bytes, records.n_read)


def rows_of_words(tools: Tools, documents: pa.Table) -> tuple[pa.Table, ...]:
    """Match word lists in documents that are in the lake already; their text is what their tokens decode to."""
    vocabulary = _encoder(tools.tokenizer_file, tools.engine).vocabulary
    column = documents["token_ids"].combine_chunks()
    data, token_ends = vocabulary.decode(np.asarray(column.flatten()))
    return match_documents(tools, documents, data, token_ends)


def match_documents(
    tools: Tools, documents: pa.Table, data: bytes, token_ends: npt.NDArray[np.integer]
) -> tuple[pa.Table, ...]:
    """Return the word_documents rows of some documents, whose texts stand in `data`, one table per word file."""
    if not tools.word_files:
        return ()
    matcher, word_ids, word_file = _matcher(tools.word_files)
    offsets = documents["token_ids"].combine_chunks().offsets.to_numpy()
    matches = matcher.match(data, token_ends, offsets - offsets[0])
    files = word_file[matches.words]
    return tuple(
        _word_rows(documents, matches, word_ids, np.flatnonzero(files == i)) for i in range(len(tools.word_files))
    )


@lru_cache(maxsize=2)
def _encoder(tokenizer_file: Path, engine: str) -> Encoder:
    return Encoder(tokenizer_file.read_bytes(), engine)


@lru_cache(maxsize=2)
def _matcher(word_files: tuple[Path, ...]) -> tuple[WordMatcher, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the matcher of some word files, and for each word its id and its file. Words are ordered by id."""
    tables = [pq.read_table(file, schema=SHARDED["words"]) for file in word_files]
    words = pa.concat_tables(tables)
    files = np.repeat(np.arange(len(tables)), [t.num_rows for t in tables])
    word_ids = words["word_id"].to_numpy()
    order = np.argsort(word_ids, kind="stable")
    return WordMatcher(words["word"].take(order).to_pylist()), word_ids[order], files[order]


def _normalise(records: Records) -> None:
    """Bring texts to NFC and reject those that cannot be stored or hold nothing."""
    keep = []
    for i, text in enumerate(records.texts):
        problem = _problem(text) or _problem_beside(records, i)
        if problem:
            records.reject(records.line_numbers[i], *problem)
            continue
        keep.append(i)
        records.texts[i] = unicodedata.normalize("NFC", text)
    _select(records, keep)


def _problem(text: str) -> tuple[str, str] | None:
    if not text or text.isspace():
        return ("blank text", f"{len(text)} characters of white space")
    if "\0" in text:
        return ("NUL in text", f"at character {text.index(chr(0))}")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return ("lone surrogate in text", f"at character {error.start}")
    return None


def _problem_beside(records: Records, i: int) -> tuple[str, str] | None:
    """Return what keeps the columns beside a record's text from being stored; a detail shows it with its escapes."""
    for name, value in (("id", records.source_ids[i]), ("source", records.sources[i]), ("language", records.langs[i])):
        if value and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                return (f"lone surrogate in {name}", value)
    return None


def _decode_fragments(encoder: Encoder, records: Records) -> None:
    """Fill in the texts of token records. Tokens stay as they are, unless their text is not NFC."""
    vocabulary = encoder.vocabulary
    keep = []
    for i, token_ids in enumerate(records.token_ids):
        line_number = records.line_numbers[i]
        if token_ids.max(initial=0) >= len(vocabulary) or not vocabulary.exists[token_ids].all():
            records.reject(line_number, "unknown token id", f"largest id {token_ids.max(initial=0)}")
            records.texts.append("")
            continue
        token_ids = token_ids[~vocabulary.is_special[token_ids]]
        text = str(vocabulary.decode(token_ids)[0], "utf-8", memmap.PARTIAL)
        if not unicodedata.is_normalized("NFC", text) and memmap.PARTIAL_CHARACTER not in text:
            text = unicodedata.normalize("NFC", text)
            token_ids = encoder.encode([text.encode()]).token_ids
        records.token_ids[i] = token_ids
        records.texts.append(text)
        problem = _problem(text)
        if problem:
            records.reject(line_number, *problem)
        else:
            keep.append(i)
    _select(records, keep)


def _select(records: Records, keep: list[int]) -> None:
    for column in ("line_numbers", "source_ids", "sources", "langs", "texts", "token_ids"):
        values = getattr(records, column)
        if values and len(values) != len(keep):
            setattr(records, column, [values[i] for i in keep])


@dataclass(frozen=True, slots=True)
class _Identities:
    content_hashes: list[int]
    source_ids: list[str]
    doc_ids: list[int]

    @classmethod
    def of(cls, corpus: str, records: Records) -> "_Identities":
        content_hashes = [identity.content_hash(text) for text in records.texts]
        source_ids = [
            stated if stated is not None else f"{content:016x}"
            for stated, content in zip(records.source_ids, content_hashes, strict=True)
        ]
        doc_ids = [
            identity.doc_id(corpus, source, source_id)
            for source, source_id in zip(records.sources, source_ids, strict=True)
        ]
        return cls(content_hashes, source_ids, doc_ids)

    def distinct(self, origin: Origin, records: Records) -> list[int]:
        """Return which records stay when one id is one document: the first by `document_order`, then by line."""
        best: dict[int, tuple[Any, ...]] = {}
        for i, doc_id in enumerate(self.doc_ids):
            lang, lang_source = _stated_language(origin, records.langs[i])
            # what the detector says depends on the text alone: equal where it would be compared
            order = document_order(self.content_hashes[i], lang or "", lang_source)
            rank = (*order, records.line_numbers[i], i)
            if doc_id not in best:
                best[doc_id] = rank
                continue
            winner, loser = min(best[doc_id], rank), max(best[doc_id], rank)
            best[doc_id] = winner
            records.rejects.append(duplicate(loser[-2], winner[-2], is_same_text=loser[0] == winner[0]))
        return sorted(rank[-1] for rank in best.values())


def duplicate(line_number: int, kept_line: int, *, is_same_text: bool) -> Rejected:
    """Return the reject of a record whose id another record of the same file has."""
    reason = "duplicate id" if is_same_text else "duplicate id with other text"
    return Rejected(line_number, reason, f"line {kept_line} was kept")


def _encode(encoder: Encoder, records: Records, kept: list[int], texts: list[bytes]) -> Encoded:
    if not records.token_ids:
        return encoder.encode(texts)
    parts = [records.token_ids[i] for i in kept]
    offsets = np.concatenate([[0], np.cumsum([len(p) for p in parts], dtype=np.int64)])
    return Encoded(np.concatenate(parts) if parts else np.empty(0, np.int32), offsets)


def _check_sample(encoder: Encoder, content_hashes: list[int], texts: list[str]) -> None:
    """Hold the fast engine to the reference on documents chosen by content, at least one of each piece."""
    least = min(content_hashes, default=0)
    chosen = [text for h, text in zip(content_hashes, texts, strict=True) if h % _CHECKED_SHARE == 0 or h == least]
    encoder.check(chosen)


def _decoded(encoder: Encoder, encoded: Encoded, position: int) -> str:
    token_ids = encoded.token_ids[encoded.offsets[position] : encoded.offsets[position + 1]]
    return str(encoder.vocabulary.decode(token_ids)[0], "utf-8", memmap.PARTIAL)


def _selected(encoded: Encoded, keep: npt.NDArray[np.bool_]) -> Encoded:
    lengths = np.diff(encoded.offsets)
    return Encoded(
        encoded.token_ids[np.repeat(keep, lengths)], np.concatenate([[0], np.cumsum(lengths[keep], dtype=np.int64)])
    )


def _document_rows(
    origin: Origin,
    records: Records,
    ids: _Identities,
    kept: list[int],
    texts: list[str],
    encoded: Encoded,
    sizes: npt.NDArray[np.int64],
) -> pa.Table:
    langs, lang_sources, lang_scores = _languages(origin, [records.langs[i] for i in kept], texts)
    n_rows = len(kept)
    columns = {
        "corpus": _constant(origin.corpus, n_rows),
        "shard_id": _constant(origin.shard_id, n_rows),
        "doc_id": pa.array([ids.doc_ids[i] for i in kept], pa.int64()),
        "source_id": pa.array([ids.source_ids[i] for i in kept], pa.string()),
        "source": pa.array([records.sources[i] for i in kept], pa.string()),
        "source_file": _constant(origin.source_file, n_rows),
        "line_number": pa.array([records.line_numbers[i] for i in kept], pa.int64()),
        "lang": pa.array(langs, pa.string()),
        "lang_source": pa.array(lang_sources, pa.string()),
        "lang_score": pa.array(lang_scores, pa.float64()),
        "instance_lang": pa.nulls(n_rows, pa.string()),
        "other_lang_share": pa.nulls(n_rows, pa.float64()),
        "content_hash": pa.array([ids.content_hashes[i] for i in kept], pa.int64()),
        "n_chars": pa.array(map(len, texts), pa.int64()),
        "n_bytes": pa.array(sizes, pa.int64()),
        "n_tokens": pa.array(np.diff(encoded.offsets), pa.int32()),
        "token_ids": pa.ListArray.from_arrays(
            pa.array(encoded.offsets, pa.int32()), pa.array(encoded.token_ids, pa.int32())
        ),
    }
    schema = SHARDED["documents"]
    return pa.Table.from_arrays([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)


def _with_instance_languages(documents: pa.Table) -> pa.Table:
    """Fill in what training instances hold beside each document. An instance's documents are all of one piece."""
    instances = documents["line_number"].to_pylist()
    found = instance_languages(
        zip(instances, documents["lang"].to_pylist(), documents["n_tokens"].to_pylist(), strict=True)
    )
    for place, name in enumerate(("instance_lang", "other_lang_share")):
        field = documents.schema.field(name)
        column = pa.array([found[instance][place] for instance in instances], field.type)
        documents = documents.set_column(documents.schema.get_field_index(name), field, column)
    return documents


def _languages(
    origin: Origin, stated: list[str | None], texts: list[str]
) -> tuple[list[str], list[str], list[float | None]]:
    langs: list[str] = []
    sources: list[str] = []
    scores: list[float | None] = []
    for code, text in zip(stated, texts, strict=True):
        known, source = _stated_language(origin, code)
        lang, score = (known, None) if known else detect_language(text)
        langs.append(lang)
        scores.append(score)
        sources.append(source)
    return langs, sources, scores


def _stated_language(origin: Origin, code: str | None) -> tuple[str | None, str]:
    """Return the language of a record before anybody looks at its text, and who says so."""
    if origin.lang:
        return origin.lang, "option"
    lang = language_code(code)
    return lang, "metadata" if lang else DETECTOR


def _constant(value: str, n_rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), n_rows)


def _word_rows(
    documents: pa.Table, matches: WordMatches, word_ids: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> pa.Table:
    lengths = np.diff(matches.offsets)
    in_document = matches.documents[rows]
    is_chosen = np.zeros(len(lengths), bool)
    is_chosen[rows] = True
    starts = matches.starts[np.repeat(is_chosen, lengths)]
    offsets = np.concatenate([[0], np.cumsum(lengths[rows])])
    n_rows = len(rows)
    columns = {
        "corpus": documents["corpus"].take(in_document),
        "shard_id": documents["shard_id"].take(in_document),
        "doc_id": pa.array(documents["doc_id"].to_numpy()[in_document], pa.int64()),
        "word_id": pa.array(word_ids[matches.words[rows]], pa.int64()),
        "match_policy": _constant(MATCH_POLICY, n_rows),
        "n_matches": pa.array(lengths[rows], pa.int32()),
        "token_starts": pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(starts, pa.int32())),
    }
    schema = SHARDED["word_documents"]
    return pa.table([columns[name] for name in schema.names], schema=schema)

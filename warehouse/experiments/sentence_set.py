"""Parallel sentences to translate, as files for `ml`: read from a TSV with one column per language, or from FLORES.

A FLORES folder holds one split, a file `<language>.<split>` per language whose lines belong together by number. Here a
misplaced line makes every score after it wrong, so what does not fit together is refused, not set aside.
"""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_folder, remove_unfinished
from warehouse.contract.folders import MANIFEST, SENTENCE_TEXTS, SENTENCES, SentenceSetManifest
from warehouse.contract.hashing import id64, short_hash
from warehouse.lake.connections import writer_lock
from warehouse.lake.corpora import copy_tokenizer, find_corpus
from warehouse.text.languages import language_code

_ID_COLUMNS = {"id", "sent_id", "sentence_id"}


@dataclass(frozen=True)
class SentenceSet:
    """Where a sentence set lies and what its manifest says."""

    folder: Path
    manifest: SentenceSetManifest


def export_sentences(
    home: Home, path: Path, *, corpus: str, languages: Sequence[str] = (), n_sentences: int | None = None
) -> SentenceSet:
    """Write parallel sentences as `exports/sentences-<hash>/`: manifest.json, sentences.parquet, tokenizer.json.

    Args:
        corpus: whose tokenizer a model without one of its own is read with.
        languages: only these, by the column's or file's name or its two-letter code; none means all.
        n_sentences: translate at most N (a fair sample: the smallest content hashes); None translates all.
            Examples come from all sentences either way.

    Raises:
        UsageError: the files are not parallel, or hold fewer than two of the languages.
    """
    texts = _chosen(path, read_parallel(path), languages)
    rows = sentence_rows(texts, n_sentences=n_sentences)
    tokenizer_hash = find_corpus(home, corpus).tokenizer_hash
    set_id = f"sentences-{short_hash([corpus, tokenizer_hash, rows.to_pylist()])}"
    scored = rows.filter(rows["is_scored"])
    manifest: SentenceSetManifest = {
        "sentence_set_id": set_id,
        "corpus": corpus,
        "source": path.name,
        "tokenizer_hash": tokenizer_hash,
        "languages": sorted(texts),
        "n_sentences": len(set(scored["sentence_id"].to_pylist())),
        "n_texts_by_lang": {lang: len(set(column)) for lang, column in _ids_by_lang(rows).items()},
    }
    folder = home.exports / set_id
    with writer_lock(home):
        remove_unfinished(home.exports)
        if not folder.exists():
            with atomic_folder(folder) as unfinished:
                pq.write_table(rows, unfinished / SENTENCES, compression="zstd")
                copy_tokenizer(home, tokenizer_hash, unfinished)
                (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return SentenceSet(folder, manifest)


def read_parallel(path: Path) -> dict[str, list[str]]:
    """Return the texts of each language as the files name it, line by line; '' where a text is missing.

    Raises:
        UsageError: nothing is there, or lines do not fit together; names file and line.
    """
    if path.is_dir():
        return _read_flores(path)
    if not path.is_file():
        raise UsageError(f"no sentences at {path}: give a TSV with a header of languages, or a FLORES split's folder")
    header, *lines = _lines(path)
    names = header.split("\t")
    if len(set(names)) != len(names):
        raise UsageError(f"{path}:1: a column name occurs twice in the header {header!r}")
    columns: dict[str, list[str]] = {name: [] for name in names}
    for number, line in enumerate(lines, start=2):
        cells = line.split("\t")
        if len(cells) != len(names):
            raise UsageError(f"{path}:{number}: {len(cells)} columns, the header has {len(names)}")
        for name, cell in zip(names, cells, strict=True):
            columns[name].append(cell)
    return {name: column for name, column in columns.items() if name.lower() not in _ID_COLUMNS}


def _read_flores(folder: Path) -> dict[str, list[str]]:
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.suffix in (".dev", ".devtest", ".test"))
    splits = {file.suffix for file in files}
    if not files:
        inside = ", ".join(sorted(sub.name for sub in folder.iterdir() if sub.is_dir()))
        hint = f"; give one of its folders: {inside}" if inside else ""
        raise UsageError(f"{folder} holds no FLORES files such as eng_Latn.devtest{hint}")
    if len(splits) > 1:
        raise UsageError(f"{folder} holds several splits ({', '.join(sorted(splits))}): give a folder of one split")
    columns = {file.stem: _lines(file) for file in files}
    lengths = {name: len(lines) for name, lines in columns.items()}
    if len(set(lengths.values())) > 1:
        (shortest, least), *_, (longest, most) = sorted(lengths.items(), key=lambda pair: (pair[1], pair[0]))
        raise UsageError(
            f"{folder}: {shortest} has {least} lines and {longest} {most}; lines belong together by number"
        )
    return columns


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path}: byte {problem.start} is not UTF-8") from None
    # not splitlines(): texts may hold other line separators
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    if len(lines) < 2:
        raise UsageError(f"{path} holds no sentences")
    return lines


def _chosen(path: Path, columns: dict[str, list[str]], languages: Sequence[str]) -> dict[str, list[str]]:
    """Return the texts of the chosen languages by their code: `en` for `eng_Latn`, unless two would be the same."""
    codes = {name: language_code(name) or name for name in columns}
    if unknown := sorted(set(languages) - set(codes) - set(codes.values())):
        raise UsageError(f"{path} has no language {', '.join(unknown)} (there are: {', '.join(sorted(codes))})")
    by_code = set(languages) - set(columns)  # a column's own name means that column alone
    kept = [name for name in columns if not languages or name in languages or codes[name] in by_code]
    taken = [codes[name] for name in kept]
    texts = {(codes[name] if taken.count(codes[name]) == 1 else name): columns[name] for name in kept}
    if len(texts) < 2:
        raise UsageError(f"{path}: a translation needs two languages, and there is only {', '.join(texts)}")
    return texts


def sentence_rows(texts: dict[str, list[str]], *, n_sentences: int | None) -> pa.Table:
    """Return one row per sentence and language that has a text for it, ordered by content hash and language.

    The same sentence twice in a file is one sentence.
    """
    by_id: dict[int, dict[str, str]] = {}
    for cells in zip(*texts.values(), strict=True):
        own = {
            lang: text
            for lang, cell in zip(texts, cells, strict=True)
            if (text := " ".join(unicodedata.normalize("NFC", cell).split()))
        }
        if len(own) >= 2:
            by_id[id64(*(part for pair in sorted(own.items()) for part in pair))] = own
    rows = [
        {
            "sentence_id": sentence_id,
            "lang": lang,
            "text": by_id[sentence_id][lang],
            "is_scored": n_sentences is None or place < n_sentences,
        }
        for place, sentence_id in enumerate(sorted(by_id))
        for lang in sorted(by_id[sentence_id])
    ]
    return pa.Table.from_pylist(rows, schema=SENTENCE_TEXTS)


def _ids_by_lang(rows: pa.Table) -> dict[str, list[int]]:
    ids: dict[str, list[int]] = {}
    for lang, sentence_id in zip(rows["lang"].to_pylist(), rows["sentence_id"].to_pylist(), strict=True):
        ids.setdefault(lang, []).append(sentence_id)
    return ids

"""Word-translation lists into the lake: words, items, distractors, and where the words occur."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.atomic import remove_unfinished
from warehouse.contract.hashing import file_hash
from warehouse.ingest.readers.records import Rejected
from warehouse.ingest.word_matches import match_missing, write_missing_forms
from warehouse.ingest.word_records import word_records
from warehouse.lake import identity
from warehouse.lake.connections import writer_lock
from warehouse.lake.files import read_table, shard_path, write_table
from warehouse.lake.runs import Run
from warehouse.lake.schemas import SHARDED
from warehouse.text.word_matcher import normalise_word

MAX_DISTRACTORS = 9
_MIN_LANGUAGES = 2  # an item with fewer translates nothing


@dataclass(frozen=True, slots=True)
class Item:
    """One concept: its word in each language, and wrong words of a language for translating into another."""

    line_number: int
    words: dict[str, str]  # NFC, by language
    distractors: dict[tuple[str, str], list[str]]  # (language of the distractors, language translated into)

    @property
    def item_id(self) -> int:
        return identity.item_id(self.words)


@dataclass(slots=True)
class WordList:
    """What a file holds."""

    items: list[Item] = field(default_factory=list)
    rejects: list[Rejected] = field(default_factory=list)

    def reject(self, line_number: int | None, reason: str, detail: str = "") -> None:
        """Note something that could not be used."""
        self.rejects.append(Rejected(line_number, reason, detail))


@dataclass(frozen=True, kw_only=True)
class WordsSummary:
    """What an import came to. Counts are of the file; `n_new_words` of what was not in the lake before."""

    run_id: str
    was_known: bool
    n_items: int
    n_words_by_lang: Counter[str]
    n_new_words: int
    n_distractors: int
    reasons: Counter[str]
    n_matched_files: int


def import_words(home: Home, path: Path) -> WordsSummary:
    """Import a word list and look for its new words in every document of every corpus.

    Raises:
        UsageError: the file is not there, is a table without languages in its first line, or holds no usable record.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    words = read_word_list(path)
    if not words.items:
        found = Counter(reject.reason for reject in words.rejects).most_common(1)
        reason = f"most often: {found[0][0]}" if found else "it is empty"
        raise UsageError(
            f"{path}: no usable record in it ({reason}); an item is a line such as "
            '{"en": "house", "de": "Haus"}, or house,Haus below a first line en,de'
        )
    digest = file_hash(path)
    name = digest[:12]
    with writer_lock(home):
        remove_unfinished(home.lake)
        # raw.words is written last: its file says that the list is imported
        was_known = shard_path(home, "words", name).exists()
        if not was_known:
            _write_list(home, name, path.name, words)
        write_missing_forms(home)
        n_matched = match_missing(home)
        run = Run(kind="words", config={"source_file": path.name}, inputs={"words": digest})
        run.record(home)
        n_new = pq.read_metadata(shard_path(home, "words", name)).num_rows
    return WordsSummary(
        run_id=run.run_id,
        was_known=was_known,
        n_items=len(words.items),
        n_words_by_lang=Counter(lang for lang, _ in {pair for item in words.items for pair in item.words.items()}),
        n_new_words=n_new,
        n_distractors=sum(len(d) for item in words.items for d in item.distractors.values()),
        reasons=Counter(reject.reason for reject in words.rejects),
        n_matched_files=n_matched,
    )


def read_word_list(path: Path) -> WordList:
    """Read a list, plain, gzip or zstd: CLWTD records, flat JSONL, CSV or TSV.

    An item keeps the languages it has when there are two at least, and the distractors that are usable; whatever is
    left out is a reject with its line. The languages of a list are those that more than half of its records have.

    Raises:
        UsageError: it is a table whose first line does not name languages.
    """
    words = WordList()
    seen: dict[int, int] = {}
    for line_number, record in word_records(path, words.reject):
        item = _item(words, line_number, record)
        if item is None:
            continue
        if item.item_id in seen:
            words.reject(line_number, "duplicate item", f"the same words as line {seen[item.item_id]}")
            continue
        seen[item.item_id] = line_number
        words.items.append(item)
    frequent = Counter(lang for item in words.items for lang in item.words)
    expected = sorted(lang for lang, n in frequent.items() if 2 * n > len(words.items))
    for item in words.items:
        missing = [lang for lang in expected if lang not in item.words]
        if missing:
            detail = f"no {', '.join(missing)}; kept with {', '.join(sorted(item.words))}"
            words.reject(item.line_number, "missing language", detail)
    return words


def _item(words: WordList, line_number: int, record: Any) -> Item | None:
    if not isinstance(record, dict):
        words.reject(line_number, "not a JSON object", type(record).__name__)
        return None
    if record and all(isinstance(value, str) for value in record.values()):
        words.reject(line_number, "failed record", f"strings instead of objects: {json.dumps(record)}")
        return None
    usable: dict[str, str] = {}
    for lang, entry in sorted(record.items()):
        word = entry.get(lang) if isinstance(entry, dict) else None
        if not _is_utf8(lang):
            words.reject(line_number, "unusable language", repr(lang))
        elif not isinstance(entry, dict):
            words.reject(line_number, "language is no object", f"{lang}: {type(entry).__name__}")
        elif not isinstance(word, str) or not word.strip() or "\0" in word or not _is_utf8(word):
            words.reject(line_number, "empty or unusable word", f"{lang}: {word!r}")
        else:
            usable[lang] = unicodedata.normalize("NFC", word.strip())
    if len(usable) < _MIN_LANGUAGES:
        words.reject(line_number, "fewer than two languages", ", ".join(usable) or "none")
        return None
    distractors = {}
    for target_lang in usable:
        for lang, given in sorted(record[target_lang].items()):
            if lang != target_lang:
                kept = _distractors(words, line_number, f"{lang} for {target_lang}", given, usable.get(lang))
                if kept and lang in usable:
                    distractors[lang, target_lang] = kept
    return Item(line_number, usable, distractors)


def _distractors(words: WordList, line_number: int, where: str, given: Any, answer: str | None) -> list[str]:
    """Return the usable distractors of one language, in their order."""
    if answer is None:
        words.reject(line_number, "distractors without a word", where)
        return []
    if not isinstance(given, list):
        words.reject(line_number, "distractors are no list", f"{where}: {type(given).__name__}")
        return []
    kept: list[str] = []
    seen: set[str] = set()
    for distractor in given:
        if not isinstance(distractor, str) or not distractor.strip() or not _is_utf8(distractor):
            words.reject(line_number, "empty or unusable distractor", f"{where}: {distractor!r}")
            continue
        distractor = unicodedata.normalize("NFC", distractor.strip())
        form = normalise_word(distractor)
        if form == normalise_word(answer):
            words.reject(line_number, "distractor is the answer", f"{where}: {distractor}")
        elif form in seen:
            words.reject(line_number, "duplicate distractor", f"{where}: {distractor}")
        elif len(kept) == MAX_DISTRACTORS:
            words.reject(line_number, "more than nine distractors", f"{where}: {distractor}")
        else:
            kept.append(distractor)
        seen.add(form)
    return kept


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _write_list(home: Home, name: str, source_file: str, words: WordList) -> None:
    """Write what a list adds to the lake. Items and words that other lists brought are not repeated."""
    known_items = set(read_table(home, "translation_items", columns=["item_id"])["item_id"].to_pylist())
    known_words = set(read_table(home, "words", columns=["word_id"])["word_id"].to_pylist())
    items = sorted((i for i in words.items if i.item_id not in known_items), key=lambda item: item.item_id)
    rows: dict[str, Iterable[dict[str, Any]]] = {
        "rejects": (
            {
                "corpus": None,
                "shard_id": name,
                "step": "words",
                "source_file": source_file,
                "line_number": reject.line_number,
                "reason": reject.reason,
                "detail": reject.detail,
            }
            for reject in sorted(words.rejects, key=lambda r: (r.line_number or 0, r.reason, r.detail))
        ),
        "distractors": (
            {
                "item_id": item.item_id,
                "source_lang": source_lang,
                "target_lang": target_lang,
                "candidate": candidate,
                "word": word,
            }
            for item in items
            for (source_lang, target_lang), distractors in sorted(item.distractors.items())
            for candidate, word in enumerate(distractors, start=1)
        ),
        "translation_items": (
            {"item_id": item.item_id, "lang": lang, "word_id": identity.word_id(lang, word)}
            for item in items
            for lang, word in sorted(item.words.items())
        ),
        "words": (
            {"word_id": word_id, "lang": lang, "word": word}
            for word_id, lang, word in sorted(
                {
                    (identity.word_id(lang, word), lang, word)
                    for item in words.items
                    for lang, word in item.words.items()
                }
            )
            if word_id not in known_words
        ),
    }
    for table, values in rows.items():
        path = shard_path(home, table, name)
        write_table(path, table, pa.Table.from_pylist(list(values), schema=SHARDED[table]))

"""The evaluation set: which items are scored in which directions, with which distractors and pivots."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.contract.errors import UsageError, raise_all
from warehouse.contract.folders import (
    CANDIDATES,
    EVALUATION_SET,
    ITEMS,
    MANIFEST,
    PIVOTS,
    TOPICS,
    EvaluationSetManifest,
)
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.contract.reading import read_manifest, read_rows

_SHOWN_PROBLEMS = 5


@dataclass(frozen=True)
class Query:
    """One item in one direction: the candidate source words (number, word) to score its target word by."""

    item_id: int
    source_lang: str
    target_lang: str
    target_word: str
    candidates: tuple[tuple[int, str], ...]  # ascending; number 0 is the right word

    @property
    def source_word(self) -> str:
        return self.candidates[0][1]


@dataclass(frozen=True)
class EvalSet:
    """An opened evaluation set. `words[lang][item_id]` holds every item, also those that only serve as shots."""

    folder: Path
    manifest: Mapping[str, Any]
    words: dict[str, dict[int, str]]
    queries: tuple[Query, ...]  # sorted by item and direction
    content_hash: str

    @property
    def languages(self) -> list[str]:
        return sorted({lang for query in self.queries for lang in (query.source_lang, query.target_lang)})


def open_eval_set(folder: Path) -> EvalSet:
    """Open an evaluation set folder. Raises UsageError naming the file and rows that do not fit together."""
    missing = [name for name in (MANIFEST, ITEMS, CANDIDATES) if not (folder / name).exists()]
    if missing:
        raise UsageError(f"--eval-set {folder}: {', '.join(missing)} missing; `pivots export` writes evaluation sets")
    words: dict[str, dict[int, str]] = {}
    for row in read_rows(folder / ITEMS, EVALUATION_SET[ITEMS]).to_pylist():
        words.setdefault(row["lang"], {})[row["item_id"]] = row["word"]
    grouped: dict[tuple[int, str, str], list[tuple[int, str]]] = {}
    for row in read_rows(folder / CANDIDATES, EVALUATION_SET[CANDIDATES]).to_pylist():
        key = (row["item_id"], row["source_lang"], row["target_lang"])
        grouped.setdefault(key, []).append((row["candidate"], row["word"]))
    queries, problems = [], []
    for (item_id, source_lang, target_lang), unsorted in sorted(grouped.items()):
        candidates = tuple(sorted(unsorted))
        target_word = words.get(target_lang, {}).get(item_id)
        where = f"item {item_id}, {source_lang} -> {target_lang}"
        if target_word is None:
            problems.append(f"items.parquet has no {target_lang} word for {where}")
        elif candidates[0] != (0, words.get(source_lang, {}).get(item_id)):
            problems.append(f"candidate 0 is not the item's own {source_lang} word for {where}")
        elif len({number for number, _ in candidates}) != len(candidates):
            problems.append(f"a candidate number occurs twice for {where}")
        else:
            queries.append(Query(item_id, source_lang, target_lang, target_word, candidates))
    if len(problems) > _SHOWN_PROBLEMS:
        problems = [*problems[:_SHOWN_PROBLEMS], f"and {len(problems) - _SHOWN_PROBLEMS} more"]
    raise_all([f"--eval-set {folder}: {problem}" for problem in problems])
    if not queries:
        raise UsageError(f"--eval-set {folder}: candidates.parquet has no rows")
    files = (ITEMS, CANDIDATES, PIVOTS, TOPICS)
    content_hash = short_hash({name: file_hash(folder / name) for name in files if (folder / name).exists()})
    return EvalSet(folder, read_manifest(folder / MANIFEST, EvaluationSetManifest), words, tuple(queries), content_hash)


def read_pivots(eval_set: EvalSet) -> dict[tuple[int, str, str], list[int]]:
    """Return the pivots of each (item, direction), best first. Raises UsageError when the set has no such file."""
    path = eval_set.folder / PIVOTS
    if not path.exists():
        raise UsageError(f"--eval-set {eval_set.folder}: pivots.parquet is missing, and traces need it")
    ranked: dict[tuple[int, str, str], list[tuple[int, int]]] = {}
    for row in read_rows(path, EVALUATION_SET[PIVOTS]).to_pylist():
        key = (row["item_id"], row["source_lang"], row["target_lang"])
        ranked.setdefault(key, []).append((row["pivot_rank"], row["token_id"]))
    return {key: [token for _, token in sorted(pairs)] for key, pairs in ranked.items()}


def read_topics(eval_set: EvalSet) -> dict[int, str]:
    """Return the topic of each item where one is known: none on real text, and none in sets of earlier versions."""
    path = eval_set.folder / TOPICS
    if not path.exists():
        return {}
    table = read_rows(path, EVALUATION_SET[TOPICS])
    return dict(zip(table["item_id"].to_pylist(), table["topic"].to_pylist(), strict=True))

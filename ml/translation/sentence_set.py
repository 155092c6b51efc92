"""Parallel sentences to translate, as an evaluation set whose items are sentences with one candidate each."""

from pathlib import Path

import pyarrow.parquet as pq

from ml.common.result_files import read_json
from ml.translation.eval_set import EvalSet, Query
from warehouse.contract.errors import UsageError
from warehouse.contract.folders import MANIFEST, SENTENCES
from warehouse.contract.hashing import file_hash, short_hash


def open_sentence_set(folder: Path) -> EvalSet:
    """Open a sentence set folder: every scored sentence in every direction in which it has both texts.

    Raises UsageError when files are missing or no sentence can be translated.
    """
    missing = [name for name in (MANIFEST, SENTENCES) if not (folder / name).exists()]
    if missing:
        raise UsageError(f"--sentences {folder}: {', '.join(missing)} missing")
    texts: dict[str, dict[int, str]] = {}
    scored = set()
    for row in pq.read_table(folder / SENTENCES).to_pylist():
        texts.setdefault(row["lang"], {})[row["sentence_id"]] = row["text"]
        if row["is_scored"]:
            scored.add(row["sentence_id"])
    queries = tuple(
        Query(sentence_id, source, target, texts[target][sentence_id], ((0, texts[source][sentence_id]),))
        for sentence_id in sorted(scored)
        for source in sorted(texts)
        for target in sorted(texts)
        if source != target and sentence_id in texts[source] and sentence_id in texts[target]
    )
    if not queries:
        raise UsageError(f"--sentences {folder}: no sentence has a text in two languages")
    content_hash = short_hash(file_hash(folder / SENTENCES))
    return EvalSet(folder, read_json(folder / MANIFEST), texts, queries, content_hash)

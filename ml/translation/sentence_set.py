"""Parallel sentences to translate, as an evaluation set whose items are sentences with one candidate each."""

from pathlib import Path

from ml.translation.eval_set import EvalSet, Query
from warehouse.contract.errors import UsageError
from warehouse.contract.folders import MANIFEST, SENTENCE_TEXTS, SENTENCES, SentenceSetManifest
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.contract.reading import read_manifest, read_rows


def open_sentence_set(folder: Path) -> EvalSet:
    """Open a sentence set folder: every scored sentence in every direction in which it has both texts.

    Raises UsageError when files are missing or no sentence can be translated.
    """
    missing = [name for name in (MANIFEST, SENTENCES) if not (folder / name).exists()]
    if missing:
        raise UsageError(f"--sentences {folder}: {', '.join(missing)} missing")
    texts: dict[str, dict[int, str]] = {}
    scored = set()
    for row in read_rows(folder / SENTENCES, SENTENCE_TEXTS).to_pylist():
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
    return EvalSet(folder, read_manifest(folder / MANIFEST, SentenceSetManifest), texts, queries, content_hash)

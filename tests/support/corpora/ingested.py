"""A corpus `c` made of files, however many of their records are rejected."""

from pathlib import Path

from warehouse.base.settings import Home
from warehouse.ingest.corpus import IngestOptions, IngestSummary, ingest_corpus

ANY_SHARE = IngestOptions(max_reject_share=1)


def ingest(home: Home, *paths: Path, tokenizer: Path, options: IngestOptions = ANY_SHARE) -> IngestSummary:
    return ingest_corpus(home, list(paths), corpus="c", tokenizer=str(tokenizer), options=options)

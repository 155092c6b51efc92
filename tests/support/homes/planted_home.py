"""A home with something to refresh: planted words, and planted documents in its inbox."""

from pathlib import Path

from warehouse.base.settings import Home
from warehouse.ingest.word_list import import_words
from warehouse.planted.plant import plant_corpus

SCALE = 0.2  # 2,000 documents


def planted_home(folder: Path, *, corpus: str = "planted") -> Home:
    """Return a home that knows the planted words, with the planted documents in its inbox."""
    home = Home(folder / "home")
    plant_corpus(folder / "planted", scale=SCALE, seed=5)
    import_words(home, folder / "planted" / "words.jsonl")
    home.inbox.mkdir(parents=True)
    (folder / "planted" / "documents").rename(home.inbox / corpus)
    return home

"""A home with something to refresh: planted words, and planted documents in its inbox."""

from pathlib import Path

from warehouse.planted.plant import plant_corpus
from warehouse.settings import Home
from warehouse.words import import_words

SCALE = 0.2  # 2,000 documents


def planted_home(folder: Path, *, corpus: str = "planted") -> Home:
    """Return a home that knows the planted words, with the planted documents in its inbox."""
    home = Home(folder / "home")
    plant_corpus(folder / "planted", scale=SCALE, seed=5)
    import_words(home, folder / "planted" / "words.jsonl")
    home.inbox.mkdir(parents=True)
    (folder / "planted" / "documents").rename(home.inbox / corpus)
    return home

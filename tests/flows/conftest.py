"""One Prefect server for all tests of flows that run in this process, and a home with something to refresh."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """Run flows on a server and a database of the tests' own."""
    from prefect.settings import PREFECT_SERVER_ANALYTICS_ENABLED, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    with (
        temporary_settings({PREFECT_SERVER_ANALYTICS_ENABLED: False}),
        prefect_test_harness(server_startup_timeout=120),
    ):
        yield

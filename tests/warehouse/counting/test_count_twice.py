"""A count is the same whatever the order, the sharding, the memory and the threads; and it is made once."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from support.corpora.counted import Made, random_corpus, write_corpus
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.counting import embedded
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.lake.files import current_count, current_files, read_table
from warehouse.lake.schemas import COUNTED

OPTIONS = CountOptions(unit="window", window_tokens=25, min_z=0.5, z_min_pair_docs=2, z_min_token_docs=2)
TABLES = sorted(set(COUNTED) - {"counts"})


def count_bytes(folder: Path, made: Made, options: CountOptions = OPTIONS) -> dict[str, bytes]:
    """Count a corpus in a home of its own and return the bytes of every table but the run's."""
    home = Home(folder)
    write_corpus(home, made)
    count_corpus(home, "c", options)
    return table_bytes(home)


def table_bytes(home: Home) -> dict[str, bytes]:
    (files,) = {current_files(home, name)[0].parent for name in TABLES}
    return {name: (files / f"{name}.parquet").read_bytes() for name in TABLES}


@pytest.fixture
def made() -> Made:
    return random_corpus(11, n_docs=150, vocab_size=90)


def reshard(made: Made, seed: int, n_shards: int) -> Made:
    """The same documents in another order and in other files."""
    docs = made.docs()
    random.Random(seed).shuffle(docs)
    return Made([docs[i::n_shards] for i in range(n_shards)], made.items, [], made.vocab_size)


@pytest.mark.parametrize("seed", range(3))
def test_order_and_sharding_do_not_matter(tmp_path: Path, made: Made, seed: int) -> None:
    """Sampling is by hash, so it holds for samples too."""
    options = replace(OPTIONS, max_docs_per_word=5, seed=seed)
    first = count_bytes(tmp_path / "a", made, options)
    assert count_bytes(tmp_path / "b", reshard(made, seed, 1 + 3 * seed), options) == first


def test_adding_files_equals_counting_all_of_them(tmp_path: Path, made: Made) -> None:
    grown = Home(tmp_path / "grown")
    parts = reshard(made, 1, 6)
    for n in (2, 3, 6):
        write_corpus(grown, Made(parts.shards[:n], made.items, [], made.vocab_size))
        count_corpus(grown, "c", OPTIONS)
    assert table_bytes(grown) == count_bytes(tmp_path / "rebuilt", reshard(made, 2, 4))
    assert len(list((grown.lake / "counts" / "c").glob("*/counts.parquet"))) == 3


@pytest.mark.parametrize("threads", [1, 3])
def test_little_memory_and_many_threads_give_the_same_bytes(
    tmp_path: Path, made: Made, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = count_bytes(tmp_path / "a", made)
    monkeypatch.setenv("PIVOTS_THREADS", str(threads))
    monkeypatch.setenv("PIVOTS_MEMORY", "16kB")  # many chunks on disk, a few rows at a time, edges spilled
    monkeypatch.setattr("warehouse.counting.units.cutting._BATCH_TOKENS", 200)
    chunks = []
    read = embedded.read_corpus
    monkeypatch.setattr(embedded, "read_corpus", lambda *a, **k: chunks.append(read(*a, **k)) or chunks[0])
    assert count_bytes(tmp_path / "b", made) == first
    assert chunks[0].added.store.n_chunks >= 3


def test_counting_twice_does_nothing(tmp_path: Path, made: Made) -> None:
    home = Home(tmp_path)
    write_corpus(home, made)
    first = count_corpus(home, "c", OPTIONS)
    files = {p: p.stat().st_mtime_ns for p in home.lake.rglob("*") if p.is_file()}
    again = count_corpus(home, "c", OPTIONS)
    assert again.was_there
    assert not first.was_there
    assert again.count_id == first.count_id
    assert {p: p.stat().st_mtime_ns for p in home.lake.rglob("*") if p.is_file()} == files


def test_other_options_make_another_count_and_the_first_comes_back(tmp_path: Path, made: Made) -> None:
    home = Home(tmp_path)
    write_corpus(home, made)
    first = count_corpus(home, "c", OPTIONS)
    other = count_corpus(home, "c", CountOptions())
    assert current_count(home, "c") == other.count_id != first.count_id
    assert read_table(home, "counts")["unit"].to_pylist() == ["document"]
    assert count_corpus(home, "c", OPTIONS).was_there
    assert current_count(home, "c") == first.count_id
    assert read_table(home, "runs")["kind"].to_pylist() == ["count", "count"]


def test_a_count_that_dies_leaves_the_last_one_and_is_made_again(
    tmp_path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    write_corpus(home, made)
    first = count_corpus(home, "c", CountOptions())
    killed = home.lake / "counts" / "c" / ".unfinished-0000-x"  # what kill -9 leaves
    (killed / "scratch").mkdir(parents=True)
    with monkeypatch.context() as broken:
        broken.setattr(embedded, "sorted_edges", lambda *_, **__: iter([{}]))
        with pytest.raises(StopIteration):
            count_corpus(home, "c", OPTIONS)
    assert current_count(home, "c") == first.count_id
    assert not list(home.lake.rglob(".unfinished-*"))
    count_corpus(home, "c", OPTIONS)
    assert table_bytes(home) == count_bytes(tmp_path / "fresh", made)


def test_a_corpus_without_words_has_token_counts_and_says_so(
    tmp_path: Path, made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path)
    for doc in (d for shard in made.shards for d in shard):
        doc.words = {}
    write_corpus(home, made)
    for path in home.lake.glob("word_documents/c/*"):
        path.unlink()
    summary = count_corpus(home, "c", OPTIONS)
    assert summary.n_words == summary.n_word_tokens == 0
    assert summary.n_token_pairs > 0
    assert "no words are matched in corpus 'c'" in capsys.readouterr().err


def test_an_unknown_corpus_is_named_with_those_that_exist(tmp_path: Path, made: Made) -> None:
    home = Home(tmp_path)
    with pytest.raises(UsageError, match="there is none yet"):
        count_corpus(home, "wiki")
    write_corpus(home, made, corpus="news")
    with pytest.raises(UsageError, match=r"no corpus 'wiki' in .*there are news;.*pivots ingest"):
        count_corpus(home, "wiki")


def test_tokens_outside_the_vocabulary_fail_the_step(tmp_path: Path, made: Made) -> None:
    home = Home(tmp_path)
    made.vocab_size = 3
    made.shards[0][0].tokens.append(200)
    write_corpus(home, made)
    with pytest.raises(StepFailed, match="outside the vocabulary of 3"):
        count_corpus(home, "c")
    assert current_count(home, "c") is None


def test_a_corpus_without_tokens_fails_the_step(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_corpus(home, Made([[]], {}))
    with pytest.raises(StepFailed, match="holds no tokens"):
        count_corpus(home, "c")


@pytest.mark.parametrize(
    ("option", "value"),
    [("unit", "page"), ("window_tokens", 0), ("max_docs_per_word", 0), ("min_rate_difference", 0.0), ("min_z", -1.0)],
)
def test_wrong_options_are_named(option: str, value: object) -> None:
    with pytest.raises(UsageError, match=option.replace("_", "-")):
        CountOptions(**{option: value})

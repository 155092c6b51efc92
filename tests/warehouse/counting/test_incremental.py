"""Counting what was added equals counting everything: random splits, replaced records, other thresholds."""

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.corpora.counted import Doc, Made, random_corpus, write_corpus
from support.places import PROJECT
from warehouse.base.settings import Home
from warehouse.counting import count
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.counting.units import first_pass
from warehouse.ingest.corpus import ingest_corpus
from warehouse.lake.files import current_files, read_table, shard_path
from warehouse.lake.schemas import COUNTED

OPTIONS = {"min_rate_difference": 0.05, "min_z": 0.5, "z_min_pair_docs": 2, "z_min_token_docs": 2}
DOCUMENTS = CountOptions(**OPTIONS)
WINDOWS = CountOptions(unit="window", window_tokens=25, **OPTIONS)


def table_bytes(home: Home) -> dict[str, bytes]:
    """The bytes of every counted table but the one that names the run."""
    files = [current_files(home, name)[0] for name in sorted(set(COUNTED) - {"counts"})]
    return {file.name: file.read_bytes() for file in files}


def rebuilt(folder: Path, made: Made, options: CountOptions) -> dict[str, bytes]:
    home = Home(folder)
    write_corpus(home, made)
    summary = count_corpus(home, "c", options)
    (row,) = read_table(home, "counts").to_pylist()
    assert row["n_tokens"] == summary.n_tokens == sum(len(d.tokens) for d in made.docs())
    return table_bytes(home)


@pytest.fixture
def documents_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many documents each call of the first pass took, in a list that grows."""
    taken = []
    take = first_pass._take

    def spy(found, batch):
        taken.append(batch.n_docs)
        return take(found, batch)

    monkeypatch.setattr(first_pass, "_take", spy)
    return taken


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1 << 30),
    steps=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    options=st.sampled_from([DOCUMENTS, WINDOWS, CountOptions(max_docs_per_word=4, seed=1, **OPTIONS)]),
    kept=st.sampled_from([0.0, 1 / 32, 100.0]),
)
@pytest.mark.slow
def test_any_split_equals_a_rebuild(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: list[int], options: CountOptions, kept: float
) -> None:
    """Whether sums are written anew each time, sometimes or never; records of later files replace earlier ones."""
    rng = random.Random(seed)
    made = random_corpus(seed, n_docs=50, vocab_size=60)
    docs = made.docs()
    shards, superseded, seen = [], [], []
    folder = tmp_path_factory.mktemp("split")
    grown = Home(folder / "grown")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(count, "KEPT_CHANGES", kept)
        for step, size in enumerate(steps):
            more, docs = docs[: size * 5], docs[size * 5 :]
            if step and seen:  # a later file holds other records under two ids: they win, or are superseded
                for place, old in rng.sample(seen, min(2, len(seen))):
                    again = Doc(
                        old.doc_id, "fr", [rng.randrange(60) for _ in range(60)], dict(list(old.words.items())[:1])
                    )
                    if all(doc != old.doc_id for _, doc in superseded):
                        superseded.append((place, old.doc_id) if rng.random() < 0.7 else (step, old.doc_id))
                        more = [*more, again]
            shards.append(more)
            seen += [(step, d) for d in more if d.doc_id not in {s for _, s in superseded}]
            now = Made(list(shards), made.items, list(superseded), made.vocab_size)
            if not any(d.tokens for d in now.docs()):
                continue
            write_corpus(grown, now)
            count_corpus(grown, "c", options)
            assert table_bytes(grown) == rebuilt(folder / f"rebuilt-{step}", now, options)


def test_only_new_files_are_read(tmp_path: Path, documents_read: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    made = random_corpus(3, n_docs=400, n_shards=40)
    home = Home(tmp_path)
    write_corpus(home, Made(made.shards[:38], made.items, [], made.vocab_size))
    count_corpus(home, "c", DOCUMENTS)
    everything = sum(len(s) for s in made.shards[:38])
    assert sum(documents_read) == everything
    (kept,) = home.lake.glob("sums/c/*/sums.json")
    for n_shards in (39, 40):  # changes that are few are counted on the same sums each time
        documents_read.clear()
        write_corpus(home, Made(made.shards[:n_shards], made.items, [], made.vocab_size))
        monkeypatch.setattr(count, "KEPT_CHANGES", 0.5)
        count_corpus(home, "c", DOCUMENTS)
        assert sum(documents_read) == sum(len(s) for s in made.shards[38:n_shards])
        assert list(home.lake.glob("sums/c/*/sums.json")) == [kept]
    documents_read.clear()
    count_corpus(home, "c", CountOptions(**OPTIONS | {"min_z": 2.0}))
    assert sum(documents_read) == len(made.shards[38]) + len(made.shards[39]), "other thresholds read nothing again"


def test_sums_are_renewed_when_much_was_added(tmp_path: Path, documents_read: list[int]) -> None:
    made = random_corpus(4, n_docs=100, n_shards=4)
    home = Home(tmp_path)
    for n_shards in (2, 4):
        documents_read.clear()
        write_corpus(home, Made(made.shards[:n_shards], made.items, [], made.vocab_size))
        count_corpus(home, "c", DOCUMENTS)
        (sums,) = home.lake.glob("sums/c/*")
    assert sum(documents_read) == sum(len(s) for s in made.shards[2:])
    documents_read.clear()
    count_corpus(home, "c", CountOptions(**OPTIONS | {"min_z": 2.0}))
    assert documents_read == []
    assert list(home.lake.glob("sums/c/*")) == [sums]
    count_corpus(home, "c", WINDOWS)
    assert len(list(home.lake.glob("sums/c/*"))) == 2, "one for each unit"


def test_other_words_count_everything_again(tmp_path: Path, documents_read: list[int]) -> None:
    """Matches of a list imported later are in files of old shards: sums that lack them are of no use."""
    made = random_corpus(5, n_docs=80)
    home = Home(tmp_path)
    write_corpus(home, made)
    later = sorted((home.lake / "word_documents" / "c").glob("*-1.parquet"))
    hidden = [path.rename(path.with_suffix(".later")) for path in later]
    count_corpus(home, "c", DOCUMENTS)
    for path in hidden:
        path.rename(path.with_suffix(".parquet"))
    documents_read.clear()
    count_corpus(home, "c", DOCUMENTS)
    assert sum(documents_read) == len(made.docs())
    assert table_bytes(home) == rebuilt(tmp_path / "rebuilt", made, DOCUMENTS)


def test_little_memory_adds_to_sums_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts in groups, chunks on disk, removed units among them."""
    made = random_corpus(6, n_docs=150, vocab_size=90, n_shards=5)
    home = Home(tmp_path / "grown")
    write_corpus(home, Made(made.shards[:4], made.items, [], made.vocab_size))
    count_corpus(home, "c", WINDOWS)
    monkeypatch.setenv("PIVOTS_MEMORY", "16kB")
    monkeypatch.setattr("warehouse.counting.units.cutting._BATCH_TOKENS", 100)
    gone = [(0, made.shards[0][0].doc_id), *((1, d.doc_id) for d in made.shards[1][:9])]
    now = Made(made.shards, made.items, gone, made.vocab_size)
    write_corpus(home, now)
    count_corpus(home, "c", WINDOWS)
    assert table_bytes(home) == rebuilt(tmp_path / "rebuilt", now, WINDOWS)


def test_what_a_killed_count_left_is_removed(tmp_path: Path) -> None:
    made = random_corpus(7)
    home = Home(tmp_path)
    write_corpus(home, made)
    (home.lake / "sums" / "c" / ".unfinished-0000-document-x").mkdir(parents=True)
    count_corpus(home, "c", DOCUMENTS)
    assert len(list((home.lake / "sums" / "c").iterdir())) == 1


def test_replaced_records_are_found_after_an_ingest_that_was_killed(tmp_path: Path) -> None:
    """Files whose commit nobody followed up: the state of replaced records is older than they are."""
    home = Home(tmp_path)
    document = {"text": "one two three", "source": "s", "id": "a", "metadata": {"lang": "en"}}
    for number, text in enumerate(("one two three", "three four")):
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(document | {"text": text}) + "\n")
    tokenizer = str(PROJECT / "ml" / "base_model" / "tokenizer.json")
    state = shard_path(home, "superseded_documents", "state", corpus="c")
    ingest_corpus(home, [tmp_path / "0.jsonl"], corpus="c", tokenizer=tokenizer)
    before = state.read_bytes()
    assert count_corpus(home, "c").n_units == 1
    ingest_corpus(home, [tmp_path / "1.jsonl"], corpus="c", tokenizer=tokenizer)
    after = state.read_bytes()
    state.write_bytes(before)  # as if killed after the file's commit
    os.utime(state, ns=(0, 0))
    assert count_corpus(home, "c").n_units == 1
    assert state.read_bytes() == after != before
    assert len(read_table(home, "superseded_documents")) == 1

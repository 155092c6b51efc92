"""What counting on Spark is made of, without Spark: sums of vectors, fair shares of work, joined chunks, errors."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.corpora.counted import random_corpus, write_corpus
from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.counting.changes import Changes, find_changes
from warehouse.counting.inputs import find_inputs
from warehouse.counting.units.chunks import Chunk, ChunkStore, JoinedChunks
from warehouse.counting.units.sampling import smallest
from warehouse.engines.spark import counting_units, tasks
from warehouse.engines.spark import counting_vectors as sums
from warehouse.engines.spark.counting_rows import balanced_groups
from warehouse.engines.spark.counting_vectors import Name


def added_up(rows: list[pa.RecordBatch]) -> dict[Name, sums.Vector]:
    """Add rows up as Spark has it done: sorted by name, in batches."""
    table = pa.Table.from_batches(rows).sort_by([(key, "ascending") for key in sums._KEY])
    return sums.vectors(pa.Table.from_batches(list(sums._add(table.to_batches(max_chunksize=2)))))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 30), n_tasks=st.integers(1, 5), width=st.sampled_from([0, 1, 300]))
def test_counts_are_added_up_by_name(seed: int, n_tasks: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    names = [Name("tokens", "en", 3), Name("tokens", "en", 3, removed=True), Name("tokens", "fr", 3), Name("pairs")]
    wanted = {name: np.zeros(width, np.uint32) for name in names}
    rows = []
    for task in range(n_tasks):
        for name in names:
            counts = (rng.integers(0, 3, width) * rng.integers(0, 1 << 22, width)).astype(np.uint32)
            wanted[name] += counts
            rows.append(sums.counts_row(name, counts, n_units=task, n_tokens=2 * task))
    found = added_up(rows)
    assert found.keys() == wanted.keys()
    for name, vector in found.items():
        np.testing.assert_array_equal(vector.values, wanted[name])
        assert vector.n_units == sum(range(n_tasks))
        assert vector.n_tokens == 2 * vector.n_units


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 30), most=st.integers(1, 6))
def test_words_are_united_and_samples_keep_the_smallest(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 6, 60) + (1 << 40)
    hashes = rng.integers(0, 1 << 63, 60, dtype=np.uint64) * np.uint64(2)
    rows = []
    for own in np.array_split(np.arange(60), 4):
        rows.append(sums.words_row(Name(sums.WORDS), np.unique(words[own])))
        rows.append(sums.samples_row(Name(sums.SAMPLES), *smallest(words[own], hashes[own], most), most))
    rows.append(sums.samples_row(Name(sums.SAMPLES), np.empty(0, np.int64), np.empty(0, np.uint64), most))
    found = added_up(rows)
    np.testing.assert_array_equal(found[Name(sums.WORDS)].values, np.unique(words))
    naive = [(w, h) for w in np.unique(words).tolist() for h in sorted(hashes[words == w].tolist())[:most]]
    kept = sums.sample(found[Name(sums.SAMPLES)])
    assert list(zip(*(column.tolist() for column in kept), strict=True)) == naive


@pytest.mark.parametrize(("cores", "most"), [(1, 1 << 25), (3, 1 << 25), (2, 60)])
def test_every_row_group_is_in_one_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, most: int) -> None:
    monkeypatch.setattr(counting_units, "TASK_TOKENS", most)
    home = Home(tmp_path)
    write_corpus(home, random_corpus(1, n_docs=120, n_shards=4))
    for path in home.lake.glob("documents/c/*.parquet"):
        table = pq.read_table(path)
        pq.write_table(table, path, row_group_size=3)
    added = find_changes(find_inputs(home, "c"), None).added
    n_groups = {part.path: pq.read_metadata(part.path).num_row_groups for part in added}
    found = counting_units.cut_tasks(Changes(None, None, added[1:], added[:1]), cores)  # type: ignore[arg-type]
    covered = [(part.path, group) for task in found for part in task.parts for group in range(*part.groups)]
    assert sorted(covered) == sorted((path, group) for path, n in n_groups.items() for group in range(n))
    assert {part.path for task in found if task.removed for part in task.parts} == {added[0].path}
    assert len(found) >= 4 * cores - 1


@given(
    work=st.lists(st.tuples(st.booleans(), st.integers(0, 1000)), max_size=40),
    n_groups=st.integers(1, 8),
)
def test_groups_share_the_work(work: list[tuple[bool, int]], n_groups: int) -> None:
    groups = balanced_groups(work, n_groups)
    assert sorted(task for group in groups for task in group.tasks) == list(range(len(work)))
    assert all(work[task][0] == group.removed for group in groups for task in group.tasks)
    for removed in (False, True):
        own = [sum(work[task][1] for task in group.tasks) for group in groups if group.removed == removed]
        largest = max((amount for is_removed, amount in work if is_removed == removed), default=0)
        assert not own or max(own) - min(own) <= largest
    assert any(not group.removed for group in groups), "one task at least: it makes the row of each part"


@pytest.mark.parametrize("limit_bytes", [1, 1 << 30])
def test_joined_chunks_hold_what_the_chunks_hold(tmp_path: Path, limit_bytes: int) -> None:
    stores = []
    n_words, n_units = 3, 0
    wanted = set()
    for number, units in enumerate(([[1, 4], [2]], [[0, 5, 6]], [[3], [], [7, 8]])):
        store = ChunkStore(tmp_path / str(number))
        words = np.array([0, 2], np.int32)
        at = np.array([0, len(units) - 1], np.int32)
        wanted |= {(word, n_units + unit) for word, unit in zip(words.tolist(), at.tolist(), strict=True)}
        n_units += len(units)
        starts = np.cumsum([0, *map(len, units)])
        ids = np.concatenate([np.array(unit, np.uint16) for unit in units])
        strata = np.full(len(units), number, np.int32)
        store.append(Chunk(ids, starts, strata, words, at, np.empty(0, np.uint64)))
        store.save()
        stores.append(ChunkStore.saved(tmp_path / str(number)))
    joined = JoinedChunks(stores, limit_bytes=limit_bytes, n_words=n_words)
    chunks = list(joined)
    assert joined.n_chunks == len(chunks) == (3 if limit_bytes == 1 else 1)
    assert np.concatenate([chunk.ids for chunk in chunks]).tolist() == [1, 4, 2, 0, 5, 6, 3, 7, 8]
    assert np.concatenate([chunk.strata for chunk in chunks]).tolist() == [0, 0, 1, 2, 2, 2]
    found, before = set(), 0
    for chunk in chunks:
        assert (np.diff(chunk.words) >= 0).all(), "grouped by word"
        found |= set(zip(chunk.words.tolist(), (chunk.word_units + before).tolist(), strict=True))
        before += chunk.n_units
        assert {field.name for field in fields(Chunk)} == vars(chunk).keys()
    assert found == wanted


def test_the_second_attempt_of_a_task_changes_nothing(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with tasks.finished_folder(tmp_path / "task") as folder:
            (folder / "result").write_text(text)
    assert (tmp_path / "task" / "result").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["task"]
    with pytest.raises(OSError, match="disk full"), tasks.finished_folder(tmp_path / "other"):
        raise OSError("disk full")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            f"Job aborted\nTraceback\n  File x\n{StepFailed.__module__}.StepFailed: no such token\n\n\tat org.apache",
            "no such token",
        ),
        ("An exception\nTraceback\nValueError: 3\n\tat java.base", "ValueError: 3"),
        ("An error occurred\n: org.apache.spark.SparkException: Could not parse Master URL: 'x'\n\tat y", None),
    ],
)
def test_the_line_that_says_most(text: str, reason: str | None) -> None:
    assert tasks._reason(Exception(text)) == (
        reason or "org.apache.spark.SparkException: Could not parse Master URL: 'x'"
    )

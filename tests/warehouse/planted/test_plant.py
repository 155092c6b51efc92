"""What `pivots plant` writes."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import zstandard

from warehouse.base.errors import UsageError
from warehouse.planted.documents import BLOCK_DOCS
from warehouse.planted.plant import DOCS_PER_SCALE, SHARD_BLOCKS, plant_corpus


def _lines(folder: Path) -> list[bytes]:
    decompressor = zstandard.ZstdDecompressor()
    shards = sorted((folder / "documents").glob("*.jsonl.zst"))
    return [line for shard in shards for line in decompressor.stream_reader(shard.open("rb")).read().splitlines()]


def test_same_arguments_same_bytes_whatever_the_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale = 4 * SHARD_BLOCKS * BLOCK_DOCS / DOCS_PER_SCALE
    monkeypatch.setenv("PIVOTS_THREADS", "1")
    plant_corpus(tmp_path / "one", scale=scale, seed=1)
    monkeypatch.setenv("PIVOTS_THREADS", "2")
    plant_corpus(tmp_path / "two", scale=scale, seed=1)
    written = [
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "one", tmp_path / "two")
    ]
    assert written[0] == written[1] != {}


def test_a_smaller_corpus_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    plant_corpus(tmp_path / "small", scale=0.3, seed=2)
    plant_corpus(tmp_path / "large", scale=0.9, seed=2)
    small, large = _lines(tmp_path / "small"), _lines(tmp_path / "large")
    assert (len(small), len(large)) == (3000, 9000)
    assert large[:3000] == small


def test_documents_words_truth_and_manifest(tmp_path: Path) -> None:
    manifest = plant_corpus(tmp_path / "c", scale=0.05, seed=0)
    assert manifest == json.loads((tmp_path / "c" / "manifest.json").read_text())
    documents = [json.loads(line) for line in _lines(tmp_path / "c")]
    assert len(documents) == manifest["n_docs"] == 500
    assert len({d["id"] for d in documents}) == 500
    assert {d["metadata"]["lang"] for d in documents} == {"en", "fr", "zh", "ja", "mul"}
    concepts = pq.read_table(tmp_path / "c" / "truth" / "concepts.parquet").to_pylist()
    pivots = pq.read_table(tmp_path / "c" / "truth" / "pivots.parquet").to_pylist()
    records = [json.loads(line) for line in (tmp_path / "c" / "words.jsonl").read_text().splitlines()]
    assert len(concepts) == len(records) == 212
    assert {"concept_id": 128, "pivot_word": "ISBN"} in pivots
    assert concepts[128]["en"] == "library"
    assert records[128]["zh"]["zh"] == "图书馆"


def test_an_occupied_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UsageError, match="not an empty folder"):
        plant_corpus(tmp_path, scale=0.01, seed=0)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    plant_corpus(tmp_path, scale=0.01, seed=0)
    assert (tmp_path / "manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0.0, "seed": 0}, "makes no document"),
        ({"scale": float("nan"), "seed": 0}, "makes no document"),
        ({"scale": 1.0, "seed": -1}, "a seed is 0 or larger"),
        ({"scale": 1.0, "seed": 0, "setting": "easy"}, "choose one of default"),
    ],
)
def test_wrong_arguments_are_one_clear_line(tmp_path: Path, arguments: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plant_corpus(tmp_path / "c", **arguments)
    assert not (tmp_path / "c").exists()

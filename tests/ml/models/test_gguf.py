"""GGUF files: dequantised once, with the weights they hold, and refused in one line when they cannot be read."""

import importlib.util
from pathlib import Path

import pytest
import torch

import ml.dequantise
from ml.models.load import find_model, load_model, model_hash
from support.ml_runs.gguf_file import write_gguf
from warehouse.contract.errors import UsageError

needs_gguf = pytest.mark.skipif(importlib.util.find_spec("gguf") is None, reason="needs the package gguf")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIVOTS_MODEL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@needs_gguf
def test_the_model_is_the_one_that_the_file_holds(cache: Path, tmp_path: Path) -> None:
    file, original = write_gguf(tmp_path)
    source = find_model(str(file))
    model = load_model(source, seed=0, dtype="float32", device=torch.device("cpu"))
    tokens = torch.arange(1, 21)[None]
    with torch.inference_mode():
        own = model(input_ids=tokens, use_cache=False).logits
        expected = original(input_ids=tokens, use_cache=False).logits
    torch.testing.assert_close(own, expected, rtol=1e-5, atol=1e-5)
    assert source.tokenizer_file is not None
    (folder,) = (path for path in cache.iterdir() if path.is_dir())
    written = (folder / "model.safetensors").stat().st_mtime_ns
    again = find_model(str(file))
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    assert model_hash(again, seed=0) == model_hash(source, seed=0)


@needs_gguf
def test_it_can_be_written_where_one_says(tmp_path: Path) -> None:
    file, _ = write_gguf(tmp_path)
    ml.dequantise.main([str(file), "--out", str(tmp_path / "folder")])
    assert (tmp_path / "folder" / "tokenizer.json").exists()
    assert find_model(str(tmp_path / "folder")).folder == tmp_path / "folder"


def test_what_cannot_be_read_is_refused_in_one_line_and_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but no more")
    with pytest.raises(UsageError) as problem:
        find_model(str(tmp_path / "broken.gguf"))
    assert "\n" not in str(problem.value)
    assert "broken.gguf" in str(problem.value)
    assert [path.name for path in cache.iterdir()] == [".lock"]

"""Inputs shared by the ml tests; everything runs offline, on the CPU, with one thread."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from ml.models.load import load_tokenizer
from support.ml_runs.inputs import make_eval_set, make_export


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of 60 short documents in two shards."""
    return make_export(tmp_path_factory.mktemp("exports") / "original")


@pytest.fixture(scope="session")
def eval_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two items scored in all 12 directions; 20 items to take shots from."""
    return make_eval_set(tmp_path_factory.mktemp("eval-sets") / "eval-a", n_scored=2)


@pytest.fixture(scope="session")
def tokenizer(export: Path) -> Tokenizer:
    return load_tokenizer(export / "tokenizer.json")

"""Training data: what a sequence holds, in which order sequences come, and what a document may see."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ml.models.nll import IGNORED
from ml.training.sequences import Sequences, count_predicted, make_batch, open_export, step_indices
from support.ml_runs.inputs import EOS
from warehouse.contract.errors import UsageError


def test_sequences_are_the_stream_cut_in_equal_parts_across_shards(export: Path) -> None:
    opened = open_export(export)
    stream = np.concatenate([np.fromfile(path, "<u2") for path in sorted(export.glob("*.npy"))])
    sequences = Sequences(opened, 37)
    assert sequences.n_sequences == len(stream) // 37
    for index in range(sequences.n_sequences):
        assert sequences[index].tolist() == stream[index * 37 : (index + 1) * 37].tolist()


@given(n_sequences=st.integers(1, 40), per_step=st.integers(1, 16), seed=st.integers(0, 3), first=st.integers(0, 20))
def test_order_is_a_function_of_its_arguments_and_covers_each_epoch_once(
    n_sequences: int, per_step: int, seed: int, first: int
) -> None:
    def read(steps: range) -> list[int]:
        return [
            index
            for step in steps
            for index in step_indices("hash", seed, step, per_step=per_step, n_sequences=n_sequences)
        ]

    n_steps = -(-2 * n_sequences // per_step)
    together = read(range(max(n_steps, first + 2)))
    assert read(range(first, first + 2)) == together[first * per_step : (first + 2) * per_step]
    assert sorted(together[:n_sequences]) == list(range(n_sequences))
    assert sorted(together[n_sequences : 2 * n_sequences]) == list(range(n_sequences))


def test_another_seed_or_export_is_another_order() -> None:
    def order(content_hash: str, seed: int) -> list[int]:
        return step_indices(content_hash, seed, 0, per_step=100, n_sequences=100)

    assert order("a", 1) == order("a", 1)
    assert order("a", 1) != order("a", 2)
    assert order("a", 1) != order("b", 1)


@given(st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=12), min_size=1, max_size=1))
def test_document_masks_agree_with_a_token_by_token_account(rows: list[list[int]]) -> None:
    """EOS is token 0. A token sees itself and earlier tokens of its document; its place is counted from its start."""
    batch = make_batch(np.array(rows), eos_token_id=EOS, document_masks=True)
    assert batch.mask is not None
    assert batch.positions is not None
    for row, tokens in enumerate(rows):
        starts = [
            max([0] + [place + 1 for place in range(here) if tokens[place] == EOS]) for here in range(len(tokens))
        ]
        for here, start in enumerate(starts):
            assert int(batch.positions[row, here]) == here - start
            seen = [place for place in range(len(tokens)) if float(batch.mask[row, 0, here, place]) == 0]
            assert seen == list(range(start, here + 1))
            is_last = here + 1 == len(tokens) or tokens[here] == EOS
            assert int(batch.labels[row, here]) == (IGNORED if is_last else tokens[here + 1])
    n_predicted = count_predicted(np.array(rows), eos_token_id=EOS, document_masks=True)
    assert n_predicted == int((batch.labels != IGNORED).sum())


def test_without_masks_every_next_token_is_predicted() -> None:
    batch = make_batch(np.array([[5, EOS, 6, 7]]), eos_token_id=EOS, document_masks=False)
    assert batch.mask is None
    assert batch.positions is None
    assert torch.equal(batch.labels, torch.tensor([[EOS, 6, 7, IGNORED]]))
    assert count_predicted(np.array([[5, EOS, 6, 7]]), eos_token_id=EOS, document_masks=False) == 3


def test_a_damaged_export_is_refused_with_all_that_is_wrong(export: Path, tmp_path: Path) -> None:
    damaged = shutil.copytree(export, tmp_path / "damaged")
    data = bytearray((damaged / "part-00000.npy").read_bytes())
    data[4] ^= 1
    (damaged / "part-00000.npy").write_bytes(data)
    (damaged / "part-00001.npy").write_bytes(b"\0\0")
    with pytest.raises(UsageError) as caught:
        open_export(damaged)
    assert "part-00000.npy differs from its hash" in str(caught.value)
    assert "part-00001.npy is not" in str(caught.value)


def test_an_export_without_separator_is_refused(export: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(export, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"eos_token_id": None}))
    with pytest.raises(UsageError, match="eos_token_id"):
        open_export(copy)

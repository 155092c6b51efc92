"""Arithmetic of a step: the formula against counts done by hand and by torch's own counter."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ml.models.flops import flops_per_token, measured_flops_per_s, published_flops_per_s
from ml.models.load import find_model, load_model
from support.ml_runs.inputs import make_config

SEQ_LEN = 32


@pytest.mark.parametrize("kind", ["olmo", "llama"])
@pytest.mark.parametrize("tied", [True, False])
def test_formula_is_close_to_what_torch_counts(tmp_path: Path, kind: str, tied: bool) -> None:
    """Torch counts the products of every position pair of attention, as the formula does, and no norms or sums."""
    config = make_config(tmp_path, kind, tie_word_embeddings=tied)
    model = load_model(find_model(str(config)), seed=0, dtype="float32", device=torch.device("cpu"))
    model.set_attn_implementation("eager")  # the counter does not see into fused attention on a CPU
    tokens = torch.zeros(4, SEQ_LEN, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        model(tokens).logits.sum().backward()
    counted = counter.get_total_flops() / tokens.numel()
    # no gradient flows into the embedded tokens, and norms hold parameters that multiply nothing
    assert counted == pytest.approx(flops_per_token(model, SEQ_LEN), rel=0.05)


def test_a_cpu_has_a_measured_peak_only() -> None:
    assert published_flops_per_s(torch.device("cpu")) is None
    assert measured_flops_per_s(torch.device("cpu")) > 1e8

"""Loading models: random weights by seed, explicit dtype, and no embedding row that never learns."""

from pathlib import Path

import pytest
import torch

from ml.models.load import find_model, load_model, model_hash
from ml.training.loss import LossModel
from support.ml_runs.inputs import ARCHITECTURES, EOS, VOCAB_SIZE, make_config

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_padding_id_that_is_also_eos_leaves_no_row_without_a_gradient(kind: str, tmp_path: Path) -> None:
    """Untied weights, so that the gradient of the row is the input's alone."""
    gradients = []
    for pad in (None, EOS):
        config = make_config(tmp_path / str(pad), kind, pad_token_id=pad, tie_word_embeddings=False)
        model = load_model(find_model(str(config)), seed=0, dtype="float32", device=CPU)
        tokens = torch.randint(1, VOCAB_SIZE, (2, 9), generator=torch.Generator().manual_seed(0))
        tokens[:, 4] = EOS
        LossModel(model)(tokens, tokens.roll(-1, 1), None, None).backward()
        gradients.append(model.get_input_embeddings().weight.grad[EOS])
    assert float(gradients[0].abs().max()) > 0
    assert float(gradients[1].abs().max()) > 0


def test_random_weights_follow_the_seed_and_nothing_else(tmp_path: Path) -> None:
    source = find_model(str(make_config(tmp_path)))
    torch.manual_seed(99)
    one, again, other = (load_model(source, seed=seed, dtype="float32", device=CPU) for seed in (1, 1, 2))
    weights = [model.get_input_embeddings().weight for model in (one, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert model_hash(source, seed=1) != model_hash(source, seed=2)


def test_every_parameter_has_the_dtype_asked_for(tmp_path: Path) -> None:
    config = make_config(tmp_path, dtype="bfloat16")
    model = load_model(find_model(str(config)), seed=0, dtype="float32", device=CPU)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}

"""The chunked loss is the plain one, and packed documents do not see each other."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ml.models.load import find_model, load_model
from ml.models.nll import IGNORED, nlls_per_row
from ml.models.unembedding import LogitRule
from ml.training.loss import LossModel, _ChunkedNll
from ml.training.sequences import make_batch
from support.ml_runs.inputs import CHANGED_LOGITS, EOS, VOCAB_SIZE, make_config

CPU = torch.device("cpu")


@pytest.mark.parametrize("with_bias", [False, True])
def test_chunked_nll_and_gradients_equal_plain_cross_entropy(with_bias: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    hidden = torch.randn(37, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(50, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(50, generator=generator, dtype=torch.float64, requires_grad=True) if with_bias else None
    targets = torch.randint(50, (37,), generator=generator)
    inputs = [hidden, weight, *([bias] if bias is not None else [])]
    plain = torch.nn.functional.cross_entropy(
        torch.nn.functional.linear(hidden, weight, bias), targets, reduction="sum"
    )
    ours = _ChunkedNll.apply(hidden, weight, bias, targets, LogitRule(), 10)
    torch.testing.assert_close(ours.double(), plain, rtol=1e-5, atol=0)
    for own, expected in zip(
        torch.autograd.grad(ours * 3, inputs), torch.autograd.grad(plain * 3, inputs), strict=True
    ):
        torch.testing.assert_close(own.double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rule", [LogitRule(0.5), LogitRule(1.0, 2.0), LogitRule(3.0, 1.5)])
def test_changed_logits_have_the_gradients_that_autograd_finds(rule: LogitRule) -> None:
    generator = torch.Generator().manual_seed(4)
    hidden = torch.randn(23, 8, generator=generator, requires_grad=True)
    weight = torch.randn(40, 8, generator=generator, requires_grad=True)
    targets = torch.randint(40, (23,), generator=generator)
    plain = torch.nn.functional.cross_entropy(rule(hidden @ weight.T), targets, reduction="sum")
    ours = _ChunkedNll.apply(hidden, weight, None, targets, rule, 10)
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=0)
    inputs = [hidden, weight]
    for own, expected in zip(torch.autograd.grad(ours, inputs), torch.autograd.grad(plain, inputs), strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [("olmo", {}), ("gpt_neox", {}), ("qwen2", {}), *CHANGED_LOGITS],
    ids=lambda value: str(value)[:8],
)
def test_loss_model_gives_the_librarys_own_loss(tmp_path: Path, kind: str, changes: dict[str, object]) -> None:
    model = load_model(find_model(str(make_config(tmp_path, kind, **changes))), seed=1, dtype="float32", device=CPU)
    tokens = np.random.default_rng(1).integers(1, VOCAB_SIZE, (3, 20))
    batch = make_batch(tokens, eos_token_id=EOS, document_masks=False)
    own = model(input_ids=batch.tokens, labels=batch.tokens).loss
    ours = LossModel(model)(batch.tokens, batch.labels, None, None) / int((batch.labels != IGNORED).sum())
    torch.testing.assert_close(ours, own, rtol=1e-5, atol=1e-5)
    with torch.inference_mode():
        rows = nlls_per_row(model, batch.tokens, batch.labels)
    torch.testing.assert_close(rows.sum() / (3 * 19), own.double(), rtol=1e-5, atol=1e-5)


SLIDING = [
    ("gemma3_text", {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 5, "sliding_window_pattern": 2}),
    ("mistral", {"num_key_value_heads": 2, "sliding_window": 5}),
]


@pytest.mark.parametrize(("kind", "changes"), SLIDING)
def test_packed_documents_longer_than_a_sliding_window_are_read_as_if_alone(
    kind: str, changes: dict[str, object], tmp_path: Path
) -> None:
    model = load_model(find_model(str(make_config(tmp_path, kind, **changes))), seed=1, dtype="float32", device=CPU)
    generator = np.random.default_rng(3)
    documents = [np.append(generator.integers(1, VOCAB_SIZE, length), EOS) for length in (14, 3, 11)]
    batch = make_batch(np.concatenate(documents)[None], eos_token_id=EOS, document_masks=True)
    expected = 0.0
    with torch.no_grad():
        for document in documents:
            ids = torch.from_numpy(document)[None]
            expected += float(model(input_ids=ids, labels=ids, use_cache=False).loss) * (len(document) - 1)
        ours = float(LossModel(model)(batch.tokens, batch.labels, batch.positions, batch.mask))
    assert ours == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["gpt_neox", "olmo", "olmo2", "llama", "qwen2"])
def test_changing_one_document_leaves_the_others_losses_alone(tmp_path: Path, kind: str) -> None:
    model = load_model(find_model(str(make_config(tmp_path, kind))), seed=1, dtype="float32", device=CPU)
    loss_model = LossModel(model)
    generator = np.random.default_rng(2)
    a, b, other_a = (np.append(generator.integers(1, VOCAB_SIZE, length), EOS) for length in (9, 12, 9))

    def loss_of_b(first: np.ndarray, masks: bool) -> float:
        batch = make_batch(np.concatenate([first, b])[None], eos_token_id=EOS, document_masks=masks)
        batch.labels[:, : len(first)] = IGNORED
        with torch.no_grad():
            return float(loss_model(batch.tokens, batch.labels, batch.positions, batch.mask))

    alone = make_batch(b[None], eos_token_id=EOS, document_masks=True)
    with torch.no_grad():
        expected = float(loss_model(alone.tokens, alone.labels, None, None))
    assert loss_of_b(a, True) == loss_of_b(other_a, True)
    assert loss_of_b(a, True) == pytest.approx(expected, rel=1e-5)
    assert loss_of_b(a, False) != loss_of_b(other_a, False), "without masks documents leak, or this test proves nothing"

"""Every switched part computes what the product's own computes: else its speed would say nothing."""

from collections.abc import Iterator

import pytest
import torch
from transformers import PreTrainedModel

from ml.gpu.inputs import TOKENIZER, known_words, random_model
from ml.gpu.sizes import REHEARSAL_SIZES
from ml.gpu.switches.fixed_shapes import fixed_shapes
from ml.gpu.switches.float8 import float8_blocks, to_float8
from ml.gpu.switches.masks import document_mod, flex_rows, make_mask
from ml.gpu.switches.packed_rows import packed_rows
from ml.gpu.training_rig import TrainingRig
from ml.models.load import load_tokenizer
from ml.training.sequences import make_batch
from ml.translation.eval_set import open_eval_set
from ml.translation.languages import language_names
from ml.translation.prompts import PromptBuilder, PromptTokens, all_prompts
from ml.translation.shared_prefix import target_nlls

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> TrainingRig:
    return TrainingRig(tmp_path_factory.mktemp("rig"), REHEARSAL_SIZES)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedModel:
    return random_model(tmp_path_factory.mktemp("model"), REHEARSAL_SIZES.large, dtype="float32", device=CPU)


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> list[PromptTokens]:
    """Prompts of different lengths."""
    eval_set = open_eval_set(known_words(tmp_path_factory.mktemp("words") / "list"))
    builder = PromptBuilder(eval_set, load_tokenizer(TOKENIZER), language_names(eval_set.languages, []))
    return builder.tokenize(all_prompts(eval_set, draws=[0])[::20])


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


def nlls_of(model: PreTrainedModel, prompts: list[PromptTokens]) -> torch.Tensor:
    return torch.tensor([value for prompt in target_nlls(model, prompts) for one in prompt for value in one])


def gradient(rig: TrainingRig, **switches: object) -> tuple[float, torch.Tensor]:
    """Return loss and gradients of one step's passes with document masks; the model stays as it is."""
    preset = rig.preset(document_masks=True, clip_norm=None)
    with rig.variant(preset, **switches):  # type: ignore[arg-type]
        rig._step = 0
        rig.passes_only(preset, warm_up=0, repeats=1)
        # the head is tied to the embeddings: every parameter has a gradient
        flat = torch.cat([p.grad.flatten() for p in rig.model.parameters() if p.grad is not None])
        loss = float(flat.norm())
        return loss, flat.clone()


@pytest.mark.parametrize(
    "switches",
    [
        {"masks": "flex"},
        {"masks": "varlen"},
        {"chunk_bytes": 1 << 16},
        {"overlap": True},
        {"fused_adamw": False},
        {"deterministic": False},
    ],
    ids=str,
)
def test_a_switched_step_has_the_gradients_of_the_products_own(rig: TrainingRig, switches: dict[str, object]) -> None:
    norm, plain = gradient(rig)
    _, switched = gradient(rig, **switches)
    assert norm > 0
    assert float((switched - plain).norm()) / norm < 1e-5


def test_a_switch_is_undone_behind_its_variant(rig: TrainingRig) -> None:
    before = rig.model.config._attn_implementation
    _, plain = gradient(rig)
    gradient(rig, masks="varlen", float8=True, chunk_bytes=1 << 16)
    assert rig.model.config._attn_implementation == before
    assert not any("forward" in vars(module) for module in rig.model.modules())
    assert torch.equal(gradient(rig)[1], plain)


def test_document_rule_is_the_products_mask() -> None:
    tokens = torch.tensor([[5, 6, 0, 7, 0, 0, 8, 9], [0, 1, 2, 3, 4, 5, 6, 0]])
    own = make_batch(tokens.numpy(), eos_token_id=0, document_masks=True).mask
    made = make_mask(document_mod(tokens, 0), *tokens.shape, dtype=torch.float32, device=CPU)
    assert own is not None
    assert torch.equal(made, own)


def test_flex_masks_and_packed_rows_score_as_padded_rows_do(
    model: PreTrainedModel, prompts: list[PromptTokens]
) -> None:
    assert len({prompt.n_tokens for prompt in prompts}) > 1
    plain = nlls_of(model, prompts)
    for switch in (flex_rows, packed_rows):
        with switch(model):
            assert float((nlls_of(model, prompts) - plain).abs().max()) < 1e-4, switch.__name__
    assert torch.equal(nlls_of(model, prompts), plain)


def test_fixed_shapes_score_as_padded_rows_do(model: PreTrainedModel, prompts: list[PromptTokens]) -> None:
    plain = nlls_of(model, prompts)
    with fixed_shapes(model, batch_tokens=4096, graphs=True) as shapes:
        first = nlls_of(model, prompts)
        # the same buffers with fewer rows: what an earlier batch left must not be seen
        few = nlls_of(model, prompts[-2:])
        again = nlls_of(model, prompts)
        assert 1 <= shapes.n_shapes <= 3
    assert float((first - plain).abs().max()) < 1e-4
    assert torch.equal(first, again)
    assert float((few - nlls_of(model, prompts[-2:])).abs().max()) < 1e-4
    assert "forward" not in vars(model.base_model)


def test_float8_rounds_by_less_than_a_sixteenth_and_keeps_the_scale() -> None:
    values = torch.randn(64, 64, generator=torch.Generator().manual_seed(0)) * 1e-6
    rounded, factor = to_float8(values, torch.float8_e4m3fn)
    back = rounded.float() * factor
    large = values.abs() > values.abs().max() / 64
    assert float(((back - values).abs() / values.abs())[large].max()) <= 1 / 16
    assert float(back.abs().max()) == pytest.approx(float(values.abs().max()), rel=1e-6)


def test_float8_layers_are_near_the_plain_ones_forward_and_backward(rig: TrainingRig) -> None:
    norm, plain = gradient(rig)
    _, small = gradient(rig, float8=True)
    apart = float((small - plain).norm()) / norm
    assert 1e-4 < apart < 0.1  # it rounds, and not more than eight bits do
    with float8_blocks(rig.model) as n_layers:
        assert n_layers == 7 * REHEARSAL_SIZES.large["num_hidden_layers"]

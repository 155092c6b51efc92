"""Edits of the residual stream: exactly nothing where nothing is removed, and a projection where something is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from ml.models.decoder import final_norm
from ml.models.load import find_model, load_model
from ml.models.residual_edit import Edit, ResidualEditor, TokenDirections, norm_weight
from support.ml_runs.inputs import ARCHITECTURES, CHANGED_LOGITS, VOCAB_SIZE, make_config

FAMILIES = [*((kind, {}) for kind in ARCHITECTURES), *CHANGED_LOGITS]
TOKENS = torch.randint(1, VOCAB_SIZE, (3, 9), generator=torch.Generator().manual_seed(1))


def model_of(folder: Path, kind: str, changes: dict[str, object]) -> PreTrainedModel:
    source = find_model(str(make_config(folder, kind, **changes)))
    model = load_model(source, seed=1, dtype="float32", device=torch.device("cpu"))
    weight = getattr(final_norm(model), "weight", None)
    if weight is not None:  # as training leaves it: not all ones
        torch.nn.init.uniform_(weight, 0.5, 1.5, generator=torch.Generator().manual_seed(2))
    return model


def hidden(model: PreTrainedModel) -> torch.Tensor:
    with torch.inference_mode():
        return model.base_model(input_ids=TOKENS, use_cache=False).last_hidden_state


@pytest.mark.parametrize(("kind", "changes"), FAMILIES)
def test_removing_nothing_changes_no_bit(kind: str, changes: dict[str, object], tmp_path: Path) -> None:
    model = model_of(tmp_path, kind, changes)
    plain = hidden(model)
    nothing = TokenDirections(model).basis([])
    assert nothing.shape[1] == 0
    with ResidualEditor(model, 1) as editor:
        assert torch.equal(hidden(model), plain), "no edits are prepared"
        editor.prepare([Edit(0), Edit(4, basis_dk=nothing), Edit(8)])
        assert torch.equal(hidden(model), plain)
        assert [editor.changed_share(row, 0) for row in range(3)] == [0, 0, 0]
        state = editor.state(1, 5)
        editor.prepare([Edit(0), Edit(5, state_d=state), Edit(0)])
        assert torch.equal(hidden(model), plain), "a state is replaced by itself"
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(("kind", "changes"), FAMILIES)
def test_a_span_is_projected_out_from_a_position_on(kind: str, changes: dict[str, object], tmp_path: Path) -> None:
    model = model_of(tmp_path, kind, changes)
    plain = hidden(model)
    directions = TokenDirections(model)
    head = model.get_output_embeddings().weight.detach()
    rows = (head * norm_weight(model))[[3, 7, 11]].double().numpy()
    with ResidualEditor(model, 2) as editor:
        editor.prepare([Edit(0), Edit(4, basis_dk=directions.basis([11, 3, 7])), Edit(0)])
        edited = hidden(model)
        before = editor._local.before[1].double().numpy()
        after = editor._local.after[1].double().numpy()
    expected = before.copy()
    expected[4:] -= before[4:] @ np.linalg.pinv(rows) @ rows
    np.testing.assert_allclose(after, expected, atol=1e-5)
    np.testing.assert_allclose(after[4:] @ rows.T, 0, atol=1e-4)
    torch.testing.assert_close(edited[[0, 2]], plain[[0, 2]], atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(edited[1, :4], plain[1, :4], atol=1e-6, rtol=1e-6)
    assert not torch.allclose(edited[1, 4:], plain[1, 4:], atol=1e-4)


@pytest.mark.parametrize(("kind", "changes"), FAMILIES)
def test_the_norms_weight_is_what_it_multiplies_by(kind: str, changes: dict[str, object], tmp_path: Path) -> None:
    model = model_of(tmp_path, kind, changes)
    state = torch.randn(model.get_input_embeddings().weight.shape[1], generator=torch.Generator().manual_seed(3))
    state -= state.mean()
    with torch.no_grad():
        normed = final_norm(model)(state) - final_norm(model)(-state)
    ratio = normed / (norm_weight(model) * state)
    torch.testing.assert_close(ratio, torch.full_like(ratio, float(ratio.mean())), rtol=1e-3, atol=1e-3)


def test_dependent_directions_count_once(tmp_path: Path) -> None:
    model = model_of(tmp_path, "olmo2", {})
    with torch.no_grad():
        model.get_output_embeddings().weight[7] = 2 * model.get_output_embeddings().weight[3]
    basis = TokenDirections(model).basis([3, 7, 11])
    assert basis.shape[1] == 2
    torch.testing.assert_close(basis.T @ basis, torch.eye(2), atol=1e-5, rtol=0)

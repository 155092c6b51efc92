"""Changes a model's hidden states behind one of its blocks, row by row: takes directions out, or puts a state in.

What the lens shows, a model need not use. An edit asks: does the answer change when what the lens showed is not there?
"""

import threading
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ml.models.decoder import decoder_blocks, final_norm

_RANK_TOLERANCE = 1e-6  # of the largest singular value


@dataclass(frozen=True)
class Edit:
    """What becomes of one row: a span is removed from `start` on, or the state at `start` is set. Neither: nothing."""

    start: int
    basis_dk: Tensor | None = None  # orthonormal columns, float32
    state_d: Tensor | None = None


class ResidualEditor:
    """Edits what the block before `layer` gives (layers as the lens counts them, 1 = behind the first block).

    Use it as a context; leaving removes the hook. Several threads may run the model at once, each with its own edits.
    """

    def __init__(self, model: PreTrainedModel, layer: int) -> None:
        self._local = threading.local()
        self._hook = decoder_blocks(model)[layer - 1].register_forward_hook(self._edit)

    def __enter__(self) -> "ResidualEditor":
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()

    def prepare(self, edits: list[Edit] | None) -> None:
        """Say what becomes of the rows of the next batches of this thread; None: nothing, and nothing is kept."""
        self._local.edits, self._local.before, self._local.after = edits, None, None

    def state(self, row: int, position: int) -> Tensor:
        """Return the state [D] of a row of the last batch as it was before its edit."""
        return self._local.before[row, position]

    def changed_share(self, row: int, start: int) -> float:
        """Return the share of the squared length of a row's states from `start` on that its edit changed."""
        before, after = self._local.before[row, start:].float(), self._local.after[row, start:].float()
        return float((after - before).pow(2).sum() / before.pow(2).sum())

    def _edit(self, module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        edits: list[Edit] | None = getattr(self._local, "edits", None)
        if edits is None:
            return None
        # blocks return a tensor, BLOOM's a tuple
        hidden_bsd: Tensor = output[0] if isinstance(output, tuple) else output
        edited_bsd = hidden_bsd.clone()
        for row, edit in enumerate(edits):
            if edit.state_d is not None:
                edited_bsd[row, edit.start] = edit.state_d.to(edited_bsd.dtype)
            elif edit.basis_dk is not None and edit.basis_dk.shape[1]:
                states_sd = hidden_bsd[row, edit.start :].float()
                kept_sd = states_sd - (states_sd @ edit.basis_dk) @ edit.basis_dk.T
                edited_bsd[row, edit.start :] = kept_sd.to(edited_bsd.dtype)
        self._local.before, self._local.after = hidden_bsd, edited_bsd
        return (edited_bsd, *output[1:]) if isinstance(output, tuple) else edited_bsd


class TokenDirections:
    """Where in the residual stream tokens are written: rows of the unembedding, through the final norm's weight."""

    def __init__(self, model: PreTrainedModel) -> None:
        head: Any = model.get_output_embeddings()
        self._head_vd: Tensor = head.weight
        self._weight_d = norm_weight(model)
        parts = self._head_vd.detach().split(8_192)
        self.norms = torch.cat([(part.float() * self._weight_d).norm(dim=-1) for part in parts]).cpu().numpy()

    def basis(self, tokens: list[int]) -> Tensor:
        """Return an orthonormal basis [D, K] of the span of tokens' directions, K at most their number."""
        ids = torch.tensor(sorted(tokens), dtype=torch.long, device=self._head_vd.device)
        directions_dk = (self._head_vd.detach()[ids].float() * self._weight_d).T
        left, values, _ = torch.linalg.svd(directions_dk, full_matrices=False)
        rank = int((values > _RANK_TOLERANCE * values.max()).sum()) if len(tokens) else 0
        return left[:, :rank]


@torch.no_grad()
def norm_weight(model: PreTrainedModel) -> Tensor:
    """Return what the final norm multiplies each coordinate by [D], float32: measured, since some add one to it."""
    size = int(model.config.get_text_config().hidden_size)
    signs_d = torch.ones(size, dtype=model.dtype, device=model.device)
    signs_d[1::2] = -1  # of mean nought and length one a coordinate: no norm changes anything but by its weight
    norm = final_norm(model)
    return ((norm(signs_d) - norm(-signs_d)).float() / 2) * signs_d.float()

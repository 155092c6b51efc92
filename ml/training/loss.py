"""Summed next-token NLL without ever holding all logits: chunked cross-entropy with its gradient made on the way."""

from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ml.models.nll import _CHUNK_BYTES_CPU, _CHUNK_BYTES_GPU, IGNORED
from ml.models.sliding import layer_masks
from ml.models.unembedding import LogitRule, logit_rule


class _ChunkedNll(torch.autograd.Function):
    """Sum over rows of logsumexp(z) - z[target], z = rule(h W^T + b), in float32.

    The gradient of each chunk's logits, softmax - onehot, is at hand while the chunk is: it is multiplied out at once,
    so neither pass keeps or recomputes a logit (the idea of Liger's fused linear cross-entropy).
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden_nd: Tensor,
        weight_vd: Tensor,
        bias_v: Tensor | None,
        targets_n: Tensor,
        rule: LogitRule,
        chunk: int,
    ) -> Tensor:
        with_gradient = any(ctx.needs_input_grad[:3])
        weight = weight_vd.to(hidden_nd.dtype)
        bias = None if bias_v is None else bias_v.to(hidden_nd.dtype)
        grad_hidden = torch.empty_like(hidden_nd) if with_gradient else None
        grad_weight = torch.zeros_like(weight_vd, dtype=torch.float32) if with_gradient else None
        grad_bias = None if bias_v is None else torch.zeros_like(bias_v, dtype=torch.float32)
        total = hidden_nd.new_zeros((), dtype=torch.float32)
        for start in range(0, hidden_nd.shape[0], chunk):
            hidden = hidden_nd[start : start + chunk]
            targets = targets_n[start : start + chunk, None]
            logits = rule(torch.nn.functional.linear(hidden, weight, bias))
            log_norm = logits.logsumexp(dim=-1, keepdim=True)
            total += (log_norm - logits.gather(1, targets)).sum()
            if grad_hidden is None or grad_weight is None:
                continue
            slope = rule.slope(logits)
            grad_logits = logits.sub_(log_norm).exp_()
            grad_logits.scatter_add_(1, targets, grad_logits.new_full(targets.shape, -1.0))
            if not isinstance(slope, float) or slope != 1.0:
                grad_logits *= slope
            grad_logits = grad_logits.to(hidden.dtype)
            grad_hidden[start : start + chunk] = grad_logits @ weight
            grad_weight += grad_logits.T @ hidden
            if grad_bias is not None:
                grad_bias += grad_logits.sum(0)
        ctx.save_for_backward(grad_hidden, grad_weight, grad_bias)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad_total,) = grads
        scaled = (None if saved is None else saved * grad_total.to(saved.dtype) for saved in ctx.saved_tensors)
        return (*scaled, None, None, None)


def summed_nll(hidden_nd: Tensor, head: torch.nn.Linear, targets_n: Tensor, rule: LogitRule = LogitRule()) -> Tensor:
    """Return the sum of -log p(target) over rows, float32, nats; the matrix product runs in the autocast dtype."""
    device = hidden_nd.device.type
    if torch.is_autocast_enabled(device):
        hidden_nd = hidden_nd.to(torch.get_autocast_dtype(device))
    weight = head.weight
    n_tokens, width = weight.shape
    limit = _CHUNK_BYTES_GPU if device == "cuda" else _CHUNK_BYTES_CPU
    # every chunk adds to the whole gradient of the head: it must be worth that
    chunk = max(limit // (4 * n_tokens), 3 * width // 2)
    return _ChunkedNll.apply(hidden_nd, weight, getattr(head, "bias", None), targets_n, rule, chunk)  # type: ignore[no-untyped-call]


class LossModel(torch.nn.Module):
    """A causal LM whose forward is the summed NLL, so that DDP and FSDP wrap everything that holds parameters."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self._rule = logit_rule(model)  # while the weights are whole

    def forward(self, tokens: Tensor, labels: Tensor, positions: Tensor | None, mask: Tensor | None) -> Tensor:
        """Return the NLL summed over positions whose label is not IGNORED. Shapes as in `Batch`."""
        options: dict[str, Any] = {"attention_mask": mask}
        if positions is not None:
            options["position_ids"] = positions
        if mask is not None and positions is not None and isinstance(mask, Tensor):
            options["attention_mask"] = layer_masks(self.model.config, mask, positions)
        # use_cache=True would make transformers skip what it knows about packed sequences
        output = self.model.base_model(input_ids=tokens, use_cache=False, **options)
        is_target = labels != IGNORED
        head = self.model.get_output_embeddings()
        return summed_nll(output.last_hidden_state[is_target], head, labels[is_target], self._rule)

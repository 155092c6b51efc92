"""Negative log-likelihoods of tokens."""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ml.models.unembedding import head_logits

_CHUNK_BYTES_CPU = 4 << 20  # logits of one chunk stay in the cache


_CHUNK_BYTES_GPU = 1 << 30


def nlls_per_row(model: PreTrainedModel, tokens_bs: Tensor, labels_bs: Tensor) -> Tensor:
    """Return the NLL summed over each row's labels that are not IGNORED [B], float64, without gradients."""
    hidden = model.base_model(input_ids=tokens_bs, use_cache=False).last_hidden_state
    is_target = labels_bs != IGNORED
    nlls = token_nlls(model, hidden[is_target], labels_bs[is_target]).double()
    rows = is_target.nonzero()[:, 0]
    return torch.zeros(len(tokens_bs), dtype=torch.float64, device=nlls.device).index_add_(0, rows, nlls)


def token_nlls(model: PreTrainedModel, hidden_nd: Tensor, targets_n: Tensor) -> Tensor:
    """Return -log p(target) [N], float32, without gradients; logits are made a chunk of positions at a time."""
    limit = _CHUNK_BYTES_GPU if hidden_nd.device.type == "cuda" else _CHUNK_BYTES_CPU
    chunk = max(64, limit // (4 * model.config.vocab_size))
    parts = []
    for start in range(0, len(targets_n), chunk):
        logits = head_logits(model, hidden_nd[start : start + chunk])
        own = logits.gather(1, targets_n[start : start + chunk, None])[:, 0]
        parts.append(logits.logsumexp(dim=-1) - own)
    return torch.cat(parts)


IGNORED = -100  # label of a position whose next token is not predicted

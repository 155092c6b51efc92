"""Where the decoder blocks and the final norm of a model are."""

import torch
from transformers import PreTrainedModel

from warehouse.contract.errors import UsageError

_NORM_NAMES = ("norm", "final_layer_norm", "ln_f", "final_layernorm", "layer_norm", "norm_f", "final_norm")


def decoder_blocks(model: PreTrainedModel) -> torch.nn.ModuleList:
    """Return the decoder blocks, first to last."""
    lists = [child for child in model.base_model.children() if isinstance(child, torch.nn.ModuleList)]
    blocks = [child for child in lists if len(child) == model.config.num_hidden_layers]
    if len(blocks) != 1:
        raise UsageError(f"model type {model.config.model_type}: its decoder blocks were not found")
    return blocks[0]


def final_norm(model: PreTrainedModel) -> torch.nn.Module:
    """Return the norm between the last block and the unembedding."""
    for name in _NORM_NAMES:
        if isinstance(norm := getattr(model.base_model, name, None), torch.nn.Module):
            return norm
    raise UsageError(f"model type {model.config.model_type}: its final norm was not found ({', '.join(_NORM_NAMES)})")

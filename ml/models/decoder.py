"""Where the decoder blocks and the final norm of a model are; what it raises where it is no decoder like others."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel

from warehouse.contract.errors import UsageError

_NORM_NAMES = (
    *("norm", "final_layer_norm", "ln_f", "final_layernorm", "layer_norm", "norm_f", "final_norm"),
    *("embedding_norm", "layernorm"),  # LFM2, CTRL
)


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Turn what a model's own code raises, where it cannot be called as decoders are, into a UsageError of one line."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as problem:
        raise UsageError(f"{what} ({' '.join(str(problem).split())})") from None


def decoder_blocks(model: PreTrainedModel) -> torch.nn.ModuleList:
    """Return the decoder blocks, first to last."""
    lists = [child for child in _decoder(model).children() if isinstance(child, torch.nn.ModuleList)]
    blocks = [child for child in lists if len(child) == model.config.num_hidden_layers]
    if len(blocks) != 1:
        raise UsageError(f"model type {model.config.model_type}: its decoder blocks were not found")
    return blocks[0]


def final_norm(model: PreTrainedModel) -> torch.nn.Module:
    """Return the norm between the last block and the unembedding."""
    for name in _NORM_NAMES:
        if isinstance(norm := getattr(_decoder(model), name, None), torch.nn.Module):
            return norm
    raise UsageError(f"model type {model.config.model_type}: its final norm was not found")


def _decoder(model: PreTrainedModel) -> torch.nn.Module:
    """Return the module with blocks and norm: the base model, or what OPT and others call its decoder."""
    decoder = getattr(model.base_model, "decoder", None)
    return decoder if isinstance(decoder, torch.nn.Module) else model.base_model

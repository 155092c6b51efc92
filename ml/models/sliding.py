"""Attention masks of models some of whose layers see a sliding window only (Gemma 2 and 3, Mistral)."""

from typing import Any

import torch
from torch import Tensor


def sliding_window(config: Any) -> int | None:
    """Return how far layers with a window see, in tokens; None where there are none."""
    return getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None


def layer_masks(config: Any, mask_b1qk: Tensor, positions_bs: Tensor) -> Tensor | dict[str, Tensor]:
    """Return an additive mask as a model's layers want it: as it is, or narrowed to the window where layers have one.

    transformers takes a mask [B, 1, S, S] for all layers as it is; by kind of layer it takes a dictionary. A token sees
    as far back as its position says, whatever stands between in the row.
    """
    window = sliding_window(config)
    kinds = set(getattr(config, "layer_types", None) or ("sliding_attention",))
    if not window or "sliding_attention" not in kinds or int(positions_bs.max()) < window:
        return mask_b1qk
    distance = positions_bs[:, None, :, None] - positions_bs[:, None, None, :]
    narrowed = mask_b1qk.masked_fill(distance >= window, torch.finfo(mask_b1qk.dtype).min)
    if kinds == {"sliding_attention"}:
        return narrowed
    return dict.fromkeys(kinds, mask_b1qk) | {"sliding_attention": narrowed}

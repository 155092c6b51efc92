"""Profiles: which attention ran, and where the time of a piece of work went."""

from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

# The operators under torch's scaled_dot_product_attention, and what they are: a fallback makes all S x S scores.
_ATTENTION = {
    "_scaled_dot_product_flash_attention": "flash",
    "_scaled_dot_product_flash_attention_for_cpu": "flash",
    "_scaled_dot_product_efficient_attention": "memory-efficient",
    "_scaled_dot_product_cudnn_attention": "cudnn",
    "_scaled_dot_product_attention_math": "math (fallback)",
    "_scaled_dot_product_attention_math_for_mps": "math (fallback)",
    "flex_attention": "flex",
    "_varlen_attn": "varlen",
    "varlen_attn": "varlen",
}
_TOP = 25


def _profile(work: Callable[[], Any], device: torch.device) -> Any:
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as recorded:
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    return recorded


def attention_used(work: Callable[[], Any], device: torch.device) -> list[str]:
    """Return which implementations of attention ran while `work` did, sorted.

    Each of `_ATTENTION`'s values at most once; empty when none of them was seen.
    """
    names = {event.key for event in _profile(work, device).key_averages()}
    used = set()
    for name in names:
        operator = name.rsplit("::", 1)[-1]
        if operator in _ATTENTION:
            used.add(_ATTENTION[operator])
        elif "flex_attention" in name:  # the name of a generated kernel
            used.add("flex")
    return sorted(used)


def hottest(work: Callable[[], Any], device: torch.device) -> str:
    """Return a table of the operators that took longest."""
    order = "self_cuda_time_total" if device.type == "cuda" else "self_cpu_time_total"
    return str(_profile(work, device).key_averages().table(sort_by=order, row_limit=_TOP, max_name_column_width=60))

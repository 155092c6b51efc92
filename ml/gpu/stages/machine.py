"""The machine: what it is, and the two ceilings that everything else is held against, measured."""

import os
import platform
import sys
from typing import Any

import torch

from ml.common.result_files import versions
from ml.gpu.sizes import Sizes, sizes_of
from ml.gpu.timing import time_runs
from ml.models.flops import published_flops_per_s
from warehouse.contract.stage_answers import REFUSED, start_stage


def main() -> int:
    """Answer; refuse full sizes on a machine without a GPU."""
    arguments, answers = start_stage()
    sizes = sizes_of(arguments.sizes)
    if not arguments.is_rehearsal and not torch.cuda.is_available():
        answers.note("torch sees no GPU here: --rehearse runs the same stages at tiny sizes on a CPU")
        return REFUSED
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    facts = answers.item("facts", lambda: describe(device))
    copied = answers.item("copy_bytes_per_s", lambda: copy_rate(device, sizes), needs_s=5)
    multiplied = answers.item("product_flops_per_s", lambda: product_rate(device, sizes), needs_s=5)
    answers.table("Machine", ["what", "value"], [[name, value] for name, value in facts.items()])
    answers.check(
        "copy within the device (bytes read and written), TB/s", copied / 1e12, "a ceiling, no target", is_within=None
    )
    published = published_flops_per_s(device)
    answers.check(
        "matrix product, random numbers, TFLOP/s",
        multiplied / 1e12,
        f"data sheet: {published / 1e12:,.0f}" if published else "no data sheet",
        is_within=None,
    )
    answers.save()
    return 0


def describe(device: torch.device) -> dict[str, Any]:
    """Return what the machine is."""
    facts: dict[str, Any] = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        facts |= {
            "device_memory_gib": round(properties.total_memory / 2**30),
            "multiprocessors": properties.multi_processor_count,
            "compute_capability": f"{properties.major}.{properties.minor}",
            "cuda": torch.version.cuda,
        }
    return facts | versions()


def copy_rate(device: torch.device, sizes: Sizes) -> float:
    """Return bytes/s read and written by copies within the device's memory."""
    source = torch.randint(0, 255, (sizes.copy_bytes,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    timed = time_runs(lambda: target.copy_(source), device, warm_up=2, repeats=7)
    return 2 * sizes.copy_bytes / timed.median


def product_rate(device: torch.device, sizes: Sizes) -> float:
    """Return FLOP/s of a square product of random bf16 matrices (fp32 on a CPU), the median of several."""
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    n = sizes.product_size
    left, right = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    timed = time_runs(lambda: torch.mm(left, right), device, warm_up=3, repeats=15)
    return 2 * n**3 / timed.median


if __name__ == "__main__":
    sys.exit(main())

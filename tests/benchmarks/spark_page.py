"""The page of `bench_spark.py`."""

from typing import Any


def page(figures: list[dict[str, Any]], size: float, cores: list[int]) -> str:
    return ""

"""Counting on a GPU, tried: token pairs as products of 0/1 matrices, held to the CPU kernels cell by cell.

    python -m warehouse.engines.gpu --results FILE --work DIR --seconds 100 --sizes full

Not an engine of `pivots count`: `docs/benchmarks/gpu.md` says whether it would pay, by the rule written in `decision`.
"""

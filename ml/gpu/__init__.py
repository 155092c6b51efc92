"""One recipe for a machine with a GPU: every open question about correctness, speed and scale, answered by one command.

    python -m ml.gpu --minutes 25 --out results        # or: make gpu GPU_MINUTES=25, pivots bench gpu --minutes 25
    python -m ml.gpu --rehearse --out results          # the same stages at tiny sizes, on a CPU

`runner` starts every stage as a process of its own, in the order of their worth, and keeps what each one found in
`<out>/results.json` and `<out>/gpu.md`. Until a stage runs, nothing here is imported but the standard library and
`warehouse.contract`, so that a machine that lacks a package says which.
"""

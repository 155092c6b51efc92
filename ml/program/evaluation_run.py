"""The frame of every program that reads a model: load it, compute what is missing, write results, then the record."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Protocol

import pyarrow as pa

from ml.common.result_files import versions, write_json, write_result
from ml.models.load import n_parameters
from ml.models.unembedding import logit_rule
from ml.program.chunks import compute_chunks, drop_chunks
from ml.program.loaded import LoadedModel, open_model
from ml.program.run_folder import is_finished, join_processes
from warehouse.contract.folders import RESULTS, RUN_RECORD
from warehouse.contract.hashing import short_hash
from warehouse.contract.requests import EvaluationRequest


class Evaluation(Protocol):
    """What a program adds to the frame, once its inputs are opened and the model is loaded."""

    unit: str  # of the work: prompts, sentences, tokens

    @property
    def identity(self) -> dict[str, Any]:
        """What the numbers depend on beside the run, the model and its dtype."""

    @property
    def inputs(self) -> dict[str, str]:
        """Content hashes of what was read, the model left out."""

    @property
    def config(self) -> dict[str, Any]:
        """What was asked, for the record."""

    def chunks(self, resources: contextlib.ExitStack) -> list[int]:
        """Return how many units each chunk of the work holds. Asked once, and only if the run is not finished yet.

        What has to be closed behind the last chunk is put on `resources`. Raises UsageError for a model that cannot be
        read so.
        """

    def compute(self, number: int) -> pa.Table:
        """Do one chunk. Several are computed side by side."""

    def tables(self, rows: pa.Table) -> dict[str, pa.Table]:
        """Return the result tables from the rows of all chunks, in the order of the chunks."""

    @property
    def details(self) -> dict[str, Any]:
        """What else the record says. Asked after the last chunk."""

    def print_summary(self, tables: dict[str, pa.Table]) -> None:
        """Print what came out."""


def run_evaluation(request: EvaluationRequest, prepare: Callable[[LoadedModel], Evaluation]) -> None:
    """Serve a request: `<out>/results/*.parquet`, then `<out>/run.json`.

    Under a launcher the chunks are divided over processes. Killed at any moment and run again, it computes only chunks
    that are missing; finished, it does nothing.

    Raises:
        UsageError: the request cannot be served, or another run was finished in its folder.
    """
    state = join_processes(request.device)
    loaded = open_model(request)
    logit_rule(loaded.model)  # refuses a model whose logits cannot be made from its hidden states
    evaluation = prepare(loaded)
    out = request.out
    identity = {"run_id": request.run_id, "model": loaded.hash, "dtype": loaded.dtype} | evaluation.identity
    if is_finished(out, identity, state):
        return
    folder = out / RESULTS / f".chunks-{short_hash(identity)}"
    with contextlib.ExitStack() as resources:
        sizes = evaluation.chunks(resources)
        started = time.monotonic()
        rows = compute_chunks(
            folder,
            sizes,
            evaluation.compute,
            what=request.program.replace("_", " "),
            unit=evaluation.unit,
            device=loaded.model.device,
            state=state,
        )
        elapsed = time.monotonic() - started
    if rows is None:  # not the main process
        return
    tables = evaluation.tables(rows)
    for name, table in tables.items():
        write_result(out, name, table)
    record: dict[str, Any] = {
        "run_id": request.run_id,
        "kind": request.program,
        "config": {"model": request.model, "seed": request.seed} | evaluation.config,
        "identity": identity,
        "inputs": evaluation.inputs | {"model": loaded.hash},
        "model_type": loaded.model.config.model_type,
        "n_parameters": n_parameters(loaded.model),
        "dtype": loaded.dtype,
        "device": loaded.model.device.type,
        "n_processes": state.num_processes,
        "versions": versions(),
        "timing": {f"{request.program}_s": elapsed, f"{evaluation.unit}_per_s": sum(sizes) / elapsed},
    }
    write_json(out / RUN_RECORD, record | evaluation.details)
    drop_chunks(folder)
    evaluation.print_summary(tables)

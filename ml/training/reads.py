"""What a training read, and when: which part of which document stood in which step.

The order is a function of export, seed and step, so this is known without training.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ml.training.sequences import Export, step_indices
from ml.training.step import StepData
from warehouse.contract.folders import DOCUMENT_SPANS
from warehouse.contract.result_schemas import RESULT


def training_reads(data: StepData, run_id: str, *, n_steps: int, per_step: int) -> pa.Table:
    """Return rows of `training_reads`: by step and place in it, then in the order of the text."""
    doc_ids, starts, ends = document_spans(data.export)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in RESULT["training_reads"].names if name != "run_id"}
    n_sequences = data.sequences.n_sequences
    for step in range(n_steps):
        order = step_indices(data.export.content_hash, data.seed, step, per_step=per_step, n_sequences=n_sequences)
        for place, index in enumerate(order):
            start, stop = data.sequences.span(index)
            documents = np.arange(
                np.searchsorted(ends, start, side="right"), np.searchsorted(starts, stop, side="left")
            )
            first = np.maximum(start - starts[documents], 0)
            # the separator behind a document is no token of it
            last = np.minimum(stop, ends[documents] - 1) - starts[documents]
            read = last > first
            columns["step"].append(np.full(read.sum(), step + 1))
            columns["sequence"].append(np.full(read.sum(), place))
            columns["doc_id"].append(doc_ids[documents[read]])
            columns["first_token"].append(first[read])
            columns["n_tokens"].append((last - first)[read])
    arrays = {name: np.concatenate(parts) if parts else np.array([], np.int64) for name, parts in columns.items()}
    rows = pa.table({"run_id": pa.array([run_id] * len(arrays["step"]), pa.string())} | arrays)
    return rows.cast(RESULT["training_reads"])


def document_spans(export: Export) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ids of an export's documents, and where in its stream each begins and ends, separator included."""
    ids, starts, ends, before = [], [], [], 0
    for shard in export.manifest["shards"]:
        if shard["n_tokens"]:
            table = pq.read_table(Path(export.folder) / shard["documents"], schema=DOCUMENT_SPANS)
            ids.append(table["doc_id"].to_numpy())
            starts.append(table["start"].to_numpy() + before)
            ends.append(table["end"].to_numpy() + before)
            before += shard["n_tokens"]
    return np.concatenate(ids), np.concatenate(starts), np.concatenate(ends)

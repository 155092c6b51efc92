"""Held-out loss per language: NLL of documents that no arm was trained on.

    python -m ml.held_out --export DIR --model M --run-id ID --out DIR

The export is one of strategy `held_out`. Each document is read on its own from position 0; every token but its first is
predicted, the closing EOS included. A document longer than the model's context is read in windows that share one
token, so each token is predicted once. Writes `<out>/results/held_out_losses.parquet` and `<out>/run.json`.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import PreTrainedModel

from ml.common.errors import run_program
from ml.common.result_files import versions, write_json, write_result
from ml.models.load import check_plain_unembedding, context_length, n_parameters
from ml.models.nll import IGNORED, nlls_per_row
from ml.program.arguments import add_batch_tokens, add_common, open_model, parse
from ml.program.chunks import compute_chunks, cut, drop_chunks
from ml.program.run_folder import is_finished, join_processes
from ml.training.sequences import Export, open_export
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import short_hash
from warehouse.contract.result_schemas import RESULT

DEFAULT_WINDOW = 2048
_CHUNK_BATCHES = 8  # batches in a chunk, which is what a kill can cost
_PADDING = 0
_CHUNK_SCHEMA = pa.schema([("lang", pa.string()), ("n_tokens", pa.int64()), ("nll_sum", pa.float64())])


@dataclass(frozen=True)
class Window:
    """Part of a document that fits the model: tokens [start, end) of a shard; all but the first are predicted."""

    lang: str
    shard: int
    start: int
    end: int

    @property
    def n_tokens(self) -> int:
        return self.end - self.start


def main(argv: list[str] | None = None) -> None:
    """Check everything, read all documents, sum up by language."""
    arguments = _parse(argv)
    export = open_export(arguments.export)
    state = join_processes(arguments.device)
    loaded = open_model(arguments)
    check_plain_unembedding(loaded.model)
    vocab_size = loaded.model.config.vocab_size
    if (largest := max(int(shard.max()) for shard in export.shards)) >= vocab_size:
        raise UsageError(f"--export {arguments.export} holds token {largest}, the model knows only {vocab_size} tokens")
    window = min(DEFAULT_WINDOW, context_length(loaded.model.config) or DEFAULT_WINDOW)
    identity = {
        "run_id": arguments.run_id,
        "export": export.content_hash,
        "model": loaded.hash,
        "dtype": loaded.dtype,
        "window_tokens": window,
        "batch_tokens": arguments.batch_tokens,
    }
    out: Path = arguments.out
    if is_finished(out, identity, state):
        return
    documents = _documents(export)
    windows = cut_windows(export, window)
    chunks = cut(windows, lambda item: item.n_tokens, limit=_CHUNK_BATCHES * arguments.batch_tokens)
    folder = out / "results" / f".chunks-{short_hash(identity)}"
    started = time.monotonic()
    rows = compute_chunks(
        folder,
        [sum(item.n_tokens for item in chunk) for chunk in chunks],
        lambda number: _read_chunk(loaded.model, export, chunks[number], arguments.batch_tokens),
        what="held-out loss",
        unit="tokens",
        device=loaded.model.device,
        state=state,
    )
    elapsed = time.monotonic() - started
    if rows is None:
        return
    table = summarise(arguments.run_id, documents, rows)
    write_result(out, "held_out_losses", table)
    record: dict[str, Any] = {
        "run_id": arguments.run_id,
        "kind": "held_out",
        "config": {"model": arguments.model, "seed": arguments.seed, "window_tokens": window},
        "identity": identity,
        "inputs": {"export": export.content_hash, "model": loaded.hash},
        "export_id": export.manifest["export_id"],
        "model_type": loaded.model.config.model_type,
        "n_parameters": n_parameters(loaded.model),
        "dtype": loaded.dtype,
        "device": loaded.model.device.type,
        "n_processes": state.num_processes,
        "tokenizer_hash": export.manifest["tokenizer_hash"],
        "versions": versions(),
        "timing": {"held_out_s": elapsed, "tokens_per_s": export.n_tokens / elapsed},
    }
    write_json(out / "run.json", record)
    drop_chunks(folder)
    print(f"{'lang':<8} {'documents':>10} {'tokens':>12} {'NLL per token':>14}")
    for row in table.to_pylist():
        print(f"{row['lang']:<8} {row['n_docs']:>10} {row['n_tokens']:>12} {row['nll_sum'] / row['n_tokens']:>14.4f}")


def _documents(export: Export) -> pa.Table:
    """Return one row per document: shard, lang, start, end, n_bytes."""
    parts = []
    for number, shard in enumerate(export.manifest["shards"]):
        rows = pq.read_table(export.folder / shard["documents"], columns=["lang", "start", "end", "n_bytes"])
        parts.append(rows.append_column("shard", pa.array([number] * rows.num_rows, pa.int32())))
    return pa.concat_tables(parts)


def cut_windows(export: Export, window: int) -> list[Window]:
    """Return all windows of at most `window` tokens, longest first; those with nothing to predict are left out."""
    windows = []
    for row in _documents(export).to_pylist():
        for start in range(row["start"], row["end"] - 1, window - 1):
            windows.append(Window(row["lang"], row["shard"], start, min(start + window, row["end"])))
    return sorted(windows, key=lambda item: (-item.n_tokens, item.shard, item.start))


def _read_chunk(model: PreTrainedModel, export: Export, chunk: list[Window], batch_tokens: int) -> pa.Table:
    """Return one row per window: lang, predicted tokens, summed NLL."""
    values: list[float] = []
    start = 0
    while start < len(chunk):
        count = max(1, batch_tokens // chunk[start].n_tokens)
        values += window_nlls(model, export, chunk[start : start + count])
        start += count
    rows = [
        {"lang": item.lang, "n_tokens": item.n_tokens - 1, "nll_sum": nll}
        for item, nll in zip(chunk, values, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=_CHUNK_SCHEMA)


@torch.inference_mode()
def window_nlls(model: PreTrainedModel, export: Export, windows: list[Window]) -> list[float]:
    """Return the summed NLL of each window in nats. Padding stands on the right, where causal attention ignores it."""
    length = max(item.n_tokens for item in windows)
    tokens = torch.full((len(windows), length), _PADDING)
    labels = torch.full_like(tokens, IGNORED)
    for row, item in enumerate(windows):
        ids = torch.from_numpy(export.shards[item.shard][item.start : item.end].astype("int64"))
        tokens[row, : len(ids)] = ids
        labels[row, : len(ids) - 1] = ids[1:]
    return nlls_per_row(model, tokens.to(model.device), labels.to(model.device)).tolist()


def summarise(run_id: str, documents: pa.Table, rows: pa.Table) -> pa.Table:
    """Return one row per language, in order of the language code."""
    per_lang = documents.group_by("lang").aggregate([("lang", "count"), ("n_bytes", "sum")])
    sums = rows.group_by("lang").aggregate([("n_tokens", "sum"), ("nll_sum", "sum")])
    losses = {row["lang"]: row for row in sums.to_pylist()}
    table = [
        {
            "run_id": run_id,
            "lang": row["lang"],
            "n_docs": row["lang_count"],
            "n_tokens": losses[row["lang"]]["n_tokens_sum"],
            "n_bytes": row["n_bytes_sum"],
            "nll_sum": losses[row["lang"]]["nll_sum_sum"],
        }
        for row in sorted(per_lang.to_pylist(), key=lambda row: row["lang"])
        if row["lang"] in losses
    ]
    return pa.Table.from_pylist(table, schema=RESULT["held_out_losses"])


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ml.held_out", description="Held-out loss per language.")
    parser.add_argument("--export", type=Path, required=True, help="export folder of strategy held_out")
    add_common(parser)
    add_batch_tokens(parser, on_cpu=4_096, on_gpu=65_536)
    return parse(parser, argv)


if __name__ == "__main__":
    run_program(main)

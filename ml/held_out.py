"""Held-out loss per language: NLL of documents that no arm was trained on.

    python -m ml.held_out --export DIR --model M --run-id ID --out DIR

The export is one of strategy `held_out`. Each document is read on its own from position 0; every token but its first is
predicted, the closing EOS included. A document longer than the model's context is read in windows that share one
token, so each token is predicted once. Special tokens that the model's tokenizer puts before a text (BOS) stand before
every document and window, and are not predicted. Writes `<out>/results/held_out_losses.parquet` and `<out>/run.json`.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from transformers import PreTrainedModel

from ml.common.errors import run_program
from ml.models.load import context_length, leading_special_ids
from ml.models.nll import IGNORED, nlls_per_row
from ml.program.arguments import parse
from ml.program.chunks import cut
from ml.program.evaluation_run import run_evaluation
from ml.program.loaded import LoadedModel, batch_tokens, open_tokenizer
from ml.training.sequences import Export, open_export
from warehouse.contract.errors import UsageError
from warehouse.contract.folders import DOCUMENT_SPANS
from warehouse.contract.reading import read_rows
from warehouse.contract.requests import HeldOutRequest
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
    """Serve the request on the command line."""
    run(parse(HeldOutRequest, argv))


def run(request: HeldOutRequest) -> None:
    """Check everything, read all documents, sum up by language."""
    export = open_export(request.export)
    run_evaluation(request, lambda loaded: HeldOutLosses(request, export, loaded))


class HeldOutLosses:
    """The windows of held-out documents, cut into chunks, and what becomes of their losses."""

    unit = "tokens"

    def __init__(self, request: HeldOutRequest, export: Export, loaded: LoadedModel) -> None:
        self._run_id, self._export, self._model = request.run_id, export, loaded.model
        self._batch_tokens = batch_tokens(request)
        vocab_size = loaded.model.config.vocab_size
        if (largest := max(int(shard.max()) for shard in export.shards)) >= vocab_size:
            raise UsageError(
                f"--export {request.export} holds token {largest}, the model knows only {vocab_size} tokens"
            )
        tokenizer = open_tokenizer(request, loaded.source, export.folder).tokenizer
        self._leading = leading_special_ids(tokenizer)
        context = context_length(loaded.model.config) or DEFAULT_WINDOW + len(self._leading)
        self._window_tokens = min(DEFAULT_WINDOW, context - len(self._leading))
        if self._window_tokens < 2:
            raise UsageError(f"--model {request.model} has {context} positions: too few to predict a token of a text")
        self._limit_tokens = request.limit_tokens
        self._documents = chosen_documents(export, request.limit_tokens)
        self._chunks: list[list[Window]] = []

    @property
    def identity(self) -> dict[str, Any]:
        return {
            "export": self._export.content_hash,
            "window_tokens": self._window_tokens,
            "batch_tokens": self._batch_tokens,
        } | {
            name: value
            for name, value in (("leading_special_ids", self._leading), ("limit_tokens", self._limit_tokens))
            if value
        }

    @property
    def inputs(self) -> dict[str, str]:
        return {"export": self._export.content_hash}

    @property
    def config(self) -> dict[str, Any]:
        limit = {"limit_tokens": self._limit_tokens} if self._limit_tokens else {}
        return {"window_tokens": self._window_tokens} | limit

    def chunks(self, resources: ExitStack) -> list[int]:
        windows = cut_windows(self._documents, self._window_tokens)
        self._chunks = cut(windows, lambda item: item.n_tokens, limit=_CHUNK_BATCHES * self._batch_tokens)
        return [sum(item.n_tokens for item in chunk) for chunk in self._chunks]

    def compute(self, number: int) -> pa.Table:
        """Read the windows of a chunk, longest first; return their summed NLL."""
        return _read_chunk(self._model, self._export, self._chunks[number], self._leading, self._batch_tokens)

    def tables(self, rows: pa.Table) -> dict[str, pa.Table]:
        return {"held_out_losses": summarise(self._run_id, self._documents, rows)}

    @property
    def details(self) -> dict[str, Any]:
        manifest = self._export.manifest
        return {
            "export_id": manifest["export_id"],
            "tokenizer_hash": manifest["tokenizer_hash"],
            "leading_special_ids": self._leading,
        }

    def print_summary(self, tables: dict[str, pa.Table]) -> None:
        print(f"{'lang':<8} {'documents':>10} {'tokens':>12} {'NLL per token':>14}")
        for row in tables["held_out_losses"].to_pylist():
            mean = row["nll_sum"] / row["n_tokens"]
            print(f"{row['lang']:<8} {row['n_docs']:>10} {row['n_tokens']:>12} {mean:>14.4f}")


def _documents(export: Export) -> pa.Table:
    """Return one row per document: shard, lang, start, end, n_bytes."""
    parts = []
    for number, shard in enumerate(export.manifest["shards"]):
        rows = read_rows(export.folder / shard["documents"], DOCUMENT_SPANS).drop_columns("doc_id")
        parts.append(rows.append_column("shard", pa.array([number] * rows.num_rows, pa.int32())))
    return pa.concat_tables(parts)


def chosen_documents(export: Export, limit_tokens: int | None) -> pa.Table:
    """Return one row per document to read, as `_documents` does: all, or as many as a limit of tokens allows.

    Each language has the same share of the limit, and what a small one leaves is shared by the others. Its documents
    are taken in the export's order, which is random, until the next one would be too much; the first is always read.
    """
    documents = _documents(export)
    if limit_tokens is None:
        return documents
    lengths: dict[str, list[int]] = {}
    sizes = pc.subtract(documents["end"], documents["start"]).to_pylist()
    langs = documents["lang"].to_pylist()
    for lang, size in zip(langs, sizes, strict=True):
        lengths.setdefault(lang, []).append(size)
    left, shares = limit_tokens, dict.fromkeys(lengths, 0)
    for place, lang in enumerate(sorted(lengths, key=lambda lang: (sum(lengths[lang]), lang))):
        shares[lang] = min(sum(lengths[lang]), left // (len(lengths) - place))
        left -= shares[lang]
    n_taken = {lang: max(1, int(np.searchsorted(np.cumsum(lengths[lang]), shares[lang], "right"))) for lang in lengths}
    keep, seen = [], dict.fromkeys(lengths, 0)
    for lang in langs:
        keep.append(seen[lang] < n_taken[lang])
        seen[lang] += 1
    return documents.filter(pa.array(keep))


def cut_windows(documents: pa.Table, window: int) -> list[Window]:
    """Return all windows of at most `window` tokens, longest first; those with nothing to predict are left out."""
    windows = []
    for row in documents.to_pylist():
        windows += [
            Window(row["lang"], row["shard"], start, min(start + window, row["end"]))
            for start in range(row["start"], row["end"] - 1, window - 1)
        ]
    return sorted(windows, key=lambda item: (-item.n_tokens, item.shard, item.start))


def _read_chunk(
    model: PreTrainedModel, export: Export, chunk: list[Window], leading: list[int], batch_tokens: int
) -> pa.Table:
    """Return one row per window: lang, predicted tokens, summed NLL."""
    values: list[float] = []
    start = 0
    while start < len(chunk):
        count = max(1, batch_tokens // (chunk[start].n_tokens + len(leading)))
        values += window_nlls(model, export, chunk[start : start + count], leading)
        start += count
    rows = [
        {"lang": item.lang, "n_tokens": item.n_tokens - 1, "nll_sum": nll}
        for item, nll in zip(chunk, values, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=_CHUNK_SCHEMA)


@torch.inference_mode()
def window_nlls(
    model: PreTrainedModel, export: Export, windows: list[Window], leading: Sequence[int] = ()
) -> list[float]:
    """Return the summed NLL of each window in nats, read behind the leading tokens.

    Padding stands on the right, where causal attention ignores it.
    """
    n_leading = len(leading)
    length = n_leading + max(item.n_tokens for item in windows)
    tokens = torch.full((len(windows), length), _PADDING)
    tokens[:, :n_leading] = torch.tensor(leading, dtype=tokens.dtype)
    labels = torch.full_like(tokens, IGNORED)
    for row, item in enumerate(windows):
        ids = torch.from_numpy(export.shards[item.shard][item.start : item.end].astype("int64"))
        tokens[row, n_leading : n_leading + len(ids)] = ids
        labels[row, n_leading : n_leading + len(ids) - 1] = ids[1:]
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


if __name__ == "__main__":
    run_program(main)

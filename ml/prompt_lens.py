"""The classic lens picture: what every layer would say next, at every token of a prompt of one's own.

    python -m ml.prompt_lens --prompt "The capital of France is" --model M --run-id ID --out DIR

Writes `<out>/results/prompt_lenses.parquet` and `<out>/run.json`.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from tokenizers import Tokenizer
from torch import Tensor

from ml.common.errors import run_program
from ml.common.token_text import TokenText
from ml.models.lens import LayerReader
from ml.models.load import leading_special_ids, visible_length
from ml.program.arguments import parse
from ml.program.evaluation_run import run_evaluation
from ml.program.loaded import LoadedModel, open_tokenizer
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import short_hash
from warehouse.contract.requests import PromptLensRequest
from warehouse.contract.result_schemas import RESULT


def main(argv: list[str] | None = None) -> None:
    """Serve the request on the command line."""
    run(parse(PromptLensRequest, argv))


def run(request: PromptLensRequest) -> None:
    """Read one prompt and write the table."""
    run_evaluation(request, lambda loaded: PromptLens(request, loaded))


class PromptLens:
    """One prompt, which is one chunk, and its rows."""

    unit = "tokens"

    def __init__(self, request: PromptLensRequest, loaded: LoadedModel) -> None:
        self._request = request
        self._tokenizer = open_tokenizer(request, loaded.source, Path())
        tokenizer = self._tokenizer.tokenizer
        self._tokens = leading_special_ids(tokenizer) + tokenizer.encode(request.prompt, add_special_tokens=False).ids
        limit = visible_length(loaded.model.config)
        if not self._tokens:
            raise UsageError("--prompt: the text has no tokens")
        if limit and len(self._tokens) > limit:
            raise UsageError(
                f"--prompt: the text has {len(self._tokens)} tokens, and the model sees only {limit} at once"
            )
        self._watched = watched_tokens(tokenizer, request.watch)
        self._model = loaded.model
        self._reader: LayerReader  # hooked into the model while it reads

    @property
    def identity(self) -> dict[str, Any]:
        return {
            "tokenizer": self._tokenizer.hash,
            "tokens": short_hash(self._tokens),
            "top": self._request.top,
            "watched": self._watched,
        }

    @property
    def inputs(self) -> dict[str, str]:
        return {}

    @property
    def config(self) -> dict[str, Any]:
        return {"prompt": self._request.prompt, "top": self._request.top}

    def chunks(self, resources: ExitStack) -> list[int]:
        self._reader = resources.enter_context(LayerReader(self._model))
        return [len(self._tokens)]

    def compute(self, number: int) -> pa.Table:
        """Return rows of `prompt_lenses`."""
        text, run_id, top = TokenText(self._tokenizer.tokenizer), self._request.run_id, self._request.top
        return lens_rows(self._reader, self._tokens, text, run_id, top=top, watched=self._watched)

    def tables(self, rows: pa.Table) -> dict[str, pa.Table]:
        return {"prompt_lenses": rows}

    @property
    def details(self) -> dict[str, Any]:
        return {"n_layers": self._reader.n_layers, "tokenizer_hash": self._tokenizer.hash}

    def print_summary(self, tables: dict[str, pa.Table]) -> None:
        print(f"{self._request.out}: {len(self._tokens)} tokens, {self._reader.n_layers} layers")


def watched_tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> list[int]:
    """Return the token of each watched text. Raises UsageError for a text that is not exactly one token."""
    tokens = []
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        if len(ids) != 1:
            pieces = " ".join(repr(TokenText(tokenizer)(token)) for token in ids)
            raise UsageError(f"--watch {text!r}: {len(ids)} tokens ({pieces}); watch one (a leading space counts)")
        tokens += ids
    return sorted(set(tokens))


def lens_rows(
    reader: LayerReader, tokens: list[int], text: TokenText, run_id: str, *, top: int, watched: list[int]
) -> pa.Table:
    """Return rows of `prompt_lenses`: the `top` likeliest tokens of each position and layer, and the watched ones."""
    rows: list[dict[str, Any]] = []
    for layer, start, log_probs_nv in reader.read_prompt(tokens):
        entropies = -(log_probs_nv.exp() * log_probs_nv).sum(dim=-1)
        best = log_probs_nv.topk(min(top, log_probs_nv.shape[1]), dim=-1).indices
        for place, (entropy, ids) in enumerate(zip(entropies.tolist(), best.tolist(), strict=True)):
            for rank, token, p in ranked(log_probs_nv[place], ids, watched):
                rows.append(
                    {
                        "run_id": run_id,
                        "position": start + place,
                        "token_id": tokens[start + place],
                        "token": text(tokens[start + place]),
                        "layer": layer,
                        "top_rank": rank,
                        "top_token_id": token,
                        "top_token": text(token),
                        "p": p,
                        "entropy": entropy,
                        "is_watched": token in watched,
                    }
                )
    keys = ("position", "layer", "top_rank", "top_token_id")
    table = pa.Table.from_pylist(rows, schema=RESULT["prompt_lenses"])
    return table.sort_by([(key, "ascending") for key in keys])


def ranked(log_probs_v: Tensor, best: list[int], watched: list[int]) -> list[tuple[int, int, float]]:
    """Return (rank, token, probability) of the best tokens in their order, then of watched ones not among them.

    The rank of a watched token is one more than the number of likelier tokens.
    """
    result = [(rank, token, float(log_probs_v[token].exp())) for rank, token in enumerate(best, start=1)]
    for token in watched:
        if token not in best:
            rank = 1 + int(torch.count_nonzero(log_probs_v > log_probs_v[token]))
            result.append((rank, token, float(log_probs_v[token].exp())))
    return result


if __name__ == "__main__":
    run_program(main)

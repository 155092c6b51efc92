"""The classic lens picture: what every layer would say next, at every token of a prompt of one's own.

    python -m ml.prompt_lens --prompt "The capital of France is" --model M --run-id ID --out DIR

Writes `<out>/results/prompt_lenses.parquet` and `<out>/run.json`.
"""

import argparse
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from tokenizers import Tokenizer
from torch import Tensor

from ml.common.errors import run_program
from ml.common.result_files import versions, write_json, write_result
from ml.common.token_text import TokenText
from ml.models.lens import LayerReader
from ml.models.load import check_plain_unembedding, leading_special_ids, n_parameters, visible_length
from ml.program.arguments import add_common, open_model, resolve_tokenizer
from ml.program.run_folder import is_finished, join_processes
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import short_hash
from warehouse.contract.result_schemas import RESULT


def main(argv: list[str] | None = None) -> None:
    """Read one prompt and write the table."""
    arguments = _parse(argv)
    state = join_processes(arguments.device)
    loaded = open_model(arguments)
    tokenizer_file, tokenizer = resolve_tokenizer(arguments, loaded.source, Path())
    check_plain_unembedding(loaded.model)
    tokens = leading_special_ids(tokenizer) + tokenizer.encode(arguments.prompt, add_special_tokens=False).ids
    limit = visible_length(loaded.model.config)
    if not tokens:
        raise UsageError("--prompt: the text has no tokens")
    if limit and len(tokens) > limit:
        raise UsageError(f"--prompt: the text has {len(tokens)} tokens, and the model sees only {limit} at once")
    watched = watched_tokens(tokenizer, arguments.watch)
    identity = {
        "run_id": arguments.run_id,
        "model": loaded.hash,
        "tokenizer": tokenizer_file.hash,
        "dtype": loaded.dtype,
        "tokens": short_hash(tokens),
        "top": arguments.top,
        "watched": watched,
    }
    out: Path = arguments.out
    if is_finished(out, identity, state) or not state.is_main_process:
        return
    with LayerReader(loaded.model) as reader:
        rows = lens_rows(reader, tokens, TokenText(tokenizer), arguments.run_id, top=arguments.top, watched=watched)
        n_layers = reader.n_layers
    write_result(out, "prompt_lenses", rows)
    record: dict[str, Any] = {
        "run_id": arguments.run_id,
        "kind": "prompt_lens",
        "config": {"model": arguments.model, "seed": arguments.seed, "prompt": arguments.prompt, "top": arguments.top},
        "identity": identity,
        "inputs": {"model": loaded.hash},
        "model_type": loaded.model.config.model_type,
        "n_parameters": n_parameters(loaded.model),
        "n_layers": n_layers,
        "dtype": loaded.dtype,
        "device": loaded.model.device.type,
        "tokenizer_hash": tokenizer_file.hash,
        "versions": versions(),
    }
    write_json(out / "run.json", record)
    print(f"{out}: {len(tokens)} tokens, {n_layers} layers")


def watched_tokens(tokenizer: Tokenizer, texts: list[str]) -> list[int]:
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
    """Return (rank, token, probability) of the best tokens in their order, then of watched ones that are not among
    them, whose rank is one more than the number of likelier tokens."""
    result = [(rank, token, float(log_probs_v[token].exp())) for rank, token in enumerate(best, start=1)]
    for token in watched:
        if token not in best:
            rank = 1 + int(torch.count_nonzero(log_probs_v > log_probs_v[token]))
            result.append((rank, token, float(log_probs_v[token].exp())))
    return result


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ml.prompt_lens", description="Logit lens at every token of a prompt.")
    parser.add_argument("--prompt", required=True)
    add_common(parser)
    parser.add_argument("--top", type=int, default=5, help="tokens kept per position and layer (default: 5)")
    parser.add_argument("--watch", action="append", default=[], metavar="TOKEN", help="keep this token's rank too")
    arguments = parser.parse_args(argv)
    if arguments.top < 1:
        raise UsageError("--top must be at least 1")
    return arguments


if __name__ == "__main__":
    run_program(main)

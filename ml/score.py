"""Word translation scores (method section 6): NLL of each target word after its right source word and its distractors.

    python -m ml.score --eval-set DIR --model M --run-id ID --out DIR

Writes `<out>/results/word_scores.parquet`, `<out>/results/prompts.parquet` and `<out>/run.json`. Under
`accelerate launch` the work is divided over processes. Killed at any moment and run again, it scores only what is
missing: finished chunks are kept by the hash of all that they depend on.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
from transformers import PreTrainedModel

from ml.common.errors import run_program
from ml.common.token_text import is_blank
from ml.models.load import visible_length
from ml.program.arguments import parse
from ml.program.evaluation_run import run_evaluation
from ml.program.loaded import LoadedModel, batch_tokens
from ml.translation.eval_set import EvalSet, open_eval_set
from ml.translation.languages import language_names
from ml.translation.prompt_inputs import prompt_inputs
from ml.translation.prompts import Prompt, PromptBuilder, PromptTokens, all_prompts
from ml.translation.shared_prefix import batch_cost, check_against_reference, target_nlls
from ml.translation.shots import N_DRAWS, N_SHOTS
from warehouse.contract.errors import UsageError
from warehouse.contract.requests import ScoreRequest
from warehouse.contract.result_schemas import RESULT

_CHECKED_PROMPTS = 2
_MIN_CHUNK_PROMPTS = 64
_KEYS = ("item_id", "source_lang", "target_lang", "candidate", "draw")

Work = tuple[Prompt, PromptTokens]


def main(argv: list[str] | None = None) -> None:
    """Serve the request on the command line."""
    run(parse(ScoreRequest, argv))


def run(request: ScoreRequest) -> None:
    """Check everything, score chunk by chunk, then write the tables."""
    eval_set = open_eval_set(request.eval_set)
    names = language_names(eval_set.languages, request.language_name)
    run_evaluation(request, lambda loaded: WordScores(request, eval_set, names, loaded))


class WordScores:
    """The prompts of an evaluation set, cut into chunks, and what becomes of their scores."""

    unit = "prompts"

    def __init__(self, request: ScoreRequest, eval_set: EvalSet, names: dict[str, str], loaded: LoadedModel) -> None:
        self._eval_set, self._model = eval_set, loaded.model
        self._run_id, self._batch_tokens = request.run_id, batch_tokens(request)
        self._read = prompt_inputs(request, eval_set, names, loaded)
        self._builder, self._tokenizer = self._read.builder, self._read.tokenizer.tokenizer
        self._prompts = all_prompts(eval_set)
        self._builder.check(self._prompts)
        tokens = self._builder.tokenize(self._prompts)
        _check_lengths(tokens, self._model)
        # longest first: what does not fit in memory fails at once
        self._work: list[Work] = sorted(
            zip(self._prompts, tokens, strict=True), key=lambda item: (-item[1].n_tokens, item[0].key)
        )
        self._size = chunk_prompts(self._batch_tokens)
        self._difference = 0.0

    @property
    def identity(self) -> dict[str, Any]:
        return self._read.identity | {
            "n_shots": N_SHOTS,
            "n_draws": N_DRAWS,
            "batch_tokens": self._batch_tokens,
        }

    @property
    def inputs(self) -> dict[str, str]:
        return self._read.hashes

    @property
    def config(self) -> dict[str, Any]:
        return {
            "batch_tokens": self._batch_tokens,
            "n_shots": N_SHOTS,
            "n_draws": N_DRAWS,
            "language_names": self._read.names,
        }

    def chunks(self, resources: ExitStack) -> list[int]:
        every = max(1, len(self._work) // _CHECKED_PROMPTS)
        checked = [tokens for _, tokens in self._work[::every]][:_CHECKED_PROMPTS]
        self._difference = check_against_reference(self._model, checked)
        return [len(self._chunk(start)) for start in range(0, len(self._work), self._size)]

    def compute(self, number: int) -> pa.Table:
        """Score the prompts of a chunk in batches of similar length; return rows of `word_scores`."""
        columns: dict[str, list[Any]] = {name: [] for name in RESULT["word_scores"].names}
        chunk = self._chunk(number * self._size)
        for batch in cut_batches(chunk, lambda tokens: batch_cost(self._model, tokens), self._batch_tokens):
            nlls = target_nlls(self._model, [tokens for _, tokens in batch])
            for (prompt, tokens), by_candidate in zip(batch, nlls, strict=True):
                for row in self._rows(prompt, tokens, by_candidate):
                    for name, value in zip(columns, row, strict=True):
                        columns[name].append(value)
        return pa.table(columns, schema=RESULT["word_scores"])

    def tables(self, rows: pa.Table) -> dict[str, pa.Table]:
        scores = rows.sort_by([(key, "ascending") for key in _KEYS])
        return {"word_scores": scores, "prompts": _prompt_rows(self._run_id, self._prompts, self._builder)}

    @property
    def details(self) -> dict[str, Any]:
        return self._read.details | {"largest_difference_to_reference": self._difference}

    def print_summary(self, tables: dict[str, pa.Table]) -> None:
        """Print, per direction, the mean NLL of targets after the right word and after distractors."""
        _print_summary(tables["word_scores"], self._eval_set)

    def _chunk(self, start: int) -> list[Work]:
        return self._work[start : start + self._size]

    def _rows(
        self, prompt: Prompt, tokens: PromptTokens, nlls_by_candidate: list[list[float]]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the values of a row of `word_scores` for each candidate of a prompt."""
        prompt_hash = self._builder.prompt_hash(prompt)
        for (candidate, word), suffix, nlls in zip(
            prompt.query.candidates, tokens.suffixes, nlls_by_candidate, strict=True
        ):
            is_spaced = len(nlls) > 1 and is_blank(self._tokenizer, suffix[-len(nlls)])
            without = nlls[1:] if is_spaced else nlls
            yield (
                self._run_id,
                *prompt.key[:3],
                candidate,
                word,
                prompt.draw,
                prompt_hash,
                len(nlls),
                sum(nlls) / len(nlls),
                sum(without) / len(without),
            )


def chunk_prompts(batch_tokens: int) -> int:
    """Return how many prompts a chunk holds, which is what a kill can cost: several batches, however large they are."""
    return max(_MIN_CHUNK_PROMPTS, batch_tokens // 64)


def cut_batches(chunk: list[Work], cost: Callable[[PromptTokens], int], batch_tokens: int) -> Iterator[list[Work]]:
    """Cut a chunk into batches of at most `batch_tokens` padded tokens (at least one prompt each)."""
    batch: list[Work] = []
    longest = 0
    for item in chunk:
        longest = max(longest, cost(item[1]))
        if batch and (len(batch) + 1) * longest > batch_tokens:
            yield batch
            batch, longest = [], cost(item[1])
        batch.append(item)
    if batch:
        yield batch


def _prompt_rows(run_id: str, prompts: list[Prompt], builder: PromptBuilder) -> pa.Table:
    rows = [
        {
            "run_id": run_id,
            "prompt_hash": builder.prompt_hash(prompt),
            "item_id": prompt.query.item_id,
            "source_lang": prompt.query.source_lang,
            "target_lang": prompt.query.target_lang,
            "draw": prompt.draw,
            "shot_item_ids": list(prompt.shot_item_ids),
        }
        for prompt in prompts
    ]
    return pa.Table.from_pylist(rows, schema=RESULT["prompts"])


def _check_lengths(tokens: list[PromptTokens], model: PreTrainedModel) -> None:
    """Raise UsageError when a prompt is longer than the model's context, or than its attention window."""
    longest = max(len(item.prefix) + max(map(len, item.suffixes)) for item in tokens)
    limit = visible_length(model.config)
    if limit and longest > limit:
        raise UsageError(f"the longest prompt has {longest} tokens, and the model sees only {limit} at once")


def _print_summary(scores: pa.Table, eval_set: EvalSet) -> None:
    means: dict[tuple[str, str, bool], list[float]] = {}
    columns = (scores[name].to_pylist() for name in ("source_lang", "target_lang", "candidate", "nll_mean"))
    for source, target, candidate, nll in zip(*columns, strict=True):
        means.setdefault((source, target, candidate == 0), []).append(nll)
    directions = sorted({(query.source_lang, query.target_lang) for query in eval_set.queries})
    print(f"{'direction':<10} {'prompts':>8} {'NLL right':>10} {'NLL distractors':>16}")
    for source, target in directions:
        right, wrong = means[source, target, True], means.get((source, target, False), [])
        other = f"{sum(wrong) / len(wrong):16.4f}" if wrong else f"{'none':>16}"
        print(f"{source}->{target:<6} {len(right):>8} {sum(right) / len(right):>10.4f} {other}")
    sys.stdout.flush()


if __name__ == "__main__":
    run_program(main)

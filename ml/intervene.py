"""Causes, not only traces: does the answer change when a pair's pivots are taken out of the residual stream?

    python -m ml.intervene --eval-set DIR --model M --layer 12 --run-id ID --out DIR

For every pair with pivots (right source word, shots of draw 0) and every layer that is asked for, the answer is read
untouched and after an intervention behind that layer:

* own_pivots     the span of the directions of the pair's pivots is removed, from the query's word on; tokens of the
                 source and target word are left out of it
* other_pivots   the same of another item's pivots (of the same topic, where topics are known)
* random_tokens  the same of tokens of about the same norm and place in the vocabulary
* concept_mean   the state before the answer is set to its mean over the other source languages of the item

Writes `<out>/results/interventions.parquet` and `<out>/run.json`.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import torch

from ml.common.errors import run_program
from ml.models.decoder import decoder_blocks
from ml.models.nll import token_nlls
from ml.models.residual_edit import Edit, ResidualEditor, TokenDirections
from ml.program.arguments import parse
from ml.program.evaluation_run import run_evaluation
from ml.program.loaded import LoadedModel
from ml.translation.controls import Controls
from ml.translation.eval_set import EvalSet, open_eval_set, read_pivots, read_topics
from ml.translation.item_words import word_tokens
from ml.translation.languages import language_names
from ml.translation.matched_tokens import MatchedTokens
from ml.translation.prompt_inputs import prompt_inputs
from ml.translation.prompts import TRACE_DRAW, Prompt, PromptTokens, all_prompts, informative_prompt
from warehouse.contract.errors import UsageError
from warehouse.contract.requests import InterveneRequest
from warehouse.contract.result_schemas import RESULT

_CHUNK_GROUPS = 4
_MIN_OTHERS = 2  # source languages behind a concept's mean
_KEYS = ("item_id", "source_lang", "target_lang", "layer", "intervention")


@dataclass(frozen=True)
class Asked:
    """One prompt with its answer, and the tokens that each removal takes out; none where the pair has no pivots."""

    prompt: Prompt
    row: list[int]  # the prompt and the answer
    n_target: int
    word_start: int  # where the query's word begins
    answer_place: int  # the position that predicts the first informative token of the answer
    removed: dict[str, list[int]]


def main(argv: list[str] | None = None) -> None:
    """Serve the request on the command line."""
    run(parse(InterveneRequest, argv))


def run(request: InterveneRequest) -> None:
    """Check everything, intervene group by group, then write the table."""
    eval_set = open_eval_set(request.eval_set)
    names = language_names(eval_set.languages, request.language_name)
    run_evaluation(request, lambda loaded: Interventions(request, eval_set, names, loaded))


class Interventions:
    """The prompts of each item and target language as a group, cut into chunks, and what becomes of them."""

    unit = "prompts"

    def __init__(
        self, request: InterveneRequest, eval_set: EvalSet, names: dict[str, str], loaded: LoadedModel
    ) -> None:
        self._request, self._eval_set, self._model = request, eval_set, loaded.model
        self._read = prompt_inputs(request, eval_set, names, loaded)
        self._read.check_pivots()
        self._builder, self._tokenizer = self._read.builder, self._read.tokenizer.tokenizer
        self._layers = sorted(set(request.layer))
        n_blocks = len(decoder_blocks(loaded.model))
        if wrong := [layer for layer in self._layers if not 1 <= layer <= n_blocks]:
            raise UsageError(f"--layer {wrong[0]}: the model has layers 1 to {n_blocks}")
        self._directions = TokenDirections(loaded.model)
        self._groups = self._prepare()
        self._editors: dict[int, ResidualEditor] = {}  # hooked into the model while chunks are computed

    @property
    def identity(self) -> dict[str, Any]:
        return self._read.identity | {"draw": TRACE_DRAW, "layers": self._layers}

    @property
    def inputs(self) -> dict[str, str]:
        return self._read.hashes

    @property
    def config(self) -> dict[str, Any]:
        return {"draw": TRACE_DRAW, "language_names": self._read.names, "layers": self._layers}

    def chunks(self, resources: ExitStack) -> list[int]:
        self._editors = {layer: resources.enter_context(ResidualEditor(self._model, layer)) for layer in self._layers}
        return [
            sum(map(len, self._groups[start : start + _CHUNK_GROUPS]))
            for start in range(0, len(self._groups), _CHUNK_GROUPS)
        ]

    def compute(self, number: int) -> pa.Table:
        """Intervene in the prompts of a chunk; return rows of `interventions`."""
        groups = self._groups[number * _CHUNK_GROUPS : (number + 1) * _CHUNK_GROUPS]
        rows = [row for group in groups for layer in self._layers for row in self._intervene(group, layer)]
        return pa.Table.from_pylist(rows, schema=RESULT["interventions"])

    def tables(self, rows: pa.Table) -> dict[str, pa.Table]:
        return {"interventions": rows.sort_by([(key, "ascending") for key in _KEYS])}

    @property
    def details(self) -> dict[str, Any]:
        return self._read.details

    def print_summary(self, tables: dict[str, pa.Table]) -> None:
        """Print the mean change of the answer's log-probability by layer and intervention."""
        changes: dict[tuple[int, str], list[float]] = {}
        for row in tables["interventions"].to_pylist():
            change = row["nll_mean_untouched"] - row["nll_mean"]
            changes.setdefault((row["layer"], row["intervention"]), []).append(change)
        for (layer, intervention), values in sorted(changes.items()):
            mean = sum(values) / len(values)
            print(f"layer {layer:>3}  {intervention:<13}  {mean:+.4f} nats per token over {len(values)} answers")

    def _prepare(self) -> list[list[Asked]]:
        """Return the prompts of each item and target language that has a pair with pivots."""
        prompts = all_prompts(self._eval_set, draws=[TRACE_DRAW])
        self._builder.check(prompts)
        controls = Controls(read_pivots(self._eval_set), read_topics(self._eval_set))
        matched = MatchedTokens(self._tokenizer, self._directions.norms)
        groups: dict[tuple[int, str], list[Asked]] = {}
        for prompt, tokens in zip(prompts, self._builder.tokenize(prompts), strict=True):
            query = prompt.query
            groups.setdefault((query.item_id, query.target_lang), []).append(
                self._asked(prompt, tokens, controls, matched)
            )
        kept = [group for group in groups.values() if any(asked.removed for asked in group)]
        if not kept:
            raise UsageError(f"--eval-set {self._eval_set.folder}: no pair has pivots, so there is nothing to remove")
        return kept

    def _asked(self, prompt: Prompt, tokens: PromptTokens, controls: Controls, matched: MatchedTokens) -> Asked:
        tokenizer, key = self._tokenizer, prompt.key[:3]
        barred = {
            *word_tokens(tokenizer, prompt.query.source_word),
            *word_tokens(tokenizer, prompt.query.target_word),
        }
        removed = {}
        # without tokens of the two words: to take the answer itself away says nothing about pivots
        if own := sorted({*controls.pivots.get(key, ())} - barred):
            removed["own_pivots"] = own
            if other := controls.choose(key, barred=barred, n_tokens=len(own)):
                removed["other_pivots"] = other
            removed["random_tokens"] = matched.choose(own, key=key, barred=barred)
        return Asked(
            prompt=prompt,
            row=tokens.prefix + tokens.suffixes[0],
            n_target=tokens.n_targets[0],
            word_start=len(tokens.prefix),
            answer_place=len(informative_prompt(tokenizer, tokens)) - 1,
            removed=removed,
        )

    def _intervene(self, group: list[Asked], layer: int) -> Iterator[dict[str, Any]]:
        """Yield the rows of one item, target language and layer."""
        editor = self._editors[layer]
        for other in self._editors.values():
            other.prepare(None)
        states = {}
        for asked in group:
            editor.prepare([Edit(asked.answer_place)])
            self._nlls(asked, 1)
            states[asked.prompt.query.source_lang] = editor.state(0, asked.answer_place)
        for asked in group:
            if not asked.removed:
                continue
            edits = {"untouched": Edit(asked.answer_place)}
            for name, tokens in asked.removed.items():
                edits[name] = Edit(asked.word_start, basis_dk=self._directions.basis(tokens))
            others = [state for lang, state in sorted(states.items()) if lang != asked.prompt.query.source_lang]
            if len(others) >= _MIN_OTHERS:
                edits["concept_mean"] = Edit(asked.answer_place, state_d=torch.stack(others).float().mean(dim=0))
            editor.prepare(list(edits.values()))
            untouched, *touched = self._nlls(asked, len(edits))
            for row, ((name, edit), nll) in enumerate(zip(list(edits.items())[1:], touched, strict=True), start=1):
                yield {
                    "run_id": self._request.run_id,
                    "item_id": asked.prompt.query.item_id,
                    "source_lang": asked.prompt.query.source_lang,
                    "target_lang": asked.prompt.query.target_lang,
                    "layer": layer,
                    "intervention": name,
                    "n_directions": None if edit.basis_dk is None else edit.basis_dk.shape[1],
                    "changed_share": editor.changed_share(row, asked.word_start),
                    "n_target_tokens": asked.n_target,
                    "nll_mean_untouched": untouched,
                    "nll_mean": nll,
                }
        editor.prepare(None)

    @torch.inference_mode()
    def _nlls(self, asked: Asked, n_rows: int) -> list[float]:
        """Return the mean NLL of the answer's tokens in each of some equal rows, under the edits that are prepared."""
        tokens_bs = torch.tensor([asked.row[:-1]] * n_rows, device=self._model.device)
        hidden_bsd = self._model.base_model(input_ids=tokens_bs, use_cache=False).last_hidden_state
        targets = torch.tensor(asked.row[-asked.n_target :] * n_rows, device=self._model.device)
        nlls = token_nlls(self._model, hidden_bsd[:, -asked.n_target :].flatten(0, 1), targets)
        return [float(of_row) for of_row in nlls.double().reshape(n_rows, asked.n_target).mean(dim=1)]


if __name__ == "__main__":
    run_program(main)

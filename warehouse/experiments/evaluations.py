"""What can be asked of a model: word scores, layer traces, held-out losses, sentence translations, a prompt's lens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from warehouse.base.errors import UsageError
from warehouse.contract.presets import problems_of
from warehouse.contract.requests import EVALUATION_REQUESTS, EvaluationRequest
from warehouse.contract.tokenizer_identity import tokenizer_hash
from warehouse.experiments.evaluation_set import EvaluationSet
from warehouse.experiments.sentence_set import SentenceSet
from warehouse.experiments.training_export import Export


@dataclass(frozen=True)
class Evaluation:
    """One program of `ml`, still without a model: what it reads, and what of it identifies the run."""

    program: str  # and the kind of the run
    corpus: str | None
    inputs: dict[str, str]  # name -> identity of what is read
    entries: dict[str, Any]  # of the program's request
    config: dict[str, Any] = field(default_factory=dict)  # what the user chose, part of the run's id

    def request(self, model: str, run_id: str, out: Path) -> EvaluationRequest:
        """Return the request for a model. Raises UsageError with all that is wrong with the user's choice."""
        try:
            return EVALUATION_REQUESTS[self.program](model=model, run_id=run_id, out=out, **self.entries)
        except ValidationError as mistakes:
            raise UsageError(*problems_of(mistakes, named=lambda name: f"--{name.replace('_', '-')}")) from None


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to read a model. None leaves it to the program: bf16 and large batches on a GPU, fp32 and small ones else."""

    dtype: str | None = None  # float32, bfloat16
    batch_tokens: int | None = None
    language_names: tuple[str, ...] = ()  # code=Name, as prompts shall call a language

    @property
    def config(self) -> dict[str, Any]:
        """What was chosen; empty when nothing was."""
        return _chosen(dtype=self.dtype, batch_tokens=self.batch_tokens, language_names=sorted(self.language_names))

    def entries(self, *, with_names: bool) -> dict[str, Any]:
        """Return what was chosen as entries of a request. Programs without prompts know no language names."""
        names = self.language_names if with_names else ()
        return _chosen(dtype=self.dtype, batch_tokens=self.batch_tokens, language_name=names)


def word_scores(judges: EvaluationSet, options: Options = Options()) -> Evaluation:
    """Word translation scores on an evaluation set."""
    return _on_evaluation_set("score", judges, options)


def layer_traces(judges: EvaluationSet, options: Options = Options(), *, with_pivots_only: bool = False) -> Evaluation:
    """Layer traces with the logit lens on an evaluation set: of every pair, or of those that have pivots."""
    # what a trace records is part of the run's id, so that one of an earlier version is made anew where it is asked for
    asked = _chosen(with_pivots_only=with_pivots_only)
    return _on_evaluation_set("trace", judges, options, config={"records": ["layers", "words"]} | asked, entries=asked)


def interventions(judges: EvaluationSet, layers: Sequence[int], options: Options = Options()) -> Evaluation:
    """What becomes of answers when pivots are taken out of the residual stream behind some layers."""
    chosen = tuple(sorted(set(layers)))
    return _on_evaluation_set("intervene", judges, options, config={"layers": list(chosen)}, entries={"layer": chosen})


def held_out_losses(
    held_out: Export, options: Options = Options(), *, limit_tokens: int | None = None
) -> list[Evaluation]:
    """Loss per language on an export of held-out documents: on all, on at most a number of tokens, or none (0)."""
    if limit_tokens == 0:
        return []
    manifest = held_out.manifest
    options = Options(dtype=options.dtype, batch_tokens=options.batch_tokens)
    limit = _chosen(limit_tokens=limit_tokens)
    entries = {"export": held_out.folder} | limit | options.entries(with_names=False)
    inputs = {"export": manifest["export_id"]}
    return [Evaluation("held_out", manifest["corpus"], inputs, entries, options.config | limit)]


def of_one_model(judges: EvaluationSet, held_out: Export, *, held_out_tokens: int | None = None) -> list[Evaluation]:
    """What every model of an experiment is asked: word scores, layer traces and held-out losses."""
    return [word_scores(judges), layer_traces(judges), *held_out_losses(held_out, limit_tokens=held_out_tokens)]


def sentence_scores(
    sentences: SentenceSet, *, n_shots: int, max_new_tokens: int, options: Options = Options()
) -> Evaluation:
    """Greedy translations of parallel sentences behind `n_shots` examples, compared by chrF."""
    manifest = sentences.manifest
    asked: dict[str, Any] = {"sentences": sentences.folder, "shots": n_shots, "max_new_tokens": max_new_tokens}
    config = {"n_shots": n_shots, "max_new_tokens": max_new_tokens} | options.config
    inputs = {"sentence_set": manifest["sentence_set_id"]}
    return Evaluation("sentences", manifest["corpus"], inputs, asked | options.entries(with_names=True), config)


def prompt_lens(
    prompt: str, *, top: int, watch: Sequence[str] = (), tokenizer: Path | None = None, dtype: str | None = None
) -> Evaluation:
    """What each layer would say next at every token of a prompt (logit lens). `watch` holds texts of one token each."""
    config = {"prompt": prompt, "top": top, "watch": sorted(watch)} | _chosen(dtype=dtype)
    inputs = {"tokenizer": tokenizer_hash(tokenizer.read_bytes())} if tokenizer else {}
    entries = {"prompt": prompt, "top": top, "watch": tuple(sorted(watch))} | _chosen(tokenizer=tokenizer, dtype=dtype)
    return Evaluation("prompt_lens", None, inputs, entries, config)


def _on_evaluation_set(
    program: str,
    judges: EvaluationSet,
    options: Options,
    *,
    config: dict[str, Any] | None = None,
    entries: dict[str, Any] | None = None,
) -> Evaluation:
    manifest = judges.manifest
    inputs = {"evaluation_set": manifest["eval_set_id"]}
    asked = {"eval_set": judges.folder} | options.entries(with_names=True) | (entries or {})
    return Evaluation(program, manifest["corpus"], inputs, asked, options.config | (config or {}))


def _chosen(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value}

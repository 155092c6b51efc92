"""Sentence level: translate parallel sentences greedily behind a few examples, and compare by chrF.

    python -m ml.sentences --sentences DIR --model M --run-id ID --out DIR

Writes `<out>/results/sentence_scores.parquet`, `<out>/results/sentence_ngrams.parquet` and `<out>/run.json`. Under
`accelerate launch` the work is divided over processes; killed and run again, it translates only what is missing.
"""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from ml.common.errors import run_program
from ml.models.generate import check_continuations, continue_greedily, stop_tokens
from ml.models.load import visible_length
from ml.program.arguments import parse
from ml.program.evaluation_run import run_evaluation
from ml.program.loaded import LoadedModel, batch_tokens
from ml.translation.chrf import corpus_score, ngram_counts, sentence_scores
from ml.translation.eval_set import EvalSet
from ml.translation.languages import language_names
from ml.translation.prompt_inputs import prompt_inputs
from ml.translation.prompts import Prompt, PromptBuilder, all_prompts
from ml.translation.sentence_set import open_sentence_set
from warehouse.contract.errors import UsageError
from warehouse.contract.requests import SentencesRequest
from warehouse.contract.result_schemas import RESULT

TEMPLATE = (
    "Please translate sentences from {L1} to {L2}.\n\n"
    "[{L1}: {shot_source}\n{L2}: {shot_target}\n\n]xN"
    "{L1}: {sentence}\n{L2}:[ {translation}\n]"
)
DRAW = 0
_KEYS = ["sentence_id", "source_lang", "target_lang"]
_CHUNK_SCHEMA = pa.schema(
    [
        *(RESULT["sentence_scores"].field(name) for name in (*_KEYS, "translation", "n_new_tokens", "stopped_by")),
    ]
)

Work = tuple[Prompt, list[int]]


def main(argv: list[str] | None = None) -> None:
    """Serve the request on the command line."""
    run(parse(SentencesRequest, argv))


def run(request: SentencesRequest) -> None:
    """Check everything, translate batch by batch, then score and write the tables."""
    sentences = open_sentence_set(request.sentences)
    names = language_names(sentences.languages, request.language_name)
    run_evaluation(request, lambda loaded: Translations(request, sentences, names, loaded))


class Translations:
    """The prompts of a sentence set, cut into batches, and what becomes of their translations."""

    unit = "sentences"

    def __init__(
        self, request: SentencesRequest, sentences: EvalSet, names: dict[str, str], loaded: LoadedModel
    ) -> None:
        self._request, self._model = request, loaded.model
        self._batch_tokens = batch_tokens(request)
        what = "sentences"
        self._read = prompt_inputs(request, sentences, names, loaded, name=what, template=TEMPLATE, what=what)
        self._builder, self._tokenizer = self._read.builder, self._read.tokenizer.tokenizer
        self._prompts = all_prompts(sentences, draws=[DRAW], n_shots=request.shots)
        self._builder.check(self._prompts)
        self._work: list[Work] = [
            (prompt, tokens.prefix + tokens.suffixes[0][: -tokens.n_targets[0]])
            for prompt, tokens in zip(self._prompts, self._builder.tokenize(self._prompts), strict=True)
        ]
        self._work.sort(key=lambda item: (-len(item[1]), item[0].key))
        _check_lengths(len(self._work[0][1]), request, self._model)
        self._batches = cut_batches(self._work, self._batch_tokens, max_new_tokens=request.max_new_tokens)
        self._stops = stop_tokens(self._tokenizer, self._model)

    @property
    def identity(self) -> dict[str, Any]:
        asked = {
            "n_shots": self._request.shots,
            "max_new_tokens": self._request.max_new_tokens,
            "batch_tokens": self._batch_tokens,
        }
        specials = {"leading_special_ids": self._builder.specials} if self._builder.specials else {}
        return self._read.identity | asked | specials

    @property
    def inputs(self) -> dict[str, str]:
        return self._read.hashes

    @property
    def config(self) -> dict[str, Any]:
        return {
            "batch_tokens": self._batch_tokens,
            "n_shots": self._request.shots,
            "max_new_tokens": self._request.max_new_tokens,
            "language_names": self._read.names,
        }

    def chunks(self, resources: ExitStack) -> list[int]:
        check_continuations(self._model, [self._work[0][1], self._work[-1][1]])
        return [len(batch) for batch in self._batches]

    def compute(self, number: int) -> pa.Table:
        """Return one row per prompt of a batch: the translation up to the first line break."""
        new_tokens = self._request.max_new_tokens
        return _translate(self._model, self._tokenizer, self._batches[number], self._stops, new_tokens)

    def tables(self, rows: pa.Table) -> dict[str, pa.Table]:
        run_id, manifest = self._request.run_id, self._read.items.manifest
        scores, ngrams = score_translations(run_id, manifest, self._prompts, self._builder, rows)
        return {"sentence_scores": scores, "sentence_ngrams": ngrams}

    @property
    def details(self) -> dict[str, Any]:
        return self._read.details

    def print_summary(self, tables: dict[str, pa.Table]) -> None:
        """Print, per direction, chrF of all its sentences and how many translations ended by themselves."""
        _print_summary(tables["sentence_scores"])


def cut_batches(work: list[Work], batch_tokens: int, *, max_new_tokens: int) -> list[list[Work]]:
    """Cut prompts, longest first, into batches of at most `batch_tokens` places for read and written tokens."""
    batches = []
    start = 0
    while start < len(work):
        count = max(1, batch_tokens // (len(work[start][1]) + max_new_tokens))
        batches.append(work[start : start + count])
        start += count
    return batches


def _translate(
    model: PreTrainedModel, tokenizer: Tokenizer, batch: list[Work], stops: dict[int, str], max_new_tokens: int
) -> pa.Table:
    """Return one row per prompt of a batch: the translation up to the first line break."""
    written = continue_greedily(model, [tokens for _, tokens in batch], stops=stops, max_new_tokens=max_new_tokens)
    rows = [
        {
            "sentence_id": prompt.query.item_id,
            "source_lang": prompt.query.source_lang,
            "target_lang": prompt.query.target_lang,
            "translation": tokenizer.decode(continuation.tokens).split("\n")[0].strip(),
            "n_new_tokens": len(continuation.tokens),
            "stopped_by": continuation.stopped_by,
        }
        for (prompt, _), continuation in zip(batch, written, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=_CHUNK_SCHEMA)


def score_translations(
    run_id: str, manifest: Mapping[str, Any], prompts: list[Prompt], builder: PromptBuilder, translations: pa.Table
) -> tuple[pa.Table, pa.Table]:
    """Return rows of `sentence_scores` and of `sentence_ngrams`, by sentence and direction."""
    by_key = {prompt.key[:3]: prompt for prompt in prompts}
    scores, ngrams = [], []
    for row in translations.sort_by([(key, "ascending") for key in _KEYS]).to_pylist():
        prompt = by_key[row["sentence_id"], row["source_lang"], row["target_lang"]]
        reference = prompt.query.target_word
        chrf, chrf_pp = sentence_scores(row["translation"], reference)
        scores.append(
            row
            | {
                "run_id": run_id,
                "sentence_set_id": manifest["sentence_set_id"],
                "prompt_hash": builder.prompt_hash(prompt),
                "shot_sentence_ids": list(prompt.shot_item_ids),
                "source_text": prompt.query.source_word,
                "reference_text": reference,
                "chrf": chrf,
                "chrf_pp": chrf_pp,
            }
        )
        own = {"run_id": run_id} | {key: row[key] for key in _KEYS}
        ngrams += [own | counts for counts in ngram_counts(row["translation"], reference)]
    return (
        pa.Table.from_pylist(scores, schema=RESULT["sentence_scores"]),
        pa.Table.from_pylist(ngrams, schema=RESULT["sentence_ngrams"]),
    )


def _check_lengths(longest: int, request: SentencesRequest, model: PreTrainedModel) -> None:
    """Raise UsageError when the longest prompt and its translation do not fit the model."""
    limit = visible_length(model.config)
    if limit and longest + request.max_new_tokens > limit:
        raise UsageError(
            f"the longest prompt has {longest} tokens; with {request.max_new_tokens} new ones it is more than the "
            f"{limit} that the model sees at once: lower --shots or --max-new-tokens"
        )


def _print_summary(scores: pa.Table) -> None:
    columns = (scores[name].to_pylist() for name in ("translation", "reference_text", "stopped_by"))
    directions: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    keys = zip(scores["source_lang"].to_pylist(), scores["target_lang"].to_pylist(), strict=True)
    for key, row in zip(keys, zip(*columns, strict=True), strict=True):
        directions.setdefault(key, []).append(row)
    print(f"{'direction':<10} {'sentences':>10} {'chrF2':>7} {'ended':>7}")
    for (source, target), rows in sorted(directions.items()):
        translations, references, reasons = (list(column) for column in zip(*rows, strict=True))
        ended = sum(reason != "length" for reason in reasons) / len(rows)
        print(f"{source}->{target:<6} {len(rows):>10} {corpus_score(translations, references):>7.2f} {ended:>7.0%}")
    sys.stdout.flush()


if __name__ == "__main__":
    run_program(main)

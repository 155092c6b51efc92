"""Layer traces (method section 7): what each layer would answer to a translation prompt, by logit lens.

    python -m ml.trace --eval-set DIR --model M --run-id ID --out DIR

One prompt per item and direction: the right source word behind the shots of draw 0. Writes
`layer_traces.parquet` and `layer_words.parquet` below `<out>/results`, and `<out>/run.json`. Under `accelerate launch`
the work is divided over processes; killed and run again, it traces only what is missing.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import torch
from tokenizers import Tokenizer

from ml.common.errors import run_program
from ml.common.token_text import TokenText
from ml.models.lens import LayerReader
from ml.program.arguments import parse
from ml.program.evaluation_run import run_evaluation
from ml.program.loaded import LoadedModel, batch_tokens
from ml.translation.controls import Controls
from ml.translation.eval_set import EvalSet, Query, open_eval_set, read_pivots, read_topics
from ml.translation.item_words import ItemWords, read_words, word_rows, word_tokens
from ml.translation.languages import language_names
from ml.translation.prompt_inputs import prompt_inputs
from ml.translation.prompts import TRACE_DRAW, Prompt, PromptBuilder, all_prompts, informative_prompt
from warehouse.contract.errors import UsageError
from warehouse.contract.requests import TraceRequest
from warehouse.contract.result_schemas import RESULT

_MIN_CHUNK_PROMPTS = 32
_KINDS = ("source", "target", "pivot", "control", "pivot_beyond_words")
_KEYS = ("item_id", "source_lang", "target_lang", "layer")
# of a chunk: a trace row with what word_rows makes rows of
_CHUNK_SCHEMA = pa.schema(
    [
        *RESULT["layer_traces"],
        ("word_ps", pa.list_(pa.float64())),
        ("word_ranks", pa.list_(pa.int32())),
        ("words_shared", pa.list_(pa.bool_())),
    ]
)


@dataclass(frozen=True)
class Traced:
    """One prompt to trace. `sets` holds the tokens to sum over, by kind; None where there is nothing to sum."""

    prompt: Prompt
    tokens: list[int]
    sets: dict[str, list[int] | None]
    words: list[list[int]]  # first informative tokens of the item's word in each language of the set
    words_shared: list[bool]  # whether such a word begins like the source or target word, in another language


def main(argv: list[str] | None = None) -> None:
    """Serve the request on the command line."""
    run(parse(TraceRequest, argv))


def run(request: TraceRequest) -> None:
    """Check everything, trace chunk by chunk, then write the table."""
    eval_set = open_eval_set(request.eval_set)
    names = language_names(eval_set.languages, request.language_name)
    controls = Controls(read_pivots(eval_set), read_topics(eval_set))
    run_evaluation(request, lambda loaded: LayerTraces(request, eval_set, names, controls, loaded))


class LayerTraces:
    """The prompts to trace, cut into chunks, and what becomes of their traces."""

    unit = "prompts"

    def __init__(
        self, request: TraceRequest, eval_set: EvalSet, names: dict[str, str], controls: Controls, loaded: LoadedModel
    ) -> None:
        self._request, self._model, self._controls = request, loaded.model, controls
        self._batch_tokens = batch_tokens(request)
        self._read = prompt_inputs(request, eval_set, names, loaded)
        self._read.check_pivots()
        tokenizer = self._read.tokenizer.tokenizer
        self._text = TokenText(tokenizer)
        self._words = ItemWords(eval_set, tokenizer)
        self._work = prepare(eval_set, controls, self._words, tokenizer, self._read.builder, request.with_pivots_only)
        if not self._work:
            raise UsageError(f"--eval-set {eval_set.folder}: no pair has pivots, so there is nothing to trace")
        self._size = max(_MIN_CHUNK_PROMPTS, self._batch_tokens // 64)
        self._reader: LayerReader  # hooked into the model while chunks are computed

    @property
    def identity(self) -> dict[str, Any]:
        return self._read.identity | {
            "draw": TRACE_DRAW,
            "batch_tokens": self._batch_tokens,
            "word_languages": self._words.languages,
            "with_pivots_only": self._request.with_pivots_only,
        }

    @property
    def inputs(self) -> dict[str, str]:
        return self._read.hashes

    @property
    def config(self) -> dict[str, Any]:
        asked = {"with_pivots_only": self._request.with_pivots_only}
        return {"draw": TRACE_DRAW, "language_names": self._read.names} | asked

    def chunks(self, resources: ExitStack) -> list[int]:
        self._reader = resources.enter_context(LayerReader(self._model))
        return [len(self._chunk(start)) for start in range(0, len(self._work), self._size)]

    def compute(self, number: int) -> pa.Table:
        """Trace the prompts of a chunk; return rows of `layer_traces`."""
        chunk = self._chunk(number * self._size)
        return trace_rows(self._reader, chunk, self._text, self._request.run_id, self._batch_tokens)

    def tables(self, rows: pa.Table) -> dict[str, pa.Table]:
        ordered = rows.sort_by([(key, "ascending") for key in _KEYS])
        return {"layer_traces": ordered, "layer_words": word_rows(ordered, self._words.languages)}

    @property
    def details(self) -> dict[str, Any]:
        return {
            "n_layers": self._reader.n_layers,
            **self._read.details,
            "n_prompts_by_control": _count_controls(self._controls, self._work),
        }

    def print_summary(self, tables: dict[str, pa.Table]) -> None:
        print(f"{self._request.out}: {len(self._work)} prompts, {self._reader.n_layers} layers")

    def _chunk(self, start: int) -> list[Traced]:
        return self._work[start : start + self._size]


def prepare(
    eval_set: EvalSet,
    controls: Controls,
    words: ItemWords,
    tokenizer: Tokenizer,
    builder: PromptBuilder,
    with_pivots_only: bool = False,
) -> list[Traced]:
    """Return what to trace, ordered by length and key so that equal lengths stand together."""
    prompts = all_prompts(eval_set, draws=[TRACE_DRAW])
    if with_pivots_only:
        prompts = [prompt for prompt in prompts if controls.pivots.get(prompt.key[:3])]
    builder.check(prompts)
    work = []
    for prompt, tokens in zip(prompts, builder.tokenize(prompts), strict=True):
        query = prompt.query
        own = {
            "source": word_tokens(tokenizer, query.source_word),
            "target": word_tokens(tokenizer, query.target_word),
        }
        chosen = controls.pivots.get(prompt.key[:3])
        control = controls.choose(prompt.key[:3], barred={*own["source"], *own["target"]}) if chosen else None
        sets = own | {"pivot": sorted(chosen) if chosen else None, "control": control}
        item_words = words.tokens(query)
        beyond = sorted({*chosen} - words.all_tokens(query)) if chosen else None
        sets["pivot_beyond_words"] = beyond
        shared = _shared(words, query, item_words)
        work.append(Traced(prompt, informative_prompt(tokenizer, tokens), sets, item_words, shared))
    return sorted(work, key=lambda item: (-len(item.tokens), item.prompt.key))


def _count_controls(controls: Controls, work: list[Traced]) -> dict[str, int]:
    """Return how many prompts have controls of their item's topic, of any item (no topic known), and none."""
    counts = {"same_topic": 0, "any_item": 0, "none": 0}
    for traced in work:
        kind = "none" if traced.sets["control"] is None else controls.kind(traced.prompt.query.item_id)
        counts[kind] += 1
    return counts


def _shared(words: ItemWords, query: Query, tokens: list[list[int]]) -> list[bool]:
    """Return, by language, whether its word begins with a token of the source or target word of another language."""
    by_language = dict(zip(words.languages, tokens, strict=True))
    return [
        any(lang != own and {*ids} & {*by_language[own]} for own in (query.source_lang, query.target_lang))
        for lang, ids in by_language.items()
    ]


def trace_rows(reader: LayerReader, chunk: list[Traced], text: TokenText, run_id: str, batch_tokens: int) -> pa.Table:
    """Trace the prompts of a chunk, batched by equal length; return rows of `layer_traces` and words."""
    columns: dict[str, list[Any]] = {name: [] for name in _CHUNK_SCHEMA.names}
    start = 0
    while start < len(chunk):
        length = len(chunk[start].tokens)
        stop = start + 1
        while stop < len(chunk) and len(chunk[stop].tokens) == length and (stop - start + 1) * length <= batch_tokens:
            stop += 1
        _trace_batch(reader, chunk[start:stop], text, run_id, columns)
        start = stop
    return pa.table(columns, schema=_CHUNK_SCHEMA)


def _trace_batch(
    reader: LayerReader, batch: list[Traced], text: TokenText, run_id: str, columns: dict[str, list[Any]]
) -> None:
    device = reader.device
    triples = [
        (row, kind, token)
        for row, traced in enumerate(batch)
        for kind, name in enumerate(_KINDS)
        for token in traced.sets[name] or ()
    ]
    rows, kinds, members = torch.tensor(triples, dtype=torch.long).reshape(-1, 3).T.to(device)
    for layer, log_probs in enumerate(reader.read(torch.tensor([traced.tokens for traced in batch], device=device))):
        probs = log_probs.exp()
        sums = torch.zeros(len(batch), len(_KINDS), device=device)
        sums.index_put_((rows, kinds), probs[rows, members], accumulate=True)
        top_probs, top_ids = (values.tolist() for values in probs.max(dim=-1))
        entropies = -(probs * log_probs).sum(dim=-1)
        word_ps, word_ranks = read_words(log_probs, [traced.words for traced in batch])
        for traced, top_p, top_id, by_kind, entropy, of_words, ranks in zip(
            batch, top_probs, top_ids, sums.tolist(), entropies.tolist(), word_ps, word_ranks, strict=True
        ):
            sets = traced.sets
            p = {name: None if sets[name] is None else by_kind[kind] for kind, name in enumerate(_KINDS)}
            row = {
                "run_id": run_id,
                "item_id": traced.prompt.query.item_id,
                "source_lang": traced.prompt.query.source_lang,
                "target_lang": traced.prompt.query.target_lang,
                "layer": layer,
                "top_token_id": top_id,
                "top_token": text(top_id),
                "p_top": top_p,
                "p_source": p["source"],
                "p_target": p["target"],
                "p_pivot": p["pivot"],
                "p_control": p["control"],
                "entropy": entropy,
                "is_top_source": top_id in (sets["source"] or ()),
                "is_top_target": top_id in (sets["target"] or ()),
                "is_top_pivot": top_id in (sets["pivot"] or ()),
                "shares_token": bool({*(sets["source"] or ())} & {*(sets["target"] or ())}),
                "p_pivot_beyond_words": p["pivot_beyond_words"],
                "word_ps": of_words,
                "word_ranks": ranks,
                "words_shared": traced.words_shared,
            }
            for name, value in row.items():
                columns[name].append(value)


if __name__ == "__main__":
    run_program(main)

"""Sentence level: translate parallel sentences greedily behind a few examples, and compare by chrF.

    python -m ml.sentences --sentences DIR --model M --run-id ID --out DIR

Writes `<out>/results/sentence_scores.parquet`, `<out>/results/sentence_ngrams.parquet` and `<out>/run.json`. Under
`accelerate launch` the work is divided over processes; killed and run again, it translates only what is missing.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from ml.common.errors import run_program
from ml.common.result_files import versions, write_json, write_result
from ml.models.generate import check_continuations, continue_greedily, stop_tokens
from ml.models.load import check_plain_unembedding, n_parameters, visible_length
from ml.program.arguments import add_batch_tokens, add_common, add_language_names, open_model, parse, resolve_tokenizer
from ml.program.chunks import compute_chunks, drop_chunks
from ml.program.run_folder import is_finished, join_processes
from ml.translation.chrf import corpus_score, ngram_counts, sentence_scores
from ml.translation.languages import language_names
from ml.translation.prompts import Prompt, PromptBuilder, all_prompts
from ml.translation.sentence_set import open_sentence_set
from warehouse.contract.errors import UsageError, raise_all
from warehouse.contract.hashing import short_hash
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
    """Check everything, translate batch by batch, then score and write the tables."""
    arguments = _parse(argv)
    sentences = open_sentence_set(arguments.sentences)
    names = language_names(sentences.languages, arguments.language_name)
    state = join_processes(arguments.device)
    loaded = open_model(arguments)
    tokenizer_file, tokenizer = resolve_tokenizer(arguments, loaded.source, sentences.folder)
    check_plain_unembedding(loaded.model)
    builder = PromptBuilder(sentences, tokenizer, names, what="sentences")
    prompts = all_prompts(sentences, draws=[DRAW], n_shots=arguments.shots)
    assembly = builder.check(prompts)
    work = [
        (prompt, tokens.prefix + tokens.suffixes[0][: -tokens.n_targets[0]])
        for prompt, tokens in zip(prompts, builder.tokenize(prompts), strict=True)
    ]
    work.sort(key=lambda item: (-len(item[1]), item[0].key))
    _check_lengths(len(work[0][1]), arguments, loaded.model)
    identity = {
        "run_id": arguments.run_id,
        "sentences": sentences.content_hash,
        "model": loaded.hash,
        "tokenizer": tokenizer_file.hash,
        "dtype": loaded.dtype,
        "prompt_template": short_hash([TEMPLATE, names]),
        "n_shots": arguments.shots,
        "max_new_tokens": arguments.max_new_tokens,
        "batch_tokens": arguments.batch_tokens,
    }
    out: Path = arguments.out
    if is_finished(out, identity, state):
        return
    check_continuations(loaded.model, [work[0][1], work[-1][1]])
    batches = cut_batches(work, arguments.batch_tokens, max_new_tokens=arguments.max_new_tokens)
    stops = stop_tokens(tokenizer, loaded.model)
    folder = out / "results" / f".chunks-{short_hash(identity)}"
    started = time.monotonic()
    translations = compute_chunks(
        folder,
        [len(batch) for batch in batches],
        lambda number: _translate(loaded.model, tokenizer, batches[number], stops, arguments.max_new_tokens),
        what="translate",
        unit="sentences",
        device=loaded.model.device,
        state=state,
    )
    elapsed = time.monotonic() - started
    if translations is None:
        return
    scores, ngrams = score_translations(arguments.run_id, sentences.manifest, prompts, builder, translations)
    write_result(out, "sentence_scores", scores)
    write_result(out, "sentence_ngrams", ngrams)
    record: dict[str, Any] = {
        "run_id": arguments.run_id,
        "kind": "sentences",
        "config": {
            "model": arguments.model,
            "seed": arguments.seed,
            "batch_tokens": arguments.batch_tokens,
            "n_shots": arguments.shots,
            "max_new_tokens": arguments.max_new_tokens,
            "language_names": names,
        },
        "identity": identity,
        "inputs": {"sentences": sentences.content_hash, "model": loaded.hash},
        "model_type": loaded.model.config.model_type,
        "n_parameters": n_parameters(loaded.model),
        "dtype": loaded.dtype,
        "device": loaded.model.device.type,
        "n_processes": state.num_processes,
        "tokenizer_hash": tokenizer_file.hash,
        "prompt_assembly": assembly,
        "leading_special_ids": builder.specials,
        "versions": versions(),
        "timing": {"translate_s": elapsed, "sentences_per_s": len(work) / elapsed},
    }
    write_json(out / "run.json", record)
    drop_chunks(folder)
    _print_summary(scores)


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
    run_id: str, manifest: dict[str, Any], prompts: list[Prompt], builder: PromptBuilder, translations: pa.Table
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


def _check_lengths(longest: int, arguments: argparse.Namespace, model: PreTrainedModel) -> None:
    """Raise UsageError when the longest prompt and its translation do not fit the model."""
    limit = visible_length(model.config)
    if limit and longest + arguments.max_new_tokens > limit:
        raise UsageError(
            f"the longest prompt has {longest} tokens; with {arguments.max_new_tokens} new ones it is more than the "
            f"{limit} that the model sees at once: lower --shots or --max-new-tokens"
        )


def _print_summary(scores: pa.Table) -> None:
    """Print, per direction, chrF of all its sentences and how many translations ended by themselves."""
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


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ml.sentences", description="Translate parallel sentences; score by chrF.")
    parser.add_argument("--sentences", type=Path, required=True, help="sentence set folder")
    add_common(parser)
    parser.add_argument("--shots", type=int, default=5, help="example sentences before each (default: 5)")
    parser.add_argument("--max-new-tokens", type=int, default=256, help="longest translation (default: 256 tokens)")
    add_batch_tokens(parser, on_cpu=8_192, on_gpu=32_768)
    add_language_names(parser)
    arguments = parse(parser, argv)
    problems = [f"--{name.replace('_', '-')} must be at least {least}" for name, least in
                (("shots", 0), ("max_new_tokens", 1)) if getattr(arguments, name) < least]  # fmt: skip
    raise_all(problems)
    return arguments


if __name__ == "__main__":
    run_program(main)

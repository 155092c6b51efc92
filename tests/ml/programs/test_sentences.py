"""Sentence level: greedy translations equal one-at-a-time ones, on every architecture; rows, resume, refusals."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sacrebleu.metrics import CHRF
from tokenizers import Tokenizer

import ml.sentences
from ml.models.generate import check_continuations, continue_greedily, stop_tokens
from ml.models.load import find_model, load_model
from support.ml_runs.inputs import ARCHITECTURES, EOS, VOCAB_SIZE, WORDS, make_config, tokenizer_json
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import id64
from warehouse.contract.result_schemas import RESULT

CPU = torch.device("cpu")
LANGUAGES = ("en", "fr", "ja")
MANIFEST_OF_SET = {
    "sentence_set_id": "s1",
    "corpus": "test",
    "source": "made.tsv",
    "tokenizer_hash": "t",
    "languages": list(LANGUAGES),
    "n_sentences": 3,
    "n_texts_by_lang": dict.fromkeys(LANGUAGES, 12),
}


def load(folder: Path, kind: str, **changes: object) -> torch.nn.Module:
    return load_model(find_model(str(make_config(folder, kind, **changes))), seed=1, dtype="float32", device=CPU)


def prompts(n: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(2)
    return [torch.randint(1, VOCAB_SIZE, (3 + 7 * number,), generator=generator).tolist() for number in range(n)]


@torch.inference_mode()
def one_at_a_time(
    model: torch.nn.Module, prompt: list[int], stops: dict[int, str], limit: int
) -> tuple[list[int], str]:
    """Greedy decoding without batch, padding or cache."""
    written: list[int] = []
    while len(written) < limit:
        logits = model(input_ids=torch.tensor([prompt + written]), use_cache=False).logits[0, -1]
        token = int(logits.argmax())
        if stops.get(token) == "eos":
            return written, "eos"
        written.append(token)
        if token in stops:
            return written, stops[token]
    return written, "length"


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_batches_write_what_single_prompts_write(kind: str, tmp_path: Path) -> None:
    model = load(tmp_path, kind)
    plain = [one_at_a_time(model, prompt, {}, 12) for prompt in prompts(5)]
    # tokens that really occur, so that rows end at different steps for every reason
    stops = {plain[0][0][2]: "newline", plain[1][0][5]: "eos", plain[2][0][8]: "newline"}
    expected = [one_at_a_time(model, prompt, stops, 12) for prompt in prompts(5)]
    assert {reason for _, reason in expected} >= {"newline", "eos"}
    together = continue_greedily(model, prompts(5), stops=stops, max_new_tokens=12)
    assert [(one.tokens, one.stopped_by) for one in together] == expected
    check_continuations(model, prompts(2))


def test_a_cache_that_lies_is_refused(tmp_path: Path) -> None:
    model = load(tmp_path, "llama")
    inner = model.base_model.forward
    model.base_model.forward = lambda attention_mask=None, **inputs: inner(**inputs)  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="cannot write in padded batches"):
        check_continuations(model, prompts(3)[::2])


def test_every_token_with_a_line_break_ends_a_translation(tokenizer: Tokenizer, tmp_path: Path) -> None:
    stops = stop_tokens(tokenizer, load(tmp_path, "olmo"))
    assert stops[EOS] == "eos"
    breaking = {token for token in range(tokenizer.get_vocab_size()) if "\n" in tokenizer.decode([token])}
    assert {token for token, reason in stops.items() if reason == "newline"} == breaking != set()


def make_sentences(folder: Path, *, n_scored: int = 3, n: int = 12) -> Path:
    folder.mkdir(parents=True)
    rows = []
    for number in range(n):
        texts = {lang: " ".join(WORDS[lang][number : number + 3]) + "." for lang in LANGUAGES}
        sentence_id = id64(*texts.values())
        rows += [
            {"sentence_id": sentence_id, "lang": lang, "text": text, "is_scored": number < n_scored}
            for lang, text in texts.items()
            if (number, lang) != (1, "ja")
        ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "sentences.parquet")
    (folder / "manifest.json").write_text(json.dumps(MANIFEST_OF_SET))
    (folder / "tokenizer.json").write_text(tokenizer_json())
    return folder


def request(folder: Path, *, out: str = "out", **given: object) -> list[str]:
    sentences = folder / "sentences"
    if not sentences.exists():
        make_sentences(sentences)
    options = {
        "--sentences": sentences,
        "--model": make_config(folder / "model"),
        "--run-id": "r1",
        "--out": folder / out,
        "--shots": 2,
        "--max-new-tokens": 6,
    } | {f"--{name.replace('_', '-')}": value for name, value in given.items()}
    return [str(part) for pair in options.items() for part in pair]


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("translated")
    ml.sentences.main(request(folder))
    return folder


def rows_of(folder: Path, table: str, out: str = "out") -> pa.Table:
    return pq.read_table(folder / out / "results" / f"{table}.parquet")


def test_rows_hold_every_sentence_and_direction_that_has_both_texts(translated: Path) -> None:
    table = rows_of(translated, "sentence_scores")
    assert table.schema.equals(RESULT["sentence_scores"])
    assert table.num_rows == 3 * 6 - 4, "one sentence has no Japanese text"
    source = {
        (row["sentence_id"], row["lang"]): row["text"]
        for row in pq.read_table(translated / "sentences" / "sentences.parquet").to_pylist()
    }
    for row in table.to_pylist():
        assert row["source_text"] == source[row["sentence_id"], row["source_lang"]]
        assert row["reference_text"] == source[row["sentence_id"], row["target_lang"]]
        assert row["sentence_id"] not in row["shot_sentence_ids"]
        assert len(set(row["shot_sentence_ids"])) == 2
        assert row["sentence_set_id"] == "s1"
        for column, metric in (("chrf", CHRF()), ("chrf_pp", CHRF(word_order=2))):
            expected = metric.sentence_score(row["translation"], [row["reference_text"]]).score
            assert row[column] == pytest.approx(expected)


def test_translations_are_those_of_the_plain_prompt_text(translated: Path, tokenizer: Tokenizer) -> None:
    names = {"en": "English", "fr": "French", "ja": "Japanese"}
    texts: dict[tuple[int, str], str] = {
        (row["sentence_id"], row["lang"]): row["text"]
        for row in pq.read_table(translated / "sentences" / "sentences.parquet").to_pylist()
    }
    model = load_model(find_model(str(translated / "model" / "olmo.json")), seed=0, dtype="float32", device=CPU)
    stops = stop_tokens(tokenizer, model)
    for row in rows_of(translated, "sentence_scores").to_pylist()[::3]:
        one, other = names[row["source_lang"]], names[row["target_lang"]]
        parts = [f"Please translate sentences from {one} to {other}."]
        parts += [
            f"{one}: {texts[shot, row['source_lang']]}\n{other}: {texts[shot, row['target_lang']]}"
            for shot in row["shot_sentence_ids"]
        ]
        parts.append(f"{one}: {row['source_text']}\n{other}:")
        written, reason = one_at_a_time(model, tokenizer.encode("\n\n".join(parts)).ids, stops, 6)
        assert row["translation"] == tokenizer.decode(written).split("\n")[0].strip()
        assert (row["n_new_tokens"], row["stopped_by"]) == (len(written), reason)


def test_ngram_counts_add_up_to_the_score_of_all_sentences(translated: Path) -> None:
    ngrams = rows_of(translated, "sentence_ngrams")
    assert ngrams.schema.equals(RESULT["sentence_ngrams"])
    scores = rows_of(translated, "sentence_scores")
    assert ngrams.num_rows == 8 * scores.num_rows
    sums = ngrams.group_by(["ngram_kind", "ngram_length"]).aggregate(
        [(name, "sum") for name in ("n_translation", "n_reference", "n_both")]
    )
    ordered = sorted(sums.to_pylist(), key=lambda row: (row["ngram_kind"], row["ngram_length"]))
    flat = [row[f"{name}_sum"] for row in ordered for name in ("n_translation", "n_reference", "n_both")]
    metric = CHRF(word_order=2)
    whole = metric.corpus_score(scores["translation"].to_pylist(), [scores["reference_text"].to_pylist()])
    assert metric._compute_f_score(flat) == pytest.approx(whole.score)


def test_interrupted_it_translates_only_what_is_missing(
    translated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ml.sentences._translate
    calls: list[int] = []

    def killed(*args: object) -> pa.Table:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(*args)  # type: ignore[arg-type]

    given = request(tmp_path, batch_tokens=200)
    monkeypatch.setattr(ml.sentences, "_translate", killed)
    with pytest.raises(KeyboardInterrupt):
        ml.sentences.main(given)
    n_done = len(list((tmp_path / "out" / "results").glob(".chunks-*/0*.parquet")))
    assert n_done >= 1
    calls[:] = [1, 1, 1]
    ml.sentences.main(given)
    n_resumed = len(calls) - 3
    ml.sentences.main(request(tmp_path, out="whole", batch_tokens=200))
    assert n_resumed + n_done == len(calls) - 3 - n_resumed, "what was done before is not done again"
    assert rows_of(tmp_path, "sentence_scores").equals(rows_of(tmp_path, "sentence_scores", "whole"))
    key = ["sentence_id", "source_lang", "target_lang", "translation"]
    assert rows_of(tmp_path, "sentence_scores").select(key).equals(rows_of(translated, "sentence_scores").select(key))


def test_prompts_that_leave_no_room_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lower --shots or --max-new-tokens"):
        ml.sentences.main(request(tmp_path, max_new_tokens=500))
    with pytest.raises(UsageError, match="--shots must be at least 0"):
        ml.sentences.main(request(tmp_path, shots=-1))
    with pytest.raises(UsageError, match="too few items to show 12 examples"):
        ml.sentences.main(request(tmp_path, shots=12))

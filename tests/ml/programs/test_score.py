"""Scores: the shared-prefix way equals one prompt at a time, on every architecture; files, resume, refusals."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer

import ml.score
from ml.common.token_text import is_blank
from ml.models.load import find_model, load_model
from ml.models.unembedding import logit_rule
from ml.translation.eval_set import open_eval_set
from ml.translation.languages import language_names
from ml.translation.prompts import PromptBuilder, PromptTokens, all_prompts
from ml.translation.score_reference import candidate_nlls
from ml.translation.shared_prefix import batch_cost, check_against_reference, make_row, target_nlls
from support.ml_runs.inputs import ARCHITECTURES, CHANGED_LOGITS, VOCAB_SIZE, WORDS, make_config, make_eval_set
from warehouse.contract.errors import UsageError
from warehouse.contract.result_schemas import RESULT

CPU = torch.device("cpu")


def load(folder: Path, kind: str, **changes: object) -> torch.nn.Module:
    return load_model(find_model(str(make_config(folder, kind, **changes))), seed=1, dtype="float32", device=CPU)


def ragged_prompts(n: int) -> list[PromptTokens]:
    """Prompts whose prefixes, suffixes, targets and numbers of candidates all differ in length."""
    generator = torch.Generator().manual_seed(4)

    def ids(length: int) -> list[int]:
        return torch.randint(1, VOCAB_SIZE, (length,), generator=generator).tolist()

    prompts = []
    for number in range(n):
        target = ids(1 + number % 3)
        suffixes = [ids(2 + (place * 3 + number) % 4) + target for place in range(3 + number % 5)]
        prompts.append(PromptTokens(ids(11 + 5 * number), suffixes, [len(target)] * len(suffixes)))
    return prompts


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_shared_prefixes_give_the_numbers_of_separate_prompts(kind: str, tmp_path: Path) -> None:
    model = load(tmp_path, kind)
    prompts = ragged_prompts(6)
    for prompt, ours in zip(prompts, target_nlls(model, prompts), strict=True):
        for own, reference in zip(ours, candidate_nlls(model, prompt), strict=True):
            assert own == pytest.approx(reference, abs=1e-4)
    assert check_against_reference(model, prompts) <= 1e-4


@pytest.mark.parametrize("kind", ["olmo", "bloom"])
def test_a_candidate_does_not_move_when_another_one_changes(kind: str, tmp_path: Path) -> None:
    model = load(tmp_path, kind)
    (prompt,) = ragged_prompts(1)
    changed = PromptTokens(prompt.prefix, [[7, *prompt.suffixes[0][1:]], *prompt.suffixes[1:]], prompt.n_targets)
    (one,), (other,) = target_nlls(model, [prompt]), target_nlls(model, [changed])
    assert one[0] != other[0]
    assert one[1:] == other[1:]


def test_models_that_ignore_the_mask_are_refused(tmp_path: Path) -> None:
    model = load(tmp_path, "llama")
    inner = model.base_model.forward
    model.base_model.forward = lambda attention_mask=None, **inputs: inner(**inputs)  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="cannot be scored with shared prefixes"):
        check_against_reference(model, ragged_prompts(2))


def test_models_whose_own_code_fails_are_refused_in_one_line(tmp_path: Path) -> None:
    model = load(tmp_path, "llama")

    def fails(**inputs: object) -> None:
        raise RuntimeError("sizes\ndo not match")

    model.base_model.forward = fails  # type: ignore[method-assign]
    with pytest.raises(UsageError, match=r"cannot be scored .*\(sizes do not match\)"):
        check_against_reference(model, ragged_prompts(2))


@pytest.mark.parametrize(("kind", "changes"), [("mamba", {}), ("falcon", {"alibi": True})])
def test_models_that_take_no_mask_are_refused_and_do_not_crash(
    kind: str, changes: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"model type {kind} cannot be scored with shared prefixes"):
        check_against_reference(load(tmp_path, kind, **changes), ragged_prompts(2))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("gemma3_text", {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 6, "sliding_window_pattern": 2}),
        ("mistral", {"num_key_value_heads": 2, "sliding_window": 6}),
    ],
)
def test_prompts_longer_than_a_sliding_window_are_scored_like_plain_ones(
    kind: str, changes: dict[str, object], tmp_path: Path
) -> None:
    assert check_against_reference(load(tmp_path, kind, **changes), ragged_prompts(4)) < 1e-4


@pytest.mark.parametrize(("kind", "changes"), CHANGED_LOGITS)
def test_models_that_change_their_logits_afterwards_are_scored_like_plain_prompts(
    kind: str, changes: dict[str, object], eval_set: Path, tmp_path: Path
) -> None:
    ml.score.main(request(tmp_path, eval_set, model=make_config(tmp_path / "model", kind, **changes)))
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["largest_difference_to_reference"] < 1e-4


def test_logits_that_no_entry_of_the_configuration_explains_are_refused(eval_set: Path, tmp_path: Path) -> None:
    path = make_config(tmp_path / "model")
    model = load_model(find_model(str(path)), seed=0, dtype="float32", device=torch.device("cpu"))
    inner = model.forward

    def forward(**inputs):  # type: ignore[no-untyped-def]
        output = inner(**inputs)
        output.logits = output.logits * 1.5
        return output

    model.forward = forward  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="changes its logits after the unembedding"):
        logit_rule(model)


def test_a_row_never_reads_a_last_target_token_and_predicts_every_one() -> None:
    for prompt in ragged_prompts(5):
        tokens, positions, segments, answers = make_row(prompt)
        assert len(tokens) == len(positions) == len(segments) == prompt.n_tokens
        expected = [suffix[-n:] for suffix, n in zip(prompt.suffixes, prompt.n_targets, strict=True)]
        assert [token for _, token in answers] == [token for target in expected for token in target]
        for number in range(1, len(prompt.suffixes) + 1):
            own = [position for position, segment in zip(positions, segments, strict=True) if segment == number]
            assert own == list(range(len(prompt.prefix), len(prompt.prefix) + len(own)))


def request(folder: Path, eval_set: Path, *, out: str = "out", model: Path | None = None, **given: object) -> list[str]:
    model = model or make_config(folder / "model")
    options = {"--eval-set": eval_set, "--model": model, "--run-id": "r1", "--out": folder / out} | {
        f"--{name.replace('_', '-')}": value for name, value in given.items()
    }
    return [str(part) for pair in options.items() for part in pair]


def scores(out: Path) -> pa.Table:
    return pq.read_table(out / "results" / "word_scores.parquet")


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, eval_set: Path) -> Path:
    folder = tmp_path_factory.mktemp("scored")
    ml.score.main(request(folder, eval_set))
    return folder / "out"


def test_every_item_direction_candidate_and_draw_is_scored_once(scored: Path, eval_set: Path) -> None:
    table = scores(scored)
    assert table.schema.equals(RESULT["word_scores"])
    keys = ["item_id", "source_lang", "target_lang", "candidate", "draw"]
    rows = [tuple(row[key] for key in keys) for row in table.select(keys).to_pylist()]
    candidates = pq.read_table(eval_set / "candidates.parquet").to_pylist()
    expected = [
        (r["item_id"], r["source_lang"], r["target_lang"], r["candidate"], draw)
        for r in candidates
        for draw in range(5)
    ]
    assert rows == sorted(expected)
    prompts = pq.read_table(scored / "results" / "prompts.parquet")
    assert prompts.schema.equals(RESULT["prompts"])
    assert prompts.num_rows == 2 * 12 * 5
    assert set(prompts["prompt_hash"].to_pylist()) == set(table["prompt_hash"].to_pylist())


def test_stored_nlls_are_those_of_separate_prompts(scored: Path, eval_set: Path, tokenizer: Tokenizer) -> None:
    opened = open_eval_set(eval_set)
    builder = PromptBuilder(opened, tokenizer, language_names(opened.languages, []))
    model = load_model(find_model(str(scored.parent / "model" / "olmo.json")), seed=0, dtype="float32", device=CPU)
    rows = {
        (r["item_id"], r["source_lang"], r["target_lang"], r["draw"], r["candidate"]): r
        for r in scores(scored).to_pylist()
    }
    n_spaced = 0
    for prompt in all_prompts(opened)[::7]:
        (tokens,) = builder.tokenize([prompt])
        for (candidate, word), nlls, suffix in zip(
            prompt.query.candidates, candidate_nlls(model, tokens), tokens.suffixes, strict=True
        ):
            row = rows[*prompt.key, candidate]
            is_spaced = len(nlls) > 1 and is_blank(tokenizer, suffix[-len(nlls)])
            without = nlls[1:] if is_spaced else nlls
            n_spaced += is_spaced
            assert row["candidate_word"] == word
            assert row["n_target_tokens"] == len(nlls)
            assert row["nll_mean"] == pytest.approx(sum(nlls) / len(nlls), abs=1e-4)
            assert row["nll_mean_without_space"] == pytest.approx(sum(without) / len(without), abs=1e-4)
    assert n_spaced, "no target of the fixture starts with a bare space: the variant was not tested"


def test_bytes_do_not_depend_on_the_number_of_threads(scored: Path, eval_set: Path, tmp_path: Path) -> None:
    torch.set_num_threads(3)
    ml.score.main(request(tmp_path, eval_set))
    assert (tmp_path / "out/results/word_scores.parquet").read_bytes() == (
        scored / "results/word_scores.parquet"
    ).read_bytes()


def test_batch_size_moves_nothing_but_the_last_digits(scored: Path, eval_set: Path, tmp_path: Path) -> None:
    ml.score.main(request(tmp_path, eval_set, batch_tokens=1))
    for one, other in zip(scores(scored)["nll_mean"], scores(tmp_path / "out")["nll_mean"], strict=True):
        assert one.as_py() == pytest.approx(other.as_py(), abs=1e-4)


def test_finished_chunks_are_kept_and_only_missing_ones_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that fails in its second chunk leaves the first one; marked, it is found again in the result."""
    eval_set = make_eval_set(tmp_path / "set", n_scored=8)
    given = request(tmp_path, eval_set)
    whole_write, n_written = pq.write_table, 0

    def full_disk(rows: pa.Table, path: Path, **options: Any) -> None:
        nonlocal n_written
        if n_written == 1:
            raise OSError("no space left on device")
        n_written += 1
        whole_write(rows, path, **options)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no space left"):
        patch.setattr(pq, "write_table", full_disk)
        ml.score.main(given)
    results = tmp_path / "out" / "results"
    (chunk,) = results.glob(".chunks-*/0*.parquet")
    assert not list(results.glob("*.parquet"))
    rows = pq.read_table(chunk)
    marked = rows.set_column(rows.schema.get_field_index("nll_mean"), "nll_mean", pa.array([-1.0] * rows.num_rows))
    pq.write_table(marked, chunk)
    ml.score.main(given)
    ml.score.main(request(tmp_path, eval_set, out="whole"))
    found, expected = scores(tmp_path / "out"), scores(tmp_path / "whole")
    assert found.drop_columns("nll_mean").equals(expected.drop_columns("nll_mean"))
    n_marked = 0
    for one, other in zip(found["nll_mean"].to_pylist(), expected["nll_mean"].to_pylist(), strict=True):
        n_marked += one == -1.0
        assert one in (-1.0, other)
    assert n_marked == rows.num_rows < found.num_rows
    assert not list(results.glob(".*"))


@pytest.mark.engines
def test_two_processes_killed_and_started_again_score_only_what_is_missing(tmp_path: Path) -> None:
    """Two CPU processes, as on several GPUs; what they leave is finished by one process, and equals its own work."""
    eval_set = make_eval_set(tmp_path / "set", n_scored=20)
    given = request(tmp_path, eval_set, out="killed")
    process = launched(given)
    results = tmp_path / "killed" / "results"
    deadline = time.monotonic() + 120
    while not list(results.glob(".chunks-*/0*.parquet")):
        assert process.poll() is None, "it ended before the first chunk"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    started = psutil.Process(process.pid)
    processes = [started, *started.children(recursive=True)]  # the launcher gives its workers sessions of their own
    for one in processes:
        one.kill()
    process.wait()
    psutil.wait_procs(processes, timeout=30)
    assert not list(results.glob("*.parquet"))
    chunks = list(results.glob(".chunks-*/0*.parquet"))
    n_chunks = -(-20 * 12 * 5 // ml.score.chunk_prompts(1_024))
    assert 0 < len(chunks) < n_chunks, "it was killed too late to leave anything to do"
    ml.score.main(given)
    ml.score.main(request(tmp_path, eval_set, out="whole"))
    assert scores(tmp_path / "killed").equals(scores(tmp_path / "whole"))
    assert not list(results.glob(".*"))


@pytest.mark.engines
def test_two_processes_share_the_work_and_leave_the_bytes_of_one(scored: Path, eval_set: Path, tmp_path: Path) -> None:
    assert launched(request(tmp_path, eval_set)).wait() == 0
    assert json.loads((tmp_path / "out" / "run.json").read_text())["n_processes"] == 2
    for name in ("word_scores", "prompts"):
        one, two = (folder / "results" / f"{name}.parquet" for folder in (scored, tmp_path / "out"))
        assert one.read_bytes() == two.read_bytes()


def launched(given: list[str]) -> subprocess.Popen[bytes]:
    """Start ml.score on two CPU processes of one thread each."""
    root = Path(ml.score.__file__).parents[1]
    config = root / "profiles" / "accelerate" / "cpu-ddp.yml"
    launcher = ["-m", "accelerate.commands.launch", "--quiet", "--config_file", str(config)]
    return subprocess.Popen(
        [sys.executable, *launcher, "-m", "ml.score", *given],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)},
        cwd=root,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def test_a_finished_run_is_kept_and_another_one_refused(
    scored: Path, eval_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ml.score.main(request(scored.parent, eval_set))
    assert "finished already" in capsys.readouterr().out
    with pytest.raises(UsageError, match=r"belongs to another run, which differs in batch_tokens"):
        ml.score.main(request(scored.parent, eval_set, batch_tokens=77))


def test_run_record_says_what_was_scored_how(scored: Path) -> None:
    record = json.loads((scored / "run.json").read_text())
    assert record["dtype"] == "float32"
    assert record["prompt_assembly"] == "pieces"
    assert record["largest_difference_to_reference"] < 1e-4
    assert {"torch", "transformers", "tokenizers"} <= record["versions"].keys()
    assert record["inputs"].keys() == {"eval_set", "model"}


def test_prompts_longer_than_the_context_are_refused(eval_set: Path, tmp_path: Path) -> None:
    short = make_config(tmp_path / "short", max_position_embeddings=40)
    with pytest.raises(UsageError, match="the model sees only 40 at once"):
        ml.score.main(request(tmp_path, eval_set, model=short))


def test_a_model_that_is_nowhere_is_refused(eval_set: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        ml.score.main(request(tmp_path, eval_set, model=tmp_path / "none.json"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"has no config\.json"):
        ml.score.main(request(tmp_path, eval_set, model=tmp_path / "empty"))


def test_any_number_of_languages_and_distractors(tmp_path: Path) -> None:
    """Six languages, one without a known name; items with twelve, one or no distractor."""
    words = {lang: [f"{lang}{word}" for word in WORDS["en"]] for lang in ("de", "oc", "sw", "th", "uk", "vi")}
    eval_set = make_eval_set(tmp_path / "set", n_scored=1, n_distractors=12, languages=tuple(words), words=words)
    rows = pq.read_table(eval_set / "candidates.parquet").to_pylist()
    most = {("de", "oc"): 12, ("sw", "th"): 1}
    kept = [r for r in rows if r["candidate"] <= most.get((r["source_lang"], r["target_lang"]), 0)]
    pq.write_table(pa.Table.from_pylist(kept), eval_set / "candidates.parquet")
    with pytest.raises(UsageError, match="--language-name oc=NAME"):
        ml.score.main(request(tmp_path, eval_set))
    ml.score.main(request(tmp_path, eval_set, language_name="oc=Occitan"))
    table = scores(tmp_path / "out").to_pylist()
    by_direction = Counter((r["source_lang"], r["target_lang"]) for r in table)
    assert by_direction == {
        (one, other): 5 * (1 + most.get((one, other), 0)) for one in words for other in words if one != other
    }


@pytest.mark.parametrize("kind", ["olmo", "bloom"])
def test_batches_hold_every_prompt_once_within_their_limit(kind: str, tmp_path: Path) -> None:
    """BLOOM's prefixes are repeated for every candidate, and so count for every candidate."""
    model = load(tmp_path, kind)
    work = [(None, prompt) for prompt in sorted(ragged_prompts(20), key=lambda prompt: -prompt.n_tokens)]
    batches = list(ml.score.cut_batches(work, lambda prompt: batch_cost(model, prompt), 1_000))  # type: ignore[arg-type]
    assert [item for batch in batches for item in batch] == work
    read = (lambda p: p.n_tokens) if kind == "olmo" else (lambda p: sum(len(p.prefix) + len(s) - 1 for s in p.suffixes))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(read(prompt) for _, prompt in batch) <= 1_000
    assert 1 < len(batches) < len(work)

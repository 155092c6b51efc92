"""The trainer: known losses, exact resume, what it refuses, what it leaves behind."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

import ml.train
import ml.training.checkpoints
from ml.models.load import find_model, load_model
from ml.training.reads import document_spans
from ml.training.sequences import Sequences, make_batch, open_export, step_indices
from support.ml_runs.inputs import EOS, make_config, make_export, tokenizer_with_bos_json
from support.ml_runs.training import BASE, arguments, interrupted, losses, same_weights
from warehouse.contract.errors import UsageError
from warehouse.contract.result_schemas import RESULT

# made once by this trainer and kept: a refactoring that moves them has changed the training
GOLDEN_LOSSES = [6.48109, 6.48277, 6.41778, 6.30912, 6.25193, 6.09754]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, export: Path) -> Path:
    """A finished run of six steps."""
    folder = tmp_path_factory.mktemp("trained")
    ml.train.main(arguments(folder, export))
    return folder / "out"


def test_losses_are_the_known_ones(trained: Path) -> None:
    assert losses(trained) == pytest.approx(GOLDEN_LOSSES, rel=1e-4)


def test_results_are_complete(trained: Path, export: Path) -> None:
    table = pq.read_table(trained / "results" / "training_steps.parquet")
    assert table.schema.equals(RESULT["training_steps"])
    assert table["step"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert table["n_tokens_seen"].to_pylist() == [128 * step for step in range(1, 7)]
    assert sorted(path.name for path in (trained / "model").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    assert (trained / "model" / "tokenizer.json").read_bytes() == (export / "tokenizer.json").read_bytes()
    assert json.loads((trained / "model" / "config.json").read_text())["dtype"] == "float32"
    record = json.loads((trained / "run.json").read_text())
    assert record["packing"] == "document masks"
    assert record["inputs"]["export"]
    assert not list(trained.rglob(".unfinished-*"))
    assert not (trained / "checkpoints").exists()


def test_what_was_read_is_recorded_in_its_order(trained: Path, export: Path) -> None:
    """Put together again from the record, every sequence is the one that the step read."""
    opened = open_export(export)
    sequences = Sequences(opened, BASE["seq_len"])
    rows = pq.read_table(trained / "results" / "training_reads.parquet")
    assert rows.schema.equals(RESULT["training_reads"])
    stream = np.concatenate(opened.shards)
    texts = dict(zip(*document_spans(opened)[:2], strict=True))
    read: dict[tuple[int, int], list[int]] = {}
    for row in rows.to_pylist():
        start = texts[row["doc_id"]] + row["first_token"]
        read.setdefault((row["step"], row["sequence"]), []).extend(stream[start : start + row["n_tokens"]].tolist())
    expected = {}
    for step in range(6):
        order = step_indices(opened.content_hash, 5, step, per_step=4, n_sequences=sequences.n_sequences)
        for place, index in enumerate(order):
            expected[step + 1, place] = [token for token in sequences[index].tolist() if token != EOS]
    assert read == expected


def test_spans_leave_special_tokens_out(export: Path) -> None:
    opened = open_export(export)
    stream = np.concatenate(opened.shards)
    bos = 599
    sequences = Sequences(opened, 32, (bos,))
    for index in range(sequences.n_sequences):
        start, stop = sequences.span(index)
        assert [token for token in sequences[index].tolist() if token != bos] == stream[start:stop].tolist()


def test_documents_begin_as_the_model_was_trained_to(tmp_path: Path) -> None:
    """The template that begins texts with BOS stands beside the model; the export's copy of the tokenizer lacks it."""
    export = make_export(tmp_path / "export")
    template = json.loads(tokenizer_with_bos_json())
    (export / "tokenizer.json").write_text(json.dumps(template | {"post_processor": None}))
    model = make_config(tmp_path / "model", initializer_range=0.05)
    (model.parent / "tokenizer.json").write_text(tokenizer_with_bos_json())
    ml.train.main(arguments(tmp_path, export, model=model, steps=2, checkpoint_every_steps=None))
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    (bos,) = record["leading_special_ids"]
    assert record["identity"]["leading_special_ids"] == [bos]
    assert (tmp_path / "out" / "model" / "tokenizer.json").read_text() == tokenizer_with_bos_json()

    opened = open_export(export)
    sequences = Sequences(opened, BASE["seq_len"], (bos,))
    chosen = step_indices(opened.content_hash, 5, 0, per_step=4, n_sequences=sequences.n_sequences)
    batch = make_batch(sequences.stack(chosen), eos_token_id=EOS, document_masks=True, n_leading=1)
    assert (batch.tokens[:, 0] == bos).all()
    fresh = load_model(find_model(str(model)), seed=5, dtype="float32", device=torch.device("cpu"))
    total, n_predicted = 0.0, 0
    for row in range(4):  # every document of the sequence on its own
        places = [*(batch.positions[row] == 0).nonzero()[:, 0].tolist(), BASE["seq_len"]]
        for begin, end in itertools.pairwise(places):
            ids = batch.tokens[row : row + 1, begin:end]
            assert int(ids[0, 0]) == bos
            with torch.inference_mode():
                log_probs = fresh(input_ids=ids, use_cache=False).logits[0].log_softmax(-1)
            total -= float(log_probs[1:-1].gather(1, ids[0, 2:, None]).sum())
            n_predicted += max(0, ids.shape[1] - 2)
    assert losses(tmp_path / "out")[0] == pytest.approx(total / n_predicted, rel=1e-5)


def test_the_larger_of_two_measured_peaks_counts(export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter([1e9, 4e9, 2e9, 3e9])
    monkeypatch.setattr(ml.train, "measured_flops_per_s", lambda device: next(peaks))
    for out, expected in (("first", 4e9), ("second", 3e9)):
        ml.train.main(arguments(tmp_path, export, out=out, steps=2))
        rows = pq.read_table(tmp_path / out / "results" / "training_steps.parquet")
        assert set(rows["measured_flops_per_s"].to_pylist()) == {expected}
        assert json.loads((tmp_path / out / "run.json").read_text())["timing"]["measured_flops_per_s"] == expected


def test_a_finished_run_is_not_repeated(trained: Path, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (trained / "model" / "model.safetensors").stat().st_mtime_ns
    ml.train.main(arguments(trained.parent, export))
    assert "finished already" in capsys.readouterr().out
    assert (trained / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_the_same_request_elsewhere_gives_the_same_bytes(trained: Path, export: Path, tmp_path: Path) -> None:
    ml.train.main(arguments(tmp_path, export))
    assert same_weights(trained, tmp_path / "out")


def test_accumulation_in_small_micro_batches_is_the_same_step(trained: Path, export: Path, tmp_path: Path) -> None:
    """Micro-batches hold different numbers of predicted tokens: the mean must be over tokens, not over batches."""
    ml.train.main(arguments(tmp_path, export, micro_batch_sequences=1))
    assert losses(tmp_path / "out") == pytest.approx(losses(trained), rel=1e-4)


def test_gradient_checkpointing_changes_no_loss(trained: Path, export: Path, tmp_path: Path) -> None:
    ml.train.main(arguments(tmp_path, export, gradient_checkpointing=True))
    assert losses(tmp_path / "out") == pytest.approx(losses(trained), rel=1e-4)


def test_training_goes_on_from_a_trained_model_and_its_optimiser(export: Path, tmp_path: Path) -> None:
    """Three steps and then three more, weights and optimiser state handed over, learn what six learn."""
    constant = {"schedule": "constant", "warmup_steps": 0, "seq_len": 32}
    ml.train.main(arguments(tmp_path, export, out="half", steps=3, save_optimizer=True, **constant))
    half = tmp_path / "half" / "model"
    ml.train.main(arguments(tmp_path, export, out="warm", model=half, steps=1, optimizer_state="model", **constant))
    ml.train.main(arguments(tmp_path, export, out="cold", model=half, steps=1, **constant))
    ml.train.main(arguments(tmp_path, export, out="four", steps=4, **constant))
    before, warm, cold = (
        load_file(tmp_path / name / "model" / "model.safetensors") for name in ("half", "warm", "cold")
    )
    moved = {name: float((warm[name] - before[name]).abs().max()) for name in before}
    fresh = {name: float((cold[name] - before[name]).abs().max()) for name in before}
    # the first step of a fresh AdamW moves by the whole learning rate wherever there is a gradient
    assert max(fresh.values()) > 0.99 * BASE["learning_rate"]
    assert moved != fresh


class TestResume:
    @pytest.mark.slow
    def test_killed_and_started_again_the_weights_are_bit_equal(self, export: Path, tmp_path: Path) -> None:
        whole = arguments(tmp_path, export, out="whole", steps=120, checkpoint_every_steps=10)
        ml.train.main(whole)
        killed = arguments(tmp_path, export, out="killed", steps=120, checkpoint_every_steps=10)
        process = subprocess.Popen(
            [sys.executable, "-m", "ml.train", *killed],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            cwd=Path(ml.train.__file__).parents[1],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        folder = tmp_path / "killed" / "checkpoints"
        deadline = time.monotonic() + 60
        while not list(folder.glob("step-*")):
            assert process.poll() is None, "it ended before the first checkpoint"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "killed" / "run.json").exists()
        ml.train.main(killed)
        assert same_weights(tmp_path / "whole", tmp_path / "killed")
        assert losses(tmp_path / "whole") == losses(tmp_path / "killed")

    def test_a_checkpoint_of_another_export_or_preset_is_refused(self, export: Path, tmp_path: Path) -> None:
        interrupted(arguments(tmp_path, export), after_step=4)
        other_export = make_export(tmp_path / "other", n_docs=50)
        with pytest.raises(UsageError, match=r"belongs to another run, which differs in export \("):
            ml.train.main(arguments(tmp_path, other_export))
        with pytest.raises(UsageError, match=r"preset\.learning_rate \(0\.003 there, 0\.001 now\)"):
            ml.train.main(arguments(tmp_path, export, learning_rate=1.0e-3))

    def test_only_the_newest_checkpoints_are_kept(self, export: Path, tmp_path: Path) -> None:
        interrupted(arguments(tmp_path, export, checkpoint_every_steps=1, keep_checkpoints=2), after_step=4)
        assert [p.name for p in sorted((tmp_path / "out" / "checkpoints").iterdir())] == [
            "step-00000003",
            "step-00000004",
        ]

    def test_models_on_the_way_are_kept_where_they_are_asked_for(
        self, export: Path, tmp_path: Path, trained: Path
    ) -> None:
        ml.train.main(arguments(tmp_path, export, keep_models_every_steps=2))
        assert same_weights(tmp_path / "out", trained), "the training is the same"
        kept = sorted((tmp_path / "out" / "models").iterdir())
        assert [folder.name for folder in kept] == ["step00000002", "step00000004", "step00000006"]
        places = [json.loads((folder / "training_place.json").read_text()) for folder in kept]
        assert places == [{"step": step, "n_tokens_seen": 128 * step} for step in (2, 4, 6)]
        last, final = (load_file(folder / "model.safetensors") for folder in (kept[-1], trained / "model"))
        assert all(torch.equal(last[name], final[name]) for name in final)
        constant = {"schedule": "constant", "steps": 2}
        ml.train.main(arguments(tmp_path, export, out="two", **constant))
        ml.train.main(arguments(tmp_path, export, out="six", **constant | {"steps": 6, "keep_models_every_steps": 2}))
        early = load_file(tmp_path / "six" / "models" / "step00000002" / "model.safetensors")
        alone = load_file(tmp_path / "two" / "model" / "model.safetensors")
        assert all(torch.equal(early[name], alone[name]) for name in alone)

    def test_a_write_that_fails_leaves_the_last_checkpoint_intact(
        self, trained: Path, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = arguments(tmp_path, export)
        whole = ml.training.checkpoints.dcp.save

        def full_disk(state: object, *, checkpoint_id: Path) -> None:
            if checkpoint_id.name.endswith("2"):
                whole(state, checkpoint_id=checkpoint_id)  # type: ignore[arg-type]
            else:
                _no_space(checkpoint_id)

        monkeypatch.setattr(ml.training.checkpoints.dcp, "save", full_disk)
        with pytest.raises(OSError, match="checkpoint of step 4 could not be written"):
            ml.train.main(request)
        monkeypatch.undo()
        assert [path.name for path in (tmp_path / "out" / "checkpoints").iterdir()] == ["step-00000002"]
        ml.train.main(request)
        assert same_weights(trained, tmp_path / "out")


@pytest.mark.slow
def test_all_mistakes_of_a_request_come_in_one_line_with_exit_code_2(tmp_path: Path) -> None:
    request = arguments(tmp_path, tmp_path / "nowhere", model=tmp_path / "none.json", seq_len=1)
    finished = subprocess.run(
        [sys.executable, "-m", "ml.train", *request, "--max-steps", "0"],
        capture_output=True,
        text=True,
        cwd=Path(ml.train.__file__).parents[1],
        check=False,
    )
    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1
    for part in ("--max-steps must be at least 1", "no manifest.json", "seq_len must be at least 2", "none.json"):
        assert part in finished.stderr


def test_what_does_not_fit_together_is_refused(export: Path, tmp_path: Path) -> None:
    small = make_config(tmp_path / "small", vocab_size=100, max_position_embeddings=16)
    with pytest.raises(UsageError) as caught:
        ml.train.main(arguments(tmp_path, export, model=small))
    assert "seq_len 32 is more than the model's 16 positions" in str(caught.value)
    assert "tokens, the model only 100" in str(caught.value)


def test_a_mistaken_separator_is_refused(export: Path, tmp_path: Path) -> None:
    """OLMo-1's old data close documents with token 50279, its tokenizer says 0: the data decide."""
    copy = shutil.copytree(export, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | {"eos_token_id": 3}))
    with pytest.raises(UsageError, match=r"separators \(token 3\) for 60 documents"):
        ml.train.main(arguments(tmp_path, copy))


def test_packing_with_masks_is_refused_for_models_without_position_ids(export: Path, tmp_path: Path) -> None:
    bloom = make_config(tmp_path / "bloom", "bloom")
    with pytest.raises(UsageError, match="set document_masks: false"):
        ml.train.main(arguments(tmp_path, export, model=bloom))
    ml.train.main(arguments(tmp_path, export, out="plain", model=bloom, document_masks=False, steps=2))
    assert len(losses(tmp_path / "plain")) == 2


def _no_space(folder: Path) -> None:
    (folder / "__0_0.distcp").write_bytes(b"half")
    raise RuntimeError("[enforce fail at inline_container.cc:659] . unexpected pos 704 vs 598")


def launch(configuration: str, request: list[str]) -> subprocess.CompletedProcess[bytes]:
    profiles = Path(ml.train.__file__).parents[1] / "profiles"
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]
    return subprocess.run(
        [*launcher, str(profiles / "accelerate" / configuration), "-m", "ml.train", *request],
        cwd=profiles.parent,
        check=False,
        capture_output=True,
    )


@pytest.mark.slow
def test_the_launcher_runs_it(export: Path, tmp_path: Path) -> None:
    finished = launch("single.yml", arguments(tmp_path, export, steps=2))
    assert finished.returncode == 0, finished.stderr.decode()
    assert len(losses(tmp_path / "out")) == 2
    shutil.rmtree(tmp_path / "out")

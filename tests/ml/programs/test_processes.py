"""Training on several processes, two of them on the CPU here: the steps of one, and any number goes on from there."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

import ml.train
from support.ml_runs.inputs import make_config
from support.ml_runs.training import arguments, interrupted, losses, same_weights

ROOT = Path(ml.train.__file__).parents[1]
PROFILES = ROOT / "profiles" / "accelerate"
CONFIGURATIONS = ("cpu-ddp", "cpu-fsdp")
STEPS = 8
CHANGES = {"steps": STEPS, "micro_batch_sequences": 1}


def command(configuration: str, *options: str) -> list[str]:
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]
    return [*launcher, str(PROFILES / f"{configuration}.yml"), *options]


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}


def launch(configuration: str, request: list[str], *, accident: tuple[str, int, int] | None = None) -> tuple[int, str]:
    """Run the trainer under a launch configuration; return its exit code and what it said on stderr."""
    dying = ["-m", "support.ml_runs.dying", *map(str, accident)] if accident else ["-m", "ml.train"]
    finished = subprocess.run(
        [*command(configuration), *dying, *request], cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    return finished.returncode, finished.stderr


def log(out: Path) -> dict[str, list[float]]:
    return pq.read_table(out / "results" / "training_steps.parquet").to_pydict()


def close_weights(one: Path, other: Path) -> bool:
    a, b = (load_file(out / "model" / "model.safetensors") for out in (one, other))
    return a.keys() == b.keys() and all(torch.allclose(a[name], b[name], atol=1e-4) for name in a)


def tied(folder: Path) -> Path:
    """A model whose head is its embedding: one tensor under two names, in checkpoints and in shards."""
    return make_config(folder / "tied", initializer_range=0.05, tie_word_embeddings=True)


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def two(request: pytest.FixtureRequest, export: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A configuration of two processes, and an uninterrupted run under it."""
    folder = tmp_path_factory.mktemp(request.param)
    code, said = launch(request.param, arguments(folder, export, model=tied(folder), **CHANGES))
    assert code == 0, said
    return request.param, folder / "out"


@pytest.mark.engines
class TestTwoProcesses:
    def test_take_the_steps_of_one(self, two: tuple[str, Path], export: Path, tmp_path: Path) -> None:
        """The same global batch divided over two processes, in micro-batches of one sequence."""
        configuration, out = two
        ml.train.main(arguments(tmp_path, export, model=tied(tmp_path), steps=STEPS))
        assert losses(out) == pytest.approx(losses(tmp_path / "out"), abs=1e-5)
        assert close_weights(out, tmp_path / "out")
        record = json.loads((out / "run.json").read_text())
        assert (record["n_processes"], record["is_sharded"]) == (2, configuration == "cpu-fsdp")

    def test_one_killed_ends_the_run_and_any_number_goes_on(
        self, two: tuple[str, Path], export: Path, tmp_path: Path
    ) -> None:
        configuration, whole = two
        request = arguments(tmp_path, export, model=tied(tmp_path), **CHANGES)
        code, _ = launch(configuration, request, accident=("killed", 4, 1))
        assert code == 1
        out = tmp_path / "out"
        assert [path.name for path in (out / "checkpoints").glob("step-*")] == ["step-00000002"]
        assert not (out / "run.json").exists()
        shutil.copytree(out, tmp_path / "copy")

        code, said = launch(configuration, request)
        assert code == 0, said
        assert "resuming after step 2" in said
        assert same_weights(whole, out)
        assert losses(whole) == losses(out)

        shutil.rmtree(out)
        (tmp_path / "copy").rename(out)
        interrupted(request, after_step=3)  # one process, from step 3 to step 5
        assert [path.name for path in (out / "checkpoints").glob("step-*")] == ["step-00000004"]
        code, said = launch(configuration, request)
        assert code == 0, said
        assert losses(out) == pytest.approx(losses(whole), abs=1e-5)
        assert close_weights(whole, out)

    def test_a_disk_that_is_full_for_one_ends_both_with_the_last_checkpoint_intact(
        self, two: tuple[str, Path], export: Path, tmp_path: Path
    ) -> None:
        code, said = launch(two[0], arguments(tmp_path, export, **CHANGES), accident=("full", 4, 1))
        assert code == 1
        assert said.count("error: checkpoint of step 4 could not be written to") == 2
        assert [path.name for path in (tmp_path / "out" / "checkpoints").iterdir()] == ["step-00000002"]


@pytest.mark.engines
def test_processes_that_do_not_share_a_disk_are_refused(export: Path, tmp_path: Path) -> None:
    code, said = launch("cpu-ddp", arguments(tmp_path, export), accident=("apart", 0, 1))
    assert code == 1
    assert said.count("not all processes see it; it must be on a file system that they share") == 2


@pytest.mark.engines
def test_plain_packing_and_a_handed_over_optimiser(export: Path, tmp_path: Path) -> None:
    """Sharded optimiser state is saved whole beside the model, and read back by one process and by two."""
    constant = {"schedule": "constant", "warmup_steps": 0, "document_masks": False, "checkpoint_every_steps": None}
    code, said = launch("cpu-fsdp", arguments(tmp_path, export, out="half", steps=3, save_optimizer=True, **constant))
    assert code == 0, said
    further = {"model": tmp_path / "half" / "model", "steps": 2, "optimizer_state": "model", **constant}
    ml.train.main(arguments(tmp_path, export, out="one", **further))
    code, said = launch("cpu-fsdp", arguments(tmp_path, export, out="two", **further))
    assert code == 0, said
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-5)
    ml.train.main(arguments(tmp_path, export, out="whole", steps=3, save_optimizer=True, **constant))
    ml.train.main(arguments(tmp_path, export, out="same", **further | {"model": tmp_path / "whole" / "model"}))
    assert losses(tmp_path / "same") == pytest.approx(losses(tmp_path / "one"), abs=1e-5)


@pytest.mark.engines
@pytest.mark.parametrize("model_type", ["gpt_neox", "bloom"])
def test_other_architectures_are_sharded_too(model_type: str, export: Path, tmp_path: Path) -> None:
    model = make_config(tmp_path / "config", model_type, initializer_range=0.05)
    changes = {"model": model, "steps": 3, "document_masks": False, "checkpoint_every_steps": 2}
    ml.train.main(arguments(tmp_path, export, out="one", **changes))
    code, said = launch("cpu-fsdp", arguments(tmp_path, export, out="two", micro_batch_sequences=1, **changes))
    assert code == 0, said
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-5)


BF16_UNIT = 2.0**-8  # half the distance from 1 to the next number with eight significant bits


@pytest.mark.engines
def test_bf16_autocast_is_the_same_when_sharded(export: Path, tmp_path: Path) -> None:
    """Under autocast blocks are multiplied in bf16, and when sharded also gathered as bf16; the loss, the sums of
    gradients and the weights are float32 either way. What follows for two runs that divide the same batch differently:

    * Step 1 begins with the same weights, and its matrices have the same shapes (micro-batches of one sequence). Each
      number is rounded to bf16 from the same float32, once, so what may differ is the order of float32 sums alone.
      A loss in bf16 shows here: measured, it is 2e-3 off, and the healthy one 1e-7.
    * Behind it weights differ in their last float32 bits. A relative difference of 2^-23 lies across a bf16 rounding
      point (they are 2^-7 apart) with a probability of 2^-16: of these 30,000 weights about one is multiplied as its
      neighbour. So step 2 agrees too. Sums of gradients in bf16 show here: measured, the norm is 3e-4 off, and the
      healthy one 1e-7.
    * From there on such differences grow as steps do, at a pace that depends on the machine's kernels. Of later losses
      bf16 promises no more than one rounding: 2^-8 of the value.
    """
    for name in ("single", "cpu-fsdp"):
        request = arguments(tmp_path, export, out=name, **CHANGES)
        code, said = launch(name, request, accident=("bf16", 0, 0))
        assert code == 0, said
        assert "bfloat16 autocast" in json.loads((tmp_path / name / "run.json").read_text())["dtype"]
    single, sharded = (log(tmp_path / name) for name in ("single", "cpu-fsdp"))
    for column in ("loss", "grad_norm"):
        assert sharded[column][0] == pytest.approx(single[column][0], rel=2e-6)
        assert sharded[column][1] == pytest.approx(single[column][1], rel=3e-5)
    assert sharded["loss"] == pytest.approx(single["loss"], rel=BF16_UNIT)


def test_bf16_products_are_rounded_as_the_bound_says() -> None:
    """A sum of products in bf16 is a float32 sum that is rounded once."""
    generator = torch.Generator().manual_seed(1)
    a, b = (torch.randn(64, 64, generator=generator).bfloat16() for _ in range(2))
    exact = a.double() @ b.double()
    found = (a @ b).double()
    sums_in_float32 = 64 * 2.0**-24 * (a.double().abs() @ b.double().abs())
    assert bool(((found - exact).abs() <= BF16_UNIT * exact.abs() + 2 * sums_in_float32).all())
    assert bool(((found - exact).abs() > 0.4 * BF16_UNIT * exact.abs()).any()), "or nothing was rounded"


@pytest.mark.engines
def test_two_nodes(export: Path, tmp_path: Path) -> None:
    """Two launchers, as on two machines that share a file system, each with one process."""
    request = arguments(tmp_path, export, out="nodes", **CHANGES)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    options = ["--num_machines", "2", "--main_process_ip", "127.0.0.1", "--main_process_port", str(port)]
    nodes = [
        subprocess.Popen(
            [*command("cpu-fsdp", *options, "--machine_rank", str(rank)), "-m", "ml.train", *request],
            cwd=ROOT,
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [node.communicate(timeout=120)[1] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said
    ml.train.main(arguments(tmp_path, export, out="one", steps=STEPS))
    assert losses(tmp_path / "nodes") == pytest.approx(losses(tmp_path / "one"), abs=1e-5)

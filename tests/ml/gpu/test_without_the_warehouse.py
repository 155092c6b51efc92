"""The recipe runs where duckdb, dbt, prefect and gigatoken are missing, from a folder that holds nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ml.gpu.pack import LIMIT_BYTES, TooLarge, make_pack
from ml.gpu.plan import STAGES

MISSING = ("duckdb", "dbt", "prefect", "gigatoken", "ibis", "sqlalchemy")
# Imported by every Python that is started below: these packages are not there.
_BLOCK = f"""
import sys
class _Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {MISSING!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked by a test)")
sys.meta_path.insert(0, _Missing())
"""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as it is copied, without wheels."""
    folder = tmp_path_factory.mktemp("pack") / "gpu-pack"
    assert make_pack(folder, fetch=False) == []
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment without this checkout, in which packages are missing."""
    folder = tmp_path_factory.mktemp("blocked")
    (folder / "sitecustomize.py").write_text(_BLOCK)
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PIVOTS"))} | {
        "PYTHONPATH": str(folder),
        "PYTHON": sys.executable,
    }


def run(pack: Path, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=pack, env=environment, text=True, capture_output=True, check=False, timeout=900)


def test_the_block_blocks(pack: Path, environment: dict[str, str]) -> None:
    for name in ("duckdb", "prefect"):
        assert "blocked by a test" in run(pack, environment, sys.executable, "-c", f"import {name}").stderr


@pytest.mark.slow
def test_every_stage_can_be_imported_from_the_folder_alone(pack: Path, environment: dict[str, str]) -> None:
    modules = [*(stage.module for stage in STAGES), "warehouse.planted.arms", "warehouse.engines.gpu.__main__"]
    code = f"""
import importlib, sys
for name in {modules!r}:
    module = importlib.import_module(name)
    assert module.__file__.startswith({str(pack)!r}), module.__file__
print(*sorted({{name.split(".")[0] for name in sys.modules}} & {{*{MISSING!r}}}), "end")
"""
    ended = run(pack, environment, sys.executable, "-c", code)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["end"]


@pytest.mark.slow
def test_the_folder_answers_its_first_stage(pack: Path, environment: dict[str, str], tmp_path: Path) -> None:
    options = ["--rehearse", "--stage", "machine", "--work", str(tmp_path / "work")]
    ended = run(pack, environment | {"OUT": str(tmp_path / "out")}, "sh", str(pack / "run.sh"), "5", *options)
    assert ended.returncode == 0, ended.stderr
    assert "machine   finished" in ended.stdout
    assert "A rehearsal" in (tmp_path / "out" / "gpu.md").read_text()


@pytest.mark.slow
def test_full_sizes_without_a_gpu_are_refused_in_one_line(
    pack: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "ml.gpu",
        "--stage",
        "machine",
        "--out",
        str(tmp_path / "out"),
        "--work",
        str(tmp_path / "work"),
    ]
    ended = run(pack, environment | {"CUDA_VISIBLE_DEVICES": ""}, *command)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("error: torch sees no GPU here")


class TestPack:
    def test_it_is_small_and_holds_what_it_says(self, tmp_path: Path) -> None:
        pack = tmp_path / "pack"
        make_pack(pack, fetch=False)
        sizes = [path.stat().st_size for path in pack.rglob("*") if path.is_file()]
        assert sum(sizes) < 12_000_000 < LIMIT_BYTES  # pyarrow's wheel, the largest, is 45 MB
        for name in ("run.sh", "README.md", "LICENSE", "ml/base_model/tokenizer.json", "profiles/olmo-1b.yml"):
            assert (pack / name).exists(), name
        assert not list(pack.rglob("__pycache__"))

    def test_a_folder_above_the_limit_is_refused_and_nothing_is_left(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ml.gpu.pack.LIMIT_BYTES", 1_000_000)
        with pytest.raises(TooLarge, match=r"MB, at most 1: leave wheels out \(ml/base_model/model"):
            make_pack(tmp_path / "pack", fetch=False)
        assert list(tmp_path.iterdir()) == []

    def test_wheels_are_named_that_could_not_be_fetched(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fetch(name: str, folder: Path) -> bool:
            folder.mkdir(exist_ok=True)
            return name != "b"

        monkeypatch.setattr("ml.gpu.pack._fetch", fetch)
        assert make_pack(tmp_path / "pack", ("a", "b")) == ["b"]


@pytest.mark.slow
def test_the_whole_rehearsal_runs_from_the_folder(pack: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Every stage at tiny sizes; killed in the middle and started again, it goes on where it was."""
    out, work = tmp_path / "out", tmp_path / "work"
    command = ["sh", str(pack / "run.sh"), "10", "--rehearse", "--work", str(work)]
    ended = run(pack, environment | {"OUT": str(out)}, *command)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    states = [line.split() for line in ended.stdout.splitlines() if not line.startswith(" ")]
    assert states == [[stage.name, "finished"] for stage in STAGES]
    assert "NO " not in ended.stdout
    page = (out / "gpu.md").read_text()
    for title in ("Training, 64 tokens", "Scoring, 12 prompts", "Counting token pairs", "Effect of the arms on score"):
        assert f"### {title}" in page, title
    assert "could not be measured" not in page
    again = run(pack, environment | {"OUT": str(out)}, *command)
    assert again.stderr.count("finished before") == len(STAGES)
    shutil.rmtree(work)

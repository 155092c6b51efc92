"""Several programs in one process leave what each leaves alone."""

from pathlib import Path

import pytest

import ml.several
from support.ml_runs.inputs import LANGUAGES, make_config, make_export
from warehouse.contract.errors import UsageError


def test_each_part_writes_its_results(eval_set: Path, tmp_path: Path) -> None:
    export = make_export(tmp_path / "export", strategy="held_out", languages=LANGUAGES)
    model = make_config(tmp_path / "model")
    common = ["--model", str(model), "--run-id", "r"]
    inputs = {
        "score": ["--eval-set", str(eval_set)],
        "trace": ["--eval-set", str(eval_set)],
        "held_out": ["--export", str(export)],
    }
    argv: list[str] = []
    for program, own in inputs.items():
        argv += [*(["--then"] if argv else []), program, *own, *common, "--out", str(tmp_path / program)]
    ml.several.main(argv)
    assert (tmp_path / "score/results/word_scores.parquet").exists()
    assert (tmp_path / "trace/results/layer_traces.parquet").exists()
    assert (tmp_path / "held_out/results/held_out_losses.parquet").exists()


def test_an_unknown_program_is_refused_before_any_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="each part begins with one of score, sentences"):
        ml.several.main(["score", "--out", str(tmp_path), "--then", "dance"])

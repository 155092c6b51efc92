"""Several programs in one process leave what each leaves alone."""

from pathlib import Path

import pytest

import ml.several
from support.ml_runs.inputs import LANGUAGES, make_config, make_export
from warehouse.contract.errors import UsageError
from warehouse.contract.requests import HeldOutRequest, ScoreRequest, TraceRequest, write_request


def test_each_part_writes_its_results(eval_set: Path, tmp_path: Path) -> None:
    export = make_export(tmp_path / "export", strategy="held_out", languages=LANGUAGES)
    model = str(make_config(tmp_path / "model"))
    requests = [
        ScoreRequest(model=model, run_id="r", out=tmp_path / "score", eval_set=eval_set),
        TraceRequest(model=model, run_id="r", out=tmp_path / "trace", eval_set=eval_set),
        HeldOutRequest(model=model, run_id="r", out=tmp_path / "held_out", export=export),
    ]
    files = [request.out / "request.json" for request in requests]
    for file, request in zip(files, requests, strict=True):
        write_request(file, request)
    ml.several.main([str(file) for file in files])
    assert (tmp_path / "score/results/word_scores.parquet").exists()
    assert (tmp_path / "trace/results/layer_traces.parquet").exists()
    assert (tmp_path / "held_out/results/held_out_losses.parquet").exists()


def test_an_unknown_program_is_refused_before_any_runs(eval_set: Path, tmp_path: Path) -> None:
    good = ScoreRequest(
        model=str(make_config(tmp_path / "model")), run_id="r", out=tmp_path / "score", eval_set=eval_set
    )
    write_request(tmp_path / "good.json", good)
    (tmp_path / "bad.json").write_text('{"program": "dance"}')
    with pytest.raises(UsageError, match=r"bad\.json: .*'score'"):
        ml.several.main([str(tmp_path / "good.json"), str(tmp_path / "bad.json")])
    assert not (tmp_path / "score").exists()

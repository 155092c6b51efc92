"""What can be asked of a model: the user's choices reach the program, and are part of the run's id."""

from pathlib import Path
from typing import Any

import pytest

from warehouse.base.errors import UsageError
from warehouse.contract.folders import EVALUATIONS
from warehouse.contract.requests import EVALUATION_REQUESTS, ScoreRequest, read_evaluation_request, write_request
from warehouse.experiments import evaluations
from warehouse.experiments.evaluation_set import EvaluationSet
from warehouse.experiments.sentence_set import SentenceSet
from warehouse.experiments.training_export import Export

MANIFEST: Any = {"corpus": "c", "eval_set_id": "e1", "export_id": "x1", "sentence_set_id": "s1"}
JUDGES, HELD_OUT = EvaluationSet(Path("set"), MANIFEST), Export(Path("held"), MANIFEST)
OPTIONS = evaluations.Options(dtype="float32", batch_tokens=512, language_names=("oc=Occitan",))
ALL = [
    *evaluations.of_one_model(JUDGES, HELD_OUT),
    *evaluations.held_out_losses(HELD_OUT, OPTIONS, limit_tokens=9),
    evaluations.layer_traces(JUDGES, OPTIONS),
    evaluations.interventions(JUDGES, [3, 2, 3], evaluations.Options(dtype="float32", language_names=("oc=Occitan",))),
    evaluations.sentence_scores(SentenceSet(Path("s"), MANIFEST), n_shots=0, max_new_tokens=9, options=OPTIONS),
    evaluations.prompt_lens("- a\nb", top=3, watch=(" z", "a"), dtype="bfloat16"),
]


def test_every_evaluation_has_a_request_and_a_kind_of_run() -> None:
    assert set(EVALUATION_REQUESTS) == set(EVALUATIONS)
    assert {asked.program for asked in ALL} == set(EVALUATIONS)


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.program)
def test_a_request_arrives_in_another_process_as_it_was(asked: evaluations.Evaluation, tmp_path: Path) -> None:
    request = asked.request("m", "r1", tmp_path / "out")
    write_request(tmp_path / "request.json", request)
    assert read_evaluation_request(tmp_path / "request.json") == request


def test_options_reach_the_program_and_are_part_of_the_run() -> None:
    scored = evaluations.word_scores(JUDGES, OPTIONS)
    assert scored.request("m", "r1", Path("out")) == ScoreRequest(
        model="m",
        run_id="r1",
        out=Path("out"),
        eval_set=Path("set"),
        dtype="float32",
        batch_tokens=512,
        language_name=("oc=Occitan",),
    )
    assert scored.config == {"dtype": "float32", "batch_tokens": 512, "language_names": ["oc=Occitan"]}
    assert evaluations.word_scores(JUDGES).config == {}, "a plain request keeps the run id that it always had"


def test_impossible_choices_are_refused_at_once() -> None:
    asked = evaluations.sentence_scores(SentenceSet(Path("s"), MANIFEST), n_shots=-1, max_new_tokens=0)
    with pytest.raises(UsageError, match="--shots must be at least 0; --max-new-tokens must be at least 1"):
        asked.request("m", "r", Path("out"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Invalid JSON"),
        ('{"program": "dance"}', "program"),
        ('{"program": "score", "model": 3}', "score.model: 3 is not a text; score.run_id is missing"),
    ],
)
def test_a_file_that_is_no_request_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(UsageError) as refused:
        read_evaluation_request(tmp_path / "r.json")
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_limit_of_held_out_tokens_is_part_of_the_run_and_nought_is_none_of_it() -> None:
    (limited,) = evaluations.held_out_losses(HELD_OUT, limit_tokens=9)
    assert limited.config == {"limit_tokens": 9}
    assert limited.request("m", "r1", Path("out")).limit_tokens == 9
    (whole,) = evaluations.held_out_losses(HELD_OUT)
    assert whole.config == {}
    programs = [asked.program for asked in evaluations.of_one_model(JUDGES, HELD_OUT, held_out_tokens=0)]
    assert programs == ["score", "trace"]

"""A program's options are its request's entries: one line for all mistakes, help for each, or a file instead."""

from pathlib import Path

import pytest

from ml.program.arguments import parse, request_parser
from ml.program.loaded import batch_tokens
from warehouse.contract.errors import UsageError
from warehouse.contract.requests import (
    EVALUATION_REQUESTS,
    PromptLensRequest,
    ScoreRequest,
    SentencesRequest,
    write_request,
)

SCORE = ["--eval-set", "set", "--model", "m", "--run-id", "r", "--out", "out"]


def test_options_become_entries() -> None:
    given = [*SCORE, "--seed", "3", "--language-name", "oc=Occitan", "--language-name", "de=Deutsch"]
    assert parse(ScoreRequest, given) == ScoreRequest(
        eval_set=Path("set"), model="m", run_id="r", out=Path("out"), seed=3, language_name=("oc=Occitan", "de=Deutsch")
    )


def test_a_prompt_may_begin_with_a_dash() -> None:
    request = parse(PromptLensRequest, ["--prompt=- a\nb", "--model", "m", "--run-id", "r", "--out", "o", "--watch=-x"])
    assert (request.prompt, request.watch) == ("- a\nb", ("-x",))


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        parse(SentencesRequest, ["--model", "m", "--out", "o", "--shots", "-1", "--batch-tokens", "0"])
    assert sorted(refused.value.problems) == [
        "--batch-tokens must be at least 1",
        "--run-id is missing",
        "--sentences is missing",
        "--shots must be at least 0",
    ]


@pytest.mark.parametrize(
    ("options", "problem"),
    [(["--seed", "one"], "argument --seed: invalid int value: 'one'"), (["--evl", "x"], "unrecognized arguments")],
)
def test_what_is_no_option_is_one_line_too(options: list[str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse(ScoreRequest, [*SCORE, *options])


def test_a_file_says_everything(tmp_path: Path) -> None:
    request = parse(ScoreRequest, SCORE)
    write_request(tmp_path / "request.json", request)
    assert parse(ScoreRequest, ["--request", str(tmp_path / "request.json")]) == request
    with pytest.raises(UsageError, match="give no --seed"):
        parse(ScoreRequest, ["--request", str(tmp_path / "request.json"), "--seed", "1"])
    with pytest.raises(UsageError, match=r"request.json: .*program"):
        parse(SentencesRequest, ["--request", str(tmp_path / "request.json")])


@pytest.mark.parametrize("program", sorted(EVALUATION_REQUESTS))
def test_help_names_every_entry_and_its_default(program: str) -> None:
    kind = EVALUATION_REQUESTS[program]
    text = " ".join(request_parser(kind).format_help().split())
    for name, field in kind.model_fields.items():
        if name == "program":
            continue
        assert f"--{name.replace('_', '-')}" in text
        assert (field.description or "").rpartition(": ")[2].split(" (")[0] in text
    assert "(required)" in text


def test_how_much_is_read_at_once_depends_on_the_device() -> None:
    assert batch_tokens(parse(ScoreRequest, [*SCORE, "--device", "cpu"])) == 1_024
    assert batch_tokens(parse(ScoreRequest, [*SCORE, "--batch-tokens", "7"])) == 7

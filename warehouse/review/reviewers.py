"""Who can review pivot candidates: a person at the terminal, an OpenAI-compatible endpoint, a local chat model."""

import contextlib
import getpass
import json
import os
import subprocess
from collections.abc import Iterator

import httpx
from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

from warehouse.base.child_process import child_process
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.programs import module_command, program_environment
from warehouse.base.retrying import TryAgain, attempt
from warehouse.contract.token_text import visible_space
from warehouse.review.questions import Question, Reviewer

OPENAI = "https://api.openai.com/v1"
_TIMEOUT_S = 120.0
_TRIES = 6


def manual_reviewer() -> Reviewer:
    """A person. Answers are numbers; Enter accepts none, `q` ends the review."""
    return Reviewer("manual", getpass.getuser(), _ask_person)


def _ask_person(questions: list[Question]) -> Iterator[str]:
    console = Console()
    for number, question in enumerate(questions, start=1):
        pair = f"{question.word_a} ({question.lang_a}) - {question.word_b} ({question.lang_b})"
        table = Table("", "candidate", title=f"{number} of {len(questions)}: {pair}")
        for place, token in enumerate(question.tokens, start=1):
            table.add_row(str(place), visible_space(token))
        console.print(table)
        while True:
            answer = Prompt.ask("which of them link the two words? numbers, Enter for none, q to stop", default="")
            if answer.strip().lower() == "q":
                return
            numbers = answer.replace(",", " ").split()
            if all(n.isdigit() and 1 <= int(n) <= len(question.tokens) for n in numbers):
                yield json.dumps(sorted({int(n) for n in numbers}))
                break
            console.print(f"numbers from 1 to {len(question.tokens)}, please")


def openai_reviewer(model: str, *, first_wait_s: float = 1.0) -> Reviewer:
    """A model behind an OpenAI-compatible endpoint: OPENAI_BASE_URL and OPENAI_API_KEY say which.

    Raises:
        UsageError: OpenAI's own endpoint is meant, and no key is set.
    """
    url = os.environ.get("OPENAI_BASE_URL", OPENAI).rstrip("/")
    key = os.environ.get("OPENAI_API_KEY", "")
    if url == OPENAI and not key:
        raise UsageError("no key: set OPENAI_API_KEY, or OPENAI_BASE_URL to an endpoint of your own")

    def ask(questions: list[Question]) -> Iterator[str]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with httpx.Client(headers=headers, timeout=_TIMEOUT_S) as client:
            for question in questions:
                yield _complete(client, f"{url}/chat/completions", model, question.prompt, first_wait_s)

    return Reviewer("openai", model, ask)


def _complete(client: httpx.Client, url: str, model: str, prompt: str, first_wait_s: float) -> str:
    """Return the answer to one prompt. Busy and failing servers are asked again, waiting twice as long each time.

    Raises:
        StepFailed: the endpoint refuses the request, does not speak the protocol, or has failed too often.
    """
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "temperature": 0}

    def ask() -> httpx.Response:
        try:
            response = client.post(url, json=body)
        except httpx.TransportError as error:
            raise TryAgain(f"{type(error).__name__}: {error}") from error
        if response.status_code == 429 or response.status_code >= 500:
            raise TryAgain(f"status {response.status_code}")
        return response

    try:
        response = attempt(ask, tries=_TRIES, first_pause_s=first_wait_s)
    except TryAgain as last:
        raise StepFailed(
            f"{url} failed {_TRIES} times ({last.reason}); what was answered is kept, run the same to go on"
        ) from None
    if response.status_code != 200:
        raise StepFailed(f"{url} refuses the request: status {response.status_code}, {response.text[:200]}")
    try:
        return str(response.json()["choices"][0]["message"]["content"])
    except (ValueError, LookupError, TypeError):
        raise StepFailed(f"{url} answers, but not as a chat completion: {response.text[:200]}") from None


def transformers_reviewer(model: str) -> Reviewer:
    """A local chat model, read by `ml.answer` in a process of its own."""

    def ask(questions: list[Question]) -> Iterator[str]:
        if not questions:
            return
        command = module_command("ml.answer", "--model", model)
        environment = program_environment({"TOKENIZERS_PARALLELISM": "false"})
        pipe = subprocess.PIPE
        with child_process(command, env=environment, stdin=pipe, stdout=pipe, text=True, encoding="utf-8") as program:
            assert program.stdin
            assert program.stdout
            for question in questions:  # one at a time: with all at once both pipes could be full
                try:
                    print(json.dumps(question.prompt), file=program.stdin, flush=True)
                except BrokenPipeError:
                    break
                if not (line := program.stdout.readline()):
                    break
                yield json.loads(line)
            with contextlib.suppress(BrokenPipeError):
                program.stdin.close()
            program.wait()
        if program.returncode == 2:
            raise UsageError(f"--model {model} cannot answer; its own line above says why")
        if program.returncode:
            raise StepFailed(f"ml.answer stopped with exit code {program.returncode}; run the same to go on")

    return Reviewer("transformers", model, ask)

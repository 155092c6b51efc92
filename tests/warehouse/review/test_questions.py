"""Reviews: who is asked what, what is kept, and what a bad answer or server does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from support.homes.handmade import published_home
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.cli import app
from warehouse.lake.files import read_table
from warehouse.review.questions import Question, Reviewer, open_questions, read_answer, review
from warehouse.review.reviewers import openai_reviewer

QUESTION = Question("en", "water", "fr", "eau", (" river", " <b>", "水"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return published_home(tmp_path / "home")


class Endpoint(BaseHTTPRequestHandler):
    """A chat-completions server that answers with the given (status, body) in turn; the last one stays."""

    replies: ClassVar[list[tuple[int, str]]] = []
    requests: ClassVar[list[tuple[str, dict[str, object], str]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append((self.path, body, self.headers.get("Authorization", "")))
        status, reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(reply.encode())

    def log_message(self, *arguments: object) -> None:
        pass


def completion(text: str) -> str:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]})


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Endpoint]]:
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1/")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    Endpoint.requests.clear()
    yield Endpoint
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("answer", "statuses"),
    [
        ("[1, 3]", ["accepted", "rejected", "accepted"]),
        ("The first [1] is odd, so: [2]", ["rejected", "accepted", "rejected"]),
        ("[]", ["rejected"] * 3),
        ("All of them!", ["unclear"] * 3),
        ("[4]", ["unclear"] * 3),
        ("[1,,2]", ["unclear"] * 3),
        ("", ["unclear"] * 3),
    ],
)
def test_the_last_list_of_numbers_counts(answer: str, statuses: list[str]) -> None:
    assert read_answer(answer, n_candidates=3) == statuses


def test_questions_are_pairs_with_their_best_candidates(home: Home) -> None:
    questions = open_questions(home, "demo", top=2)
    assert questions
    assert all(q.lang_a < q.lang_b and len(q.tokens) <= 2 for q in questions)
    assert len({(q.lang_a, q.word_a, q.lang_b, q.word_b) for q in questions}) == len(questions)
    assert {q.lang_a for q in open_questions(home, "demo", top=2, source_lang="fr", target_lang="en")} == {"en"}
    only_zh = open_questions(home, "demo", top=2, source_lang="zh")
    assert only_zh
    assert all("zh" in (q.lang_a, q.lang_b) for q in only_zh)


def test_answers_are_kept_with_their_prompt_and_nothing_is_asked_twice(home: Home) -> None:
    asked: list[Question] = []

    def ask(questions: list[Question]) -> Iterator[str]:
        for question in questions:
            asked.append(question)
            yield "[1]"

    reviewer = Reviewer("openai", "a-model", ask)
    questions = open_questions(home, "demo", top=3)
    first = list(review(home, "demo", reviewer, questions, limit=2))
    assert len(first) == 2
    list(review(home, "demo", reviewer, questions, limit=2))
    assert asked == questions[: len(asked)]
    assert len(asked) == len(set(asked)) == min(4, len(questions))
    rows = read_table(home, "pivot_reviews").to_pylist()
    of_first = [row for row in rows if row["prompt"] == questions[0].prompt]
    assert [row["token"] for row in of_first] == list(questions[0].tokens)
    assert [row["review_status"] for row in of_first] == ["accepted", "rejected", "rejected"]
    assert {row["answer"] for row in rows} == {"[1]"}
    assert {row["run_id"] for row in rows} <= set(read_table(home, "runs")["run_id"].to_pylist())


def test_an_endpoint_is_asked_until_it_answers(endpoint: type[Endpoint]) -> None:
    endpoint.replies = [(429, "slow down"), (503, ""), (200, completion("[2]"))]
    assert list(openai_reviewer("m", first_wait_s=0).ask([QUESTION])) == ["[2]"]
    assert len(endpoint.requests) == 3
    path, body, key = endpoint.requests[-1]
    assert (path, key) == ("/v1/chat/completions", "Bearer secret")
    assert (body["model"], body["temperature"]) == ("m", 0)
    assert '3. "水"' in str(body["messages"])


@pytest.mark.parametrize(
    ("reply", "message", "n_requests"),
    [
        ((500, ""), "failed 6 times", 6),
        ((401, "no such key"), "refuses the request: status 401, no such key", 1),
        ((200, "<html>"), "not as a chat completion", 1),
        ((200, '{"choices": []}'), "not as a chat completion", 1),
    ],
)
def test_an_endpoint_that_cannot_help_ends_the_review(
    endpoint: type[Endpoint], reply: tuple[int, str], message: str, n_requests: int
) -> None:
    endpoint.replies = [reply]
    with pytest.raises(StepFailed, match=message):
        list(openai_reviewer("m", first_wait_s=0).ask([QUESTION]))
    assert len(endpoint.requests) == n_requests


def test_the_public_endpoint_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        openai_reviewer("m")


def test_a_person_answers_with_numbers_and_stops_when_tired(home: Home) -> None:
    arguments = ["review", "--corpus", "demo", "--reviewer", "manual", "--top", "3", "--home", str(home.root)]
    shown = CliRunner().invoke(app, arguments, input="1 9\n1,3\n\nq\n")
    assert shown.exit_code == 0, shown.output
    assert "numbers from 1 to 3, please" in shown.output
    rows = read_table(home, "pivot_reviews").to_pylist()
    questions = open_questions(home, "demo", top=3)
    by_word = {(row["word_a"], row["token"]): row["review_status"] for row in rows}
    assert [by_word[questions[0].word_a, token] for token in questions[0].tokens] == [
        "accepted",
        "rejected",
        "accepted",
    ]
    assert {by_word[questions[1].word_a, token] for token in questions[1].tokens} == {"rejected"}
    assert len(rows) == 6


def test_a_model_is_named_exactly_where_one_is_asked(home: Home) -> None:
    base = ["review", "--corpus", "demo", "--home", str(home.root)]
    for arguments in (["--reviewer", "manual", "--model", "m"], ["--reviewer", "openai"]):
        assert isinstance(CliRunner().invoke(app, base + arguments).exception, UsageError)


@pytest.mark.slow
def test_a_local_chat_model_answers(home: Home, chat_model: Path) -> None:
    arguments = ["review", "--corpus", "demo", "--reviewer", "transformers", "--model", str(chat_model)]
    shown = CliRunner().invoke(app, [*arguments, "--pairs", "2", "--top", "2", "--home", str(home.root)])
    assert shown.exit_code == 0, shown.output
    rows = read_table(home, "pivot_reviews").to_pylist()
    assert len({row["prompt"] for row in rows}) == 2
    assert {row["reviewer_kind"] for row in rows} == {"transformers"}


@pytest.fixture
def chat_model(tmp_path: Path) -> Path:
    """A tiny random Llama with a byte-level tokenizer and a chat template: it speaks, without sense."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = Tokenizer(models.BPE(vocab={c: n for n, c in enumerate(["<eos>", *alphabet])}, merges=[]))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, eos_token="<eos>")
    tokenizer.chat_template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
    config = LlamaConfig(
        vocab_size=257,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        eos_token_id=0,
        bos_token_id=None,
    )
    folder = tmp_path / "chat"
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

"""The HTTP API, against a local server that speaks it as the public one does."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from support.corpora.files import write_tokenizer
from support.homes.infini_gram_home import counted, gram_home
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.cli import app
from warehouse.engines.infini_gram.http_api import BoundReached, api_index
from warehouse.engines.infini_gram.questions import Answer, Index, Refused

Reply = tuple[int, str, dict[str, str]]


class Server:
    """Answers with what `reply` returns for a body; remembers bodies and when they came."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.reply: Callable[[dict[str, Any]], Reply] = count_by_length
        self.url = ""

    def in_turn(self, *replies: Reply) -> None:
        """Answer with each in turn; the last one stays."""
        left = list(replies)
        self.reply = lambda body: left.pop(0) if len(left) > 1 else left[0]


def ok(count: object, approx: object = False) -> Reply:
    return 200, json.dumps({"count": count, "approx": approx, "latency": 0.7, "token_ids": [1], "tokens": ["x"]}), {}


def count_by_length(body: dict[str, Any]) -> Reply:
    """The public server's rules in short: an unknown index is wrong, so are options of pairs for a single word."""
    if body.get("index") != "v4_small":
        return 400, json.dumps({"error": f"[Flask] Invalid index: {body.get('index')}"}), {}
    assert body["query_type"] == "count"
    assert ("query" in body) != ("query_ids" in body)
    query = body.get("query", body.get("query_ids"))
    is_pair = " AND " in query or (bool(query) and isinstance(query[0], list))
    if is_pair != ("max_clause_freq" in body) or is_pair != ("max_diff_tokens" in body):
        return 500, json.dumps({"error": "[Flask] Internal server error: unexpected keyword argument"}), {}
    if is_pair and body["max_diff_tokens"] > 1000:
        return 200, json.dumps({"error": "max_diff_tokens must be an integer in [1, 1000]!"}), {}
    return ok(9999 if not query else 3 if is_pair else 10 + len(query), is_pair)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.bodies.append(body)
            state.times.append(time.monotonic())
            status, text, headers = state.reply(body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    state.url = f"http://127.0.0.1:{http.server_port}/"
    yield state
    http.shutdown()
    http.server_close()


def index(server: Server, **options: Any) -> Index:
    fast = {"requests_per_second": 1e6, "first_wait_s": 0.0}
    return api_index(server.url, "v4_small", max_diff_tokens=100, max_clause_freq=5000, **{**fast, **options})


def test_words_pairs_and_the_size_are_asked_as_the_api_has_it(server: Server) -> None:
    ask = index(server).ask
    assert ask(()) == Answer(9999, False)
    assert ask(("eau",)) == Answer(13, False)
    assert ask(("eau", "water")) == Answer(3, True)  # the flag is the server's
    assert ask(((5, 6),)) == Answer(12, False)
    assert ask(((5, 6), (7,))) == Answer(3, True)
    common = {"index": "v4_small", "query_type": "count"}
    limits = {"max_clause_freq": 5000, "max_diff_tokens": 100}
    assert server.bodies == [
        {**common, "query": ""},
        {**common, "query": "eau"},
        {**common, "query": "eau AND water", **limits},
        {**common, "query_ids": [5, 6]},
        {**common, "query_ids": [[[5, 6]], [[7]]], **limits},
    ]


def test_a_busy_or_failing_server_is_asked_again(server: Server) -> None:
    server.in_turn((429, "slow down", {}), (503, "", {}), (500, '{"error": "timed out"}', {}), ok(4))
    assert index(server).ask(("eau",)).n_occurrences == 4
    assert len(server.bodies) == 4
    assert all(body == server.bodies[0] for body in server.bodies)


def test_a_server_that_does_not_answer_in_time_is_asked_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.engines.infini_gram.http_api._TIMEOUT_S", 0.2)
    server.reply = lambda body: (time.sleep(0.6 if len(server.bodies) == 1 else 0.0), ok(4))[1]
    assert index(server).ask(("eau",)).n_occurrences == 4
    assert len(server.bodies) == 2


@pytest.mark.slow
def test_it_waits_as_long_as_the_server_says(server: Server) -> None:
    server.in_turn((429, "", {"Retry-After": "1"}), ok(4))
    index(server).ask(("eau",))
    assert 1.0 <= server.times[1] - server.times[0] < 3.0
    server.in_turn((503, "", {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=2))}), ok(4))
    index(server).ask(("eau",))
    assert 0.5 <= server.times[3] - server.times[2] < 4.0


def test_waits_grow_between_attempts(server: Server) -> None:
    server.in_turn((500, "", {}), (500, "", {}), (500, "", {}), ok(1))
    index(server, first_wait_s=0.1).ask(("eau",))
    waits = [b - a for a, b in zip(server.times, server.times[1:], strict=False)]
    assert all(wait >= least for wait, least in zip(waits, (0.1, 0.2, 0.4), strict=True))


@pytest.mark.parametrize(
    ("reply", "message", "n_requests"),
    [
        ((500, "", {}), r"failed 6 times \(status 500\).*run the same to go on", 6),
        ((429, "", {"Retry-After": "86400"}), "asks to wait 86400 s", 1),
        ((403, "not\n you", {}), "refuses the request: status 403, not you", 1),
        ((404, "<html>", {}), "refuses the request: status 404", 1),
        ((301, "", {"Location": "http://elsewhere/"}), "refuses the request: status 301", 1),
        ((200, "<html>", {}), "not as infini-gram does: <html>", 1),
        ((200, "[1]", {}), "not as infini-gram does", 1),
        ((200, '{"count": 5}', {}), "not as infini-gram does", 1),
        (ok(-1), "not as infini-gram does", 1),
        (ok("12"), "not as infini-gram does", 1),
        (ok(True), "not as infini-gram does", 1),
        (ok(1.5), "not as infini-gram does", 1),
        (ok(1, "no"), "not as infini-gram does", 1),
    ],
)
def test_a_server_that_cannot_help_ends_it(server: Server, reply: Reply, message: str, n_requests: int) -> None:
    server.in_turn(reply)
    with pytest.raises(StepFailed, match=message):
        index(server).ask(("eau",))
    assert len(server.bodies) == n_requests


def test_nobody_there_ends_it_too() -> None:
    nobody = api_index(
        "http://127.0.0.1:9/", "i", max_diff_tokens=1, max_clause_freq=1, requests_per_second=1e6, first_wait_s=0.0
    )
    with pytest.raises(StepFailed, match=r"failed 6 times.*ConnectError"):
        nobody.ask(("eau",))


@pytest.mark.parametrize("status", [200, 400])
def test_what_is_wrong_with_a_question_is_told(server: Server, status: int) -> None:
    server.in_turn((status, '{"error": "Please limit your input to <= 500 tokens!"}', {}))
    with pytest.raises(Refused, match="limit your input"):
        index(server).ask(("eau",))
    assert len(server.bodies) == 1


@pytest.mark.parametrize("word", ["rock AND roll", "OR else", "this OR", "AND"])
def test_words_that_read_as_operators_are_not_sent_as_text(server: Server, word: str) -> None:
    with pytest.raises(Refused, match="token ids"):
        index(server).ask((word,))
    assert not server.bodies
    assert index(server).ask(("sand or ANDy",)).n_occurrences == 22


def test_no_request_comes_too_soon_after_another(server: Server) -> None:
    ask = index(server, requests_per_second=20.0).ask
    start = time.monotonic()
    for _ in range(5):
        ask(("eau",))
    assert server.times[-1] - start >= 4 / 20


def test_retries_count_towards_the_bound(server: Server) -> None:
    server.in_turn((500, "", {}), (500, "", {}), ok(1))
    ask = index(server, max_requests=4).ask
    ask(("eau",))
    ask(("eau",))
    with pytest.raises(BoundReached):
        ask(("eau",))
    assert len(server.bodies) == 4


@pytest.mark.parametrize("url", ["api.infini-gram.io", "ftp://x/", "http://", "http://[::1", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not an http"):
        api_index(url, "i", max_diff_tokens=1, max_clause_freq=1)


# --- the command ---


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return gram_home(tmp_path / "home")


def run(home: Home, server: Server, *more: str) -> Result:
    base = ["infini-gram", "count", "--corpus", "far", "--index", "v4_small", "--url", server.url]
    return CliRunner().invoke(app, [*base, "--requests-per-second", "1000", "--home", str(home.root), *more])


def test_the_command_asks_within_its_bound_and_goes_on(home: Home, server: Server) -> None:
    first = run(home, server, "--max-requests", "5")
    assert first.exit_code == 0, first.output
    assert "index     v4_small, 9,999 tokens" in first.output
    assert "answered  5 questions now, 5 in all" in first.output
    assert "left" in first.output
    second = run(home, server)
    assert "answered  7 questions now, 12 in all" in second.output
    assert "left" not in second.output
    third = run(home, server)
    assert "answered  0 questions now, 12 in all" in third.output
    assert len(server.bodies) == 12
    pairs = [value for key, value in counted(home).items() if len(key) == 2]
    assert pairs == [(3, True, None)] * 4


def test_what_came_before_a_failure_is_kept(home: Home, server: Server) -> None:
    server.reply = lambda body: count_by_length(body) if len(server.bodies) < 7 else (401, "", {})
    failed = run(home, server)
    assert isinstance(failed.exception, StepFailed)
    assert len(counted(home)) == 6
    server.reply = count_by_length
    assert "answered  6 questions now, 12 in all" in run(home, server).output


def test_an_unknown_index_is_wrong_usage(home: Home, server: Server) -> None:
    server.in_turn((400, '{"error": "[Flask] Invalid index: v4_small"}', {}))
    shown = run(home, server)
    assert isinstance(shown.exception, UsageError)
    assert "Invalid index" in str(shown.exception)
    assert counted(home) == {}


def test_with_a_tokenizer_ids_are_sent_in_the_form_of_running_text(home: Home, server: Server, tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    path = write_tokenizer(tmp_path)
    shown = run(home, server, "--tokenizer", str(path))
    assert shown.exit_code == 0, shown.output
    tokenizer = Tokenizer.from_file(str(path))
    sent = {tuple(body["query_ids"]) for body in server.bodies[1:] if "max_diff_tokens" not in body}
    texts = (" water", " eau", "水", " house", " maison", " table")
    assert sent == {tuple(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts}
    assert server.bodies[0]["query"] == ""


def test_a_folder_has_no_pace(home: Home, tmp_path: Path) -> None:
    base = ["infini-gram", "count", "--corpus", "far", "--index", str(tmp_path), "--home", str(home.root)]
    shown = CliRunner().invoke(app, [*base, "--max-requests", "5"])
    assert isinstance(shown.exception, UsageError)
    assert "go with --url" in str(shown.exception)


def test_wrong_usage_is_found_before_anything_is_sent(home: Home, server: Server) -> None:
    for arguments, message in (
        (["--target-lang", "fr"], "--target-lang needs --source-lang"),
        (["--source-lang", "xx"], "no word pair to ask for"),
        (["--tokenizer", "./nowhere.json"], "no such tokenizer file"),
    ):
        shown = run(home, server, *arguments)
        assert isinstance(shown.exception, UsageError)
        assert message in str(shown.exception)
    assert not server.bodies

"""An infini-gram index behind its HTTP API: one POST per question, paced, asked again where that can help.

The protocol: {"index", "query_type": "count", "query" or "query_ids", and for conjunctions "max_clause_freq" and
"max_diff_tokens"} gives {"count", "approx", ...}, or {"error": ...} with status 200 or 400 when the question is wrong.
"""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.retrying import TryAgain, attempt
from warehouse.engines.infini_gram.questions import Answer, Index, Query, Refused, api_query

REQUESTS_PER_SECOND = 5.0  # what a public server is asked when the user does not say
MAX_REQUESTS = 10_000
_TIMEOUT_S = 60.0
_TRIES = 6
_BUSY = (408, 425, 429)
_LONGEST_WAIT_S = 300.0  # a server that asks for more is asked another day


class BoundReached(Exception):
    """As many requests were sent as the user allows."""


class _Endpoint:
    """Sends requests: no two closer than `interval_s`, at most `max_requests`."""

    def __init__(self, url: str, interval_s: float, max_requests: int, first_wait_s: float) -> None:
        self.url, self._interval_s, self._first_wait_s = url, interval_s, first_wait_s
        self._n_left = max_requests
        self._next_at = time.monotonic()
        self._client = httpx.Client(timeout=_TIMEOUT_S)

    def post(self, body: dict[str, Any]) -> httpx.Response:
        """Return the answer to one question, whatever it is, once the server is neither busy nor failing.

        Raises:
            BoundReached: no request is left.
            StepFailed: the server failed too often, or asks to wait too long.
        """
        try:
            return attempt(lambda: self._ask(body), tries=_TRIES, first_pause_s=self._first_wait_s)
        except TryAgain as last:
            raise StepFailed(
                f"{self.url} failed {_TRIES} times ({last.reason}); what was answered is kept, run the same to go on"
            ) from None

    def _ask(self, body: dict[str, Any]) -> httpx.Response:
        """Return the answer to one question, or raise TryAgain when the server is busy or failing."""
        try:
            response = self._send(body)
        except httpx.RequestError as error:  # no connection, none in time, one that broke off
            raise TryAgain(f"{type(error).__name__}: {error}") from error
        if response.status_code not in _BUSY and response.status_code < 500:
            return response
        wait_s = _retry_after(response)
        if wait_s > _LONGEST_WAIT_S:
            raise StepFailed(f"{self.url} asks to wait {wait_s:.0f} s; answers are kept, run the same later")
        raise TryAgain(f"status {response.status_code}", wait_s)

    def _send(self, body: dict[str, Any]) -> httpx.Response:
        if self._n_left <= 0:
            raise BoundReached
        self._n_left -= 1
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        self._next_at = time.monotonic() + self._interval_s
        return self._client.post(self.url, json=body)


def api_index(
    url: str,
    name: str,
    *,
    max_diff_tokens: int,
    max_clause_freq: int,
    tokenizer_hash: str | None = None,
    requests_per_second: float = REQUESTS_PER_SECOND,
    max_requests: int = MAX_REQUESTS,
    first_wait_s: float = 1.0,
) -> Index:
    """Return the index `name` of the API at a URL. Nothing is sent yet.

    Args:
        tokenizer_hash: of the token ids that it will be asked for; None when it is asked for texts.
        max_requests: retries count; afterwards `ask` raises BoundReached.

    Raises:
        UsageError: that is no URL.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise UsageError(f"--url {url}: not an http(s) address such as https://api.infini-gram.io/")
    endpoint = _Endpoint(url, 1 / requests_per_second, max_requests, first_wait_s)

    def ask(queries: tuple[Query, ...]) -> Answer:
        _check_texts(queries)
        query = api_query(queries)
        body: dict[str, Any] = {"index": name, "query_type": "count"}
        body["query" if isinstance(query, str) else "query_ids"] = query
        if len(queries) > 1:
            body |= {"max_clause_freq": max_clause_freq, "max_diff_tokens": max_diff_tokens}
        return _read(url, endpoint.post(body))

    return Index("api", name, url, "", tokenizer_hash, max_diff_tokens, max_clause_freq, ask)


def _check_texts(queries: tuple[Query, ...]) -> None:
    for query in queries:
        if isinstance(query, str) and any(operator in f" {query} " for operator in (" AND ", " OR ")):
            raise Refused("the word holds AND or OR, which the API reads as operators: ask for token ids")


def _read(url: str, response: httpx.Response) -> Answer:
    """Return what a response says.

    Raises:
        Refused: the server says what is wrong with this question.
        StepFailed: it refuses the request itself, or does not speak the protocol.
    """
    try:
        body = response.json()
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if error is not None and response.status_code in (200, 400):
        raise Refused(str(error)[:200])
    if response.status_code != 200:
        raise StepFailed(f"{url} refuses the request: status {response.status_code}, {_first_line(response.text)}")
    count, approx = (body.get("count"), body.get("approx")) if isinstance(body, dict) else (None, None)
    if type(count) is not int or count < 0 or type(approx) is not bool:
        raise StepFailed(f"{url} answers, but not as infini-gram does: {_first_line(response.text)}")
    return Answer(count, approx)


def _first_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds that a server asks to wait: a number, or a date; 0 when it does not say, or not legibly."""
    stated = response.headers.get("Retry-After", "").strip()
    if stated.isdigit():
        return float(stated)
    try:
        at = parsedate_to_datetime(stated)
    except ValueError:
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())

"""Who gets an answer from the dashboard's server: its own pages with its key, and nobody else."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.homes.handmade import published_home
from support.servers.dashboards import served, without_key
from warehouse.serving.dashboard.own_pages import OwnPagesOnly

pytest.importorskip("marimo", reason="the dashboard needs the extra `dashboard`: pip install '.[dashboard]'")
EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(published_home(tmp_path_factory.mktemp("doors"))) as address:
        yield address


@pytest.fixture
def visitor(address: str) -> Iterator[httpx.Client]:
    """Somebody who opened the printed address: the key is now in a cookie."""
    with httpx.Client(base_url=without_key(address), follow_redirects=True) as client:
        assert "Semantic Pivots" in client.get(address).text
        yield client


def ask_socket(
    visitor: httpx.Client, *, origin: str | None = None, host: str | None = None, cookie: bool = True
) -> str:
    """Open the page's websocket, as a page of an origin that knows the server by some name; return what comes first.

    Raises:
        websockets.InvalidStatus: the server refuses it.
    """
    from websockets.sync.client import connect

    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())} if cookie else {}
    url = f"ws://{host or visitor.base_url.netloc.decode()}/ws?session_id=s_doors{host is None:d}"
    with (
        socket.create_connection((visitor.base_url.host, visitor.base_url.port or 0)) as raw,
        connect(url, sock=raw, origin=origin, additional_headers=headers) as opened,  # type: ignore[arg-type]
    ):
        return str(opened.recv(timeout=20))


def test_the_printed_address_opens_the_page_and_its_websocket(visitor: httpx.Client) -> None:
    own = str(visitor.base_url).rstrip("/")
    assert visitor.get("/").status_code == 200
    assert visitor.get("/", headers={"Origin": own}).status_code == 200
    assert '"op"' in ask_socket(visitor, origin=own)


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1", "https://localhost"])
def test_another_origin_gets_no_websocket_and_no_page_even_with_the_key(visitor: httpx.Client, origin: str) -> None:
    from websockets import InvalidStatus

    assert visitor.get("/", headers={"Origin": origin}).status_code == 403
    assert visitor.post("/api/kernel/run", json={}, headers={"Origin": origin}).status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        ask_socket(visitor, origin=origin)
    assert refused.value.response.status_code == 403


def test_another_host_gets_nothing_even_with_the_key(visitor: httpx.Client) -> None:
    from websockets import InvalidStatus

    port = visitor.base_url.port
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "127.0.0.1"):
        assert visitor.get("/", headers={"Host": host}).status_code == 403
        with pytest.raises(InvalidStatus) as refused:
            ask_socket(visitor, host=host)
        assert refused.value.response.status_code == 403


def test_without_the_key_there_is_no_page_and_no_websocket(visitor: httpx.Client, address: str) -> None:
    import websockets

    own = str(visitor.base_url).rstrip("/")
    with httpx.Client(base_url=own) as stranger:
        for path in ("/", "/?access_token=guess", "/api/status", "/health"):
            answer = stranger.get(path)
            assert "water" not in answer.text
            assert "serverToken" not in answer.text
            assert address.rpartition("=")[2] not in answer.text
        assert stranger.get("/").status_code == 303
        assert stranger.post("/api/kernel/set_ui_element_value", json={}).status_code == 401
    with pytest.raises((websockets.ConnectionClosed, websockets.InvalidStatus)):
        ask_socket(visitor, origin=own, cookie=False)


def test_the_guard_passes_on_what_is_neither_request_nor_websocket() -> None:
    seen: list[str] = []

    async def app(scope: dict, receive: object, send: object) -> None:
        seen.append(scope["type"])

    asyncio.run(OwnPagesOnly(app, port=1)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]


def test_other_users_cannot_read_the_key_of_a_program(address: str) -> None:
    key = address.rpartition("=")[2]
    for program in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = program.read_bytes()
        except OSError:
            continue
        assert key.encode() not in arguments

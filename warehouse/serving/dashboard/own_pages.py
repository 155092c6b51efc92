"""A server on this machine that answers its own pages only.

A page of any site may open connections to 127.0.0.1, and websockets know no same-origin policy; a site whose name is
made to point here (DNS rebinding) even counts as the same origin. The first says so in `Origin`, the second in `Host`.

Its pages may load from and talk to this server alone, and stand in nobody else's frame: should a text of a corpus ever
be taken for markup, it can send nothing anywhere. marimo's front end needs scripts in the page and `eval`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NAMES = ("127.0.0.1", "localhost")
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "frame-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


class OwnPagesOnly:
    """ASGI middleware: refuses requests and websockets for another host, or from a page of another origin."""

    def __init__(self, app: "ASGIApp", *, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}".encode() for name in _NAMES}
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] in ("http", "websocket") and not self._is_own(scope["headers"]):
            await _refuse(scope, receive, send)
        else:
            await self._app(scope, receive, _with_policy(send))

    def _is_own(self, headers: list[tuple[bytes, bytes]]) -> bool:
        hosts = [value.lower() for name, value in headers if name == b"host"]
        origins = [value.lower() for name, value in headers if name == b"origin"]  # none: a navigation, or no browser
        return len(hosts) == 1 and hosts[0] in self._hosts and all(origin in self._origins for origin in origins)


def _with_policy(send: "Send") -> "Send":
    async def sends(message: "Message") -> None:
        if message["type"] == "http.response.start":
            policy = (b"content-security-policy", CONTENT_POLICY.encode())
            message = {**message, "headers": [*message.get("headers", ()), policy]}
        await send(message)

    return sends


async def _refuse(scope: "Scope", receive: "Receive", send: "Send") -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the client gets a 403
        return
    body = b"This server answers its own pages only.\n"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})

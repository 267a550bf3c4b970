"""Who may talk to the server: this page only, opened with the token that the terminal printed."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/api/"
UPLOADS = "/api/uploads"
MAX_BODY_BYTES = 64_000

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class AccessControl:
    """Refuses requests that do not come from the page, before they reach the application.

    - A request must name the server by one of its own addresses: a foreign name that was bound to the loopback address
      (DNS rebinding) gets 421.
    - If it states an origin, this must be the page's: 403.
    - All but the page itself, which holds no data, needs the token: 401. It comes in a header, which no other site can
      send, and is in no address that the server receives.
    - A body may have `MAX_BODY_BYTES`, an upload `max_upload_bytes`: 413.

    Args:
        app: The application.
        token: The token.
        hosts: The names of the server, with the port.
        max_upload_bytes: Largest file that can be uploaded.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Collection[str], max_upload_bytes: int) -> None:
        self._app = app
        self._token = token
        self._hosts = frozenset(hosts)
        self._max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        limit = self._max_upload_bytes if scope["path"] == UPLOADS else MAX_BODY_BYTES
        refusal = self._refusal(headers, scope["path"], limit)
        if refusal is None:
            await self._app(scope, _limited(receive, limit), send_with_headers)
        else:
            status, reason = refusal
            await JSONResponse({"detail": reason}, status)(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers, path: str, limit: int) -> tuple[int, str] | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return 421, "This server does not go by that name. Open the address that the terminal printed."
        if origin is not None and origin != f"http://{host}":
            return 403, "Requests of other sites are refused."
        if path.startswith(API):
            given = headers.get("authorization", "").removeprefix("Bearer ")
            if not secrets.compare_digest(given.encode(), self._token.encode()):
                return 401, "The token is missing or wrong. Open the address that the terminal printed."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            return 413, _too_large(limit)
        return None


def _limited(receive: Receive, limit: int) -> Receive:
    """Count what arrives: a body need not be as long as its header says, nor say it."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return counted


def _too_large(limit: int) -> str:
    return f"The file or request is too large: at most {limit / 1e6:g} MB. Copy a larger file into the folder instead."

"""The health page of a node, for this machine only."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

LOOPBACK = "127.0.0.1"


class HealthPage:
    """Answers ``GET /health`` with JSON.

    Args:
        port: Port on this machine; 0 for any free one.
        state: Gives what to answer.

    Attributes:
        port: The port.

    Raises:
        OSError: The port is in use.
    """

    def __init__(self, port: int, state: Callable[[], dict[str, Any]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/health":
                    return self.send_error(HTTPStatus.NOT_FOUND)
                content = json.dumps(state(), indent=2).encode()
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Calls are not logged."""

        try:
            self._server = ThreadingHTTPServer((LOOPBACK, port), Handler)
        except OSError as error:
            raise OSError(
                f"{LOOPBACK}:{port} cannot be listened at ({error.strerror}). Is another node running? Give a free "
                "port by --health-port."
            ) from error
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

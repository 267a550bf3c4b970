"""The page's server in a thread of the test, and requests to it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from fetal_monai.measurement import HeadMeasurer
from fetal_monai.page.app import create_app
from fetal_monai.page.workspace import Workspace

TOKEN = "the-token-of-the-test"
MAX_UPLOAD_BYTES = 300_000


@dataclass(frozen=True)
class Answer:
    """What the server answers."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A running server."""

    port: int
    workspace: Workspace = field(repr=False)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"http://{self.host}/#token={TOKEN}"

    def request(
        self, method: str, path: str, body: bytes | Iterator[bytes] | Any = None, **headers: str | None
    ) -> Answer:
        """Send a request with the token; a header that is None is left out, dictionaries are sent as JSON."""
        sent: dict[str, str | None] = {"Authorization": f"Bearer {TOKEN}"}
        if isinstance(body, dict):
            body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name: value for name, value in sent.items() if value is not None})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def files(self) -> dict[str, str]:
        """The identifiers of the files by their names."""
        return {entry["name"]: entry["id"] for entry in self.request("GET", "/api/files").json}


@contextmanager
def serve(folder: Path, load: Callable[[], HeadMeasurer], port: int = 0, **options: Any) -> Iterator[Served]:
    """Serve a folder until the end of the block, on a port or a free one."""
    workspace = Workspace(folder, load, **options)
    with socket.create_server(("127.0.0.1", port)) as listener:
        port = listener.getsockname()[1]
        hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        app = create_app(workspace, token=TOKEN, hosts=hosts, max_upload_bytes=MAX_UPLOAD_BYTES)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield Served(port, workspace)
        finally:
            server.should_exit = True
            thread.join()

"""A Zenodo record served on the loopback interface."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Record:
    """The files of a record, what its JSON claims about them, and what was asked for."""

    files: dict[str, bytes]
    claimed_md5: dict[str, str] = field(default_factory=dict)
    cut_short: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    fetched: list[str] = field(default_factory=list)
    url: str = ""

    def described(self) -> bytes:
        """The record's JSON, as much of it as is read."""
        files = [
            {
                "key": name,
                "checksum": "md5:" + self.claimed_md5.get(name, hashlib.md5(content).hexdigest()),
                "links": {"self": f"{self.url}/files/{name}/content"},
            }
            for name, content in self.files.items()
        ]
        return json.dumps({"id": 1, "files": files}).encode()


@contextmanager
def serve(record: Record) -> Iterator[str]:
    """Serve a record; yields the address of its JSON."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self.answer(record.described())
                return
            name = self.path.split("/")[2]
            record.fetched.append(name)
            if name in record.gone:
                self.send_error(404)
                return
            content = record.files[name]
            self.answer(content, cut=len(content) // 2 if name in record.cut_short else 0)

        def answer(self, content: bytes, cut: int = 0) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) - cut])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    record.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield record.url + "/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive of members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def zipped_folder(folder: Path) -> bytes:
    """A zip archive that holds a folder under its own name."""
    return zipped({f"{folder.name}/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())})

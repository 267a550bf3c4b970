"""A server between us and Orthanc, which passes requests on and can spoil the answers, as networks and PACS do."""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        status: Its HTTP status.
        content: Its body.
        headers: Its headers.
        sent: The share of the body that is sent before the connection breaks.
    """

    status: int
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)
    sent: float = 1.0


@dataclass
class Between:
    """The server.

    Attributes:
        url: Its address.
        requests: Method, path and Authorization header of each request, in their order.
        spoil: From the path of a request and Orthanc's answer to the answer that is given.
        asked: From the path of a request to that which Orthanc gets.
    """

    url: str
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    spoil: Callable[[str, Answer], Answer] = lambda path, answer: answer
    asked: Callable[[str], str] = lambda path: path

    @property
    def address(self) -> str:
        """The address of DICOMweb, for our commands."""
        scheme = "dicomweb" if self.url.startswith("https") else "dicomweb+http"
        return f"{scheme}://{self.url.partition('://')[2]}/dicom-web"


@contextmanager
def between(orthanc_url: str, certificate: Path | None = None) -> Iterator[Between]:
    """Start it, and stop it at the end.

    Args:
        orthanc_url: Where the requests go to.
        certificate: PEM file with a certificate and its key, for HTTPS.
    """

    class Handler(BaseHTTPRequestHandler):
        def handle_request(self) -> None:
            body = self._body()
            given.requests.append((self.command, self.path, self.headers["Authorization"]))
            request = urllib.request.Request(orthanc_url + given.asked(self.path), body, method=self.command)
            for name in ("Accept", "Authorization", "Content-Type"):
                if self.headers[name]:
                    request.add_header(name, self.headers[name])
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    answer = Answer(
                        response.status, response.read(), {"Content-Type": response.headers["Content-Type"]}
                    )
            except urllib.error.HTTPError as error:
                answer = Answer(error.code, error.read())
            answer = given.spoil(self.path, answer)
            self.send_response(answer.status)
            for name, value in (answer.headers | {"Content-Length": str(len(answer.content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content[: int(answer.sent * len(answer.content))])

        do_GET = do_POST = handle_request  # noqa: N815

        def _body(self) -> bytes | None:
            if self.headers["Transfer-Encoding"] == "chunked":
                chunks = []
                while size := int(self.rfile.readline(), 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                return b"".join(chunks)
            length = self.headers["Content-Length"]
            return None if length is None else self.rfile.read(int(length))

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    given = Between(f"http{'' if certificate is None else 's'}://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield given
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def broken(answer: Answer) -> Answer:
    """The first half of an answer."""
    return replace(answer, sent=0.5)

"""A connection to a DICOMweb server: encryption and credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
from dicomweb_client import DICOMwebClient
from requests.utils import get_netrc_auth

from fetal_monai.dicomweb.address import is_private
from fetal_monai.dicomweb.error import DicomWebError

_TIMEOUTS_S = (10, 60)  # to connect; without a byte
_ATTEMPTS = 3  # where the connection breaks, or the server is busy
_WAIT_MS = 1000  # twice this before the second attempt, and twice as long again before the next


def open_client(url: str, *, ca_file: Path | None = None, token: str | None = None) -> DICOMwebClient:
    """Prepare requests to a server; none is sent yet.

    Without a token, a user and password for the host are taken from ``~/.netrc``, if they are there. Certificates are
    always verified. Redirects are not followed: they could lead to another host or to plain HTTP.

    Args:
        url: http or https.
        ca_file: Certificates of the authorities to trust. Default: those that are known to requests.
        token: A bearer token.

    Raises:
        DicomWebError: There are credentials, and everybody on the network could read them.
        FileNotFoundError: There is no `ca_file`.
    """
    if ca_file is not None and not ca_file.is_file():
        raise FileNotFoundError(f"{ca_file}: no such file; give the certificates of the authorities to trust, as PEM.")
    password = get_netrc_auth(url)
    if not is_private(url) and (token is not None or password is not None):
        raise DicomWebError(
            f"{url}: a token or password is not sent without encryption, except to this machine. Use dicomweb://, "
            "which is HTTPS."
        )
    session = requests.Session()
    session.trust_env = url.startswith("https:")  # a proxy can read plain HTTP
    session.max_redirects = 0
    session.mount("https://", _VerifiedTLS(ca_file))
    session.auth = password if token is None else _BearerToken(token)
    client = DICOMwebClient(url, session, timeout=_TIMEOUTS_S, permissive_uid=True)
    client.set_http_retry_params(max_attempts=_ATTEMPTS, wait_exponential_multiplier=_WAIT_MS)
    return client


class _BearerToken(requests.auth.AuthBase):
    """A header alone would be replaced by a password from ``~/.netrc``."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _VerifiedTLS(requests.adapters.HTTPAdapter):
    """Verifies certificates by a given file, which requests would not prefer to the environment's."""

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = None if ca_file is None else str(ca_file)
        super().__init__()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        return super().send(request, stream, timeout, self._ca_file or verify, cert, proxies)

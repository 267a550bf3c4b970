"""Addresses of DICOMweb servers as a command line has them."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_SCHEMES = {"dicomweb": "https", "dicomweb+http": "http"}


def is_dicomweb(path: str) -> bool:
    """Whether a path is the address of a DICOMweb server."""
    return path.partition("://")[0].lower() in _SCHEMES


def http_url(address: str) -> str:
    """The URL of a server.

    Args:
        address: ``dicomweb://HOST[:PORT]/PATH`` for HTTPS, or ``dicomweb+http://HOST[:PORT]/PATH`` for plain HTTP.

    Raises:
        ValueError: It is no such address, or has a password, a query or a fragment.
    """
    try:
        parts = urlsplit(address)
        is_complete = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete or parts.query or parts.fragment:
        raise ValueError(
            f"{address}: expected the address of a DICOMweb server, dicomweb://HOST[:PORT]/PATH, such as "
            "dicomweb://pacs.example.org/dicom-web; without encryption, dicomweb+http://HOST[:PORT]/PATH."
        )
    if "@" in parts.netloc:
        raise ValueError(
            "A user or password in an address can be seen by all users of this machine. Write them into ~/.netrc."
        )
    return f"{_SCHEMES[parts.scheme]}://{parts.netloc}{parts.path.rstrip('/')}"


def is_private(url: str) -> bool:
    """Whether nobody on the network can read what is sent: it is encrypted, or stays on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False

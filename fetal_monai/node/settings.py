"""How a node is set up, and the words of the command line for it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

MAX_AE_TITLE = 16


@dataclass(frozen=True)
class Peer:
    """Another application entity.

    Attributes:
        ae_title: Its title.
        host: Its name or address.
        port: Its DICOM port.
    """

    ae_title: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Peer:
        """Read ``AE@HOST:PORT``.

        Raises:
            ValueError: It is not of this form.
        """
        title, _, address = text.partition("@")
        host, _, port = address.rpartition(":")
        if not (host and port.isdecimal() and 0 < int(port) < 2**16):
            raise ValueError(f"{text!r} is no address of a PACS; expected AE@HOST:PORT, such as PACS@192.168.1.5:104.")
        return cls(checked_ae_title(title), host.strip("[]"), int(port))

    def __str__(self) -> str:
        return f"{self.ae_title}@{self.host}:{self.port}"


@dataclass(frozen=True)
class Caller:
    """Who may call.

    Attributes:
        ae_title: The calling title.
        network: Where it may call from; None for anywhere.
    """

    ae_title: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None

    @classmethod
    def parse(cls, text: str) -> Caller:
        """Read ``AE``, ``AE@ADDRESS`` or ``AE@NETWORK/BITS``.

        Raises:
            ValueError: It is not of this form.
        """
        title, at, address = text.partition("@")
        try:
            network = ipaddress.ip_network(address, strict=False) if at else None
        except ValueError as error:
            raise ValueError(
                f"{text!r} is no caller; expected AE or AE@ADDRESS, such as SCANNER@192.168.1.20 or "
                "SCANNER@192.168.1.0/24."
            ) from error
        return cls(checked_ae_title(title), network)

    def is_calling(self, ae_title: str, address: str) -> bool:
        """Tell whether a call with a title from an address is from this caller."""
        if ae_title != self.ae_title:
            return False
        if self.network is None:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return (getattr(found, "ipv4_mapped", None) or found) in self.network


@dataclass(frozen=True)
class NodeSettings:
    """How a node listens.

    Attributes:
        ae_title: Its own title, which callers must name and by which it calls the PACS.
        host: Address to listen at.
        port: Port to listen at; 0 for any free one.
        folder: Folder of the queue.
        accept: Who may call; empty for anyone.
        max_object_bytes: Largest object that is accepted.
        health_port: Port of the health page on this machine; 0 for any free one.
    """

    ae_title: str
    host: str
    port: int
    folder: Path
    accept: tuple[Caller, ...]
    max_object_bytes: int
    health_port: int


def checked_ae_title(text: str) -> str:
    """Return an application entity title without the spaces around it.

    Raises:
        ValueError: It is not one.
    """
    title = text.strip()
    if not 0 < len(title) <= MAX_AE_TITLE or not title.isascii() or not title.isprintable() or "\\" in title:
        raise ValueError(f"{text!r} is no AE title; expected 1 to {MAX_AE_TITLE} ASCII characters without a backslash.")
    return title

"""The options of `fetal-monai measure` and `fetal-monai node` for a PACS with DICOMweb."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fetal_monai.cli.usage_error import UsageError
from fetal_monai.dicomweb import http_url, is_dicomweb

if TYPE_CHECKING:
    from dicomweb_client import DICOMwebClient

    from fetal_monai.data.frame_scale import FrameScales
    from fetal_monai.data.frame_source import FrameSource
    from fetal_monai.dicomweb import ReportStore

_TOKEN = "FETAL_MONAI_DICOMWEB_TOKEN"
_SAME_SERVER = ""
_DESCRIPTION = f"""\
PATH may be a server: dicomweb://HOST[:PORT]/PATH is HTTPS, dicomweb+http:// is plain HTTP. The
ultrasound images of a study are retrieved to a temporary folder and measured. A bearer token is
read from --token-file, else from the environment variable {_TOKEN};
without one, a user and password are read from ~/.netrc."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to the command's."""
    group = parser.add_argument_group(
        "DICOMweb (needs fetal-monai[dicom])",
        _DESCRIPTION,
    )
    add = group.add_argument
    add("--study", metavar="UID", help="Study Instance UID of what to measure")
    add("--series", metavar="UID", help="Series Instance UID, for this series only")
    add(
        "--store",
        nargs="?",
        const=_SAME_SERVER,
        metavar="SERVER",
        help="send the reports of --report to this server; without SERVER, to the one of PATH",
    )
    add_access_options(group)


def add_access_options(group: argparse._ActionsContainer) -> None:
    """Add the options for encryption and credentials."""
    group.add_argument("--ca-file", type=Path, metavar="PEM", help="certificates of the authorities to trust for HTTPS")
    group.add_argument("--token-file", type=Path, metavar="FILE", help="file with a bearer token")


def asks_for_study(options: argparse.Namespace) -> bool:
    """Whether a study in a PACS is to be measured, rather than files.

    Raises:
        UsageError: The options for the one and the other are mixed.
    """
    addresses = [path for path in options.paths if is_dicomweb(path)]
    if addresses and (len(options.paths) > 1 or options.study is None):
        raise UsageError(f"{addresses[0]}: give one server, without files, and --study UID.")
    if not addresses and (options.study is not None or options.series is not None):
        raise UsageError("--study and --series are of a server: give its address, dicomweb://HOST[:PORT]/PATH.")
    return bool(addresses)


@contextmanager
def study_source(options: argparse.Namespace, scales: FrameScales) -> Iterator[FrameSource]:
    """List the images of a study. Each is retrieved when it is read, and removed in the end.

    Raises:
        OSError: The server cannot be asked, or there is no such image.
        ValueError: The address or a UID is none.
    """
    from fetal_monai.data.frame_source import FrameSource

    client = _client(options, http_url(options.paths[0]))
    from fetal_monai.dicomweb import UltrasoundStudy

    study = UltrasoundStudy(client, options.study, options.series)
    with TemporaryDirectory(prefix="fetal_monai_") as folder:
        files = [Path(folder, f"{instance}.dcm") for instance in study.instances]
        scales.match(files, Path(folder))
        yield FrameSource(files, Path(folder), scales, retrieve=lambda file: study.retrieve(file.stem, file))


def report_store(options: argparse.Namespace) -> ReportStore | None:
    """Where the reports are sent to, if they are.

    Raises:
        UsageError: The options do not fit each other.
        OSError: A file of the options cannot be read.
        ValueError: The address is none.
    """
    if options.store is None:
        return None
    if not options.report:
        raise UsageError("--store sends the reports of --report: say which, such as --report sr.")
    source = options.paths[0] if is_dicomweb(options.paths[0]) else None
    address = options.store if options.store != _SAME_SERVER else source
    if address is None:
        raise UsageError("--store: give the address of the server, dicomweb://HOST[:PORT]/PATH.")
    url = http_url(address)
    if source is not None and urlsplit(url).netloc != urlsplit(http_url(source)).netloc and _token(options):
        raise UsageError("The token would be sent to two servers. Write the credentials of each into ~/.netrc.")
    return store_at(options, url)


def store_at(options: argparse.Namespace, url: str) -> ReportStore:
    """Where reports are sent to.

    Raises:
        UsageError: DICOMweb is not installed.
        OSError: A file of the options cannot be read, or the credentials would be sent without encryption.
        ValueError: There is no token in its file.
    """
    client = _client(options, url)
    from fetal_monai.dicomweb import ReportStore

    return ReportStore(client)


def _client(options: argparse.Namespace, url: str) -> DICOMwebClient:
    try:
        from fetal_monai.dicomweb import open_client
    except ModuleNotFoundError as error:
        raise UsageError(
            f"DICOMweb needs dicomweb-client ({error}): run `pip install 'fetal-monai[dicom]'`."
        ) from error
    return open_client(url, ca_file=options.ca_file, token=_token(options))


def _token(options: argparse.Namespace) -> str | None:
    if options.token_file is None:
        return os.environ.get(_TOKEN) or None
    token: str = options.token_file.read_text(encoding="utf-8").strip()
    if not token or any(character.isspace() for character in token):
        raise ValueError(f"{options.token_file}: expected one token, without spaces or line breaks in it.")
    return token

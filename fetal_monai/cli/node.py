"""`fetal-monai node`: a DICOM node that measures what it receives."""

from __future__ import annotations

import argparse
import logging
import signal
import sqlite3
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TypeVar

from fetal_monai.cli import dicomweb
from fetal_monai.cli.usage_error import UsageError
from fetal_monai.dicomweb import http_url, is_dicomweb
from fetal_monai.node.settings import Caller, NodeSettings, Peer, checked_ae_title

_DESCRIPTION = """\
Run a DICOM node: it receives ultrasound images from a scanner or a PACS (C-STORE), measures
the fetal head, and sends structured reports to a PACS. It runs until Ctrl-C or SIGTERM.

What it has confirmed is on the disk first, in the folder of the queue: after a kill or a
power failure, the same command goes on. Reports that the PACS does not take are sent again.

The log names no patient. http://127.0.0.1:HEALTH_PORT/health counts what was received,
measured and sent, and says why an object was not."""

_EPILOG = """\
examples:
  take images from one scanner, send reports to the PACS:
    fetal-monai node --host 0.0.0.0 --accept SCANNER@192.168.1.20 --send-to PACS@192.168.1.5:104
  try whether it answers:
    echoscu -aec FETAL_MONAI 127.0.0.1 11112

exit code: 0 stopped by Ctrl-C or SIGTERM, 1 a part of it ended, 2 it cannot be started as given."""

_POLL_S = 0.5
Value = TypeVar("Value")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "node",
        help="receive images by DICOM, and send reports to a PACS",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--send-to",
        required=True,
        type=_option(_destination),
        metavar="PACS",
        help="gets the reports: AE@HOST:PORT by C-STORE, dicomweb://HOST[:PORT]/PATH by STOW-RS over HTTPS",
    )
    add("--ae-title", type=_option(checked_ae_title), default="FETAL_MONAI", metavar="AE", help="default: %(default)s")
    add("--host", default="127.0.0.1", help="address to listen at (default: %(default)s, this machine only)")
    add("--port", type=int, default=11112, help="default: %(default)s; 0 for any free one")
    add(
        "--accept",
        nargs="+",
        type=_option(Caller.parse),
        default=[],
        metavar="AE[@ADDRESS]",
        help="who may call, by title and address or network (192.168.1.0/24); default: anyone who reaches the port",
    )
    add(
        "--report",
        nargs="+",
        choices=("sr", "seg", "sc"),
        default=["sr"],
        help="what to send: sr, two structured reports (default); seg, the mask; sc, the overlay",
    )
    add("--folder", type=Path, default=Path("fetal_monai_node"), metavar="DIR", help="queue (default: %(default)s)")
    add("--max-object-size", type=_option(_megabytes), default="512", metavar="MB", help="default: %(default)s MB")
    add("--health-port", type=int, default=11180, help="default: %(default)s; 0 for any free one")
    add("--bundle", default="bisenet", help="name or folder of the bundle (default: bisenet, with its own weights)")
    add("--engine", choices=("auto", "openvino", "onnxruntime", "torch"), default="auto", help="default: auto")
    dicomweb.add_access_options(
        parser.add_argument_group("STOW-RS", "A token is read from the same places as by `fetal-monai measure`.")
    )
    parser.set_defaults(run=node)


def node(options: argparse.Namespace) -> int:
    """Run the node until a signal ends it.

    Returns:
        The exit code: 0 stopped by a signal, 1 a part of it ended.

    Raises:
        UsageError: It cannot be started: a port or the folder is in use, or there is no such bundle or engine.
    """
    # Imported late: --help should be quick.
    from fetal_monai.measurement import HeadMeasurer

    try:
        from fetal_monai.node.node import Node
    except ModuleNotFoundError as error:
        raise UsageError(f"The node needs pynetdicom ({error}): run `pip install 'fetal-monai[dicom]'`.") from error
    _log_without_personal_data()
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    settings = NodeSettings(
        ae_title=options.ae_title,
        host=options.host,
        port=options.port,
        folder=options.folder,
        accept=tuple(options.accept),
        max_object_bytes=options.max_object_size,
        health_port=options.health_port,
    )
    try:
        measurer = HeadMeasurer(options.bundle, engine=options.engine)
        running = Node(settings, measurer, options.report, _store(options))
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(str(error)) from error
    except sqlite3.Error as error:
        raise UsageError(
            f"{options.folder} cannot be used as the queue ({error}): is another node running with it?"
        ) from error
    while running.is_working and not stopped.wait(_POLL_S):
        pass
    is_asked = stopped.is_set()
    running.stop()
    return 0 if is_asked else 1


def _store(options: argparse.Namespace) -> Callable[[Sequence[Path]], None]:
    from fetal_monai.node.sending import PacsStore

    if isinstance(options.send_to, Peer):
        return PacsStore(options.send_to, options.ae_title)
    return dicomweb.store_at(options, options.send_to)


def _destination(text: str) -> Peer | str:
    """A PACS, or the URL of one with DICOMweb."""
    return http_url(text) if is_dicomweb(text) else Peer.parse(text)


def _log_without_personal_data() -> None:
    """Print our own lines only: libraries may quote what they read."""
    printed = logging.StreamHandler()
    printed.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    own = logging.getLogger("fetal_monai.node")
    own.setLevel(logging.INFO)
    own.addHandler(printed)
    logging.root.addHandler(logging.NullHandler())  # else Python prints the warnings of all others
    warnings.simplefilter("ignore")


def _option(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """Show the message of a ValueError, as argparse does not."""

    def parsed(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parsed


def _megabytes(text: str) -> int:
    size = float(text)
    if not 0 < size < 2**20:
        raise ValueError(f"{text} MB is no size; expected a positive number.")
    return int(size * 1e6)

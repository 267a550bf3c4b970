"""`fetal-monai page`: a local web page to measure, correct and label frames."""

from __future__ import annotations

import argparse
import logging
import secrets
import socket
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fetal_monai.cli.log_level import log_level
from fetal_monai.cli.pixel_spacing import pixel_spacing
from fetal_monai.cli.usage_error import UsageError

if TYPE_CHECKING:
    from fetal_monai.page.workspace import Workspace

_DESCRIPTION = """\
Open a page in the browser on which heads are measured, the ellipses corrected by hand, and
frames labelled. FOLDER is the work list: its frames, DICOM stills and loops, with those of
its subfolders. Files that are dropped on the page are copied into it.

The server answers this computer only, and the page only with the token in the printed
address. Nothing is sent elsewhere. What is drawn and accepted is kept at once, in
FOLDER/.fetal_monai: stop with Ctrl-C, and the same command goes on where it was."""

_EPILOG = """\
examples:
  a folder of frames, whose pixel spacings are in a table:
    fetal-monai page HC18/test_set --table HC18/test_set_pixel_size.csv
  on a computer without a screen, through ssh -L 8787:localhost:8787:
    fetal-monai page exams --no-browser

exit code: 0 stopped, 2 the command cannot be carried out as given."""

_LOOPBACK = "127.0.0.1"
_USUAL_PORT = 8787


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "page",
        help="measure, correct and label frames on a page in the browser",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "folder",
        nargs="?",
        type=Path,
        default=Path("frames"),
        metavar="FOLDER",
        help="folder of frames; created if it does not exist (default: %(default)s)",
    )
    add("--port", type=int, metavar="N", help=f"default: {_USUAL_PORT}, or a free one where that is taken")
    add("--no-browser", action="store_true", help="only print the address")
    add("--pixel-spacing-mm", type=pixel_spacing, metavar="MM", help="spacing of a pixel: 0.12, or 0.12,0.14")
    add("--table", type=Path, metavar="CSV", help="spacing of each file: the columns filename and pixel_spacing_mm")
    add("--bundle", default="bisenet", help="name or folder of the bundle (default: bisenet, with its own weights)")
    parser.set_defaults(run=serve)


def serve(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C.

    Returns:
        The exit code: 0.

    Raises:
        UsageError: The folder, the table or the port cannot be used, or the packages of the page are missing.
    """
    try:
        import uvicorn

        from fetal_monai.page.app import create_app
    except ModuleNotFoundError as error:
        raise UsageError(f"The page needs more packages ({error}): run `pip install 'fetal-monai[page]'`.") from error

    token = secrets.token_urlsafe(32)
    # Messages of the package name files, which may name patients.
    with log_level(logging.CRITICAL, "fetal_monai"), _listening(options.port) as listener:
        workspace = _workspace(options)
        port = listener.getsockname()[1]
        app = create_app(workspace, token=token, hosts={f"{_LOOPBACK}:{port}", f"localhost:{port}"})
        # The browser does not send what follows "#" to any server.
        address = f"http://{_LOOPBACK}:{port}/#token={token}"
        print(f"{workspace.folder.root}: {len(workspace.folder.files)} files\n{address}\nStop with Ctrl-C.", flush=True)
        if not options.no_browser:
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        config = uvicorn.Config(app, log_level="critical", access_log=False, server_header=False, ws="none")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    return 0


def _workspace(options: argparse.Namespace) -> Workspace:
    from fetal_monai.measurement import HeadMeasurer
    from fetal_monai.page.workspace import Workspace
    from fetal_monai.runtimes import find_bundle

    if options.folder.exists() and not options.folder.is_dir():
        raise UsageError(f"{options.folder} is a file: give the folder that it is in.")
    try:
        find_bundle(options.bundle)
        return Workspace(
            options.folder,
            lambda: HeadMeasurer(options.bundle),
            pixel_spacing_mm=options.pixel_spacing_mm,
            table=options.table,
        )
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from error


def _listening(port: int | None) -> socket.socket:
    for wanted in (_USUAL_PORT, 0) if port is None else (port,):
        try:
            return socket.create_server((_LOOPBACK, wanted))
        except (OSError, OverflowError) as error:
            problem = error
    raise UsageError(f"--port {port} cannot be used ({problem}); give another one, or none.")

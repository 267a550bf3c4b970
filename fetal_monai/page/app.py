"""The application: what the page asks the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from fetal_monai.data.io.decoding import FrameError
from fetal_monai.page.access import AccessControl
from fetal_monai.page.file_routes import add_file_routes
from fetal_monai.page.folder import UnknownFileError
from fetal_monai.page.frame_routes import add_frame_routes
from fetal_monai.page.store import StaleRevisionError
from fetal_monai.page.training_routes import add_training_routes
from fetal_monai.page.workspace import Workspace

MAX_UPLOAD_BYTES = 2_000_000_000

_STATIC = Path(__file__).parent / "static"


def create_app(
    workspace: Workspace, *, token: str, hosts: set[str], max_upload_bytes: int = MAX_UPLOAD_BYTES
) -> FastAPI:
    """Make the application of a folder.

    Args:
        workspace: The folder and its network; it is closed with the server.
        token: What the page must send with every request.
        hosts: The server's own addresses, such as "127.0.0.1:8000".
        max_upload_bytes: Largest file that can be dropped on the page.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        trainings.stop()
        workspace.close()

    app = FastAPI(title="fetal_monai", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(AccessControl, token=token, hosts=hosts, max_upload_bytes=max_upload_bytes)
    _answer_errors(app)
    add_file_routes(app, workspace)
    add_frame_routes(app, workspace)
    trainings = add_training_routes(app, workspace)
    app.get("/")(lambda: FileResponse(_STATIC / "index.html"))
    app.mount("/static", StaticFiles(directory=_STATIC))
    return app


def _answer_errors(app: FastAPI) -> None:
    def answer(kind: type[Exception], status: int, content: Callable[[Any], dict[str, Any]]) -> None:
        @app.exception_handler(kind)
        async def handle(request: Request, error: Exception) -> JSONResponse:
            return JSONResponse(content(error), status)

    def reason(error: Exception) -> dict[str, Any]:
        return {"detail": str(error)}

    answer(UnknownFileError, 404, reason)
    answer(IndexError, 404, reason)
    answer(FrameError, 422, reason)
    answer(ValueError, 422, reason)
    answer(OSError, 500, reason)
    answer(StaleRevisionError, 409, lambda error: reason(error) | {"current": error.current.model_dump(mode="json")})

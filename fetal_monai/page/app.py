"""The application: what the page asks the server."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from importlib.resources import as_file, files
from typing import Any, Literal
from urllib.parse import unquote

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict

from fetal_monai import __version__
from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.page.access import UPLOADS, AccessControl
from fetal_monai.page.annotation import Annotation, EllipseValues, Scale
from fetal_monai.page.folder import UnknownFileError
from fetal_monai.page.growth_chart import growth_chart
from fetal_monai.page.loop import measured_loop
from fetal_monai.page.opened_file import picture, thumbnail
from fetal_monai.page.saving import save_labels
from fetal_monai.page.store import StaleRevisionError
from fetal_monai.page.workspace import Workspace, described

MAX_UPLOAD_BYTES = 2_000_000_000

_FRAME = "/api/files/{identifier}/frames/{index}"


class Drawn(BaseModel):
    """An ellipse to measure."""

    model_config = ConfigDict(extra="forbid")

    ellipse: EllipseValues
    scale: Scale = Scale()


class Saved(BaseModel):
    """An annotation to keep, and the revision that the person has seen."""

    model_config = ConfigDict(extra="forbid")

    annotation: Annotation
    revision: int


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
        workspace.close()

    app = FastAPI(title="fetal_monai", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(AccessControl, token=token, hosts=hosts, max_upload_bytes=max_upload_bytes)
    _answer_errors(app)
    _add_files(app, workspace)
    _add_frames(app, workspace)
    with as_file(files("fetal_monai.page") / "static") as static:
        app.get("/")(lambda: FileResponse(static / "index.html"))
        app.mount("/static", StaticFiles(directory=static))
    return app


def _add_files(app: FastAPI, workspace: Workspace) -> None:
    @app.get("/api/session")
    def session() -> dict[str, Any]:
        return {
            "version": __version__,
            "folder": workspace.folder.root.name,
            "categories": ANATOMICAL_CLASSES,
            "chart": growth_chart(),
        }

    @app.get("/api/files")
    def work_list() -> list[dict[str, Any]]:
        return workspace.work_list()

    @app.post("/api/files")
    def refresh() -> list[dict[str, Any]]:
        workspace.refresh()
        return workspace.work_list()

    @app.post(UPLOADS)
    async def upload(request: Request) -> dict[str, str]:
        incoming = workspace.folder.state / "uploads" / secrets.token_hex(8)
        incoming.parent.mkdir(exist_ok=True)
        try:
            with incoming.open("wb") as file:
                async for chunk in request.stream():
                    file.write(chunk)
            # In a header, since addresses may be logged and names may be those of patients.
            identifier = workspace.folder.add(unquote(request.headers.get("x-file-name", "")), incoming)
        finally:
            incoming.unlink(missing_ok=True)
        workspace.refresh()
        return {"id": identifier}

    @app.post("/api/labels")
    def save() -> dict[str, Any]:
        saved = save_labels(workspace)
        return asdict(saved) | {"folder": saved.folder.name}

    @app.get("/api/files/{identifier}")
    def opened(identifier: str) -> dict[str, Any]:
        file = workspace.open(identifier)
        return {
            "name": workspace.folder.name(file.path),
            "frame_count": len(file.frames),
            "times_s": file.times_s,
            "frame_rate_hz": file.frame_rate_hz,
            "problem": file.problem,
            "scale": {
                "pixel_spacing_mm": file.scale.pixel_spacing_mm,
                "source": file.scale.source,
                "known_age_days": file.scale.gestational_age_days,
            },
        }

    @app.get("/api/files/{identifier}/loop")
    def loop(identifier: str) -> dict[str, Any]:
        return measured_loop(workspace, identifier)

    @app.get("/api/files/{identifier}/thumbnail")
    def small(identifier: str) -> Response:
        file = workspace.open(identifier)
        return Response(thumbnail(file.pixels(len(file.frames) // 2)), media_type="image/png")


def _add_frames(app: FastAPI, workspace: Workspace) -> None:
    @app.get(_FRAME)
    def frame(identifier: str, index: int) -> dict[str, Any]:
        height, width = workspace.open(identifier).pixels(index).shape
        kept = workspace.annotation(identifier, index)
        drawn = kept.ellipse and described(workspace.drawn(identifier, index, kept.ellipse.ellipse(), kept.scale))
        return {"width": width, "height": height, "annotation": kept.model_dump(mode="json"), "drawn": drawn}

    @app.get(_FRAME + "/picture")
    def frame_picture(identifier: str, index: int) -> Response:
        return Response(picture(workspace.open(identifier).pixels(index)), media_type="image/png")

    @app.get(_FRAME + "/model")
    def model(identifier: str, index: int) -> dict[str, Any]:
        return described(workspace.model(identifier, index))

    @app.post(_FRAME + "/measure")
    def measure(identifier: str, index: int, drawn: Drawn) -> dict[str, Any]:
        return described(workspace.drawn(identifier, index, drawn.ellipse.ellipse(), drawn.scale))

    @app.get(_FRAME + "/report/{kind}")
    def report(identifier: str, index: int, kind: Literal["pdf", "png", "sr"]) -> Response:
        if kind == "sr":
            return Response(_structured_reports(workspace, identifier, index), media_type="application/zip")
        from fetal_monai.page.exam_report import exam_report  # matplotlib takes a second

        kept = workspace.annotation(identifier, index)
        result = workspace.reported(identifier, index)
        pixels = workspace.open(identifier).pixels(index)
        content = exam_report(kept.file, pixels, result, kept, kind)
        return Response(content, media_type={"pdf": "application/pdf", "png": "image/png"}[kind])

    @app.put(_FRAME + "/annotation")
    def annotate(identifier: str, index: int, saved: Saved) -> dict[str, Any]:
        return workspace.annotate(identifier, index, saved.annotation, saved.revision).model_dump(mode="json")


def _structured_reports(workspace: Workspace, identifier: str, index: int) -> bytes:
    try:
        from fetal_monai.page.structured_report import structured_reports
    except ModuleNotFoundError as error:
        raise ValueError(f"DICOM reports need highdicom ({error}): pip install 'fetal-monai[dicom]'.") from error
    return structured_reports(workspace, identifier, index)


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
    answer(
        StaleRevisionError, 409, lambda error: {"detail": str(error), "current": error.current.model_dump(mode="json")}
    )

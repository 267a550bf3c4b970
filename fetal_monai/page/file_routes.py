"""What the page asks of the folder and its files."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from fetal_monai import __version__
from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES
from fetal_monai.page.access import UPLOADS
from fetal_monai.page.growth_chart import growth_chart
from fetal_monai.page.loop import measured_loop
from fetal_monai.page.opened_file import thumbnail
from fetal_monai.page.saving import save_labels
from fetal_monai.page.workspace import Workspace


def add_file_routes(app: FastAPI, workspace: Workspace) -> None:
    """Add the routes of a workspace's files."""

    @app.get("/api/session")
    def session() -> dict[str, Any]:
        return {
            "version": __version__,
            "folder": workspace.folder.root.name,
            "folder_id": workspace.folder.own_identifier,
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
            name = unquote(request.headers.get("x-file-name", ""))
            return {"id": await run_in_threadpool(workspace.add, name, incoming)}
        finally:
            incoming.unlink(missing_ok=True)

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
        return Response(thumbnail(workspace.first_frame(identifier)), media_type="image/png")

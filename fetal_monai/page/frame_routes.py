"""What the page asks of a frame."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from fetal_monai.page.annotation import Annotation, EllipseValues, Scale
from fetal_monai.page.opened_file import picture
from fetal_monai.page.workspace import Workspace, described

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


def add_frame_routes(app: FastAPI, workspace: Workspace) -> None:
    """Add the routes of a workspace's frames."""

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

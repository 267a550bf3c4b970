"""An ellipse on an image, stored in an XML file of the published schema `ellipse_label.xsd`.

The files are not trusted. They are read with a size limit and a hardened parser (defusedxml: no document type, no
entities, no external references) and checked against the schema, whose annotations are used in error messages.

`fetal_monai.data` does not import this module, so that inference needs no XML library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NoReturn
from xml.sax.saxutils import escape

import xmlschema

from fetal_monai.biometry import Ellipse
from fetal_monai.data.io.frame import Frame
from fetal_monai.data.io.reading import read_frame
from fetal_monai.files import atomic_path
from fetal_monai.files.hardened_xml import XmlElement, XmlError, parse_xml
from fetal_monai.files.name_matching import find_file

__all__ = ["EllipseLabel", "EllipseLabelError", "read_ellipse_label", "read_labelled_frame", "write_ellipse_label"]

SCHEMA_NAME = "ellipse_label.xsd"
NAMESPACE = "urn:fetal-monai:ellipse-label:1"
# An ellipse takes 1 kB; the rest leaves room for comments.
MAX_BYTES = 100_000

_PREFIX = f"{{{NAMESPACE}}}"
_ROOT = "ellipse_label"
_LEVELS = 3
_LONGEST_SHOWN = 200
_HOW_TO_FIX = "Correct the file or write it again."
_RADIANS = {"rad": 1.0, "deg": math.pi / 180}

_TEMPLATE = """\
<?xml version="1.0" encoding="UTF-8"?>
<ellipse_label xmlns="{namespace}" version="1">
  <image>
    <file_name>{file_name}</file_name>
    <width_px>{width}</width_px>
    <height_px>{height}</height_px>
  </image>
{spacing}  <ellipse>
    <center_x_px>{ellipse.center_x!r}</center_x_px>
    <center_y_px>{ellipse.center_y!r}</center_y_px>
    <long_axis_px>{long_axis!r}</long_axis_px>
    <short_axis_px>{short_axis!r}</short_axis_px>
    <angle unit="rad">{ellipse.angle_rad!r}</angle>
  </ellipse>
</ellipse_label>
"""
_SPACING_TEMPLATE = """\
  <pixel_spacing>
    <row_mm>{row!r}</row_mm>
    <column_mm>{column!r}</column_mm>
  </pixel_spacing>
"""


class EllipseLabelError(ValueError):
    """A label that cannot be used.

    The message names the file, the line and field, what was expected and how to fix it.
    """


@dataclass(frozen=True, slots=True)
class EllipseLabel:
    """An ellipse on an image.

    Attributes:
        image_name: File name of the image, without a folder.
        shape: (H, W) of the image in px.
        ellipse: The ellipse in px; pixel centres are at integer coordinates.
        pixel_spacing_mm: (row, column) spacing, or None if unknown.
    """

    image_name: str
    shape: tuple[int, int]
    ellipse: Ellipse
    pixel_spacing_mm: tuple[float, float] | None = None


def read_ellipse_label(path: str | Path) -> EllipseLabel:
    """Read an ellipse and check it against the schema.

    Args:
        path: The XML file.

    Raises:
        FileNotFoundError: The file does not exist.
        EllipseLabelError: The file is too large, is not XML, has a document type, or does not conform to the schema.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; check the path.")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if not content:
        raise EllipseLabelError(f"{path}: the file is empty (0 bytes); copy or write it again.")
    if len(content) > MAX_BYTES:
        raise EllipseLabelError(
            f"{path}: has more than {MAX_BYTES} bytes, and one ellipse takes about 1000; expected an ellipse label. "
            "Check that this is the right file."
        )
    return _label(path, content)


def write_ellipse_label(path: str | Path, label: EllipseLabel) -> None:
    """Write an ellipse, completely or not at all; `read_ellipse_label` returns exactly the same numbers.

    Args:
        path: XML file to write.
        label: The label.

    Raises:
        EllipseLabelError: The label has a value that the schema does not allow, such as an image name with a folder.
    """
    path = Path(path)
    spacing, ellipse = label.pixel_spacing_mm, label.ellipse
    height, width = label.shape
    text = _TEMPLATE.format(
        namespace=NAMESPACE,
        file_name=escape(label.image_name),
        width=width,
        height=height,
        spacing=_SPACING_TEMPLATE.format(row=float(spacing[0]), column=float(spacing[1])) if spacing else "",
        ellipse=ellipse,
        long_axis=2 * ellipse.semi_axis_a,
        short_axis=2 * ellipse.semi_axis_b,
    )
    # File names may contain bytes that are not text; the parser rejects them with a line number.
    content = text.encode("utf-8", "surrogatepass")
    _label(path, content)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_labelled_frame(label: EllipseLabel, folder: str | Path) -> tuple[Path, Frame]:
    """Read the image of a label.

    Args:
        label: The label.
        folder: The folder of the image.

    Returns:
        Path of the image, and the frame in it.

    Raises:
        FileNotFoundError: The image is not in the folder.
        FrameError: The image cannot be read.
        EllipseLabelError: The image differs in size from what the label states, so the ellipse is not where it should
            be.
    """
    path = find_file(Path(folder), label.image_name)
    if path is None:
        missing = Path(folder, label.image_name)
        raise FileNotFoundError(f"{missing}: no such file, but a label names it; put it there or correct the label.")
    frame = read_frame(path)
    if frame.pixels.shape != label.shape:
        sizes = "is {1}x{0} px (width x height), and its label says {3}x{2} px".format(
            *frame.pixels.shape, *label.shape
        )
        raise EllipseLabelError(f"{path}: {sizes}; give the image that the ellipse was drawn on, or draw it again.")
    return path, frame


def _label(path: Path, content: bytes) -> EllipseLabel:
    """Parse the content of a file; `path` is for messages only."""
    root = _root(path, content)
    _check_against_schema(path, root)
    field = {_name(element.tag): element for element in root.iter() if isinstance(element, XmlElement)}
    number = {name: float(element.text or "") for name, element in field.items() if name.endswith(("_px", "_mm"))}

    long_axis, short_axis = number["long_axis_px"], number["short_axis_px"]
    if long_axis < short_axis:
        _fail(path, field["long_axis_px"], f"is {long_axis:g}, shorter than <short_axis_px> {short_axis:g}")
    angle = field["angle"]
    angle_rad = float(angle.text or "") * _RADIANS[angle.attrib["unit"]]
    if abs(angle_rad) > 2 * math.pi:
        _fail(path, angle, f"is {angle.text} {angle.attrib['unit']}, more than one turn")
    return EllipseLabel(
        image_name=field["file_name"].text or "",
        shape=(int(number["height_px"]), int(number["width_px"])),
        ellipse=Ellipse(number["center_x_px"], number["center_y_px"], long_axis / 2, short_axis / 2, angle_rad),
        pixel_spacing_mm=(number["row_mm"], number["column_mm"]) if "pixel_spacing" in field else None,
    )


def _root(path: Path, content: bytes) -> XmlElement:
    try:
        return parse_xml(content, _LEVELS)
    except XmlError as error:
        expected = _expected(_ROOT)
        raise EllipseLabelError(f"{path}, {error}; expected {expected}. {_HOW_TO_FIX}") from error


def _check_against_schema(path: Path, root: XmlElement) -> None:
    try:
        _schema().validate(root)
    except xmlschema.XMLSchemaChildrenValidationError as error:
        missing = [_name(tag) for tag in error.expected_tags]
        wanted = " or ".join(f"<{name}>" for name in missing)
        child, parent = error.invalid_child, error.elem
        if child is None:
            _fail(path, parent, f"ends without {wanted}", missing)
        elif missing:
            _fail(path, child, f"is in the place of {wanted}", missing)
        else:
            _fail(path, child, f"is not allowed in <{_name(parent.tag)}>", [parent.tag])
    except xmlschema.XMLSchemaValidationError as error:
        element = error.elem
        is_value = not len(element) and "attribute" not in error.reason and _name(element.tag) in _documentation()
        _fail(path, element, f"is {element.text or ''!r}" if is_value else error.reason.replace(_PREFIX, ""))
    # Raised for types that a file names but the schema does not define.
    except xmlschema.XMLSchemaException as error:
        _fail(path, root, f"cannot be checked: {error}")


def _fail(path: Path, element: XmlElement, problem: str, expected_fields: Sequence[str] = ()) -> NoReturn:
    expected = " or ".join(_expected(name) for name in expected_fields or [element.tag])
    place = f"{path}, line {element.sourceline}, <{_shown(_name(element.tag))}>"
    raise EllipseLabelError(f"{place}: {_shown(problem)}; expected {expected}. {_HOW_TO_FIX}")


def _expected(tag: str) -> str:
    """Documentation of an element in the schema; for an unknown element, that of the root."""
    documentation = _documentation()
    return documentation.get(_name(tag), documentation[_ROOT])


def _name(tag: str) -> str:
    return tag.removeprefix(_PREFIX)


def _shown(text: str) -> str:
    """Shorten text from a file, which may be of any length, for a message."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


@cache
def _schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema((files("fetal_monai.data.preparation") / SCHEMA_NAME).read_text(encoding="utf-8"))


@cache
def _documentation() -> dict[str, str]:
    """Documentation of each element, from the annotations of the schema."""
    return {
        element.local_name: " ".join(element.annotation.documentation[0].text.split())
        for element in _schema().iter_components(xmlschema.XsdElement)
    }

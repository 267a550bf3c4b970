"""A geometry given as named values: in options, in a row of a table or in the header of a frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fetal_monai.geometry.polar_frame import PolarFrame
from fetal_monai.geometry.sector import Sector

KIND_FIELD = "geometry"
_KINDS = ("sector", "polar")
_ANGLES = ("start_angle_rad", "end_angle_rad")
_LENGTHS = ("apex_x", "apex_y", "start_radius", "end_radius")
_LENGTHS_MM = tuple(f"{name}_mm" for name in _LENGTHS)
_ASPECT, _ZOOM = "pixel_aspect_ratio", "zoom"
GEOMETRY_FIELDS = (KIND_FIELD, *_LENGTHS, *_LENGTHS_MM, *_ANGLES, _ASPECT, _ZOOM)
"""The names of the values that state a geometry."""


def geometry_from_fields(
    fields: Mapping[str, Any], shape: tuple[int, int], pixel_spacing_mm: tuple[float, float] | None = None
) -> Sector | PolarFrame | None:
    """The geometry that named values state.

    ``geometry = polar`` means that the frame is already polar. Otherwise the values are those of a sector:
    ``start_angle_rad`` and ``end_angle_rad``, with ``apex_x``, ``apex_y``, ``start_radius`` and ``end_radius`` in px,
    or the same four with the suffix ``_mm``, which need the spacing. With px, two more are optional.
    ``pixel_aspect_ratio``, row over column spacing, follows from the spacing by default (1 without spacing). ``zoom``
    is the number of the frame's pixels per pixel in which the sector is stated.

    Args:
        fields: Values by name; other names and empty values are ignored.
        shape: (H, W) of the frame.
        pixel_spacing_mm: (row, column) spacing of the frame, or None.

    Returns:
        The geometry, or None if no field states one.

    Raises:
        ValueError: A value is not a finite number, a field is missing or superfluous, or the sector is not valid.
    """
    stated = {name: fields[name] for name in GEOMETRY_FIELDS if str(fields.get(name, "")).strip() not in ("", "None")}
    if not stated:
        return None
    kind = str(stated.pop(KIND_FIELD, "sector")).strip().lower()
    if kind not in _KINDS:
        raise ValueError(f"{KIND_FIELD} is {kind!r}; expected one of {_KINDS}.")
    if kind == "polar":
        _refuse(stated, allowed=(), kind="a polar frame")
        return PolarFrame(shape)
    values = {name: _number(name, value) for name, value in stated.items()}
    if any(name in values for name in _LENGTHS_MM):
        _refuse(values, allowed=(*_LENGTHS_MM, *_ANGLES), kind="a sector in mm")
        _require(values, (*_LENGTHS_MM, *_ANGLES))
        if pixel_spacing_mm is None:
            raise ValueError("A sector in mm needs the frame's pixel spacing; give pixel_spacing_mm, or apex in px.")
        apex_x, apex_y, start, end = (values[name] for name in _LENGTHS_MM)
        first, last = (values[name] for name in _ANGLES)
        return Sector.from_mm((apex_x, apex_y), (start, end), (first, last), pixel_spacing_mm)
    _require(values, (*_LENGTHS, *_ANGLES))
    zoom = values.pop(_ZOOM, 1.0)
    if _ASPECT not in values and pixel_spacing_mm is not None:
        values[_ASPECT] = pixel_spacing_mm[0] / pixel_spacing_mm[1]
    return Sector(**values).scaled(zoom, zoom)


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} is {value!r}; expected a finite number.")
    return number


def _require(values: Mapping[str, Any], names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in values]
    if missing:
        raise ValueError(f"A sector lacks {', '.join(missing)}; state all of {', '.join(names)}.")


def _refuse(values: Mapping[str, Any], allowed: tuple[str, ...], kind: str) -> None:
    extra = [name for name in values if name not in allowed]
    if extra:
        raise ValueError(f"{', '.join(extra)} cannot be used with {kind}; omit it.")

"""A frame's geometry as plain values, which a data loader can collate and a log can store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry.polar_frame import PolarFrame
from fetal_monai.geometry.sector import Sector


def geometry_record(
    geometry: Sector | PolarFrame | FailedEstimate,
    shape: tuple[int, int],
    origin: str = "option",
    confidence: float = 1.0,
) -> dict[str, Any]:
    """The record of a geometry; every record has the same fields, whatever the geometry.

    Args:
        geometry: The sector, the polar frame, or the reason why there is neither.
        shape: (H, W) of the frame.
        origin: Source of the geometry.
        confidence: In [0, 1]; 1 for a stated geometry.

    Returns:
        ``kind`` ("sector", "polar" or "unknown"), ``reason`` (why it is unknown, else ""), ``origin``,
        ``confidence``, ``height``, ``width``, and the attributes of `Sector`, NaN if there is no sector.
    """
    kind = {Sector: "sector", PolarFrame: "polar", FailedEstimate: "unknown"}[type(geometry)]
    attributes = {
        name: getattr(geometry, name) if isinstance(geometry, Sector) else math.nan for name in Sector.__slots__
    }
    reason = geometry.reason if isinstance(geometry, FailedEstimate) else ""
    height, width = shape
    return {
        "kind": kind,
        "reason": reason,
        "origin": origin,
        "confidence": float(confidence),
        "height": int(height),
        "width": int(width),
        **attributes,
    }


def geometry_from_record(record: Mapping[str, Any]) -> Sector | PolarFrame | FailedEstimate:
    """The geometry of a record from `geometry_record`; numbers may have become tensors with one element.

    Raises:
        ValueError: The record lacks a field, or its kind is unknown.
    """
    try:
        kind = record["kind"]
        if kind == "sector":
            return Sector(**{name: float(record[name]) for name in Sector.__slots__})
        if kind == "polar":
            return PolarFrame((int(record["height"]), int(record["width"])))
        if kind == "unknown":
            return FailedEstimate(record["reason"])
    except KeyError as error:
        raise ValueError(f"The record of a geometry lacks {error}; create it with geometry_record.") from error
    raise ValueError(f"The kind of a geometry is {kind!r}; expected 'sector', 'polar' or 'unknown'.")

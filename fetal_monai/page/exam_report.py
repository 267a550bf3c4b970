"""The report of one frame on one page: picture, numbers, growth chart."""

from __future__ import annotations

import io
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fetal_monai import __version__
from fetal_monai.biometry import Ellipse
from fetal_monai.measurement import HeadResult
from fetal_monai.page.annotation import StoredAnnotation
from fetal_monai.page.growth_chart import growth_chart
from fetal_monai.reporting.gray_8_bit import gray_8_bit

_A4_INCHES = (8.27, 11.69)
_DPI = 150
_ELLIPSE, _INK, _QUIET, _HADLOCK = "#e0a800", "#17212b", "#5b6b79", "#00796b"
_THIN: dict[str, Any] = {"color": _QUIET, "lw": 0.6}
_MEDIAN: dict[str, Any] = {"color": _INK, "lw": 1.2, "label": "INTERGROWTH-21st: 3, 10, 50, 90, 97"}
_DISCLAIMER = "Research software: not a medical device, not for diagnosis."


def exam_report(
    title: str,
    pixels: NDArray[Any],
    result: HeadResult,
    annotation: StoredAnnotation,
    kind: Literal["pdf", "png"],
) -> bytes:
    """Draw the report of a frame.

    Args:
        title: The frame's name.
        pixels: Gray levels (H, W).
        result: The measurement to report: the person's where there is one.
        annotation: What the person and the network said.
        kind: Format of the file.

    Returns:
        The file.
    """
    figure = Figure(_A4_INCHES, dpi=_DPI)
    figure.text(0.08, 0.955, "Fetal head biometry", fontsize=17, color=_INK, weight="bold")
    figure.text(0.08, 0.934, title, fontsize=10, color=_QUIET, parse_math=False)
    _draw_frame(figure.add_axes((0.08, 0.55, 0.84, 0.365)), pixels, result.ellipse_px)
    _write_numbers(figure, result, annotation)
    _draw_chart(figure.add_axes((0.56, 0.20, 0.36, 0.30)), result)
    figure.text(0.08, 0.05, f"fetal_monai {__version__}. {_DISCLAIMER}", fontsize=8, color=_QUIET)
    written = io.BytesIO()
    figure.savefig(written, format=kind, metadata={"Title": "Fetal head biometry"})
    return written.getvalue()


def _draw_frame(axes: Axes, pixels: NDArray[Any], ellipse: Ellipse | None) -> None:
    axes.imshow(gray_8_bit(pixels), cmap="gray", vmin=0, vmax=255)
    axes.set_axis_off()
    if ellipse is None:
        return
    outline, (far, right, near, left) = ellipse.points(), ellipse.points(4)
    axes.fill(*outline.T, fill=False, edgecolor=_ELLIPSE, linewidth=1.6)
    for ends in ((far, near), (right, left)):
        axes.plot(*zip(*ends, strict=True), color=_ELLIPSE, linewidth=0.8, linestyle=(0, (2, 2)))
    height, width = pixels.shape
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def _write_numbers(figure: Figure, result: HeadResult, annotation: StoredAnnotation) -> None:
    row, model = result.row, annotation.model
    spacing = row.get("pixel_spacing_row_mm")
    lines = [
        ("HC", _mm(row.get("head_circumference_mm"))),
        ("BPD, outer to outer", _mm(row.get("biparietal_diameter_outer_to_outer_mm"))),
        ("OFD", _mm(row.get("occipitofrontal_diameter_mm"))),
        ("INTERGROWTH-21st", row.get("gestational_age_intergrowth")),
        ("Hadlock 1984", row.get("gestational_age_hadlock")),
        ("Centile at the dating scan", row.get("head_circumference_centile")),
        ("Pixel", spacing and f"{spacing:.4g} mm ({row['pixel_spacing_source']})"),
        ("Status", _status(annotation, row["status"])),
        ("Accepted", annotation.time and annotation.decision == "accepted" and f"{annotation.time:%Y-%m-%d %H:%M} UTC"),
        ("Model's HC", model and _mm(model.head_circumference_mm)),
        ("Model", model and f"{model.bundle}, {model.weights_sha256[:12]}"),
    ]
    for place, (name, value) in enumerate((name, value) for name, value in lines if value):
        y = 0.5 - 0.022 * place
        figure.text(0.08, y, name, fontsize=10, color=_QUIET)
        figure.text(0.47, y, str(value), fontsize=10, color=_INK, ha="right", parse_math=False)
    figure.text(0.08, 0.16, result.reason, fontsize=9, color=_INK, wrap=True, parse_math=False)


def _status(annotation: StoredAnnotation, status: str) -> str:
    if annotation.decision == "accepted":
        return f"accepted by {annotation.person}" if annotation.person else "accepted"
    return "drawn by hand, not accepted" if annotation.ellipse else f"{status} by the model, not accepted"


def _mm(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f} mm"


def _draw_chart(axes: Axes, result: HeadResult) -> None:
    curves = growth_chart()
    for centile, points in curves["intergrowth"].items():
        is_median = centile == 50
        label = "INTERGROWTH-21st: 3, 10, 50, 90, 97" if is_median else None
        axes.plot(
            *zip(*points, strict=True), color=_INK if is_median else _QUIET, lw=1.2 if is_median else 0.6, label=label
        )
    axes.plot(*zip(*curves["hadlock"], strict=True), color=_HADLOCK, lw=1, ls="--", label="Hadlock 1984")
    row = result.row
    ages = ("known_gestational_age_days", "gestational_age_intergrowth_days", "gestational_age_hadlock_days")
    days = next((row[name] for name in ages if row.get(name) is not None), None)
    if days is not None and row.get("head_circumference_mm") is not None:
        axes.plot(days / 7, row["head_circumference_mm"], "o", color=_ELLIPSE, markeredgecolor=_INK, markersize=7)
    axes.set(xlim=(13, 41), ylim=(70, 372))
    axes.set_xlabel("weeks", fontsize=8, color=_QUIET)
    axes.set_ylabel("HC, mm", fontsize=8, color=_QUIET)
    axes.tick_params(labelsize=8, colors=_QUIET)
    axes.grid(lw=0.3)
    axes.legend(fontsize=7, loc="upper left", frameon=False)

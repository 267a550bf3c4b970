"""A figure as a PNG file."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fetal_monai.files import atomic_path

_DOTS_PER_INCH = 130
_COLUMNS = 3


@dataclass(frozen=True)
class Picture:
    """A figure of the comparison.

    Attributes:
        name: Name of its file, without the suffix.
        title: Heading.
        note: How to read it; also its text alternative.
        content: PNG data.
        pdf: The same figure as PDF data, for LaTeX.
    """

    name: str
    title: str
    note: str
    content: bytes
    pdf: bytes

    @property
    def file_name(self) -> str:
        """Name of the file."""
        return f"{self.name}.png"

    @property
    def data_uri(self) -> str:
        """The file as a data URI, to embed it in a page."""
        return f"data:image/png;base64,{base64.b64encode(self.content).decode()}"

    def write(self, folder: Path) -> None:
        """Write the file."""
        with atomic_path(folder / self.file_name) as temporary:
            temporary.write_bytes(self.content)

    def write_pdf(self, folder: Path) -> None:
        """Write the figure to `<name>.pdf`."""
        with atomic_path(folder / f"{self.name}.pdf") as temporary:
            temporary.write_bytes(self.pdf)


def panels(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` axes, three per row, each `width` by `height` inches."""
    columns = min(count, _COLUMNS)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.6), layout="constrained")
    return figure, [figure.add_subplot(rows, columns, index + 1) for index in range(count)]


def picture(figure: Figure, name: str, title: str, note: str) -> Picture:
    """Render a figure; the bytes are always the same."""
    content, pdf = io.BytesIO(), io.BytesIO()
    figure.savefig(content, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    figure.savefig(pdf, format="pdf", dpi=_DOTS_PER_INCH, metadata={"CreationDate": None})
    return Picture(name, title, note, content.getvalue(), pdf.getvalue())

"""A figure as one file's content."""

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
        name: of its file, without the ending.
        title: heading.
        note: how to read it, and what it shows for whoever cannot see it.
        content: a PNG.
    """

    name: str
    title: str
    note: str
    content: bytes

    @property
    def file_name(self) -> str:
        """The file's name."""
        return f"{self.name}.png"

    @property
    def data_uri(self) -> str:
        """The file inside a page."""
        return f"data:image/png;base64,{base64.b64encode(self.content).decode()}"

    def write(self, folder: Path) -> None:
        """Write the file."""
        with atomic_path(folder / self.file_name) as temporary:
            temporary.write_bytes(self.content)


def panels(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many axes, three in a row, each so many inches wide and high."""
    columns = min(count, _COLUMNS)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.6), layout="constrained")
    return figure, [figure.add_subplot(rows, columns, index + 1) for index in range(count)]


def picture(figure: Figure, name: str, title: str, note: str) -> Picture:
    """Render a figure, to the same bytes each time."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return Picture(name, title, note, content.getvalue())

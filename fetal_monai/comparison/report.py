"""The comparison as files: a self-contained page, Markdown, CSV, figures, and the same for LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from fetal_monai.comparison.picture import Picture
from fetal_monai.comparison.table import Table
from fetal_monai.files import atomic_path

PAGE, MARKDOWN, FIGURES, LATEX = "comparison.html", "comparison.md", "figures", "latex"


@dataclass(frozen=True)
class Report:
    """The result of a comparison.

    Attributes:
        title: Main heading.
        note: What was compared.
        content: Tables and figures in order.
    """

    title: str
    note: str
    content: Sequence[Table | Picture]

    def write(self, output_dir: Path) -> Path:
        """Write `comparison.html`, `comparison.md`, one CSV file per table, `figures/` and `latex/`.

        Names from the store are text in the page, never markup, and the page loads no other resource.

        Returns:
            The page's path.
        """
        for item in self.content:
            if isinstance(item, Table):
                item.write_csv(output_dir)
                item.write_latex(output_dir / LATEX)
            else:
                item.write(output_dir / FIGURES)
                item.write_pdf(output_dir / LATEX)
        with atomic_path(output_dir / MARKDOWN) as temporary:
            temporary.write_text(self._markdown(), encoding="utf-8")
        templates = Environment(
            loader=PackageLoader("fetal_monai.comparison", "."), autoescape=True, undefined=StrictUndefined
        )
        page = templates.get_template("page.html").render(title=self.title, note=self.note, content=self.content)
        with atomic_path(output_dir / PAGE) as temporary:
            temporary.write_text(page, encoding="utf-8")
        return output_dir / PAGE

    def _markdown(self) -> str:
        parts = [f"# {self.title}", self.note]
        for item in self.content:
            shown = item.markdown() if isinstance(item, Table) else f"![{item.title}]({FIGURES}/{item.file_name})"
            parts += [f"## {item.title}", item.note, shown]
        return "\n\n".join(parts) + "\n"

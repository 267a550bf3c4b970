"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

SHOWN_ROWS = 40


def text_table(
    headings: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    *,
    numbers: Collection[str] = (),
    optional: Collection[str] = (),
) -> list[str]:
    """Lay out the first `SHOWN_ROWS` rows in columns, and say how many more there are.

    Args:
        headings: The columns.
        rows: The cells by heading.
        numbers: Columns that are aligned on the right.
        optional: Columns that are left out where no row shown has a value.

    Returns:
        The lines.
    """
    shown = rows[:SHOWN_ROWS]
    columns = []
    for heading in headings:
        texts = [row[heading] for row in shown]
        if any(texts) or heading not in optional:
            width = max(map(len, (heading, *texts)))
            align = str.rjust if heading in numbers else str.ljust
            columns.append([align(text, width) for text in (heading, *texts)])
    lines = ["  ".join(line).rstrip() for line in zip(*columns, strict=True)]
    return lines if len(rows) <= SHOWN_ROWS else [*lines, f"... and {len(rows) - SHOWN_ROWS} more"]

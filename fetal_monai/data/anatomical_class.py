"""The seven classes of frames, and how labels are written."""

from __future__ import annotations

import difflib

BACKGROUND = "background"
ANATOMICAL_CLASSES = ("head", "thorax", "abdomen", "spine", "limbs", "placenta", BACKGROUND)
"""The classes in the order of a network's outputs. Background: none of the six regions is visible."""


class LabelError(ValueError):
    """A label that cannot be used. The message says what is wrong and how to fix it, but does not name the file."""


def parse_labels(text: str) -> tuple[str, ...]:
    """Read a list of classes, such as "Placenta, Limbs".

    Args:
        text: Names separated by commas, in any case and with any blanks around them.

    Returns:
        The classes in the order of `ANATOMICAL_CLASSES`, without duplicates.

    Raises:
        LabelError: There is no name, a name is unknown, or background is combined with a region.
    """
    names = {name.strip().lower() for name in text.split(",")} - {""}
    if not names:
        raise LabelError(f"has no label; expected one or more of {', '.join(ANATOMICAL_CLASSES)}.")
    for name in sorted(names.difference(ANATOMICAL_CLASSES)):
        nearest = difflib.get_close_matches(name, ANATOMICAL_CLASSES, n=1)
        hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
        raise LabelError(f"the label '{name}' is unknown; expected one of {', '.join(ANATOMICAL_CLASSES)}.{hint}")
    if BACKGROUND in names and len(names) > 1:
        raise LabelError(
            f"is labelled '{BACKGROUND}' and {', '.join(sorted(names - {BACKGROUND}))}; '{BACKGROUND}' means none of "
            "the others. Remove one."
        )
    return tuple(name for name in ANATOMICAL_CLASSES if name in names)

"""Find the exam or the patient in a file name."""

from __future__ import annotations

import re

from fetal_monai.files.name_matching import composed

# The number that a file name starts with, as in HC18.
LEADING_NUMBER = re.compile(r"^\d+")


def find_in_name(pattern: re.Pattern[str], filename: str) -> str:
    """Find the part of a file name that a pattern matches: the first group, or the whole match if there is no group.

    Args:
        pattern: Pattern to search for in the name.
        filename: The name without its folder.

    Returns:
        The exam or patient; "" if the pattern does not match.
    """
    found = pattern.search(composed(filename))
    return (found[min(pattern.groups, 1)] or "") if found else ""

"""Command-line options that several data sets share."""

from __future__ import annotations

import argparse
import re


def add_split_options(parser: argparse.ArgumentParser) -> None:
    """Add `--seed`, `--fractions` and `--folds`, which say how exams are shared out among the sections."""
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another split (default: %(default)s)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--fractions",
        type=float,
        nargs=3,
        default=(0.75, 0.1, 0.15),
        metavar=("TRAINING", "VALIDATION", "TEST"),
        help="parts of the exams, sum 1 (default: 0.75 0.1 0.15)",
    )
    how.add_argument(
        "--folds",
        type=int,
        metavar="COUNT",
        help="folds for a cross-validation, 3 or more: a bundle's --fold says which of them tests; the next one "
        "validates, the others train",
    )


def pattern(text: str) -> re.Pattern[str]:
    """The regular expression that an option gives, as argparse's `type`.

    Raises:
        argparse.ArgumentTypeError: The text is not a regular expression.
    """
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a regular expression: {error}") from error

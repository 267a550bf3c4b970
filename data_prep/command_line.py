"""Command-line options that several data sets share."""

from __future__ import annotations

import argparse
import re


def add_split_options(parser: argparse.ArgumentParser) -> None:
    """Add `--seed` and `--fractions`, which say how exams are shared out among the sections."""
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another split (default: %(default)s)")
    parser.add_argument(
        "--fractions",
        type=float,
        nargs=3,
        default=(0.75, 0.1, 0.15),
        metavar=("TRAINING", "VALIDATION", "TEST"),
        help="parts of the exams, sum 1 (default: 0.75 0.1 0.15)",
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

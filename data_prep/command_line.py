"""Shared parts of the command lines: help, errors, and options of several data sets."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable

from data_prep.errors import DownloadError


def command_parser(module: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Return a parser for `python -m data_prep.<module>` that keeps the line breaks of its help."""
    return argparse.ArgumentParser(
        prog=f"python -m data_prep.{module}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def exit_code(work: Callable[[], int]) -> int:
    """Run a command and return its exit code: that of `work`, or 2 after an error, which is printed in one line."""
    try:
        return work()
    except (DownloadError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def add_split_options(parser: argparse.ArgumentParser) -> None:
    """Add `--seed`, `--fractions` and `--folds`, which determine how exams are split into sections."""
    parser.add_argument("--seed", type=int, default=0, help="seed of the split (default: %(default)s)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--fractions",
        type=float,
        nargs=3,
        default=(0.75, 0.1, 0.15),
        metavar=("TRAINING", "VALIDATION", "TEST"),
        help="fractions of the exams, with the sum 1 (default: 0.75 0.1 0.15)",
    )
    how.add_argument(
        "--folds",
        type=int,
        metavar="COUNT",
        help="folds for a cross-validation, 3 or more: a bundle's --fold says which of them tests; the next one "
        "validates, the others train",
    )


def pattern(text: str) -> re.Pattern[str]:
    """Compile the regular expression of an option, as argparse's `type`.

    Raises:
        argparse.ArgumentTypeError: The text is not a regular expression.
    """
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a regular expression: {error}") from error

"""What the command lines share: their help, their errors, and options of several data sets."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable

from data_prep.errors import DownloadError


def command_parser(module: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser for `python -m data_prep.<module>`, whose help keeps the line breaks of its texts."""
    return argparse.ArgumentParser(
        prog=f"python -m data_prep.{module}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def exit_code(work: Callable[[], int]) -> int:
    """The exit code of a command: what its work returns, or 2 and one line on stderr if it could not be done."""
    try:
        return work()
    except (DownloadError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


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

"""`fetal-monai bundle`: copy a bundle to a folder of one's own."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from fetal_monai.bundle_folder import bundle_folder, bundle_names
from fetal_monai.cli.usage_error import UsageError
from fetal_monai.files import atomic_path

_DESCRIPTION = """\
Copy a bundle, with its configs, documents and weights, to a folder of your own.

Inside an installed package the bundles are read only. A copy can be trained, evaluated and
changed."""

_EPILOG = """\
examples:
  into the working directory, as ./bisenet:
    fetal-monai bundle bisenet
  elsewhere, then train it there:
    fetal-monai bundle dilated_unet -o /data/bundles
    fetal-monai train /data/bundles/dilated_unet"""

_NOT_COPIED = shutil.ignore_patterns("output", "eval", "mlruns", "__pycache__")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "bundle",
        help="copy a bundle to a folder of your own",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=bundle_names(), metavar="NAME", help=f"one of {', '.join(bundle_names())}")
    parser.add_argument(
        "-o", "--output-dir", type=Path, default=Path(), metavar="DIR", help="where to (default: working directory)"
    )
    parser.set_defaults(run=copy_bundle)


def copy_bundle(options: argparse.Namespace) -> int:
    """Copy the bundle to `options.output_dir`, whole or not at all, and print where it is.

    Raises:
        UsageError: There is a file or folder of that name already.
    """
    target = options.output_dir / options.name
    if target.exists():
        raise UsageError(f"{target} exists already: give another folder with --output-dir, or move it away.")
    with atomic_path(target) as temporary:
        shutil.copytree(bundle_folder(options.name), temporary, ignore=_NOT_COPIED)
    print(target)
    return 0

"""Report what a bundle would do without running it: python -m fetal_monai.sharing.audit --help."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from fetal_monai.sharing.audit.audit_entry import AuditEntry
from fetal_monai.sharing.audit.bundle_files import UnreadableBundleError
from fetal_monai.sharing.audit.report import format_report, printable

_DESCRIPTION = """\
Report what a MONAI bundle would do, without evaluating, importing, unpickling or unpacking
any of it.

Loading a bundle runs it: every `_target_` is called, every `$` expression is evaluated, and
its weights may be a program. The audit lists

  target, expression, import   what the configs call, evaluate and import
  argument                     arguments that decide what a component loads or writes
  name, mode, metadata         strings that MONAI may turn into a class or evaluate
  macro, reference, config     parts copied from configs, references, ambiguous configs
  path, download               file paths and URLs in the configs
  weights, pickle              pickles and what they import; TorchScript
  logging                      classes and arguments that logging.conf has evaluated
  code, file                   Python files, and file types that cannot be judged
  archive, link                zip entries that leave the folder, links, duplicates, zip bombs

and refuses everything that is not on an allow-list: reviewed classes and functions of
monai, torch, ignite and fetal_monai, os.path, reading os.environ, and a few pure builtins.
Configs are judged together, for every way of merging them. A clean report is not a proof
of safety: docs/auditing.md states what it guarantees and what it does not."""

_EPILOG = """\
examples:
  a downloaded bundle, before unpacking it:
    python -m fetal_monai.sharing.audit spleen_ct_segmentation_v0.5.9.zip
  the bundles of this repository:
    python -m fetal_monai.sharing.audit bundles/bisenet bundles/dilated_unet
  output for another program:
    python -m fetal_monai.sharing.audit --format json bundle.zip

Do not run it inside the bundle's folder: Python imports from its working directory.

exit code: 0 clean, 1 something is refused, 2 a bundle could not be read."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Command-line arguments. Default: those of the process.

    Returns:
        The exit code: 0 clean, 1 something is refused, 2 a bundle could not be read.
    """
    options = _parser().parse_args(arguments)
    audited: dict[str, list[AuditEntry]] = {}
    unreadable = False
    for path in options.bundles:
        try:
            audited[str(path)] = _audit(path)
        except (UnreadableBundleError, OSError) as error:
            print(f"error: {printable(str(error))}", file=sys.stderr)
            unreadable = True
    if options.format == "json":
        print(json.dumps([_as_json(bundle, entries) for bundle, entries in audited.items()], indent=2))
    else:
        print("\n\n".join(format_report(bundle, entries) for bundle, entries in audited.items()))
    if unreadable:
        return 2
    return int(any(entry.refused for entries in audited.values() for entry in entries))


def _audit(path: Path) -> list[AuditEntry]:
    here = Path.cwd()
    if path.is_dir() and here.is_relative_to(path.resolve()):
        raise UnreadableBundleError(
            f"The working directory is inside {path}, so Python would import the bundle's own files. "
            "Change to another directory."
        )
    # Imported late: it imports MONAI and torch, which a hostile bundle could replace if it were the working directory.
    from fetal_monai.sharing.audit.bundle_audit import audit_bundle

    return audit_bundle(path)


def _as_json(bundle: str, entries: list[AuditEntry]) -> dict[str, object]:
    clean = not any(entry.refused for entry in entries)
    return {"bundle": bundle, "clean": clean, "entries": [asdict(entry) for entry in entries]}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fetal_monai.sharing.audit",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE", help="a bundle's folder or zip")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="format of the report (default: text)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

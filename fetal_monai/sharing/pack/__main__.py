"""Pack bundles for use on other machines: python -m fetal_monai.sharing.pack --help."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fetal_monai.sharing.audit.bundle_files import UnreadableBundleError
from fetal_monai.sharing.pack.pack_result import PackError, PackResult

_DESCRIPTION = """\
Pack a bundle into a zip in the layout of the MONAI model zoo. It runs where this package
is not installed.

The zip is NAME_vVERSION.zip, as stated in the bundle's metadata.json. It contains one folder
NAME with:

  configs/ docs/ LICENSE    as they are, without the demonstration
  models/                   weights; a file over 25 MB must be listed in large_files.yml
                            with its URL and sha256, and is not packed
  fetal_monai/              the modules that the configs name, and what these import, each
                            as it is; only __init__.py files are reduced to the used names

Nothing else in the folder is packed. NAME_vVERSION.zip.sha256 is written next to the zip.
Two packs of the same checkout are identical, byte for byte.

The bundle is audited first (python -m fetal_monai.sharing.audit). It is also refused when
a package that it imports is not pinned in metadata.json, or its version is not in the
changelog. docs/sharing.md describes how to publish the zip."""

_EPILOG = """\
examples:
  one bundle, to dist/bisenet_v0.1.0.zip:
    python -m fetal_monai.sharing.pack bundles/bisenet
  all bundles, to another folder:
    python -m fetal_monai.sharing.pack bundles/* --output_dir /data/zips
  how the recipient runs it:
    sha256sum -c bisenet_v0.1.0.zip.sha256
    python -m monai.bundle download --name bisenet --url file:///data/zips/bisenet_v0.1.0.zip --bundle_dir .
    cd bisenet
    python -m monai.bundle run inferring --config_file configs/inference.json --dataset_dir FRAMES

exit code: 0 all packed, 1 a bundle is refused, 2 the command line is invalid."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Command-line arguments. Default: those of the process.

    Returns:
        The exit code: 0 all packed, 1 a bundle is refused.
    """
    options = _parser().parse_args(arguments)
    # Imported late: it imports MONAI and torch, and --help should be quick.
    from fetal_monai.sharing.pack.bundle_pack import pack_bundle

    refused = False
    for folder in options.bundles:
        try:
            print(_report(pack_bundle(folder, options.output_dir)))
        except (PackError, UnreadableBundleError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            refused = True
    return int(refused)


def _report(result: PackResult) -> str:
    sizes: Counter[str] = Counter()
    for name, size in result.sizes.items():
        sizes[_place(name)] += size
    counts = Counter(map(_place, result.sizes))
    lines = [
        str(result.path),
        *(f"  {place:<12} {counts[place]:>4} files {size / 1e3:>10,.0f} kB" for place, size in sizes.items()),
        f"  {'total':<12} {counts.total():>4} files {sizes.total() / 1e3:>10,.0f} kB",
        *(f"  not packed: {place} ({count} files)" for place, count in Counter(map(_place, result.left_out)).items()),
        *(f"  downloaded: {file.name} from {file.url}, sha256 {file.sha256}" for file in result.large_files),
        *(f"  pinned, but not known to be imported: {name}" for name in result.unneeded_pins),
        f"  sha256 {result.sha256}",
    ]
    return "\n".join(lines)


def _place(name: str) -> str:
    return name.partition("/")[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fetal_monai.sharing.pack",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE", help="a bundle's folder")
    parser.add_argument(
        "--output_dir", type=Path, default=Path("dist"), help="where the zips are written (default: dist)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

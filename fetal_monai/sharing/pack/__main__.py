"""Pack bundles for others to run: python -m fetal_monai.sharing.pack --help."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fetal_monai.sharing.audit.bundle_files import UnreadableBundleError
from fetal_monai.sharing.pack.pack_result import PackError, PackResult

_DESCRIPTION = """\
Pack a bundle into the MONAI model zoo's zip, so that it runs where this package is not
installed.

The zip is NAME_vVERSION.zip, after the bundle's metadata.json, with one folder NAME in it:

  configs/ docs/ LICENSE    as they are, with metadata.json
  models/                   weights; a file over 25 MB must be listed in large_files.yml
                            with its address and sha256, and is not packed
  fetal_monai/              the modules that the configs name, and what these import, each
                            as it is; only the __init__.py are cut down to what is used

Nothing else in the folder is packed. NAME_vVERSION.zip.sha256 is written beside it. Two
packs of the same checkout are the same, byte for byte.

The bundle is audited first (python -m fetal_monai.sharing.audit). It is refused, too, when
something that it imports is not pinned in metadata.json, or its version is not in the
changelog. docs/sharing.md tells how to publish what was packed."""

_EPILOG = """\
examples:
  one bundle, to dist/bisenet_v0.1.0.zip:
    python -m fetal_monai.sharing.pack bundles/bisenet
  all of them, elsewhere:
    python -m fetal_monai.sharing.pack bundles/* --output_dir /data/zips
  what another person does with it:
    sha256sum -c bisenet_v0.1.0.zip.sha256
    python -m monai.bundle download --name bisenet --url file:///data/zips/bisenet_v0.1.0.zip --bundle_dir .
    cd bisenet && python -m monai.bundle run inferring --config_file configs/inference.json

exit code: 0 all packed, 1 a bundle is refused, 2 the command line is wrong."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words of the command line; those of the process when None.

    Returns:
        Exit code: 0 all packed, 1 a bundle is refused.
    """
    options = _parser().parse_args(arguments)
    # Imported only now: it imports MONAI and torch, and --help shall be quick.
    from fetal_monai.sharing.pack.bundle_pack import pack_bundle

    refused = False
    for folder in options.bundles:
        try:
            print(_report(pack_bundle(folder, options.output_dir)))
        except (PackError, UnreadableBundleError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            refused = True
    return int(refused)


def _report(packed: PackResult) -> str:
    sizes: Counter[str] = Counter()
    for name, size in packed.sizes.items():
        sizes[_place(name)] += size
    counts = Counter(map(_place, packed.sizes))
    lines = [
        str(packed.path),
        *(f"  {place:<12} {counts[place]:>4} files {size / 1e3:>10,.0f} kB" for place, size in sizes.items()),
        f"  {'in all':<12} {counts.total():>4} files {sizes.total() / 1e3:>10,.0f} kB",
        *(f"  not packed: {place} ({count} files)" for place, count in Counter(map(_place, packed.left_out)).items()),
        *(f"  downloaded: {file.name} from {file.url}, sha256 {file.sha256}" for file in packed.large_files),
        *(f"  pinned, but nothing is known to import it: {name}" for name in packed.unneeded_pins),
        f"  sha256 {packed.sha256}",
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

"""`fetal-monai locate`: which region frames and loops show, and where, by a bundle's own inference."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from fetal_monai.bundle_folder import bundle_folder, bundle_names
from fetal_monai.cli.exit_codes import INTERRUPTED
from fetal_monai.cli.log_level import log_level
from fetal_monai.cli.text_table import text_table
from fetal_monai.cli.usage_error import UsageError
from fetal_monai.files import read_csv_table

_DESCRIPTION = """\
Classify the region that each frame shows (head, thorax, abdomen, spine, limbs, placenta or
background) and enclose it with a box. Prints a table and writes it to DIR/regions.csv, with
the scores of all regions. Boxes are in pixels of the frame: x_min, y_min, x_max, y_max.

PATH is a frame, a cine loop or a folder that is searched with all its subfolders: PNG, JPEG,
TIFF, BMP, MetaImage, NIfTI, DICOM, AVI, MP4. Files that cannot be read are listed at the end,
with the reason; the others are still located.

The bundle ships no weights: train it first, or name your own with --weights. This runs the
inference of the bundle (`python -m monai.bundle run inferring`); its docs/README.md describes
further options of that command."""

_EPILOG = """\
examples:
  train on simulated frames (about 8 minutes), then locate:
    fetal-monai bundle soft_proposal
    fetal-monai train soft_proposal
    fetal-monai locate FRAMES --bundle ./soft_proposal
  weights from elsewhere; pictures of the boxes, and a video of the loop:
    fetal-monai locate scan.dcm loop.mp4 --weights model.pt --save overlays -o results

exit code: 0 all located, 1 some failed (listed at the end), 2 the command cannot be
carried out as given, 130 interrupted (what was located is kept)."""

_EDGES = ("x_min", "y_min", "x_max", "y_max")
_HEADINGS = ("file", "frame", "region", "score", "box [px]")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "locate",
        help="which region frames and loops show, and where",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a frame, a cine loop, or a folder of them")
    parser.add_argument(
        *("-o", "--output-dir"),
        type=Path,
        default=Path("regions"),
        metavar="DIR",
        help="where to write; results of an earlier run are moved into run_1, run_2, ... in it (default: %(default)s)",
    )
    parser.add_argument(
        "--save",
        choices=["overlays"],
        action="append",
        default=[],
        help="also write a picture of each frame, or a video of each loop: heat map, box, scores",
    )
    parser.add_argument(
        "--bundle",
        default="soft_proposal",
        metavar="BUNDLE",
        help="name of a bundle, or the folder of your own, such as ./%(default)s (default: %(default)s)",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="weights to use (default: models/model.pt or output/train/model.pt in the bundle)",
    )
    parser.set_defaults(run=locate)


def locate(options: argparse.Namespace) -> int:
    """Run the bundle's inference, and print its table.

    Returns:
        The exit code: 0 all located, 1 some failed, 130 interrupted.

    Raises:
        UsageError: The bundle, the weights or a path cannot be used.
    """
    bundle = _bundle(options.bundle)
    weights = options.weights or _trained_weights(bundle)
    try:
        _infer(
            bundle / "configs" / "inference.json",
            bundle_root=str(bundle),
            dataset_dir=options.paths,
            output_dir=str(options.output_dir),
            overlays="overlays" in options.save,
            weights=str(weights),
        )
    except KeyboardInterrupt:
        print(f"\nInterrupted: what was located is kept in {options.output_dir}.", file=sys.stderr)
        return INTERRUPTED
    table = options.output_dir / "regions.csv"
    _, rows = read_csv_table(table)
    located, failed = ([row for row in rows if (row["status"] == "failed") is fails] for fails in (False, True))
    print("\n".join([*text_table(_HEADINGS, list(map(_cells, located))), f"\n{table}"]), flush=True)
    for row in failed:
        place = f", frame {row['frame']}" if row["frame"] else ""
        print(f"failed: {row['file']}{place}: {row['reason']}", file=sys.stderr)
    return int(bool(failed))


def _bundle(name: str) -> Path:
    folder = bundle_folder(name) if name in bundle_names() else Path(name)
    metadata = folder / "configs" / "metadata.json"
    if not metadata.is_file():
        raise UsageError(f"--bundle {name} is neither the folder of a bundle nor one of {', '.join(bundle_names())}.")
    outputs = json.loads(metadata.read_text(encoding="utf-8"))["network_data_format"]["outputs"]
    if outputs["pred"]["format"] != "classification":
        raise UsageError(f"--bundle {name} locates no regions: its network segments. Use soft_proposal.")
    return folder


def _trained_weights(bundle: Path) -> Path:
    candidates = [bundle / "models" / "model.pt", bundle / "output" / "train" / "model.pt"]
    for weights in candidates:
        if weights.is_file():
            return weights
    raise UsageError(
        f"There are no weights at {' or '.join(map(str, candidates))}. Train the bundle (fetal-monai bundle "
        f"{bundle.name}, fetal-monai train {bundle.name}) and name its folder with --bundle ./{bundle.name}, or name a "
        "file with --weights."
    )


def _infer(config: Path, **overrides: object) -> None:
    """Run the config as `monai.bundle run` does, without its log.

    Raises:
        UsageError: With the message of an error that the user can correct.
    """
    # Imported late: --help should be quick.
    from monai.bundle import ConfigWorkflow

    from fetal_monai.workflow.brief_errors import brief_message

    # It warns that it writes no log; a rejected file is listed at the end.
    with log_level(logging.ERROR, ConfigWorkflow.__module__, "fetal_monai.data.io.cine.stream"):
        workflow = ConfigWorkflow(str(config), logging_file=False, **overrides)
        try:
            workflow.initialize()
            workflow.run()
        except Exception as error:
            message = brief_message(error)
            if message is None:
                raise
            raise UsageError(message.removeprefix("Error: ")) from error


def _cells(row: Mapping[str, str]) -> dict[str, str]:
    box = " ".join(f"{float(row[edge]):.0f}" for edge in _EDGES) if row["x_min"] else row["reason"]
    score = float(row["score_" + row["region"]])
    return dict(zip(_HEADINGS, (row["file"], row["frame"], row["region"], f"{score:.2f}", box), strict=True))

"""Simulate frames of the fetal head in HC18's layout, or of all seven classes: python -m data_prep.phantom --help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from data_prep.command_line import command_parser, exit_code
from fetal_monai.phantom import write_phantoms, write_plane_phantoms

_DESCRIPTION = """\
Simulate ultrasound frames of the fetal head, with exact ground truth, in HC18's own layout and naming.

Without a data set, these frames can be used to train, evaluate and test every bundle of this project. They show a
sector of a curved probe, speckle, a bright skull with drop-outs and shadows, brain landmarks, amniotic fluid, and the
gray bar and black boxes of HC18. They are meant to try the software, not to judge a method: docs/phantom.md describes
what they leave out.

With --planes the frames show head, thorax, abdomen, spine, limbs, placenta or none of these (background), some of them
several regions, each with its label, exact box and sector, for classification and localisation.
"""

_EPILOG = """\
files that are written:
  training_set/000_HC.png                 a frame, 800x540 px, 8-bit gray; 000_2HC.png is a second frame of exam 000
  training_set/000_HC_Annotation.png      the outline of the head, a thin closed line
  training_set_pixel_size_and_HC.csv      filename, pixel size(mm), head circumference (mm)
  test_set/000_HC.png                     frames without annotation (with --test_count)
  test_set_pixel_size.csv                 filename, pixel size(mm)
  ground_truth.csv                        the exact ellipse of every frame in pixels, test frames included
with --planes:
  images/0000.png                         a frame, 8-bit gray, 320x256 to 400x300 px
  labels.csv                              filename, labels, patient, pixel_spacing_mm, and the sector: apex_x, apex_y,
                                          start_radius, end_radius (px), start_angle_rad, end_angle_rad
  boxes.csv                               filename, label, x_min, y_min, x_max, y_max (px, half-open); a row per region

The same seed gives the same frames, and frame number i does not depend on --count.

examples:
  150 frames:
    python -m data_prep.phantom --output_dir data/phantoms
  500 different frames, and 50 without annotation:
    python -m data_prep.phantom --output_dir data/phantoms --count 500 --test_count 50 --seed 7
  then masks and a data list, as from the real HC18:
    python -m data_prep.hc18 --source data/phantoms --output_dir data/phantoms_prepared
  420 frames of all seven classes, then a data list with folds:
    python -m data_prep.phantom --planes --output_dir data/phantom_planes --count 420
    python -m data_prep.fetal_planes --source data/phantom_planes --output_dir data/phantom_planes
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Arguments of the command line; those of the process if None.

    Returns:
        Exit code: 0 for success, 2 for an error.
    """
    parser = command_parser("phantom", _DESCRIPTION, _EPILOG)
    parser.add_argument("--output_dir", required=True, help="folder to write to; it must not contain a data set yet")
    parser.add_argument("--planes", action="store_true", help="frames of all seven classes instead of heads")
    parser.add_argument("--count", type=int, default=150, help="number of annotated frames (default: %(default)s)")
    parser.add_argument("--test_count", type=int, default=0, help="number of test frames (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the set (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.planes and options.test_count:
        parser.error(
            "--test_count is for heads only; with --planes all frames have labels, and one fold is the test section"
        )
    return exit_code(lambda: _write_planes(options) if options.planes else _write_heads(options))


def _write_heads(options: argparse.Namespace) -> int:
    write_phantoms(options.output_dir, options.count, seed=options.seed, test_count=options.test_count)
    print(f"{options.count} annotated and {options.test_count} test frames are in {options.output_dir}")
    return 0


def _write_planes(options: argparse.Namespace) -> int:
    write_plane_phantoms(options.output_dir, options.count, seed=options.seed)
    print(f"{options.count} frames with labels and boxes are in {options.output_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

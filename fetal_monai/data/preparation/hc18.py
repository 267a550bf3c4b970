"""Preparation of HC18: from the published folder to filled masks and a data list split by exam.

van den Heuvel et al., "Automated measurement of fetal head circumference using 2D ultrasound images",
PLOS ONE 13(8), 2018, https://doi.org/10.1371/journal.pone.0200412; data: https://doi.org/10.5281/zenodo.1327317.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from fetal_monai.biometry import Ellipse, ellipse_from_outline
from fetal_monai.biometry.pixel_size import EXPECTED_PIXEL_SIZE, is_plausible_pixel_size
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.data.io.reading import read_frame
from fetal_monai.data.preparation.annotated_frame import AnnotatedFrame, implausible_head
from fetal_monai.data.preparation.identical_frames import identical_frames, pixel_digest
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.problem import Problem
from fetal_monai.data.preparation.segmentation_dataset import write_segmentation_dataset
from fetal_monai.data.preparation.split import check_fractions
from fetal_monai.files.csv_table import Row, read_csv_table
from fetal_monai.files.name_matching import composed, find_file

FRAMES_FOLDER = "training_set"
TABLE_NAME = "training_set_pixel_size_and_HC.csv"

# The published HC is rounded to a tenth of a millimetre; every original frame agrees within 0.04 %.
MAX_HC_DIFFERENCE = 0.005

DESCRIPTION = {
    "name": "HC18",
    "description": "Fetal head in 2-D ultrasound; masks are the filled ellipses of the annotated outlines.",
    "licence": "CC BY 4.0",
    "reference": "van den Heuvel et al. 2018, https://doi.org/10.5281/zenodo.1327317",
}

_FILENAME, _PIXEL_SIZE, _HC = "filename", "pixel size(mm)", "head circumference (mm)"
_EXAM = re.compile(r"^(\d+)_")


def inspect_hc18(source: str | Path) -> Inspection[AnnotatedFrame]:
    """Read and check all annotated frames of a folder in HC18's layout.

    Checked: table against files, readable images and annotations of equal size, pixel size, annotations that are
    ellipses, their perimeter against the published HC, and pixel-identical frames (a warning within one exam, an error
    across exams). The frames of `test_set`, which have no annotations, are ignored.

    Args:
        source: Folder with `training_set/NNN_HC.png`, `training_set/NNN_HC_Annotation.png` and
            `training_set_pixel_size_and_HC.csv`.

    Raises:
        FileNotFoundError: The table or the folder of frames is missing.
        ValueError: The table lacks a column or is not a CSV table.
    """
    source = Path(source)
    folder = source / FRAMES_FOLDER
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} does not exist. Expected a folder in HC18's own layout: {FRAMES_FOLDER}/NNN_HC.png, "
            f"{FRAMES_FOLDER}/NNN_HC_Annotation.png and {TABLE_NAME}. Give its parent folder, or unpack "
            f"{FRAMES_FOLDER}.zip from https://zenodo.org/records/1327317 there."
        )
    rows = _read_table(source / TABLE_NAME)

    frames: list[AnnotatedFrame] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for row in tqdm(rows, desc="Reading HC18", unit="frame"):
        name = row[_FILENAME]
        if name in seen:
            problems.append(Problem("error", "table", f"{name} (again)", f"{TABLE_NAME} has a second row for {name}"))
            continue
        seen.add(name)
        result = _inspect_row(folder, row)
        if isinstance(result, AnnotatedFrame):
            frames.append(result)
        else:
            problems.append(result)
    images = (path.name for path in sorted(folder.glob("*.png")) if not path.stem.endswith("_Annotation"))
    problems += [
        Problem("error", "table", name, f"has no row in {TABLE_NAME}, so its pixel size is unknown")
        for name in images
        if composed(name) not in seen
    ]
    problems += identical_frames((frame.filename, frame.exam, frame.pixels_sha256) for frame in frames)
    return Inspection(frames, problems)


def prepare_hc18(
    source: str | Path,
    output_dir: str | Path,
    seed: int = 0,
    fractions: Sequence[float] = (0.75, 0.1, 0.15),
) -> Path:
    """Convert a folder in HC18's layout to masks, a data list and a list of the rejected files.

    Writes `labels/NNN_HC.png` (0 background, 255 head: the ellipse through the annotated outline, filled),
    `datalist.json` and `rejected.csv`. The images are not copied.

    Args:
        source: Folder in HC18's layout, see `inspect_hc18`.
        output_dir: Folder for the result; it is created if it does not exist.
        seed: Seed of the split; the same seed always gives the same split.
        fractions: Fractions of the exams for training, validation and test; positive, with the sum 1.

    Returns:
        Path of `datalist.json`.

    Raises:
        FileNotFoundError: `source` is not in HC18's layout.
        ValueError: The fractions are wrong, no frame is usable, or there are fewer than three exams.
    """
    check_fractions(fractions)
    return write_segmentation_dataset(inspect_hc18(source), DESCRIPTION, output_dir, seed, fractions)


def _read_table(path: Path) -> list[Row]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: it holds the pixel size of each frame.")
    return read_csv_table(path, required=(_FILENAME, _PIXEL_SIZE, _HC))[1]


def _inspect_row(folder: Path, row: Row) -> AnnotatedFrame | Problem:
    name = row[_FILENAME]

    def error(check: str, detail: str) -> Problem:
        return Problem("error", check, name, detail)

    exam = _EXAM.match(name)
    if exam is None or Path(name).name != name:
        return error("file name", "must be NNN_....png, where the leading number NNN is the exam")
    path = find_file(folder, name) or folder / name
    try:
        pixels = read_frame(path).pixels
        outline = read_frame(path.with_name(f"{path.stem}_Annotation{path.suffix}")).pixels
    except (FrameError, OSError) as problem:
        return error("missing or unreadable", str(problem).replace(f"{folder}{os.sep}", ""))
    if pixels.shape != outline.shape:
        sizes = "frame {1}x{0}, annotation {3}x{2} px".format(*pixels.shape, *outline.shape)
        return error("size", f"frame and annotation differ in size: {sizes}")

    pixel_size_mm, hc_mm = _number(row[_PIXEL_SIZE]), _number(row[_HC])
    if not is_plausible_pixel_size(pixel_size_mm):
        return error("pixel size", f"has pixel size '{row[_PIXEL_SIZE]}', expected a number {EXPECTED_PIXEL_SIZE}")
    if not (math.isfinite(hc_mm) and hc_mm > 0):
        return error("head circumference", f"has head circumference '{row[_HC]}', expected a positive number in mm")
    ellipse = ellipse_from_outline(outline)
    if not isinstance(ellipse, Ellipse):
        return error("annotation", f"annotation: {ellipse.reason}")
    fitted_hc_mm = ellipse.perimeter * pixel_size_mm
    if abs(fitted_hc_mm / hc_mm - 1) > MAX_HC_DIFFERENCE:
        return error(
            "head circumference",
            f"the table says HC {hc_mm:.1f} mm, the annotated ellipse measures {fitted_hc_mm:.1f} mm: "
            f"more than {MAX_HC_DIFFERENCE:.1%} apart",
        )
    height, width = pixels.shape
    if implausible := implausible_head(ellipse, (height, width), (pixel_size_mm, pixel_size_mm)):
        return error("annotation", f"annotation: {implausible}")
    return AnnotatedFrame(
        image=path.resolve(),
        filename=path.name,
        mask_name=path.name,
        shape=(height, width),
        exam=exam[1],
        ellipse_px=ellipse,
        pixel_spacing_mm=(pixel_size_mm, pixel_size_mm),
        head_circumference_mm=hc_mm,
        pixels_sha256=pixel_digest(pixels),
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

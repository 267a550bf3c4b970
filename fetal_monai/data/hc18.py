"""HC18: from the published folder to filled masks and a data list split by exam.

van den Heuvel et al., "Automated measurement of fetal head circumference using 2D ultrasound images",
PLOS ONE 13(8), 2018, https://doi.org/10.1371/journal.pone.0200412; data: https://doi.org/10.5281/zenodo.1327317.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from fetal_monai.biometry import Ellipse, ellipse_from_outline
from fetal_monai.data.atomic import atomic_path
from fetal_monai.data.datalist import DATALIST_NAME, SECTIONS
from fetal_monai.data.split import check_fractions, split_by_exam

FRAMES_FOLDER = "training_set"
TABLE_NAME = "training_set_pixel_size_and_HC.csv"
REJECTED_NAME = "rejected.csv"

# HC18's own range is 0.049..0.393 mm; beyond these a frame could not show a whole head.
PLAUSIBLE_PIXEL_SIZE_MM = (0.02, 1.0)
# The published HC is rounded to a tenth of a millimetre; every original frame agrees within 0.04 %.
MAX_HC_DIFFERENCE = 0.005

_FILENAME, _PIXEL_SIZE, _HC = "filename", "pixel size(mm)", "head circumference (mm)"
_EXAM = re.compile(r"^(\d+)_")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a data set.

    Attributes:
        level: "error", or "warning" for what does no harm.
        check: Which check found it.
        file: Name of the frame or table.
        detail: What is wrong, with the values.
    """

    level: Literal["error", "warning"]
    check: str
    file: str
    detail: str


@dataclass(frozen=True, slots=True)
class AnnotatedFrame:
    """One frame of HC18 with all that is known of it.

    Attributes:
        image: Path of the ultrasound frame.
        shape: (H, W) in px.
        exam: Leading number of the file name; frames of one exam share it.
        ellipse_px: The ellipse through the annotated outline.
        pixel_size_mm: Side of the square pixels.
        head_circumference_mm: The published HC.
        pixels_sha256: Equal for pixel-identical frames.
    """

    image: Path
    shape: tuple[int, int]
    exam: str
    ellipse_px: Ellipse
    pixel_size_mm: float
    head_circumference_mm: float
    pixels_sha256: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a folder in HC18's layout holds: the usable frames, and everything that is wrong.

    A frame with an error of its own is not among `frames`; frames that only resemble each other are.
    """

    frames: list[AnnotatedFrame]
    findings: list[Finding]

    @property
    def left_out(self) -> list[Finding]:
        """The findings on files that are not among the usable frames."""
        usable = {frame.image.name for frame in self.frames}
        return [finding for finding in self.findings if finding.level == "error" and finding.file not in usable]


def inspect_hc18(source: str | Path) -> Inspection:
    """Read every annotated frame of a folder in HC18's layout and check it.

    Checked: table against files, readable images and annotations of one size, pixel size, an annotation that is
    an ellipse, its perimeter against the published HC, and pixel-identical frames (a warning within one exam,
    an error across exams). The frames of `test_set`, which have no annotation, are not looked at.

    Args:
        source: Folder with `training_set/NNN_HC.png`, `training_set/NNN_HC_Annotation.png` and
            `training_set_pixel_size_and_HC.csv`.

    Raises:
        FileNotFoundError: The table or the folder of frames is missing.
        ValueError: The table lacks a column or is no text.
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
    findings: list[Finding] = []
    seen: set[str] = set()
    for row in tqdm(rows, desc="Reading HC18", unit="frame"):
        name = row[_FILENAME]
        if name in seen:
            findings.append(Finding("error", "table", f"{name} (again)", f"{TABLE_NAME} has a second row for {name}"))
            continue
        seen.add(name)
        result = _inspect_row(folder, row)
        if isinstance(result, AnnotatedFrame):
            frames.append(result)
        else:
            findings.append(result)
    images = (path.name for path in sorted(folder.glob("*.png")) if not path.stem.endswith("_Annotation"))
    findings += [
        Finding("error", "table", name, f"has no row in {TABLE_NAME}, so its pixel size is unknown")
        for name in images
        if name not in seen
    ]
    findings += identical_frames((frame.image.name, frame.exam, frame.pixels_sha256) for frame in frames)
    return Inspection(frames, findings)


def prepare_hc18(
    source: str | Path,
    output_dir: str | Path,
    seed: int = 0,
    fractions: Sequence[float] = (0.75, 0.1, 0.15),
) -> Path:
    """Turn a folder in HC18's layout into masks, a data list and a list of what was left out.

    Writes `labels/NNN_HC.png` (0 background, 255 head: the ellipse through the annotated outline, filled),
    `datalist.json` and `rejected.csv`. The images stay where they are.

    Args:
        source: Folder in HC18's layout, see `inspect_hc18`.
        output_dir: Folder for the result; made when it does not exist.
        seed: Another seed gives another split; the same seed always the same one.
        fractions: Parts of the exams for training, validation and test; positive, sum 1.

    Returns:
        Path of `datalist.json`.

    Raises:
        FileNotFoundError: `source` is not in HC18's layout.
        ValueError: The fractions are wrong, no frame is usable, or there are fewer than three exams.
    """
    check_fractions(fractions)
    return write_prepared(inspect_hc18(source), output_dir, seed, fractions)


def write_prepared(
    inspection: Inspection, output_dir: str | Path, seed: int = 0, fractions: Sequence[float] = (0.75, 0.1, 0.15)
) -> Path:
    """Write what `prepare_hc18` promises, from frames that were inspected already.

    Args:
        inspection: Result of `inspect_hc18`.
        output_dir: Folder for the result.
        seed: See `prepare_hc18`.
        fractions: See `prepare_hc18`.

    Returns:
        Path of `datalist.json`.

    Raises:
        ValueError: The fractions are wrong, no frame is usable, or there are fewer than three exams.
    """
    if not inspection.frames:
        reasons = "".join(f"\n  {finding.file}: {finding.detail}" for finding in inspection.left_out[:5])
        raise ValueError(f"No usable frame in the data set ({len(inspection.left_out)} left out).{reasons}")
    sections = split_by_exam(inspection.frames, seed, fractions)

    output_dir = Path(output_dir).resolve()
    datalist = output_dir / DATALIST_NAME
    # An earlier list must not describe labels that are being replaced.
    datalist.unlink(missing_ok=True)
    for frame in tqdm(inspection.frames, desc="Writing labels", unit="frame"):
        mask = frame.ellipse_px.rasterise(frame.shape)
        with atomic_path(_label_path(output_dir, frame)) as temporary:
            Image.fromarray(mask.astype(np.uint8) * 255).save(temporary)
    with (
        atomic_path(output_dir / REJECTED_NAME) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["filename", "reason"])
        writer.writerows((finding.file, finding.detail) for finding in inspection.left_out)

    content = {
        "name": "HC18",
        "description": "Fetal head in 2-D ultrasound; masks are the filled ellipses of the annotated outlines.",
        "licence": "CC BY 4.0",
        "reference": "van den Heuvel et al. 2018, https://doi.org/10.5281/zenodo.1327317",
        "tensorImageSize": "2D",
        "modality": {"0": "US"},
        "labels": {"0": "background", "1": "head"},
        "seed": seed,
        "fractions": dict(zip(SECTIONS, fractions, strict=True)),
        **{f"num{section.capitalize()}": len(sections[section]) for section in SECTIONS},
        **{section: [_entry(output_dir, frame) for frame in sections[section]] for section in SECTIONS},
    }
    with atomic_path(datalist) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return datalist


def identical_frames(frames: Iterable[tuple[str, str, str]]) -> list[Finding]:
    """Find frames with the same pixels.

    Args:
        frames: (file name, exam, digest of the pixels) of each frame.

    Returns:
        A warning for each group within one exam, an error for each group across exams.
    """
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, exam, digest in frames:
        groups[digest].append((name, exam))
    findings = []
    for group in groups.values():
        if len(group) < 2:
            continue
        (first, _), *others = group
        copies = ", ".join(name for name, _ in others)
        exams = sorted({exam for _, exam in group})
        if len(exams) == 1:
            findings.append(Finding("warning", "identical frames", first, f"is the same image as {copies}"))
        else:
            detail = f"is the same image as {copies}, though the exams differ ({', '.join(exams)})"
            findings.append(Finding("error", "identical frames", first, detail))
    return findings


def pixel_digest(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 of an image's shape and pixels, whatever its compression."""
    return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def read_gray(path: Path) -> NDArray[np.uint8]:
    """Read a picture as (H, W) gray values.

    Raises:
        ValueError: The file is missing or cannot be read; the message names it without its folder.
    """
    if not path.is_file():
        raise ValueError(f"{path.name} does not exist")
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"))
    # Pillow raises SyntaxError for broken PNG chunks.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path.name} cannot be read ({error})") from error


def _read_table(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: it holds the pixel size of each frame.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", skipinitialspace=True)
            missing = [name for name in (_FILENAME, _PIXEL_SIZE, _HC) if name not in (reader.fieldnames or [])]
            if missing:
                raise ValueError(f"{path} lacks the columns {missing}, it has {list(reader.fieldnames or [])}.")
            return [{key: row[key].strip() for key in (_FILENAME, _PIXEL_SIZE, _HC)} for row in reader]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no UTF-8 text ({error}).") from error


def _inspect_row(folder: Path, row: dict[str, str]) -> AnnotatedFrame | Finding:
    name = row[_FILENAME]

    def error(check: str, detail: str) -> Finding:
        return Finding("error", check, name, detail)

    exam = _EXAM.match(name)
    if exam is None or Path(name).name != name:
        return error("file name", "must be NNN_....png, where the leading number NNN is the exam")
    path = folder / name
    try:
        pixels = read_gray(path)
        outline = read_gray(path.with_name(f"{path.stem}_Annotation{path.suffix}"))
    except ValueError as problem:
        return error("missing or unreadable", str(problem))
    if pixels.shape != outline.shape:
        sizes = "frame {1}x{0}, annotation {3}x{2} px".format(*pixels.shape, *outline.shape)
        return error("size", f"frame and annotation differ in size: {sizes}")

    pixel_size_mm, hc_mm = _number(row[_PIXEL_SIZE]), _number(row[_HC])
    smallest, largest = PLAUSIBLE_PIXEL_SIZE_MM
    if not smallest <= pixel_size_mm <= largest:
        expected = f"expected a number between {smallest} and {largest} mm"
        return error("pixel size", f"has pixel size '{row[_PIXEL_SIZE]}', {expected}")
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
    return AnnotatedFrame(path.resolve(), (height, width), exam[1], ellipse, pixel_size_mm, hc_mm, pixel_digest(pixels))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _label_path(output_dir: Path, frame: AnnotatedFrame) -> Path:
    return output_dir / "labels" / frame.image.name


def _entry(output_dir: Path, frame: AnnotatedFrame) -> dict[str, object]:
    image = frame.image
    return {
        "image": (image.relative_to(output_dir) if image.is_relative_to(output_dir) else image).as_posix(),
        "label": _label_path(output_dir, frame).relative_to(output_dir).as_posix(),
        "pixel_spacing_mm": [frame.pixel_size_mm, frame.pixel_size_mm],
        "exam": frame.exam,
        "head_circumference_mm": frame.head_circumference_mm,
    }

"""Write simulated frames of all seven classes, with labels, boxes and sectors."""

from __future__ import annotations

from operator import index
from pathlib import Path

from tqdm import tqdm

from fetal_monai.data.preparation.label_folder import BOXES_TABLE, LABELS_TABLE
from fetal_monai.data.preparation.labelled_frame import SECTOR_FIELDS
from fetal_monai.geometry import Box, Sector
from fetal_monai.phantom.plane import simulate_plane
from fetal_monai.phantom.staging import staged_folder, write_png, write_table

_IMAGES_FOLDER = "images"


def write_plane_phantoms(folder: str | Path, count: int, seed: int = 0) -> None:
    """Write simulated frames in the layout that `inspect_label_folder` reads.

    - `images/0000.png`: the frame, 8-bit gray. Frame i shows class i modulo 7, possibly with others;
    - `labels.csv`: `filename`, `labels` (all visible classes), `patient`, `pixel_spacing_mm`, and the sector in columns
      named as in `SECTOR_FIELDS`;
    - `boxes.csv`: `filename`, `label` and the `Box`, px; one row per visible region.

    The same seed gives the same frames, and frame i does not depend on the number of frames. Files are moved to the
    folder at the end: an interrupted run leaves nothing behind.

    Args:
        folder: Output folder. It may exist, but must not contain any of the names above.
        count: Number of frames, 1 or more.
        seed: Seed of the set, 0 or more.

    Raises:
        TypeError: A number is not an integer.
        ValueError: A number is too small.
        FileExistsError: The folder already contains a data set.
        NotADirectoryError: `folder` is a file.
    """
    for name, value, smallest in (("count", count, 1), ("seed", seed, 0)):
        if index(value) < smallest:
            raise ValueError(f"{name} must be {smallest} or more, got {value}.")
    labels: list[tuple[object, ...]] = []
    boxes: list[tuple[object, ...]] = []
    with staged_folder(Path(folder), (_IMAGES_FOLDER, BOXES_TABLE, LABELS_TABLE)) as staging:
        (staging / _IMAGES_FOLDER).mkdir()
        for number in tqdm(range(count), desc="Simulating frames", unit="frame"):
            frame = simulate_plane(seed, number)
            name = f"{_IMAGES_FOLDER}/{number:04d}.png"
            write_png(staging / name, frame.pixels)
            row_mm, _ = frame.pixel_spacing_mm
            labels.append((name, ", ".join(frame.labels), f"{frame.patient:04d}", row_mm, *_sector(frame.sector)))
            boxes += [(name, region, *box) for region, box in frame.boxes.items()]
        write_table(
            staging / LABELS_TABLE, ("filename", "labels", "patient", "pixel_spacing_mm", *SECTOR_FIELDS), labels
        )
        write_table(staging / BOXES_TABLE, ("filename", "label", *Box._fields), boxes)


def _sector(sector: Sector) -> tuple[float, ...]:
    """The values of `SECTOR_FIELDS`."""
    return (
        sector.apex_x,
        sector.apex_y,
        sector.start_radius,
        sector.end_radius,
        sector.start_angle_rad,
        sector.end_angle_rad,
    )

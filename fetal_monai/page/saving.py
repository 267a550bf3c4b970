"""Save what was labelled as files that others read: XML ellipses, masks, and tables."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fetal_monai.data.io.mask_file import mask_suffix, write_mask
from fetal_monai.data.preparation.ellipse_label import EllipseLabel, write_ellipse_label
from fetal_monai.data.rejected import Rejected
from fetal_monai.files import write_csv_table
from fetal_monai.page.accepted import AcceptedFrame, accepted_frames
from fetal_monai.page.folder import SAVED_STEM, FrameFolder
from fetal_monai.page.workspace import Workspace
from fetal_monai.reporting.gray_8_bit import gray_8_bit
from fetal_monai.reporting.measurement_row import MEASUREMENT_COLUMNS, failed_row
from fetal_monai.reporting.output_path import output_path
from fetal_monai.reporting.report_files import write_table

_PERSON_COLUMNS = ("accepted_by", "accepted_at", "model_head_circumference_mm", "model_bundle", "model_weights_sha256")


@dataclass(frozen=True)
class SavedLabels:
    """What was saved.

    Attributes:
        folder: Where.
        ellipses: Number of ellipses.
        categories: Number of frames with categories.
        skipped: Number of frames that were skipped.
        problems: Frames that could not be saved, with the reasons.
    """

    folder: Path
    ellipses: int
    categories: int
    skipped: int
    problems: list[str]


def save_labels(workspace: Workspace) -> SavedLabels:
    """Save the labels into the next of `labels_1`, `labels_2`, ... in the folder of frames: all of them or none.

    Writes `ellipses/*_ellipse.xml`, `masks/*_mask.*`, `measurements.csv`, `categories.csv`, `skipped.csv`, and for
    frames of loops, `images/*.png`, which their ellipses name.

    Raises:
        ValueError: Nothing was labelled yet.
        OSError: The disk is full.
    """
    annotations = workspace.store.all().values()
    categories = [(each.file, each.frame, ", ".join(each.categories)) for each in annotations if each.categories]
    left_out = [each for each in annotations if each.decision == "skipped"]
    skipped = [(each.file, each.frame, each.reason, each.person, each.time) for each in left_out]
    root = workspace.folder.root
    with _new_folder(workspace.folder) as (temporary, final):
        rows, problems, ellipses = [], [], 0
        for item in accepted_frames(workspace):
            if isinstance(item, Rejected):
                problems.append(str(item).removeprefix(f"{root}/"))
                row = failed_row(item.reason) | {"file": item.file.relative_to(root).as_posix(), "frame": item.frame}
            else:
                _write_ellipse(item, root, temporary)
                row = _row(item)
                ellipses += 1
            rows.append(row)
        columns = (*MEASUREMENT_COLUMNS, *_PERSON_COLUMNS)
        write_table(temporary / "measurements.csv", columns, [[row.get(name) for name in columns] for row in rows])
        write_csv_table(temporary / "categories.csv", ("filename", "frame", "labels"), categories)
        write_csv_table(temporary / "skipped.csv", ("filename", "frame", "reason", "person", "time"), skipped)
        if not (rows or categories or skipped):
            raise ValueError("Nothing is labelled yet: accept an ellipse, choose a category or skip a frame first.")
    return SavedLabels(final, ellipses, len(categories), len(skipped), problems)


@contextmanager
def _new_folder(frames: FrameFolder) -> Iterator[tuple[Path, Path]]:
    """A folder to write to, and the numbered one that it becomes at the end of the block."""
    numbers = [path.name[len(SAVED_STEM) :] for path in frames.root.glob(f"{SAVED_STEM}*")]
    number = 1 + max((int(text) for text in numbers if text.isdecimal()), default=0)
    final = frames.root / f"{SAVED_STEM}{number}"
    temporary = frames.state / f"saving-{secrets.token_hex(4)}"
    temporary.mkdir(parents=True)
    try:
        yield temporary, final
        temporary.rename(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_ellipse(frame: AcceptedFrame, root: Path, folder: Path) -> None:
    name, mask = frame.file.name, frame.ellipse.rasterise(frame.shape)
    if frame.is_still:
        path, place = frame.file, ""
        write_mask(mask, path, output_path(path, root, folder / "masks", "_mask", mask_suffix(path)))
    else:
        place = f"_frame_{frame.annotation.frame}"
        image = output_path(frame.file, root, folder / "images", place, ".png")
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(gray_8_bit(frame.pixels)).save(image)
        masks = output_path(frame.file, root, folder / "masks", f"{place}_mask", ".png")
        write_mask(mask, image, masks)
        name = image.name
    label = EllipseLabel(name, frame.shape, frame.ellipse, frame.pixel_spacing_mm)
    write_ellipse_label(output_path(frame.file, root, folder / "ellipses", f"{place}_ellipse", ".xml"), label)


def _row(frame: AcceptedFrame) -> dict[str, object]:
    said, model = frame.annotation, frame.annotation.model
    row = frame.result.row | {
        "file": said.file,
        "frame": None if frame.is_still else said.frame,
        "accepted_by": said.person,
        "accepted_at": said.time,
    }
    if model is None:
        return row
    return row | {
        "model_head_circumference_mm": model.head_circumference_mm,
        "model_bundle": model.bundle,
        "model_weights_sha256": model.weights_sha256,
    }

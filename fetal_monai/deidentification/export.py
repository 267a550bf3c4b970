"""Write frames and masks in the layout of `data_prep.mask_folder`, without the patients' data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fetal_monai.data.frame_source import SourceFrame
from fetal_monai.data.io.decoding import FrameError
from fetal_monai.deidentification.kept_part import Box, KeptPart, kept_part
from fetal_monai.deidentification.key_table import KeyTable, Pseudonym
from fetal_monai.files import atomic_path, read_csv_table, write_csv_table
from fetal_monai.geometry import UltrasoundRegion, common_spacing
from fetal_monai.reporting.gray_8_bit import gray_8_bit

FORMATS = ("png", "dicom")
_COLUMNS = ("filename", "patient", "pixel_spacing_mm")


class FrameExport:
    """Writes frames of DICOM files, cropped to the ultrasound, under pseudonyms.

    - ``images/483920_0001.png``: gray, 8 bits; or ``.dcm``, see `deidentified_image`;
    - ``masks/483920_0001.png``: the head, 0 and 255;
    - ``frames.csv``: name, patient's number and pixel spacing of each frame.

    A frame that was exported before with the same key table is written again under its name.

    Args:
        folder: Folder to write to.
        keys: The pseudonyms.
        image_format: One of `FORMATS`.
        crop: See `kept_part`.

    Attributes:
        table: The path of ``frames.csv``.

    Raises:
        ValueError: `frames.csv` of an earlier export cannot be read.
    """

    def __init__(self, folder: Path, keys: KeyTable, *, image_format: str = "png", crop: Box | None = None) -> None:
        self._folder, self._keys, self._is_dicom, self._crop = folder, keys, image_format == "dicom", crop
        self.table = folder / "frames.csv"
        earlier = read_csv_table(self.table, required=_COLUMNS)[1] if self.table.exists() else []
        self._rows = {row["filename"]: [row[column] for column in _COLUMNS] for row in earlier}

    def add(self, item: SourceFrame, mask: NDArray[np.bool_] | None = None) -> Pseudonym:
        """Write a frame.

        Args:
            item: The frame, of a DICOM file.
            mask: The head on it, (H, W).

        Raises:
            FrameError: Nothing tells which part of it is free of text; or it is not DICOM; or the format cannot state
                its pixel spacing; or the mask is that of another frame.
            OSError: It cannot be written.
        """
        frame = item.frame
        height, width = frame.pixels.shape
        if mask is not None and mask.shape != (height, width):
            raise FrameError(f"its mask has the shape {mask.shape}, the frame {(height, width)}; measure again.")
        kept = kept_part((height, width), frame.ultrasound_regions, self._crop)
        spacing = "" if self._is_dicom else _square_spacing(item, kept)
        pseudonym = self._keys.pseudonym(frame.study, item.file, item.index)
        pixels = gray_8_bit(kept.cut(frame.pixels))
        name = f"{pseudonym.name}.{'dcm' if self._is_dicom else 'png'}"
        with atomic_path(self._folder / "images" / name) as temporary:
            if self._is_dicom:
                from fetal_monai.deidentification.dicom_image import deidentified_image  # needs an extra

                image = deidentified_image(item.file, pixels, kept.regions or _whole(item, pixels), pseudonym)
                image.save_as(temporary, enforce_file_format=True)
            else:
                Image.fromarray(pixels).save(temporary)
        if mask is not None:
            with atomic_path(self._folder / "masks" / f"{pseudonym.name}.png") as temporary:
                Image.fromarray(kept.cut(mask.astype(np.uint8) * 255)).save(temporary)
        self._rows[name] = [name, pseudonym.patient, spacing]
        return pseudonym

    def finish(self) -> None:
        """Write the table, sorted by name: the order of the files says nothing."""
        write_csv_table(self.table, _COLUMNS, [self._rows[name] for name in sorted(self._rows)])


def _whole(item: SourceFrame, pixels: NDArray[np.uint8]) -> tuple[UltrasoundRegion, ...]:
    """The picture as one region, where the header states the pixel spacing in another way; none if it is unknown."""
    (height, width), spacing = pixels.shape, item.frame.pixel_spacing_mm
    return () if spacing is None else (UltrasoundRegion(0, 0, width - 1, height - 1, spacing),)


def _square_spacing(item: SourceFrame, kept: KeptPart) -> str:
    """The pixel spacing as a table can state it: one number; empty if it is unknown."""
    regions = [region.pixel_spacing_mm for region in kept.regions]
    spacing = common_spacing(regions) if regions else item.frame.pixel_spacing_mm
    if spacing is not None and spacing[0] == spacing[1]:
        return f"{spacing[0]:.6g}"
    if regions or spacing is not None:
        raise FrameError(
            "its pixels are not square, or not of one size; a table cannot state that. Use --format dicom."
        )
    return ""

"""Cine loops on disk for the tests."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import av
import itk
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, RLELossless

from tests.frame_files import write_dicom, write_metaimage

FRAMES, HEIGHT, WIDTH, RATE_HZ = 12, 48, 64, 25


def noise_loop(frames: int = FRAMES, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """Frames of noise, (frames, height, width): no two alike, and hard to compress."""
    return np.random.default_rng(0).integers(0, 256, (frames, height, width), np.uint8)


def smooth_loop(frames: int = FRAMES) -> NDArray[np.uint8]:
    """A gradient that moves to the right and downwards: what a lossy codec keeps."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    waves = [np.sin((columns - 3 * index) / 9) + np.cos((rows - 2 * index) / 7) for index in range(frames)]
    return (127 + 60 * np.stack(waves)).astype(np.uint8)


def speckled_loop(frames: int = FRAMES) -> NDArray[np.uint8]:
    """A moving picture of 160 x 240 px with speckle: enough for a codec to fill its blocks."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:160, :240]
    waves = [np.sin((columns - 3 * index) / 9) + np.cos((rows - 2 * index) / 7) for index in range(frames)]
    return np.clip(127 + 50 * np.stack(waves) + rng.normal(0, 8, (frames, 160, 240)), 0, 255).astype(np.uint8)


def write_rle_dicom(path: Path, loop: NDArray[np.uint8], **elements: Any) -> Path:
    dataset = pydicom.dcmread(write_dicom(path, loop, **elements))
    dataset.compress(RLELossless)
    dataset.save_as(path)
    return path


def write_jpeg_dicom(path: Path, loop: NDArray[np.uint8]) -> Path:
    """As most scanners export: JPEG, without a table of the frames' offsets."""
    pictures = []
    for pixels in loop:
        Image.fromarray(pixels).save(picture := BytesIO(), "JPEG", quality=95)
        pictures.append(picture.getvalue())
    dataset = pydicom.dcmread(write_dicom(path, loop))
    dataset.PixelData = encapsulate(pictures, has_bot=False)
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.save_as(path)
    return path


def write_packed_metaimage(path: Path, loop: NDArray[Any]) -> Path:
    image = itk.imread(str(write_metaimage(path, loop)))
    itk.imwrite(image, str(path), compression=True)
    return path


def write_video(
    path: Path,
    loop: NDArray[np.uint8],
    codec: str = "ffv1",
    pixel_format: str = "gray",
    encoder_options: dict[str, str] | None = None,
    **container_options: str,
) -> Path:
    """A loop (frames, height, width) or (frames, height, width, RGB) at RATE_HZ."""
    with av.open(str(path), "w", container_options=container_options) as container:
        stream = container.add_stream(codec, rate=RATE_HZ, options=encoder_options)
        stream.height, stream.width = loop.shape[1:3]
        stream.pix_fmt = pixel_format
        for pixels in loop:
            picture = av.VideoFrame.from_ndarray(pixels, format="gray" if loop.ndim == 3 else "rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path

"""Reprojection between a frame and its polar image, by ITK."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import itk
import numpy as np
from numpy.typing import NDArray

from fetal_monai.geometry.checks import check_shape
from fetal_monai.geometry.polar_frame import PolarFrame
from fetal_monai.geometry.polar_grid import PolarGrid

INTERPOLATORS = {
    "bilinear": itk.LinearInterpolateImageFunction,
    "nearest": itk.NearestNeighborInterpolateImageFunction,
}

# A field for 800x600 px takes 4 MB. Frames of one scanner share a few fields; otherwise a field is never reused.
_CACHED_FIELDS = 16

_Image = itk.Image[itk.F, 2]
_FieldImage = itk.Image[itk.Vector[itk.F, 2], 2]


def warp_to_polar(pixels: NDArray[Any], grid: PolarGrid, mode: str = "bilinear") -> NDArray[np.float32]:
    """The polar image of a frame.

    Args:
        pixels: Gray levels or mask (H, W); leading axes, such as channels, are kept.
        grid: Grid that places the polar image on the frame.
        mode: "bilinear" for images, "nearest" for masks.

    Returns:
        Array (..., depths, angles) of float32; 0 where the sector extends beyond the frame.

    Raises:
        ValueError: `mode` is unknown, or the frame is polar and its shape differs from that of the grid's geometry.
    """
    pixels = _as_images(pixels)
    shape = pixels.shape[-2:]
    if isinstance(grid.geometry, PolarFrame) and shape != grid.geometry.shape:
        raise ValueError(f"The polar frame is {shape} px, but its geometry is for {grid.geometry.shape}.")
    return _warp(pixels, _polar_field(grid), grid.size, mode)


def warp_to_frame(
    pixels: NDArray[Any], grid: PolarGrid, shape: tuple[int, int], mode: str = "bilinear"
) -> NDArray[np.float32]:
    """The frame of a polar image, the inverse of `warp_to_polar`.

    Args:
        pixels: Polar image (depths, angles), of the grid's size; leading axes are kept.
        grid: Grid that places the polar image on the frame.
        shape: (H, W) of the frame.
        mode: "bilinear" for images, "nearest" for masks.

    Returns:
        Array (..., H, W) of float32; 0 outside the sector and in the depths that the grid trims.

    Raises:
        ValueError: `mode` is unknown, or the image does not have the size of the grid.
    """
    pixels, shape = _as_images(pixels), check_shape(shape)
    if pixels.shape[-2:] != grid.size:
        raise ValueError(f"The polar image is {pixels.shape[-2:]} px; expected {grid.size}, the size of its grid.")
    return _warp(pixels, _frame_field(grid, shape), shape, mode)


def _as_images(pixels: NDArray[Any]) -> NDArray[np.float32]:
    # Always float: ITK would truncate interpolated integers.
    pixels = np.asarray(pixels, dtype=np.float32)
    if pixels.ndim < 2:
        raise ValueError(f"An image must be an array (..., H, W), got shape {pixels.shape}.")
    return pixels


@lru_cache(maxsize=_CACHED_FIELDS)
def _polar_field(grid: PolarGrid) -> Any:
    points = _pixel_centres(grid.size)
    return _displacement_field(grid.to_frame(points) - points)


@lru_cache(maxsize=_CACHED_FIELDS)
def _frame_field(grid: PolarGrid, shape: tuple[int, int]) -> Any:
    points = _pixel_centres(shape)
    return _displacement_field(grid.to_polar(points) - points)


def _pixel_centres(shape: tuple[int, int]) -> NDArray[np.float64]:
    columns, rows = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
    return np.stack([columns, rows], axis=-1).astype(np.float64)


def _displacement_field(displacements: NDArray[np.float64]) -> Any:
    """An ITK image of the vectors (H, W, 2) from each output pixel to the point that it shows."""
    height, width, _ = displacements.shape
    field = _FieldImage.New()
    field.SetRegions([width, height])
    field.Allocate()
    itk.array_view_from_image(field)[...] = displacements
    return field


def _warp(pixels: NDArray[np.float32], field: Any, shape: tuple[int, int], mode: str) -> NDArray[np.float32]:
    if mode not in INTERPOLATORS:
        raise ValueError(f"mode is {mode!r}; expected one of {tuple(INTERPOLATORS)}.")
    warp = itk.WarpImageFilter[_Image, _Image, _FieldImage].New()
    warp.SetDisplacementField(field)
    warp.SetInterpolator(INTERPOLATORS[mode][_Image, itk.D].New())
    warp.SetEdgePaddingValue(0)
    # One thread: the warp takes half a millisecond, and ITK's threads do not survive the fork of a data loader.
    warp.SetNumberOfWorkUnits(1)
    planes = pixels.reshape(-1, *pixels.shape[-2:])
    warped = np.empty((len(planes), *shape), dtype=np.float32)
    for plane, out in zip(planes, warped, strict=True):
        # A view is valid only as long as its array, and a filter as long as its image.
        image = itk.image_view_from_array(np.ascontiguousarray(plane))
        warp.SetInput(image)
        warp.Update()
        out[...] = itk.array_view_from_image(warp.GetOutput())
    return warped.reshape(*pixels.shape[:-2], *shape)

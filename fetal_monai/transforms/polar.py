"""Make frames independent of the probe's sector: polar images and their inverse."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform, MapTransform
from monai.utils import (
    TraceKeys,
    convert_to_dst_type,
    convert_to_numpy,
    convert_to_tensor,
    ensure_tuple,
    ensure_tuple_rep,
)

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import PolarFrame, PolarGrid, geometry_from_record, warp_to_frame, warp_to_polar

UNKNOWN = ("raise", "resize")


class _Reprojectiond(MapTransform, InvertibleTransform):
    """Warps each key between its frame and its polar image; see the two transforms below."""

    to_polar: bool

    def __init__(
        self,
        keys: KeysCollection,
        *,
        size: Sequence[int] = (224, 224),
        depth_trim: float = 0.1,
        mode: Sequence[str] | str = "bilinear",
        geometry_key: str = "geometry",
        box_keys: KeysCollection = (),
        unknown: str = "raise",
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        if unknown not in UNKNOWN:
            raise ValueError(f"unknown is {unknown!r}; expected one of {UNKNOWN}.")
        self.size = (int(size[0]), int(size[1]))
        self.depth_trim = depth_trim
        self.mode = ensure_tuple_rep(mode, len(self.keys))
        self.geometry_key = geometry_key
        self.box_keys = ensure_tuple(box_keys)
        self.unknown = unknown

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item with its images and boxes transformed.

        Raises:
            ValueError: The geometry is unknown (unless `unknown` is "resize"), or does not fit the image.
        """
        item = dict(data)
        record = item[self.geometry_key]
        for key, mode in self.key_iterator(item, self.mode):
            extra = {"mode": mode, "geometry": record, "size": list(self.size), "depth_trim": self.depth_trim}
            shape = tuple(item[key].shape[-2:])
            item[key] = self._warped(item[key], extra, self.to_polar)
            if isinstance(item[key], MetaTensor):
                self.push_transform(item[key], orig_size=shape, extra_info=extra)
        self._move_boxes(item, record, self.to_polar)
        return item

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The item with its images and boxes transformed back."""
        item = dict(data)
        for key in self.key_iterator(item):
            extra = self.pop_transform(item[key])[TraceKeys.EXTRA_INFO]
            item[key] = self._warped(item[key], extra, not self.to_polar)
        if self.geometry_key in item:
            self._move_boxes(item, item[self.geometry_key], not self.to_polar)
        return item

    def _warped(self, image: Any, extra: Mapping[str, Any], to_polar: bool) -> torch.Tensor:
        record = extra["geometry"]
        grid = grid_of(record, extra["size"], float(extra["depth_trim"]), self.unknown)
        shape = (int(record["height"]), int(record["width"]))
        pixels = convert_to_numpy(image)
        if to_polar:
            if pixels.shape[-2:] != shape:
                raise ValueError(f"The image is {pixels.shape[-2:]} px, but its geometry is for {shape}.")
            warped = warp_to_polar(pixels, grid, extra["mode"])
        else:
            warped = warp_to_frame(pixels, grid, shape, extra["mode"])
        tensor = convert_to_tensor(image, track_meta=isinstance(image, MetaTensor))
        return convert_to_dst_type(warped, tensor, dtype=torch.float32)[0]

    def _move_boxes(self, item: dict[Hashable, Any], record: Mapping[str, Any], to_polar: bool) -> None:
        for key in self.box_keys:
            if key not in item:
                continue
            grid = grid_of(record, self.size, self.depth_trim, self.unknown)
            boxes = convert_to_numpy(item[key])
            if to_polar:
                moved = grid.boxes_to_polar(boxes)
            else:
                moved = grid.boxes_to_frame(boxes, (int(record["height"]), int(record["width"])))
            item[key] = convert_to_dst_type(moved.astype(np.float32), item[key], dtype=torch.float32)[0]


def grid_of(record: Mapping[str, Any], size: Sequence[int], depth_trim: float, unknown: str = "raise") -> PolarGrid:
    """The polar grid that the transforms below use for a frame.

    Args:
        record: The frame's geometry, see `geometry_record`.
        size: (depths, angles) of the polar image.
        depth_trim: Share of the depth range left out at each end.
        unknown: "raise" or "resize", as for the transforms.

    Raises:
        ValueError: The geometry is unknown and `unknown` is "raise".
    """
    geometry, shape = geometry_from_record(record), (int(size[0]), int(size[1]))
    if not isinstance(geometry, FailedEstimate):
        return PolarGrid(geometry, shape, depth_trim)
    if unknown == "raise":
        raise ValueError(
            f"The sector is not known: {geometry.reason}. State it in a table or in the options of "
            'FrameGeometryd, or give unknown="resize" to resize such frames as they are.'
        )
    # The depth is unknown, so nothing is trimmed.
    return PolarGrid(PolarFrame((int(record["height"]), int(record["width"]))), shape, depth_trim=0.0)


class SectorToPolard(_Reprojectiond):
    """Turns frames into polar images: row = depth, column = angle. `inverse`, and so ``Invertd``, brings them back.

    Images and masks become float32; ITK interpolates. What the sector shows beyond the frame's border is 0. A frame
    that is polar already is only trimmed and resized.

    Args:
        keys: The images and masks, channel first (C, H, W), on the frame's own pixel grid.
        size: (depths, angles) of the polar image.
        depth_trim: Share of the depth range left out at each end.
        mode: "bilinear" for images, "nearest" for masks; one for all, or one a key.
        geometry_key: Where `FrameGeometryd` put the frame's geometry.
        box_keys: Boxes (N, 4), each row a `Box`, px; they become the boxes that enclose them on the polar image, NaN
            where nothing is left. An item may lack them.
        unknown: What to do with a frame whose geometry is unknown: "raise" an error, or "resize" the frame as it is.
        allow_missing_keys: Leave out keys that an item lacks.

    Raises:
        ValueError: `unknown` is neither of the two.
    """

    to_polar = True


class PolarToSectord(_Reprojectiond):
    """Turns polar images (masks, heat maps, boxes) back into frames; the arguments are those of `SectorToPolard`.

    For images that were made on the polar side and have no history of their own; those that went through
    `SectorToPolard` can also be inverted by ``Invertd``. The frame is 0 outside the sector and in the depths that were
    left out.
    """

    to_polar = False

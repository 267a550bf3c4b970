"""Random rotations, shifts and zooms of frames, cheap enough to train on a CPU."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.transforms import RandAffined
from torch.nn.functional import affine_grid, grid_sample


class Rand2DAffined(RandAffined):
    """MONAI's `RandAffined` of frames of one size, resampled in float32 and much faster.

    It draws the same random numbers and gives the same images but for rounding. MONAI's own makes and copies its grid
    anew for each key, in float64, which costs more than the interpolation.

    The size stays as it is, and neither metadata nor an inverse are kept: use it where `set_track_meta` is off, as in a
    training. The arguments are those of `RandAffined`, without `spatial_size`, `cache_grid` and `lazy`.
    """

    def __call__(self, data: Mapping[Hashable, torch.Tensor], lazy: bool | None = None) -> dict[Hashable, Any]:
        """The item with all keys, of shape (channels, rows, columns), transformed alike."""
        item: dict[Hashable, Any] = dict(data)
        self.randomize(None)
        self.rand_affine.randomize()
        if not self._do_transform:
            return item
        rows, columns = item[self.first_key(item)].shape[1:]
        drawn = self.rand_affine.rand_affine_grid
        drawn((rows, columns), lazy=True)  # only the matrix, of pixels (row, column) about the centre
        half_size = torch.tensor([columns / 2, rows / 2, 1.0])
        matrix = drawn.get_transformation_matrix()[[1, 0, 2]][:, [1, 0, 2]]  # of (x, y)
        theta = (matrix * half_size / half_size[:, None])[:2].float()  # of PyTorch's coordinates, -1..1
        grid = affine_grid(theta[None], [1, 1, rows, columns], align_corners=False)
        for key, mode, padding_mode in self.key_iterator(item, self.mode, self.padding_mode):
            self.rand_affine.randomize()  # as RandAffined does, so that the numbers drawn next are the same too
            item[key] = grid_sample(item[key][None], grid, mode, padding_mode, align_corners=False)[0]
        return item

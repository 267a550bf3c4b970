"""Keep the failure of one frame from the others."""

from __future__ import annotations

from typing import Any

from monai.transforms import Compose
from monai.utils import ImageMetaKey

from fetal_monai.data.frame_failure import FAILURE, failure_reason


class IsolateFrame(Compose):
    """MONAI's `Compose` after a network, for items of one frame each, any of which may fail without the others.

    An item whose transforms fail comes back as it came, with the reason under ``failure``: `MeasurementReport` and
    `RegionTable` make a failed row of it. A full disk is not one frame's failure: it stops the run, see
    `fetal_monai.data.frame_failure`.

    Items hold ``image``, whose meta data name the frame's file, if it is from a file.
    """

    def __call__(self, input_: dict[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The transformed item, or the item with its failure."""
        try:
            return super().__call__(dict(input_), *args, **kwargs)
        except Exception as error:  # whatever it is, it must not end the batch
            file = input_["image"].meta.get(ImageMetaKey.FILENAME_OR_OBJ, "an image that is from no file")
            return {**input_, FAILURE: failure_reason(error, file)}

"""From a class response map to a mask, and the overlap of boxes."""

from fetal_monai.localisation.box_overlap import box_overlap
from fetal_monai.localisation.response_mask import enlarge_response, response_mask, response_threshold

__all__ = ["box_overlap", "enlarge_response", "response_mask", "response_threshold"]

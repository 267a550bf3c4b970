"""From a class response map to a box around the region it shows."""

from fetal_monai.localisation.box_overlap import box_overlap
from fetal_monai.localisation.response_region import enlarge_response, response_region, response_threshold

__all__ = ["box_overlap", "enlarge_response", "response_region", "response_threshold"]

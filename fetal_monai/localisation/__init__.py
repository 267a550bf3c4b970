"""From a class response map to a box around the region it shows."""

from fetal_monai.localisation.box import Box, NoBox, box_overlap
from fetal_monai.localisation.response_box import enlarge_response, response_box, response_threshold

__all__ = ["Box", "NoBox", "box_overlap", "enlarge_response", "response_box", "response_threshold"]

"""Simulated ultrasound frames with exact ground truth: the fetal head, and frames of all seven classes."""

from fetal_monai.phantom.demonstration import demonstration_dataset, demonstration_planes
from fetal_monai.phantom.frame import PhantomFrame, simulate_frame
from fetal_monai.phantom.plane import PlanePhantom, simulate_plane
from fetal_monai.phantom.plane_writer import write_plane_phantoms
from fetal_monai.phantom.writer import write_phantoms

__all__ = [
    "PhantomFrame",
    "PlanePhantom",
    "demonstration_dataset",
    "demonstration_planes",
    "simulate_frame",
    "simulate_plane",
    "write_phantoms",
    "write_plane_phantoms",
]

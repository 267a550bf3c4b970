"""Simulated ultrasound frames with exact ground truth: the fetal head, and frames of all seven classes."""

from .demonstration import demonstration_dataset, demonstration_planes
from .frame import PhantomFrame, simulate_frame
from .plane import PlanePhantom, simulate_plane
from .plane_writer import write_plane_phantoms
from .writer import write_phantoms

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

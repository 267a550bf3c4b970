"""Simulated ultrasound frames of the fetal head, with their exact truth."""

from fetal_monai.phantom.demonstration import demonstration_dataset
from fetal_monai.phantom.frame import PhantomFrame, simulate_frame
from fetal_monai.phantom.writer import write_phantoms

__all__ = ["PhantomFrame", "demonstration_dataset", "simulate_frame", "write_phantoms"]

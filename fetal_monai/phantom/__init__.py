"""Simulated ultrasound frames of the fetal head, with their exact truth."""

from fetal_monai.phantom.frame import PhantomFrame, simulate_frame

__all__ = ["PhantomFrame", "simulate_frame"]

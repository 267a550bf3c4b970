"""Simulate one frame of any of the seven classes."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index

import numpy as np
from numpy.typing import NDArray

from fetal_monai.data.anatomical_class import ANATOMICAL_CLASSES, BACKGROUND
from fetal_monai.geometry import Box, Sector
from fetal_monai.phantom.plane_scanner import PlaneScanner
from fetal_monai.phantom.scenery import Scenery

FRAMES_PER_PATIENT = 4

_SMALLEST_SHARE = 0.003  # of the screen that a class must cover to count as visible


@dataclass(frozen=True, slots=True)
class PlanePhantom:
    """A simulated frame and its exact ground truth.

    Attributes:
        pixels: Gray levels, uint8 (H, W).
        labels: The visible classes, in the order of `ANATOMICAL_CLASSES`.
        boxes: The visible part of each region, px; background has none.
        sector: The sector, px; it may extend beyond the borders.
        pixel_spacing_mm: (row spacing, column spacing), mm.
        patient: Number of the patient; frames of one patient share scanner and settings.
    """

    pixels: NDArray[np.uint8]
    labels: tuple[str, ...]
    boxes: dict[str, Box]
    sector: Sector
    pixel_spacing_mm: tuple[float, float]
    patient: int


def simulate_plane(seed: int, number: int) -> PlanePhantom:
    """Simulate one frame; the same two numbers always give the same frame.

    Frame `number` shows class `number` modulo 7; placenta or a limb may also be visible. A patient has
    `FRAMES_PER_PATIENT` consecutive frames.

    Args:
        seed: Seed of the whole set, 0 or more.
        number: Number of the frame within the set, 0 or more.

    Returns:
        The frame with its classes, boxes and sector.

    Raises:
        TypeError: An argument is not an integer.
        ValueError: An argument is negative.
    """
    for name, value in (("seed", seed), ("number", number)):
        if index(value) < 0:
            raise ValueError(f"{name} must be 0 or more, got {value}.")
    patient, repeat = divmod(number, FRAMES_PER_PATIENT)
    scanner = PlaneScanner.random(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(patient,))))
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(patient, repeat)))
    name = ANATOMICAL_CLASSES[number % len(ANATOMICAL_CLASSES)]
    while True:
        scenery = Scenery.random(rng, scanner, name)
        masks = scenery.visible_masks()
        # Draw again if the class is hidden.
        if all(mask.mean() > _SMALLEST_SHARE for mask in masks.values()):
            break
    return PlanePhantom(
        pixels=scenery.show(rng, scanner),
        labels=tuple(known for known in ANATOMICAL_CLASSES if known in masks) or (BACKGROUND,),
        boxes={name: _enclosing_box(mask) for name, mask in masks.items()},
        sector=scenery.sector,
        pixel_spacing_mm=(scenery.spacing_mm, scenery.spacing_mm),
        patient=patient,
    )


def _enclosing_box(mask: NDArray[np.bool_]) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)

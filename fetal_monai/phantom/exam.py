"""One exam (a head, its surroundings and a scanner), and one view of it on the screen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import index

import numpy as np

from fetal_monai.biometry import Ellipse
from fetal_monai.geometry import Sector
from fetal_monai.phantom.brain import Brain
from fetal_monai.phantom.display import Display, Furniture
from fetal_monai.phantom.head import Skull
from fetal_monai.phantom.smooth_noise import SmoothField
from fetal_monai.phantom.uterus import Uterus

FRAME_SHAPE = (540, 800)
"""(H, W) of a frame, as in HC18."""

PIXEL_SPACING_RANGE_MM = (0.05, 0.33)
"""Smallest and largest pixel size of a frame."""

# Distribution of HC18's head circumferences in mm: (share, from, to).
_HEAD_SIZES = ((0.18, 50, 100), (0.06, 100, 150), (0.55, 150, 200), (0.06, 200, 250), (0.15, 250, 345))


@dataclass(frozen=True, slots=True)
class Exam:
    """The properties that the frames of one exam share.

    Attributes:
        head_circumference_mm: Size of the head.
        axis_ratio: Ratio of the head's short to its long axis.
        perimeter_px: Length of the head's outline on the screen.
        angle_rad: Direction of the head's long axis on the screen.
        probe_radius_mm: Radius of the probe's face.
        head_depth_mm: Distance from the probe's face to the skull.
        beam_width_mm: Width of the beam (standard deviation) at the head's centre.
        pulse_length_mm: Length of the pulse (standard deviation).
        looks: Number of looks that the scanner compounds.
        depth_gain_db: Gain at the lower end of the sector relative to the upper.
        edge_loss_db: Loss at the outermost beams.
        contact_db: Gain by beam, from the contact of each part of the probe with the skin.
        patchiness_db: Spatial variation of every echo, finer than an organ and coarser than the speckle.
        skull: The skull.
        brain: The brain.
        uterus: The surroundings.
        frame_count: Number of frames that the sonographer kept.
        display: The scanner's settings.
        furniture: The scanner's screen.
    """

    head_circumference_mm: float
    axis_ratio: float
    perimeter_px: float
    angle_rad: float
    probe_radius_mm: float
    head_depth_mm: float
    beam_width_mm: float
    pulse_length_mm: float
    looks: int
    depth_gain_db: float
    edge_loss_db: float
    contact_db: SmoothField
    patchiness_db: SmoothField
    frame_count: int
    skull: Skull
    brain: Brain
    uterus: Uterus
    display: Display
    furniture: Furniture

    @classmethod
    def random(cls, rng: np.random.Generator) -> Exam:
        """Draw an exam with the head sizes and zooms of HC18."""
        shares = [share for share, _, _ in _HEAD_SIZES]
        _, low, high = _HEAD_SIZES[rng.choice(len(_HEAD_SIZES), p=shares)]
        circumference = float(rng.uniform(low, high))
        early = circumference < 100
        lying = rng.normal(0, 0.35 if early else 0.14)
        oblique = rng.random() < (0.2 if early else 0.05)
        return cls(
            head_circumference_mm=circumference,
            axis_ratio=float(np.clip(rng.normal(0.79, 0.045), 0.67, 0.92)),
            perimeter_px=float(np.clip(rng.normal(1040 if early else 1350, 220 if early else 170), 560, 1700)),
            angle_rad=float(rng.uniform(0, math.pi) if oblique else lying % math.pi),
            probe_radius_mm=float(rng.uniform(40, 62)),
            head_depth_mm=float(rng.uniform(6, 36)),
            beam_width_mm=float(rng.uniform(0.08, 0.24) + 0.0019 * circumference),
            pulse_length_mm=float(rng.uniform(0.04, 0.09) + 0.0009 * circumference),
            looks=int(rng.integers(2, 5)),
            depth_gain_db=float(rng.normal(0, 4)),
            edge_loss_db=float(rng.uniform(0, 14)),
            contact_db=SmoothField.random(rng, (2, 16), scale=float(rng.uniform(1, 6))),
            patchiness_db=SmoothField.random(rng, (80, 40), scale=float(rng.uniform(2, 5))),
            frame_count=int(rng.choice((1, 2, 3), p=(0.8, 0.16, 0.04))),
            skull=Skull.random(rng, circumference),
            brain=Brain.random(rng, circumference),
            uterus=Uterus.random(rng, circumference),
            display=Display.random(rng),
            furniture=Furniture.random(rng),
        )


@dataclass(frozen=True, slots=True)
class View:
    """One frame's geometry.

    Attributes:
        ellipse: The head's outline, px.
        pixel_spacing_mm: Pixel size, the same along rows and columns.
        sector: The sector on the screen.
        gain_db: Gain of this frame in addition to the display's.
    """

    ellipse: Ellipse
    pixel_spacing_mm: float
    sector: Sector
    gain_db: float

    @classmethod
    def random(cls, rng: np.random.Generator, exam: Exam) -> View:
        """Draw a view at random: the head slightly moved and rotated, the screen slightly panned and zoomed."""
        height, width = FRAME_SHAPE
        ratio = float(np.clip(exam.axis_ratio * rng.normal(1, 0.012), 0.65, 0.94))
        circumference = float(np.clip(exam.head_circumference_mm * rng.normal(1, 0.01), 50, 345))
        angle = exam.angle_rad + rng.normal(0, 0.05)
        # Half extents of the ellipse with a = 1, then the largest perimeter that still fits the screen.
        half_width = math.hypot(math.cos(angle), ratio * math.sin(angle))
        half_height = math.hypot(math.sin(angle), ratio * math.cos(angle))
        unit_perimeter = Ellipse(0, 0, 1, ratio, angle).perimeter
        largest = unit_perimeter * min(0.5 * (height - 12) / half_height, 0.5 * (width - 40) / half_width)
        perimeter_px = min(exam.perimeter_px * rng.normal(1, 0.02), largest)
        spacing = float(np.clip(circumference / perimeter_px, *PIXEL_SPACING_RANGE_MM))
        # Scanners print the pixel size with a dozen digits; the ground truth must match the table.
        spacing = round(spacing, 12)
        a = circumference / spacing / unit_perimeter
        half_width, half_height = half_width * a, half_height * a

        center_x = rng.normal(0.497 * width, 33)
        center_y = rng.normal(0.495 * height, 28)
        margin = 4.0
        center_x = _within(center_x, half_width + margin, width - 1 - half_width - margin)
        center_y = _within(center_y, half_height + margin, height - 1 - half_height - margin)
        # A few heads of HC18 extend beyond the border of the screen.
        if rng.random() < 0.01:
            center_y = half_height - rng.uniform(2, 8)
        ellipse = Ellipse(center_x, center_y, a, a * ratio, angle)

        start_radius = exam.probe_radius_mm / spacing
        head_depth = max(exam.head_depth_mm * rng.normal(1, 0.06), 4.0) / spacing
        apex_distance = start_radius + head_depth + half_height
        bearing = rng.normal(0, 0.06)
        apex_x = center_x - apex_distance * math.sin(bearing)
        apex_y = center_y - apex_distance * math.cos(bearing)
        # Wide enough for most of the head; occasionally one side of the head is outside.
        needed = math.asin(min(half_width / apex_distance, 0.95))
        half_angle = float(np.clip(needed * rng.uniform(0.9, 2.1), 0.24, 0.62))
        end_radius = apex_distance + half_height + rng.uniform(8, 45) / spacing
        axis = bearing + rng.normal(0, 0.035)
        sector = Sector(
            apex_x=apex_x,
            apex_y=apex_y,
            start_radius=start_radius,
            end_radius=end_radius,
            start_angle_rad=axis - half_angle,
            end_angle_rad=axis + half_angle,
        )
        return cls(ellipse, spacing, sector, gain_db=float(rng.normal(0, 1)))


def draw_exam(seed: int, exam: int) -> Exam:
    """Exam number `exam` of the set with this seed; the same numbers always give the same exam.

    Raises:
        TypeError: An argument is not an integer.
        ValueError: An argument is negative.
    """
    for name, value in (("seed", seed), ("exam", exam)):
        if index(value) < 0:
            raise ValueError(f"{name} must be 0 or more, got {value}.")
    return Exam.random(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(exam,))))


def _within(value: float, low: float, high: float) -> float:
    """`value` clipped to the limits, or their middle if the range is empty."""
    return float(np.clip(value, low, high)) if low <= high else (low + high) / 2

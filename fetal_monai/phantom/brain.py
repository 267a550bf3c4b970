"""The brain inside the skull: midline, thalami, ventricles, choroid plexus, by stage of pregnancy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fetal_monai.phantom.head import HeadCoordinates

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Region:
    """A soft-edged oval of tissue or fluid.

    Attributes:
        along: Centre on the long axis in semi-axes, positive towards the forehead.
        across: Centre on the short axis in semi-axes, positive away from the probe.
        half_length: Half length in long semi-axes.
        half_width: Half width in short semi-axes.
        tilt_rad: Rotation of the oval towards +across.
        level_db: Level of its diffuse echo.
    """

    along: float
    across: float
    half_length: float
    half_width: float
    tilt_rad: float
    level_db: float


@dataclass(frozen=True, slots=True)
class Interface:
    """A thin reflecting line: the falx, a wall of a ventricle, a sulcus.

    Attributes:
        along: Centre on the long axis in semi-axes, positive towards the forehead.
        across: Centre on the short axis in semi-axes, positive away from the probe.
        half_length: Half length in long semi-axes.
        tilt_rad: Rotation towards +across.
        bend: Rise of its ends above its middle, in short semi-axes.
        level_db: Level of its echo where the beam meets it at a right angle.
    """

    along: float
    across: float
    half_length: float
    tilt_rad: float
    bend: float
    level_db: float


# Positions on an axial (transventricular to transthalamic) plane, from textbook drawings and frames. Reverberation
# hides the hemisphere near the probe, so most structures are in the far one.
_SECOND_TRIMESTER_REGIONS = (
    Region(-0.02, 0.16, 0.19, 0.13, 0.0, -45.0),  # far thalamus
    Region(-0.02, -0.16, 0.19, 0.13, 0.0, -44.0),  # near thalamus
    Region(0.38, 0.0, 0.10, 0.055, 0.0, -56.0),  # cavum septi pellucidi
    Region(-0.42, 0.42, 0.26, 0.13, 0.15, -57.0),  # far lateral ventricle
    Region(-0.36, 0.45, 0.17, 0.11, 0.25, -29.0),  # its choroid plexus
    Region(0.42, 0.26, 0.17, 0.07, -0.1, -54.0),  # far frontal horn
    Region(-0.38, -0.42, 0.22, 0.12, -0.15, -48.0),  # near lateral ventricle
    Region(0.05, 0.78, 0.50, 0.10, 0.0, -50.0),  # space over the far hemisphere
)
_SECOND_TRIMESTER_INTERFACES = (
    Interface(-0.60, 0.0, 0.33, 0.0, 0.0, -22.0),  # falx, back
    Interface(0.70, 0.0, 0.22, 0.0, 0.0, -22.0),  # falx, front
    Interface(0.38, 0.06, 0.09, 0.0, 0.0, -17.0),  # walls of the cavum
    Interface(0.38, -0.06, 0.09, 0.0, 0.0, -17.0),
    Interface(-0.42, 0.28, 0.20, 0.08, 0.0, -21.0),  # walls of the far ventricle
    Interface(-0.45, 0.56, 0.18, 0.12, 0.0, -22.0),
    Interface(0.44, 0.20, 0.11, -0.05, 0.0, -21.0),  # walls of the far frontal horn
    Interface(0.44, 0.33, 0.11, -0.10, 0.0, -24.0),
    Interface(0.02, 0.0, 0.06, 0.0, 0.0, -25.0),  # third ventricle
    Interface(0.10, 0.70, 0.20, 0.05, -0.03, -26.0),  # insula
    Interface(-0.35, -0.28, 0.12, -0.05, 0.0, -29.0),
    Interface(0.44, -0.22, 0.09, 0.05, 0.0, -28.0),
)
_FIRST_TRIMESTER_REGIONS = (
    Region(0.05, 0.42, 0.72, 0.40, 0.0, -54.0),  # the ventricles fill the hemispheres
    Region(0.05, -0.42, 0.72, 0.40, 0.0, -53.0),
    Region(-0.08, 0.42, 0.46, 0.27, 0.1, -28.0),  # choroid plexuses, the butterfly's wings
    Region(-0.08, -0.42, 0.46, 0.27, -0.1, -28.0),
    Region(-0.75, 0.0, 0.16, 0.30, 0.0, -36.0),
)
_FIRST_TRIMESTER_INTERFACES = (
    Interface(0.0, 0.0, 0.85, 0.0, 0.0, -19.0),  # falx
    Interface(-0.10, 0.70, 0.30, 0.0, -0.06, -24.0),
)


@dataclass(frozen=True, slots=True)
class Brain:
    """The brain of one head.

    Attributes:
        tissue_db: Level of the diffuse echo of the brain's tissue.
        forehead: +1 when the forehead points along +along, -1 otherwise.
        haze_db: Level of the reverberation under the near skull.
        haze_depth_mm: Depth over which the reverberation falls to 1/e.
        ripple_phases: Phases, rad, of the ripples that make every outline slightly irregular.
        regions: Ovals, in drawing order.
        interfaces: Reflecting lines.
    """

    tissue_db: float
    forehead: int
    haze_db: float
    haze_depth_mm: float
    ripple_phases: tuple[float, float]
    regions: tuple[Region, ...]
    interfaces: tuple[Interface, ...]

    @classmethod
    def random(cls, rng: np.random.Generator, head_circumference_mm: float) -> Brain:
        """Draw a brain: the butterfly of the first trimester, or the landmarks of the second and third."""
        early = head_circumference_mm < rng.uniform(85, 115)
        regions = _FIRST_TRIMESTER_REGIONS if early else _SECOND_TRIMESTER_REGIONS
        interfaces = _FIRST_TRIMESTER_INTERFACES if early else _SECOND_TRIMESTER_INTERFACES
        contrast_db = rng.uniform(-11, -2)  # of all landmarks: many frames barely show them
        kept_regions = tuple(
            replace(
                region,
                along=region.along + rng.normal(0, 0.03),
                across=region.across + rng.normal(0, 0.03),
                half_length=region.half_length * rng.uniform(0.75, 1.2),
                half_width=region.half_width * rng.uniform(0.75, 1.2),
                tilt_rad=region.tilt_rad + rng.normal(0, 0.15),
                level_db=region.level_db + rng.normal(0, 2) + 0.4 * contrast_db * (region.level_db > -40),
            )
            for region in regions
            if rng.random() < 0.85
        )
        kept_interfaces = tuple(
            replace(
                line,
                along=line.along + rng.normal(0, 0.03),
                across=line.across + rng.normal(0, 0.012),
                half_length=line.half_length * rng.uniform(0.7, 1.15),
                tilt_rad=line.tilt_rad + rng.normal(0, 0.04),
                bend=line.bend + rng.normal(0, 0.015),
                level_db=line.level_db + contrast_db + rng.normal(0, 2.5),
            )
            for line in interfaces
            if rng.random() < 0.75
        )
        # Sulci: short lines anywhere, more of them in an older brain.
        sulci = tuple(
            Interface(
                along=float(rng.uniform(-0.65, 0.65)),
                across=float(rng.uniform(-0.6, 0.75)),
                half_length=float(rng.uniform(0.02, 0.08)),
                tilt_rad=float(rng.normal(0, 0.35)),
                bend=float(rng.normal(0, 0.02)),
                level_db=float(rng.uniform(-32, -22) + contrast_db),
            )
            for _ in range(rng.poisson(2 + head_circumference_mm / 35))
        )
        return cls(
            tissue_db=float(rng.normal(-39 if early else -47, 3)),
            forehead=int(rng.choice((-1, 1))),
            haze_db=float(rng.uniform(-46, -33)),
            haze_depth_mm=float(rng.uniform(4, 14)),
            ripple_phases=(float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0, 2 * math.pi))),
            regions=kept_regions,
            interfaces=kept_interfaces + sulci,
        )

    def level_db(self, at: HeadCoordinates, inside: NDArray[np.bool_]) -> Field:
        """Level of the diffuse echo of the samples `inside`, (N,)."""
        along, across = self._landmark_coordinates(at, inside)
        depth_mm = -at.distance_mm[inside]
        level = np.full(along.shape, self.tissue_db, dtype=np.float32)
        stretch = np.float32(at.semi_axes_mm[0] / at.semi_axes_mm[1])
        for region in self.regions:
            u, v = _seen_from(region, along, across, stretch)
            reach = np.hypot(u / np.float32(region.half_length), v / np.float32(region.half_width))
            weight = np.clip((np.float32(1.2) - reach) * np.float32(2.5), 0, 1)
            level += (np.float32(region.level_db) - level) * weight
        near = across < 0
        haze = np.float32(self.haze_db) - np.float32(8.7 / self.haze_depth_mm) * depth_mm
        return np.where(near, np.logaddexp(level * np.float32(0.23), haze * np.float32(0.23)) / np.float32(0.23), level)

    def reflection(self, at: HeadCoordinates, inside: NDArray[np.bool_]) -> Field:
        """Amplitude of the coherent echo of the samples `inside`, (N,)."""
        along, across = self._landmark_coordinates(at, inside)
        a_mm, b_mm = at.semi_axes_mm
        stretch = np.float32(a_mm / b_mm)
        half_thickness = 0.12 + 0.006 * a_mm  # mm
        echo = np.zeros(along.shape, dtype=np.float32)
        for line in self.interfaces:
            # The tilt turns the line away from the direction of the short axis, along which the beam arrives.
            facing = math.cos(math.acos(min(at.short_axis_beam_cosine, 1.0)) + abs(line.tilt_rad))
            amplitude = 10 ** (line.level_db / 20) * max(facing, 0.0) ** 2
            # Only samples near the line contribute, which saves most of the exponentials.
            reach_along = 1.4 * line.half_length
            reach_across = (
                reach_along * stretch * abs(math.sin(line.tilt_rad)) + 2 * abs(line.bend) + 4 * half_thickness / b_mm
            )
            near = np.flatnonzero(
                (np.abs(along - np.float32(line.along)) < reach_along)
                & (np.abs(across - np.float32(line.across)) < reach_across)
            )
            u, v = _seen_from(line, along[near], across[near], stretch)
            u = u / np.float32(line.half_length)
            offset_mm = (v - np.float32(line.bend) * u**2) * np.float32(b_mm)
            echo[near] += np.float32(amplitude) * np.exp(-((offset_mm / np.float32(half_thickness)) ** 2) - u**4)
        return echo

    def _landmark_coordinates(self, at: HeadCoordinates, inside: NDArray[np.bool_]) -> tuple[Field, Field]:
        """Coordinates along (positive towards the forehead) and across, with ripples for irregular outlines."""
        along, across = at.along[inside] * np.float32(self.forehead), at.across[inside]
        first, second = (np.float32(phase) for phase in self.ripple_phases)
        ripple_along = np.float32(0.02) * np.sin(13 * across + first)
        ripple_across = np.float32(0.025) * np.sin(8 * along + second)
        return along + ripple_along, across + ripple_across


def _seen_from(mark: Region | Interface, along: Field, across: Field, stretch: np.float32) -> tuple[Field, Field]:
    """Coordinates relative to the mark's centre and tilt, in true lengths; `stretch` is the ratio of the semi-axes."""
    along, across = along - np.float32(mark.along), across - np.float32(mark.across)
    cos, sin = np.float32(math.cos(mark.tilt_rad)), np.float32(math.sin(mark.tilt_rad))
    return along * cos + across * (sin / stretch), across * cos - along * (sin * stretch)

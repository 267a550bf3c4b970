"""The content of one frame: a uterus, the anatomies in it and their places, and distractors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fetal_monai.biometry import Ellipse
from fetal_monai.data.anatomical_class import BACKGROUND
from fetal_monai.geometry import Sector
from fetal_monai.phantom.acquisition import listen
from fetal_monai.phantom.anatomy import FLUID_ATTENUATION, Anatomy
from fetal_monai.phantom.beam_grid import BeamGrid
from fetal_monai.phantom.distractor import draw_distractor
from fetal_monai.phantom.head import HeadCoordinates
from fetal_monai.phantom.head_section import HeadSection
from fetal_monai.phantom.limb import draw_limb
from fetal_monai.phantom.outline import Outline
from fetal_monai.phantom.place import Place
from fetal_monai.phantom.placenta import Placenta
from fetal_monai.phantom.plane_scanner import PlaneScanner
from fetal_monai.phantom.scene import Oval, Scene
from fetal_monai.phantom.smooth_noise import ClosedCurveNoise, SmoothField
from fetal_monai.phantom.spine import draw_spine
from fetal_monai.phantom.trunk import draw_abdomen, draw_thorax
from fetal_monai.phantom.uterus import Uterus

Mask = NDArray[np.bool_]

_DEPTHS, _BEAMS = 240, 176
_PLACENTA = "placenta"


@dataclass(frozen=True, slots=True)
class _Size:
    """Size range of a body: its radius in screen heights, and the ratio of its width to its length."""

    smallest: float
    largest: float
    half_width: float


_SIZES = {
    "head": _Size(0.18, 0.36, 0.8),
    "thorax": _Size(0.18, 0.36, 0.9),
    "abdomen": _Size(0.18, 0.36, 0.95),
    "spine": _Size(0.24, 0.44, 0.2),
    "limbs": _Size(0.16, 0.32, 0.35),
}
_SECOND_LIMB = _Size(0.09, 0.17, 0.35)
_DISTRACTOR = _Size(0.06, 0.2, 1.0)


@dataclass(frozen=True, slots=True)
class Scenery:
    """The content of one frame before simulation.

    Attributes:
        shape: (H, W) of the screen.
        sector: The sector, px.
        spacing_mm: Pixel size of the screen.
        in_sight: The pixels of the screen in the sector, (H, W).
        wall: The wall of the uterine cavity.
        fluid: The amniotic fluid; None if there is hardly any.
        uterus: The uterus around it.
        distractors: Visible structures that belong to no class.
        anatomies: Visible anatomies, in drawing order.
    """

    shape: tuple[int, int]
    sector: Sector
    spacing_mm: float
    in_sight: Mask
    wall: Outline
    fluid: Oval | None
    uterus: Uterus
    distractors: tuple[Oval, ...]
    anatomies: tuple[Anatomy, ...]

    @classmethod
    def random(cls, rng: np.random.Generator, scanner: PlaneScanner, name: str) -> Scenery:
        """Draw a frame at random that shows the class `name`; placenta or a limb may also be visible."""
        shape = scanner.shape
        sector, spacing_mm = scanner.view(rng)
        in_sight = sector.contains(shape)
        body = _find_place(rng, sector, in_sight, _SIZES[name], name) if name in _SIZES else None
        wall = _draw_wall(rng, sector, shape, body)
        # In many frames there is hardly any fluid.
        snug = name != _PLACENTA and rng.random() < 0.3
        anatomies: list[Anatomy] = []
        if name == _PLACENTA or (not snug and name != BACKGROUND and rng.random() < 0.25):
            anatomies.append(_draw_placenta(rng, wall, in_sight))
        if body is not None:
            anatomies.append(_draw_body(rng, name, body, spacing_mm))
        taken = np.zeros(shape, dtype=bool)
        for anatomy in anatomies:
            taken |= anatomy.mask(shape)
        if name not in ("limbs", BACKGROUND) and rng.random() < 0.25:
            limb = draw_limb(rng, _find_place(rng, sector, in_sight & ~taken, _SECOND_LIMB, "limbs"))
            anatomies.append(limb)
            taken |= limb.mask(shape)
        distractors: list[Oval] = []
        for _ in range(rng.integers(1, 4) if name == BACKGROUND else rng.choice((0, 0, 1, 2))):
            place = _find_place(rng, sector, in_sight & ~taken, _DISTRACTOR, BACKGROUND)
            distractors += draw_distractor(rng, place)
        uterus = _draw_uterus(rng)
        fluid = None if snug else _draw_fluid(rng, wall, uterus)
        return cls(shape, sector, spacing_mm, in_sight, wall, fluid, uterus, tuple(distractors), tuple(anatomies))

    def visible_masks(self) -> dict[str, Mask]:
        """Visible part of each class, (H, W): in the sector, and not covered by what is drawn later."""
        free = self.in_sight
        masks = {}
        for anatomy in reversed(self.anatomies):
            mask = anatomy.mask(self.shape)
            masks[anatomy.name] = mask & free
            free = free & ~mask
        return masks

    def scene(self) -> Scene:
        """The fields of scattering, reflection and attenuation."""
        grid = BeamGrid.of(self.sector, self.shape, _DEPTHS, _BEAMS)
        at = HeadCoordinates.of(self.wall.ellipse, grid, self.spacing_mm)
        level_db, reflection, _ = self.uterus.paint(at, grid, self.spacing_mm)
        scene = Scene(grid, self.spacing_mm, level_db, reflection, np.zeros_like(level_db))
        for oval in (self.fluid, *self.distractors):
            if oval is not None:
                oval.paint(scene)
        for anatomy in self.anatomies:
            anatomy.paint(scene)
        return scene

    def show(self, rng: np.random.Generator, scanner: PlaneScanner) -> NDArray[np.uint8]:
        """The frame as the scanner shows it, (H, W)."""
        scene = self.scene()
        middle = self.wall.ellipse
        focus = math.hypot(middle.center_x - self.sector.apex_x, middle.center_y - self.sector.apex_y)
        envelope, gain_db = listen(
            rng, scanner, scene.grid, self.spacing_mm, focus, scene.level_db, scene.reflection, scene.spared_db_per_mm
        )
        return np.round(scene.grid.scan_convert(scanner.display.gray(envelope, gain_db))).astype(np.uint8)


def _find_place(rng: np.random.Generator, sector: Sector, free: Mask, size: _Size, name: str) -> Place:
    """A random place in the free part of the screen, or the one of many that overlaps least."""
    best, best_share = None, -1.0
    for _ in range(25):
        radius = sector.start_radius + rng.uniform(0.2, 0.85) * (sector.end_radius - sector.start_radius)
        angle = sector.axis_rad + rng.uniform(-0.75, 0.75) * sector.half_angle_rad
        # Sonographers image long bones perpendicular to the beam; cross-sections may have any rotation.
        lying = name in ("spine", "limbs")
        place = Place(
            center_x=sector.apex_x + radius * math.sin(angle),
            center_y=sector.apex_y + radius * math.cos(angle),
            radius=float(rng.uniform(size.smallest, size.largest)) * free.shape[0],
            angle_rad=float(rng.normal(0, 0.45) + math.pi * rng.integers(2) if lying else rng.uniform(0, 2 * math.pi)),
            mirrored=bool(rng.integers(2)),
        )
        share = _share_on(free, place.spread(size.half_width))
        if share > best_share:
            best, best_share = place, share
        if share > 0.9:
            break
    assert best is not None
    return best


def _share_on(free: Mask, points: NDArray[np.float64]) -> float:
    columns, rows = np.round(points).astype(int).T
    height, width = free.shape
    on_screen = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return float(free[rows[on_screen], columns[on_screen]].sum() / len(points))


def _draw_wall(rng: np.random.Generator, sector: Sector, shape: tuple[int, int], body: Place | None) -> Outline:
    """The wall of a cavity around the body, or somewhere in the sector."""
    height = shape[0]
    if body is None:
        radius = sector.start_radius + rng.uniform(0.35, 0.65) * (sector.end_radius - sector.start_radius)
        angle = sector.axis_rad + rng.uniform(-0.3, 0.3) * sector.half_angle_rad
        center = (sector.apex_x + radius * math.sin(angle), sector.apex_y + radius * math.cos(angle))
        half_length, angle = rng.uniform(0.3, 0.55) * height, rng.normal(0, 0.4)
    else:
        center = (body.center_x + 0.2 * body.radius * rng.normal(), body.center_y + 0.2 * body.radius * rng.normal())
        half_length = max(body.radius * rng.uniform(1.0, 1.8), 0.24 * height)
        angle = body.angle_rad + rng.normal(0, 0.3)
    ellipse = Ellipse(
        float(center[0]),
        float(center[1]),
        float(half_length),
        float(half_length * rng.uniform(0.62, 0.95)),
        float(angle % math.pi),
    )
    return Outline(ellipse, ClosedCurveNoise.random(rng, 1, 6, rms=float(rng.uniform(0.03, 0.1))))


def _draw_uterus(rng: np.random.Generator) -> Uterus:
    # Its own placenta and limbs would be visible without a label, and the fluid is drawn separately.
    uterus = replace(Uterus.random(rng, head_circumference_mm=200), placenta_mm=0.0, limbs=(), fluid_gap_mm=-1000.0)
    return replace(uterus, layers_db=SmoothField.random(rng, (160, 7), scale=float(rng.uniform(0.5, 2.5))))


def _draw_fluid(rng: np.random.Generator, wall: Outline, uterus: Uterus) -> Oval:
    return Oval(wall, uterus.fluid_db, rim_db=float(rng.uniform(-36, -22)), attenuation=FLUID_ATTENUATION)


def _draw_placenta(rng: np.random.Generator, wall: Outline, in_sight: Mask) -> Placenta:
    """A placenta on the visible part of the wall."""
    cavity = wall.ellipse
    thickness = min(rng.uniform(0.11, 0.24) * in_sight.shape[0], 0.8 * cavity.semi_axis_b)
    cos, sin = math.cos(cavity.angle_rad), math.sin(cavity.angle_rad)
    for _ in range(25):
        middle = rng.uniform(-math.pi, math.pi)
        turns = middle + np.array([-0.5, 0.0, 0.5])
        u, v = (
            (cavity.semi_axis_a - thickness / 2) * np.cos(turns),
            (cavity.semi_axis_b - thickness / 2) * np.sin(turns),
        )
        points = np.stack([cavity.center_x + u * cos - v * sin, cavity.center_y + u * sin + v * cos], axis=-1)
        if _share_on(in_sight, points) == 1:
            break
    return Placenta.random(rng, wall, float(middle), float(thickness))


def _draw_body(rng: np.random.Generator, name: str, place: Place, spacing_mm: float) -> Anatomy:
    if name == "head":
        return HeadSection.random(rng, place, spacing_mm)
    draw = {"thorax": draw_thorax, "abdomen": draw_abdomen, "spine": draw_spine, "limbs": draw_limb}[name]
    return draw(rng, place)

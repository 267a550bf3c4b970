"""An ellipse on an image: geometry, perimeter, rasterisation and least-squares fit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetal_monai.failed_estimate import FailedEstimate

# 4 A C - B^2 as a quadratic form in (A, B, C): positive for an ellipse.
_ELLIPSE_CONSTRAINT = np.array([[0.0, 0.0, 2.0], [0.0, -1.0, 0.0], [2.0, 0.0, 0.0]])
# Relative size below which a singular value is rounding error.
_NEGLIGIBLE = 1e-10


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse, all lengths in one unit: px on an image, mm after `scaled`.

    Pixel centres are at integer coordinates; x runs along the columns, y along the rows (downwards).

    Attributes:
        center_x: Column of the centre.
        center_y: Row of the centre.
        semi_axis_a: The longer semi-axis.
        semi_axis_b: The shorter semi-axis.
        angle_rad: Angle of the long axis from +x (columns) towards +y (rows, down); normalised to [0, pi).

    Raises:
        ValueError: A value is not finite, or the axes are not `semi_axis_a >= semi_axis_b > 0`.
    """

    center_x: float
    center_y: float
    semi_axis_a: float
    semi_axis_b: float
    angle_rad: float

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = float(getattr(self, name))
            if not math.isfinite(value):
                raise ValueError(f"{name} of an ellipse must be finite, got {value}.")
            object.__setattr__(self, name, value)
        if not self.semi_axis_a >= self.semi_axis_b > 0:
            raise ValueError(
                "An ellipse needs semi_axis_a >= semi_axis_b > 0, "
                f"got semi_axis_a={self.semi_axis_a} and semi_axis_b={self.semi_axis_b}."
            )
        angle = self.angle_rad % math.pi
        # The remainder of a tiny negative number rounds to pi.
        object.__setattr__(self, "angle_rad", angle if angle < math.pi else 0.0)

    @property
    def perimeter(self) -> float:
        """Length of the outline, Ramanujan's second approximation, in the ellipse's unit.

        With h = ((a - b) / (a + b))^2: pi (a + b) (1 + 3h / (10 + sqrt(4 - 3h))).
        The relative error is below 1e-6 for every head-like ellipse (b/a > 0.3).
        """
        a, b = self.semi_axis_a, self.semi_axis_b
        h = ((a - b) / (a + b)) ** 2
        return math.pi * (a + b) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))

    def points(self, count: int = 360) -> NDArray[np.float64]:
        """Points on the outline, evenly spaced in the parametric angle.

        Args:
            count: Number of points; the first is the end of the long axis and is not repeated at the end.

        Returns:
            Array (count, 2) of (x, y).
        """
        t = np.linspace(0, 2 * np.pi, count, endpoint=False)
        along, across = self.semi_axis_a * np.cos(t), self.semi_axis_b * np.sin(t)
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        x = self.center_x + along * cos - across * sin
        y = self.center_y + along * sin + across * cos
        return np.stack([x, y], axis=1)

    def scaled(self, x_scale: float, y_scale: float) -> Ellipse:
        """The ellipse after x is multiplied by `x_scale` and y by `y_scale`; exact for unequal scales too.

        An ellipse is the image of the unit circle under the matrix whose columns are its semi-axes. Scaling
        multiplies that matrix from the left; the singular values of the product are the new semi-axes.

        Args:
            x_scale: Factor along the columns, for instance the column spacing in mm.
            y_scale: Factor along the rows, for instance the row spacing in mm.

        Raises:
            ValueError: A scale is not a positive finite number.
        """
        for name, scale in (("x_scale", x_scale), ("y_scale", y_scale)):
            if not (math.isfinite(scale) and scale > 0):
                raise ValueError(f"{name} must be a positive finite number, got {scale}.")
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        axes = np.array([[cos, -sin], [sin, cos]]) * [self.semi_axis_a, self.semi_axis_b]
        directions, (a, b), _ = np.linalg.svd(np.diag([x_scale, y_scale]) @ axes)
        angle = math.atan2(directions[1, 0], directions[0, 0])
        return Ellipse(self.center_x * x_scale, self.center_y * y_scale, a, b, angle)

    def on_resized(self, shape: tuple[int, int], new_shape: tuple[int, int]) -> Ellipse:
        """The ellipse on a resized image. The two images share their edges, as with `align_corners=False` in PyTorch.

        Args:
            shape: (H, W) of the image that the ellipse is on.
            new_shape: (H, W) of the resized image.
        """
        y_scale, x_scale = new_shape[0] / shape[0], new_shape[1] / shape[1]
        scaled = self.scaled(x_scale, y_scale)
        return replace(
            scaled,
            center_x=scaled.center_x + x_scale / 2 - 0.5,
            center_y=scaled.center_y + y_scale / 2 - 0.5,
        )

    def rasterise(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Fill the ellipse: a pixel belongs to it if its centre is inside.

        Args:
            shape: (H, W) of the mask. The ellipse may extend beyond the border; it is clipped to the mask.

        Returns:
            Boolean mask (H, W).
        """
        mask = np.zeros(shape, dtype=bool)
        a, b = self.semi_axis_a, self.semi_axis_b
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        # Only the pixels around the ellipse are looked at.
        rows, columns = (
            slice(max(math.ceil(center - extent), 0), max(math.floor(center + extent) + 1, 0))
            for center, extent in (
                (self.center_y, math.hypot(a * sin, b * cos)),
                (self.center_x, math.hypot(a * cos, b * sin)),
            )
        )
        around = mask[rows, columns]
        dx = columns.start + np.arange(around.shape[1]) - self.center_x
        dy = (rows.start + np.arange(around.shape[0]) - self.center_y)[:, np.newaxis]
        around[...] = ((dx * cos + dy * sin) / a) ** 2 + ((dy * cos - dx * sin) / b) ** 2 < 1
        return mask


def fit_ellipse(points: NDArray[Any]) -> Ellipse | FailedEstimate:
    """Fit an ellipse to points by direct least squares.

    Minimises the sum of squares of the conic A x^2 + B x y + C y^2 + D x + E y + F over the points under
    4 A C - B^2 = 1: Fitzgibbon et al., "Direct least square fitting of ellipses", TPAMI 21(5), 1999, with the
    linear coefficients eliminated as in Halir and Flusser, "Numerically stable direct least squares fitting of
    ellipses", WSCG 1998. The points are centred and scaled first.

    The eigenvalue problem is solved in its symmetric form, which has real solutions for any points. scikit-image's
    `EllipseModel` solves the unsymmetric form: it may raise TypeError for points without noise (scikit-image issue
    7013), and does so for all points with NumPy 2.5 (issue 8235).

    Args:
        points: Array (N, 2) of (x, y), at least five of them, not all on one line.

    Returns:
        The ellipse in the unit of the points, or a `FailedEstimate` with the reason why there is none.

    Raises:
        ValueError: `points` is not of shape (N, 2).
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"Points of an ellipse must be an array (N, 2) of (x, y), got shape {points.shape}.")
    if not np.isfinite(points).all():
        return FailedEstimate("the outline has points that are not finite numbers")
    if len(points) < 5:
        return FailedEstimate(f"an ellipse needs at least 5 points, got {len(points)}")
    center = points.mean(axis=0)
    spread = np.linalg.svd(points - center, compute_uv=False)
    if spread[1] <= _NEGLIGIBLE * spread[0]:
        return FailedEstimate("all points of the outline lie on one line")
    scale = spread[0] / math.sqrt(len(points))
    x, y = ((points - center) / scale).T

    quadratic = np.stack([x**2, x * y, y**2], axis=1)
    linear = np.stack([x, y, np.ones_like(x)], axis=1)
    basis, _ = np.linalg.qr(linear)
    # The part that the linear terms cannot explain. Its smallest singular value is zero for points exactly on a conic.
    _, singular, directions = np.linalg.svd(quadratic - basis @ (basis.T @ quadratic), full_matrices=False)
    # The points have unit size, so rounding errors grow with the square root of their number only.
    smallest = _NEGLIGIBLE * math.sqrt(len(points))
    if singular[1] <= smallest:
        return FailedEstimate("the points of the outline fit more than one ellipse")
    whitening = directions.T / np.maximum(singular, smallest)
    _, vectors = np.linalg.eigh(whitening.T @ _ELLIPSE_CONSTRAINT @ whitening)
    conic = whitening @ vectors[:, -1]
    rest = -np.linalg.lstsq(linear, quadratic @ conic, rcond=None)[0]

    form = np.array([[conic[0], conic[1] / 2], [conic[1] / 2, conic[2]]])
    offset = np.linalg.solve(-2 * form, rest[:2])
    curvatures, axes = np.linalg.eigh(form / -(rest[2] + rest[:2] @ offset / 2))
    # Every closed outline is between these limits, in units of the spread of the points.
    if not (np.isfinite(curvatures).all() and curvatures[0] > 1e-6 and curvatures[1] < 1e6):
        return FailedEstimate("no ellipse fits the outline")
    a, b = scale / np.sqrt(curvatures)
    center_x, center_y = center + scale * offset
    return Ellipse(center_x, center_y, a, b, math.atan2(axes[1, 0], axes[0, 0]))

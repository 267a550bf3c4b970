from typing import Any

import pytest

from fetal_monai.geometry import PolarFrame, Sector, geometry_from_fields

SHAPE = (50, 60)
ANGLES = {"start_angle_rad": "-0.4", "end_angle_rad": 0.5}
PX = {"apex_x": "30", "apex_y": -10, "start_radius": 20.0, "end_radius": "70", **ANGLES}
MM = {"apex_x_mm": 6, "apex_y_mm": -3, "start_radius_mm": 4, "end_radius_mm": 14, **ANGLES}


def test_a_sector_in_px_needs_no_spacing() -> None:
    assert geometry_from_fields(PX, SHAPE) == Sector(30, -10, 20, 70, -0.4, 0.5)


def test_the_spacing_tells_the_shape_of_a_pixel_unless_the_fields_do() -> None:
    assert geometry_from_fields(PX, SHAPE, (0.3, 0.2)) == Sector(30, -10, 20, 70, -0.4, 0.5, 0.3 / 0.2)
    stated = geometry_from_fields({**PX, "pixel_aspect_ratio": 2}, SHAPE, (0.3, 0.2))
    assert stated == Sector(30, -10, 20, 70, -0.4, 0.5, 2)


def test_a_sector_in_mm() -> None:
    assert geometry_from_fields(MM, SHAPE, (0.3, 0.2)) == Sector.from_mm((6, -3), (4, 14), (-0.4, 0.5), (0.3, 0.2))


def test_zoom_is_pixels_of_the_frame_for_one_of_the_stated_ones() -> None:
    assert geometry_from_fields({**PX, "zoom": 2}, SHAPE) == Sector(30, -10, 20, 70, -0.4, 0.5).scaled(2, 2)


def test_a_polar_frame() -> None:
    assert geometry_from_fields({"geometry": "Polar"}, SHAPE) == PolarFrame(SHAPE)


@pytest.mark.parametrize("fields", [{}, {"filename": "a.png"}, {"apex_x": "", "zoom": None, "geometry": " "}])
def test_fields_that_say_nothing(fields: dict[str, Any]) -> None:
    assert geometry_from_fields(fields, SHAPE) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({**PX, "apex_x": "left"}, "apex_x is 'left'; expected a finite number"),
        ({**PX, "apex_y": "nan"}, "apex_y is 'nan'"),
        ({"apex_x": 30, "apex_y": 3}, "lacks start_radius, end_radius, start_angle_rad, end_angle_rad"),
        ({"zoom": 2}, "lacks apex_x"),
        ({**PX, "geometry": "linear"}, "geometry is 'linear'; expected one of"),
        ({**PX, "geometry": "polar"}, "cannot be used with a polar frame"),
        ({**MM, "zoom": 2}, "zoom cannot be used with a sector in mm"),
        ({**MM, "apex_x": 2}, "apex_x cannot be used with a sector in mm"),
        ({**PX, "zoom": 0}, "x_scale must be a positive"),
        (MM, "needs the frame's pixel spacing"),
    ],
)
def test_what_is_no_geometry_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        geometry_from_fields(fields, SHAPE)

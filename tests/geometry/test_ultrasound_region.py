import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.biometry import Ellipse
from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import (
    UltrasoundRegion,
    read_ultrasound_regions,
    spacing_at,
    ultrasound_regions_from_text,
    ultrasound_regions_to_text,
)
from tests.frame_files import region

SHAPE = (100, 200)
LEFT = UltrasoundRegion(0, 0, 99, 99, (0.24, 0.24))
RIGHT = UltrasoundRegion(100, 0, 199, 99, (0.2, 0.2))
IN_RIGHT = Ellipse(150, 50, 40, 30, 0.4)
ACROSS = Ellipse(100, 50, 40, 30, 0.4)


def dataset(*regions: pydicom.Dataset) -> pydicom.Dataset:
    result = pydicom.Dataset()
    result.SequenceOfUltrasoundRegions = list(regions)
    return result


def test_every_tissue_region_has_its_place_and_spacing() -> None:
    first, second = read_ultrasound_regions(dataset(region(0.1, 0.1, (0, 0, 9, 9)), region(0.3, 0.2, (5, 7, 40, 30))))
    assert (first.left, first.top, first.right, first.bottom) == (0, 0, 9, 9)
    assert (second.left, second.top, second.right, second.bottom) == (5, 7, 40, 30)
    assert second.pixel_spacing_mm == pytest.approx((0.3, 0.2))


def test_no_region_where_nothing_usable_is_stated() -> None:
    assert read_ultrasound_regions(pydicom.Dataset()) == ()
    for element, value in (
        ("RegionSpatialFormat", 3),  # spectral
        ("RegionDataType", 2),  # colour flow
        ("PhysicalUnitsXDirection", 4),  # seconds
        ("PhysicalDeltaY", 0.0),
    ):
        stated = region(0.3, 0.2)
        setattr(stated, element, value)
        assert read_ultrasound_regions(dataset(stated)) == ()


class TestSpacingAtAnEllipse:
    @pytest.mark.parametrize(
        ("regions", "ellipse", "expected"),
        [
            pytest.param([LEFT, RIGHT], IN_RIGHT, (0.2, 0.2), id="not that of the other region"),
            pytest.param(
                [UltrasoundRegion(0, 0, 0, 0, (0.3, 0.2))], ACROSS, (0.3, 0.2), id="no place: the whole image"
            ),
            pytest.param(
                [UltrasoundRegion(0, 0, 99, 99, (0.2, 0.20001)), RIGHT],
                ACROSS,
                (0.2, 0.2),
                id="one spacing: one region",
            ),
            pytest.param(
                [UltrasoundRegion(0, 0, 300, 99, (0.24, 0.24)), RIGHT],
                IN_RIGHT,
                (0.2, 0.2),
                id="beyond the image: no region",
            ),
            pytest.param([UltrasoundRegion(0, 0, 200, 100, (0.2, 0.2))], ACROSS, (0.2, 0.2), id="off by one"),
            pytest.param(
                [UltrasoundRegion(110, 20, 190, 80, (0.2, 0.2))], Ellipse(150, 50, 40.9, 30.9, 0), (0.2, 0.2), id="rim"
            ),
            pytest.param([LEFT, RIGHT], Ellipse(190, 50, 40, 30, 0), (0.2, 0.2), id="cut by the image's edge"),
        ],
    )
    def test_is_that_of_the_region_that_holds_it(
        self, regions: list[UltrasoundRegion], ellipse: Ellipse, expected: tuple[float, float]
    ) -> None:
        assert spacing_at(ellipse, regions, SHAPE) == pytest.approx(expected, rel=1e-4)

    @pytest.mark.parametrize(
        ("regions", "ellipse", "reason"),
        [
            pytest.param(
                [LEFT], IN_RIGHT, "1 calibrated ultrasound region on 200 x 100 px .* lies in none$", id="outside"
            ),
            pytest.param(
                [LEFT, RIGHT],
                ACROSS,
                r"2 .*\(x 0 to 99, y 0 to 99: 0.24 x 0.24 mm; x 100 to 199, y 0 to 99: 0.2 x 0.2 mm\), .* in none$",
                id="across both",
            ),
            pytest.param(
                [UltrasoundRegion(0, 0, 199, 99, (0.24, 0.24)), RIGHT],
                IN_RIGHT,
                "in several that differ in spacing",
                id="in both",
            ),
            pytest.param(
                [UltrasoundRegion(0, 0, 0, 0, (0.24, 0.24)), RIGHT],
                IN_RIGHT,
                "whole image: 0.24 .* in several",
                id="no place",
            ),
            pytest.param(
                [UltrasoundRegion(0, 0, 300, 99, (0.2, 0.2))], IN_RIGHT, "lies in none$", id="beyond the image"
            ),
            pytest.param([LEFT, RIGHT], Ellipse(500, 50, 40, 30, 0), "lies in none$", id="ellipse not on the image"),
        ],
    )
    def test_is_unknown_for_a_reason(self, regions: list[UltrasoundRegion], ellipse: Ellipse, reason: str) -> None:
        found = spacing_at(ellipse, regions, SHAPE)
        assert isinstance(found, FailedEstimate)
        with pytest.raises(ValueError, match=reason):
            _ = found.spacing


EDGES = st.integers(0, 2**32 - 1)
LENGTHS = st.floats(min_value=0, exclude_min=True, allow_infinity=False)


@given(st.lists(st.builds(UltrasoundRegion, EDGES, EDGES, EDGES, EDGES, st.tuples(LENGTHS, LENGTHS))).map(tuple))
def test_regions_survive_as_text(regions: tuple[UltrasoundRegion, ...]) -> None:
    assert ultrasound_regions_from_text(ultrasound_regions_to_text(regions)) == regions

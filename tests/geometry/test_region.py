import pydicom
import pytest

from fetal_monai.geometry import tissue_region
from tests.frame_files import region


def dataset(*regions: pydicom.Dataset) -> pydicom.Dataset:
    result = pydicom.Dataset()
    result.SequenceOfUltrasoundRegions = list(regions)
    return result


def test_the_largest_tissue_region_is_taken_with_its_place_and_spacing() -> None:
    found = tissue_region(dataset(region(0.1, 0.1, (0, 0, 9, 9)), region(0.3, 0.2, (5, 7, 40, 30))))
    assert found is not None
    assert (found.left, found.top, found.right, found.bottom) == (5, 7, 40, 30)
    assert found.pixel_spacing_mm == pytest.approx((0.3, 0.2))


def test_no_region_where_nothing_usable_is_stated() -> None:
    assert tissue_region(pydicom.Dataset()) is None
    for element, value in (
        ("RegionSpatialFormat", 3),  # spectral
        ("RegionDataType", 2),  # colour flow
        ("PhysicalUnitsXDirection", 4),  # seconds
        ("PhysicalDeltaY", 0.0),
    ):
        stated = region(0.3, 0.2)
        setattr(stated, element, value)
        assert tissue_region(dataset(stated)) is None

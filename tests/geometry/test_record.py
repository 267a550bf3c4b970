import json

import pytest
import torch

from fetal_monai.failed_estimate import FailedEstimate
from fetal_monai.geometry import PolarFrame, Sector, geometry_from_record, geometry_record

SECTOR = Sector(30, -10, 20, 70, -0.4, 0.5, 1.5)
GEOMETRIES: list[Sector | PolarFrame | FailedEstimate] = [SECTOR, PolarFrame((5, 6)), FailedEstimate("no edge")]


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_geometry_comes_back_from_its_record(geometry: Sector | PolarFrame | FailedEstimate) -> None:
    record = json.loads(json.dumps(geometry_record(geometry, (5, 6), "table", 0.7)))
    assert geometry_from_record(record) == geometry
    assert (record["origin"], record["confidence"], record["height"], record["width"]) == ("table", 0.7, 5, 6)


def test_every_record_has_the_same_fields_so_that_they_collate() -> None:
    records = [geometry_record(geometry, (5, 6)) for geometry in GEOMETRIES]
    batch = torch.utils.data.default_collate(records)
    assert geometry_from_record({name: values[0] for name, values in batch.items()}) == SECTOR


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks 'kind'"):
        geometry_from_record({})
    with pytest.raises(ValueError, match="is 'linear'; expected"):
        geometry_from_record({"kind": "linear"})

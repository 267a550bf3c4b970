from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fetal_monai.sharing.packed import Packed
from fetal_monai.sharing.packing import pack_bundle

REPOSITORY = Path(__file__).parents[2]
BUNDLES = sorted(path.name for path in (REPOSITORY / "bundles").iterdir() if path.is_dir())


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Packed]:
    """All bundles, packed from the repository."""
    folder = tmp_path_factory.mktemp("dist")
    return {name: pack_bundle(REPOSITORY / "bundles" / name, folder) for name in BUNDLES}

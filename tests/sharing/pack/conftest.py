from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fetal_monai.sharing.pack.bundle_pack import pack_bundle
from fetal_monai.sharing.pack.pack_result import PackResult

REPOSITORY = Path(__file__).parents[3]
BUNDLES = sorted(path.name for path in (REPOSITORY / "bundles").iterdir() if path.is_dir())


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, PackResult]:
    """All bundles of the repository, packed."""
    folder = tmp_path_factory.mktemp("dist")
    return {name: pack_bundle(REPOSITORY / "bundles" / name, folder) for name in BUNDLES}

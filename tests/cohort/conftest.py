from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray cluster of two cores in this process, with little memory."""
    from fetal_monai.cohort.cluster import connected

    with connected(None, cores=2, object_store_mib=100):
        yield

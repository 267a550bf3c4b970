from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms import Resize
from numpy.typing import NDArray

from fetal_monai.runtimes.resize import resize

lengths = st.integers(1, 300)


@settings(deadline=None, max_examples=40)
@given(shape=st.tuples(lengths, lengths), new_shape=st.tuples(lengths, lengths), seed=st.integers(0, 99))
def test_equals_the_resizing_of_the_bundles(shape: tuple[int, int], new_shape: tuple[int, int], seed: int) -> None:
    pixels: NDArray[np.float32] = np.random.default_rng(seed).integers(0, 256, shape).astype(np.float32)
    expected = Resize(new_shape, mode="bilinear", anti_aliasing=True)(torch.from_numpy(pixels)[None])
    np.testing.assert_allclose(resize(pixels, new_shape), np.asarray(expected)[0], atol=0.01)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_any_gray_levels(dtype: type) -> None:
    pixels: NDArray[Any] = np.arange(200, dtype=dtype).reshape(10, 20)
    resized = resize(pixels, (20, 20))
    assert resized.dtype == np.float32
    assert resized[:, 0] == pytest.approx(np.interp(np.arange(20) / 2 - 0.25, np.arange(10), pixels[:, 0]))

"""The soft proposal against the random walk's matrix, written down site by site, and NumPy's eigenvectors."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from fetal_monai.networks import SoftProposal

SIZES = [(7, 7), (5, 9), (9, 5), (1, 6), (6, 1), (3, 2)]


def feature_map(size: tuple[int, int], batch: int = 2, channels: int = 6, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, *size, generator=generator, dtype=torch.float64).relu()


def symmetric_weights(features: torch.Tensor, epsilon: float) -> NDArray[Any]:
    """W of one image (C, H, W), by its definition."""
    vectors = features.numpy()
    sites = [(row, column) for row in range(vectors.shape[1]) for column in range(vectors.shape[2])]
    return np.array(
        [
            [
                np.linalg.norm(vectors[:, u[0], u[1]] - vectors[:, v[0], v[1]])
                * np.exp(-((u[0] - v[0]) ** 2 + (u[1] - v[1]) ** 2) / (2 * epsilon**2))
                for v in sites
            ]
            for u in sites
        ]
    )


def transfer_matrix(features: torch.Tensor, epsilon: float) -> NDArray[Any]:
    weights = symmetric_weights(features, epsilon)
    return weights / weights.sum(axis=0)


@pytest.mark.parametrize("extent", ["area", "side"])
@pytest.mark.parametrize("size", SIZES)
def test_the_proposal_is_the_stationary_distribution(size: tuple[int, int], extent: str) -> None:
    height, width = size
    epsilon = 0.15 * (height * width if extent == "area" else max(height, width))
    features = feature_map(size)
    proposals = SoftProposal(extent=extent)(features)
    assert proposals.shape == (2, 1, *size)
    for image, proposal in zip(features, proposals.numpy().reshape(2, -1), strict=True):
        transfer = transfer_matrix(image, epsilon)
        assert proposal.sum() == pytest.approx(1, abs=1e-12)
        assert proposal.min() >= 0
        assert np.abs(transfer @ proposal - proposal).max() < 1e-6
        values, vectors = np.linalg.eig(transfer)
        leading = vectors[:, values.real.argmax()].real
        assert values.real.max() == pytest.approx(1)
        np.testing.assert_allclose(proposal, leading / leading.sum(), atol=1e-9)


def test_single_precision_is_stationary_too() -> None:
    features = feature_map((14, 14), batch=1, channels=512)
    proposal = SoftProposal()(features.float())
    assert proposal.dtype == torch.float32
    transfer = transfer_matrix(features[0], 0.15 * 14 * 14)
    flat = proposal.numpy().ravel()
    assert np.abs(transfer @ flat - flat).max() < 1e-6
    assert flat.sum() == pytest.approx(1, abs=1e-5)


@settings(deadline=None, max_examples=25)
@given(
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    scale=st.floats(1e-3, 1e3),
    offset=st.floats(-1e3, 1e3),
    order=st.permutations(range(6)),
    seed=st.integers(0, 1000),
)
def test_scaling_shifting_and_reordering_the_channels_change_nothing(
    height: int, width: int, scale: float, offset: float, order: list[int], seed: int
) -> None:
    features = feature_map((height, width), seed=seed)
    shift = offset * torch.linspace(-1, 1, 6, dtype=torch.float64)[:, None, None]
    changed = (scale * features)[:, list(order)] + shift
    for extent in ("area", "side"):
        proposal = SoftProposal(extent=extent)
        torch.testing.assert_close(proposal(changed), proposal(features), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("mode", ["closed_form", "iteration"])
@pytest.mark.parametrize("extent", ["area", "side"])
@pytest.mark.parametrize("size", SIZES)
def test_the_proposal_follows_flips_and_transposes(size: tuple[int, int], extent: str, mode: str) -> None:
    soft_proposal = SoftProposal(mode, extent)
    features = feature_map(size)
    proposal = soft_proposal(features)
    for dims in ((2,), (3,), (2, 3)):
        torch.testing.assert_close(soft_proposal(features.flip(dims)), proposal.flip(dims))
    torch.testing.assert_close(soft_proposal(features.transpose(2, 3)), proposal.transpose(2, 3))


@pytest.mark.parametrize("mode", ["closed_form", "iteration", "uniform"])
@pytest.mark.parametrize("size", [*SIZES, (1, 1)])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e4, -3.3])
def test_all_equal_features_give_a_uniform_proposal_and_so_their_average(
    size: tuple[int, int], value: float, mode: str
) -> None:
    # The channels differ, the sites do not; a value that binary fractions miss, and one with few digits left.
    features = (value * torch.linspace(0.3, 1, 512))[None, :, None, None].expand(2, 512, *size)
    proposal = SoftProposal(mode)(features)
    assert torch.equal(proposal, torch.full_like(proposal, 1 / (size[0] * size[1])))
    torch.testing.assert_close((features * proposal).sum((2, 3)), features.mean((2, 3)))


def test_one_alike_image_leaves_the_others_of_the_batch_alone() -> None:
    features = feature_map((4, 5), batch=3)
    features[1] = 2.5
    for mode in ("closed_form", "iteration"):
        proposal = SoftProposal(mode)(features)
        torch.testing.assert_close(proposal[::2], SoftProposal(mode)(features[::2]))
        torch.testing.assert_close(proposal[1], torch.full_like(proposal[1], 1 / 20))


@pytest.mark.parametrize(("size", "spike"), [((7, 7), (3, 3)), ((5, 9), (0, 8)), ((1, 4), (0, 1))])
def test_a_single_spike_holds_half_of_the_proposal(size: tuple[int, int], spike: tuple[int, int]) -> None:
    features = torch.zeros(1, 3, *size)
    features[:, :, spike[0], spike[1]] = 2.0
    proposal = SoftProposal()(features)[0, 0]
    assert proposal[spike].item() == pytest.approx(0.5, abs=1e-6)
    # The rest of it falls off with the distance from the spike as the Gaussian does.
    rows, columns = np.indices(size)
    near = np.exp(-((rows - spike[0]) ** 2 + (columns - spike[1]) ** 2) / (2 * (0.15 * size[0] * size[1]) ** 2))
    near[spike] = 0
    near *= 0.5 / near.sum()
    near[spike] = 0.5
    np.testing.assert_allclose(proposal.numpy(), near, atol=1e-6)


@pytest.mark.parametrize("extent", ["area", "side"])
def test_two_sites_share_the_proposal_equally(extent: str) -> None:
    # Far apart for so narrow a Gaussian: what rounding leaves of a site's distance from itself would show.
    features = feature_map((1, 2), batch=16, channels=512).float()
    torch.testing.assert_close(SoftProposal(extent=extent)(features), torch.full((16, 1, 1, 2), 0.5))


def references_iteration(transfer: NDArray[Any]) -> NDArray[Any]:
    """What the reference code does for one image."""
    proposal = np.full(len(transfer), 1 / len(transfer))
    for _ in range(20):
        difference = transfer @ proposal - proposal
        if np.linalg.norm(difference) < 1e-4:
            break
        proposal = proposal + difference
        proposal = proposal / proposal.sum()
    return proposal


@pytest.mark.parametrize("size", SIZES)
def test_the_iteration_is_the_references(size: tuple[int, int]) -> None:
    features = feature_map(size, batch=4)
    # Images that arrive after different numbers of steps, one of them never.
    features[1] *= torch.linspace(0, 1, size[0] * size[1]).reshape(size) ** 4
    features[2] = 0
    features[2, :, 0, 0] = 1
    proposals = SoftProposal("iteration")(features)
    for image, proposal in zip(features, proposals, strict=True):
        expected = references_iteration(transfer_matrix(image, 0.15 * size[0] * size[1]))
        np.testing.assert_allclose(proposal.numpy().ravel(), expected, atol=1e-12)


@pytest.mark.parametrize("size", [(7, 7), (14, 14), (5, 9)])
def test_the_iteration_ends_within_half_a_per_cent_of_the_closed_form(size: tuple[int, int]) -> None:
    # Smooth maps of many channels, as a network's are.
    coarse = torch.randn(8, 64, 3, 3, generator=torch.Generator().manual_seed(0))
    features = torch.nn.functional.interpolate(coarse, size=size, mode="bilinear").relu()
    exact = SoftProposal()(features)
    error = (SoftProposal("iteration")(features) / exact - 1).abs().max()
    assert 0 < error < 0.005


def test_the_proposal_has_no_gradient_and_the_features_have_the_proposal_as_theirs() -> None:
    features = feature_map((4, 5)).requires_grad_()
    proposal = SoftProposal()(features)
    assert not proposal.requires_grad
    (features * proposal).sum().backward()
    torch.testing.assert_close(features.grad, proposal.expand_as(features))


@pytest.mark.parametrize("mode", ["closed_form", "iteration"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("size", [(3, 4), (7, 7)])
def test_autocast_does_not_touch_the_proposal(size: tuple[int, int], dtype: torch.dtype, mode: str) -> None:
    features = feature_map(size, channels=32).to(dtype)
    expected = SoftProposal(mode)(features.float())
    with torch.autocast("cpu", dtype=dtype):
        proposal = SoftProposal(mode)(features)
    assert proposal.dtype == torch.float32
    torch.testing.assert_close(proposal, expected)


@pytest.mark.parametrize("mode", ["closed_form", "iteration", "uniform"])
@pytest.mark.parametrize("extent", ["area", "side"])
def test_torchscript_follows_the_map_from_size_to_size(mode: str, extent: str) -> None:
    soft_proposal = SoftProposal(mode, extent)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(soft_proposal), buffer)
    buffer.seek(0)
    scripted = torch.jit.load(buffer)
    for size in SIZES:
        torch.testing.assert_close(scripted(feature_map(size)), soft_proposal(feature_map(size)))


@pytest.mark.slow
def test_onnx_computes_the_proposal_of_any_batch(tmp_path: Path) -> None:
    # So few sites that PyTorch, left to itself, takes distances by an operator that ONNX has not.
    features = feature_map((2, 3), batch=5).float()
    soft_proposal = SoftProposal().eval()
    torch.onnx.export(
        soft_proposal,
        (features[:2],),
        str(tmp_path / "proposal.onnx"),
        dynamo=True,
        dynamic_shapes={"features": {0: "batch"}},
        verbose=False,
    )
    (computed,) = ReferenceEvaluator(str(tmp_path / "proposal.onnx")).run(None, {"features": features.numpy()})
    np.testing.assert_allclose(computed, soft_proposal(features).numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "exact"}, r"mode must be one of \['closed_form', 'iteration', 'uniform'\], got 'exact'"),
        ({"extent": "height"}, r"extent must be one of \['area', 'side'\], got 'height'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SoftProposal(**arguments)

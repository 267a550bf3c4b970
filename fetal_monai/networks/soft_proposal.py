"""Soft proposal: where a feature map differs from its surroundings, as a distribution over its sites."""

from __future__ import annotations

import torch
from torch import nn

_MODES = ("closed_form", "iteration", "uniform")
_EXTENTS = ("area", "side")
# Width of the Gaussian between sites, as a part of the map's extent.
_EXTENT_FRACTION = 0.15
# Those of the reference code.
_MAX_ITERATIONS = 20
_TOLERANCE = 1e-4


class SoftProposal(nn.Module):
    """The proposal map of a random walk over the sites of a feature map.

    Zhu et al., "Soft Proposal Networks for Weakly Supervised Object Localization", ICCV 2017 (arXiv:1709.01829). Sites
    u and v are joined by W_uv = ||U_u - U_v||_2 exp(-|u - v|^2 / (2 eps^2)); the walk's matrix M is W with each column
    divided by its sum, and the proposal is its stationary distribution, Mp = p.

    W is symmetric, so p is known in closed form: the degree of each site (its sum of W) over the total degree. The
    reference code iterates instead, which takes longer and stops before it is there: after its 20 steps p is off by
    half a per cent on usual maps, and on a map with a lone spike the walk swings for ever.

    The features couple with the proposal as `features * proposal`. The proposal has no gradient, as in the reference;
    it is computed in float32 (float64 for float64 features), under autocast too.

    Args:
        mode: "closed_form"; "iteration", as the reference code: from the uniform map p <- Mp, normalised, until
            ||Mp - p||_2 < 1e-4 for that image, at most 20 times; or "uniform", the same proposal for every image,
            which turns the sum of the coupled features into global average pooling (the baseline).
        extent: What eps is 0.15 of: "area", H * W, as in the reference code; or "side", the longer of H and W.

    Shapes:
        features (B, C, H, W) -> proposal (B, 1, H, W), not negative, of sum 1 for each image; uniform where all sites
        have the same features.

    Raises:
        ValueError: If an argument is not one of those named.
    """

    def __init__(self, mode: str = "closed_form", extent: str = "area") -> None:
        super().__init__()
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {list(_MODES)}, got {mode!r}.")
        if extent not in _EXTENTS:
            raise ValueError(f"extent must be one of {list(_EXTENTS)}, got {extent!r}.")
        self.mode = mode
        self.extent = extent
        self.max_iterations = _MAX_ITERATIONS
        self.tolerance = _TOLERANCE
        self.extent_fraction = _EXTENT_FRACTION

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the proposal of each image; see the class for the shapes."""
        batch, height, width = features.shape[0], features.shape[2], features.shape[3]
        sites = height * width
        features = features.detach().to(torch.promote_types(features.dtype, torch.float32))
        uniform = features.new_full((batch, sites), 1.0 / sites)
        if self.mode == "uniform":
            return uniform.reshape(batch, 1, height, width)
        weights = self._weights(features)
        degree = weights.sum(dim=2)
        total = degree.sum(dim=1, keepdim=True)
        proposal = self._iterate(weights, degree, uniform) if self.mode == "iteration" else degree / total
        # All sites alike: no degree at all, and nowhere to walk.
        return torch.where(total > 0, proposal, uniform).reshape(batch, 1, height, width)

    def _weights(self, features: torch.Tensor) -> torch.Tensor:
        """Return W: (B, C, H, W) -> (B, H * W, H * W), symmetric, zero on the diagonal."""
        height, width = features.shape[2], features.shape[3]
        extent = height * width if self.extent == "area" else max(height, width)
        epsilon = self.extent_fraction * extent
        rows = torch.arange(height, dtype=features.dtype, device=features.device)
        columns = torch.arange(width, dtype=features.dtype, device=features.device)
        near_rows = torch.exp(-((rows[:, None] - rows) ** 2) / (2 * epsilon**2))
        near_columns = torch.exp(-((columns[:, None] - columns) ** 2) / (2 * epsilon**2))
        # One on the diagonal exactly, so that what a matrix product leaves of a site's distance from itself is gone.
        identity = torch.eye(height * width, dtype=features.dtype, device=features.device)
        near = (near_rows[:, None, :, None] * near_columns[:, None, :]).reshape(identity.shape) - identity
        vectors = features.flatten(2)
        # A common offset costs the distances their digits, and may make equal sites differ.
        vectors = vectors - vectors.amin(dim=2, keepdim=True)
        vectors = vectors.transpose(1, 2).contiguous()
        # By matrix product, the squares clamped at zero. Autocast leaves it in float32, and it exports to ONNX.
        return torch.cdist(vectors, vectors, compute_mode="use_mm_for_euclid_dist") * near

    def _iterate(self, weights: torch.Tensor, degree: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
        transfer = weights / degree[:, None]
        proposal = uniform
        # An image that has arrived stays, the others go on: no step depends on the batch, and exports unroll the loop.
        for _ in range(self.max_iterations):
            moved = (transfer * proposal[:, None]).sum(dim=2)
            arrived = torch.linalg.vector_norm(moved - proposal, dim=1, keepdim=True) < self.tolerance
            proposal = torch.where(arrived, proposal, moved / moved.sum(dim=1, keepdim=True))
        return proposal

"""Inference of response maps along with the logits."""

from __future__ import annotations

from typing import Any

import torch

from fetal_monai.inferers.autocast import AutocastInferer


class LocalisationInferer(AutocastInferer):
    """Runs ``network.localise``, under `torch.autocast` as `AutocastInferer` does.

    Args:
        dtype: As for `AutocastInferer`.

    Raises:
        TypeError: As `AutocastInferer`.
    """

    def __call__(  # type: ignore[override]  # a dictionary: MONAI's evaluator takes it apart, image by image
        self, inputs: torch.Tensor, network: Any, *args: Any, **kwargs: Any
    ) -> dict[str, torch.Tensor]:
        """Return "logits" (B, C) and "response_maps" (B, C, h, w), see `fetal_monai.networks.ClassResponse`."""
        logits, response_maps, _ = super().__call__(inputs, network.localise, *args, **kwargs)
        return {"logits": logits, "response_maps": response_maps}

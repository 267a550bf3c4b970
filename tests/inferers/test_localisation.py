from __future__ import annotations

import pytest
import torch
from monai.data import decollate_batch

from fetal_monai.inferers import LocalisationInferer
from fetal_monai.networks import SoftProposalNetwork


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_logits_and_response_maps_image_by_image(dtype: torch.dtype | None) -> None:
    network = SoftProposalNetwork("vgg13_bn", num_classes=3).eval()
    images = torch.rand(2, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        response = LocalisationInferer(dtype)(images, network)
        expected = network(images)
    assert response["logits"].dtype == response["response_maps"].dtype == torch.float32
    torch.testing.assert_close(response["logits"], expected, rtol=0, atol=1e-6 if dtype is None else 0.02)
    summed = response["response_maps"].sum(dim=(2, 3)) + network.classifier.bias
    torch.testing.assert_close(summed, response["logits"], rtol=0, atol=1e-6 if dtype is None else 0.02)

    first, second = decollate_batch({"pred": response})
    assert first["pred"]["logits"].shape == (3,)
    assert torch.equal(second["pred"]["response_maps"], response["response_maps"][1])

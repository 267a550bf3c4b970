"""What every segmentation network must do: a test class inherits these checks and names its network."""

from typing import ClassVar

import torch

from tests.networks.network import NetworkTests


class SegmentationNetworkTests(NetworkTests):
    """Inherit, set `in_channels`, `num_classes`, `sizes`, and build the network in `network`."""

    num_classes: ClassVar[int] = 2

    def test_logits_have_the_size_of_the_image(self) -> None:
        network = self.network().eval()
        for size in self.sizes:
            with torch.no_grad():
                assert network(self.image(size)).shape == (2, self.num_classes, *size)

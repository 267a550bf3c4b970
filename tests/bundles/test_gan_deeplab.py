from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

from fetal_monai.networks import DeepLabV2
from tests.bundles.adversarial_bundle import AdversarialBundleTests, train
from tests.bundles.conftest import REPOSITORY, Run
from tests.bundles.segmentation_bundle import named, run_in

pytestmark = pytest.mark.slow

BUNDLE = REPOSITORY / "bundles" / "gan_deeplab"


class TestGanDeepLab(AdversarialBundleTests):
    source = BUNDLE
    network = "DeepLabV2"
    image_shape = (3, 32, 48)
    network_overrides = ("--depth", "resnet50")
    own_overrides = named("--depth", "resnet50")
    own_training_overrides = named(
        *("--aspp_learning_rate", "0.003", "--pretrained", "$None", "--pretrained_sha256", "$None")
    )

    def test_pretrained_weights_are_taken_over(
        self, tiny: dict[str, str], checkout: Path, bundle: Path, tmp_path: Path, call: Run
    ) -> None:
        torch.manual_seed(0)
        state = DeepLabV2(depth="resnet50").backbone.state_dict()
        torch.save({**state, "fc.weight": torch.rand(1000, 2048)}, tmp_path / "resnet50.pth")
        overrides = {**tiny, "--output_dir": str(tmp_path), "--pretrained": str(tmp_path / "resnet50.pth")}
        # So small a rate leaves the weights nearly where they were.
        train(call, checkout, BUNDLE, {**overrides, "--learning_rate": "1e-12", "--epochs": "1"})
        trained = torch.load(tmp_path / "model.pt", weights_only=True)
        torch.testing.assert_close(trained["backbone.layer4.2.conv2.weight"], state["layer4.2.conv2.weight"])
        _, tracked = run_in(tmp_path, bundle)
        assert tracked.data.params["pretrained"] == str(tmp_path / "resnet50.pth")

    @pytest.mark.parametrize(("pretrained", "rates"), [("imagenet.pth", [2.5e-4, 2.5e-3]), (None, [1e-2, 1e-3])])
    def test_the_aspp_has_a_learning_rate_of_its_own(self, pretrained: str | None, rates: list[float]) -> None:
        parser = ConfigParser()
        parser.read_config(BUNDLE / "configs" / "train.json")
        parser.update({"pretrained": pretrained, "depth": "resnet50", "dataset_dir": "somewhere"})
        backbone, head = parser.get_parsed_content("optimizer").param_groups
        assert [backbone["lr"], head["lr"]] == pytest.approx(rates)
        assert sum(p.numel() for p in head["params"]) == 4 * 2 * (2048 * 9 + 1)
        everything = parser.get_parsed_content("network_def").parameters()
        assert len(backbone["params"]) + len(head["params"]) == len(list(everything))

from functools import partial
from pathlib import Path

import pytest
import torch

from tests.bundles.adversarial_bundle import AdversarialBundleTests, train
from tests.bundles.conftest import REPOSITORY, Run
from tests.bundles.segmentation_bundle import run_in

pytestmark = pytest.mark.slow

BUNDLE = REPOSITORY / "bundles" / "gan_attention_unet"


class TestGanAttentionUnet(AdversarialBundleTests):
    source = BUNDLE
    network = "AttentionUnet"
    image_shape = (1, 32, 48)

    def test_without_adversarial_weight_the_baseline_is_equalled_to_the_bit(
        self, tiny: dict[str, str], checkout: Path, bundle: Path, tmp_path: Path, call: Run
    ) -> None:
        baseline, silenced = ({**tiny, "--output_dir": str(tmp_path / name)} for name in ("baseline", "silenced"))
        train(call, checkout, self.source, {**silenced, "--adversarial_weight": "0"})
        del baseline["--discriminator_learning_rate"]
        train(call, checkout, self.source, baseline, "baseline")
        states = [torch.load(tmp_path / n / "checkpoint.pt", weights_only=True) for n in ("baseline", "silenced")]
        assert "discriminator" not in states[0]
        assert all(torch.equal(value, states[1]["network"][name]) for name, value in states[0]["network"].items())
        _, tracked = run_in(tmp_path / "baseline", bundle)
        assert {tracked.data.params[name] for name in ("discriminator", "discriminator_learning_rate")} == {"none"}
        assert "discriminator_loss" not in tracked.data.metrics

    def test_two_processes_train_both_networks(
        self, tiny: dict[str, str], checkout: Path, tmp_path: Path, fork: Run
    ) -> None:
        overrides = {**tiny, "--output_dir": str(tmp_path)}
        del overrides["--device"]
        train(partial(fork, ranks=2), checkout, self.source, overrides, "multi_gpu_train")
        state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
        for names in (state["network"], state["discriminator"], torch.load(tmp_path / "model.pt", weights_only=True)):
            assert not any(name.startswith("module.") for name in names)

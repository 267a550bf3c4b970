from pathlib import Path

import pytest

from tests.bundles.adversarial_bundle import AdversarialBundleTests, evaluate, tiny_training, train
from tests.bundles.conftest import REPOSITORY, Run

BUNDLE = REPOSITORY / "bundles" / "gan_attention_unet"


@pytest.fixture(scope="module")
def tiny(few_phantoms: Path) -> dict[str, str]:
    return tiny_training(BUNDLE, few_phantoms)


@pytest.fixture(scope="module")
def trained(tiny: dict[str, str], checkout: Path, bundle: Path, run: Run) -> Path:
    output = bundle / "output" / "train"
    train(run, checkout, BUNDLE, {**tiny, "--output_dir": str(output)})
    return output


@pytest.fixture(scope="module")
def weights(trained: Path) -> Path:
    return trained / "model.pt"


@pytest.fixture(scope="module")
def evaluation(weights: Path, bundle: Path, few_phantoms: Path, run: Run) -> Path:
    return evaluate(run, bundle, weights, few_phantoms, {})


class TestGanAttentionUnet(AdversarialBundleTests):
    source = BUNDLE
    network = "AttentionUnet"
    image_shape = (1, 32, 48)

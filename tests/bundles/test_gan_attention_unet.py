from tests.bundles.adversarial_bundle import AdversarialBundleTests
from tests.bundles.conftest import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "gan_attention_unet"


class TestGanAttentionUnet(AdversarialBundleTests):
    source = BUNDLE
    network = "AttentionUnet"
    image_shape = (1, 32, 48)

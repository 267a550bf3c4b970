import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.bundles.adversarial_bundle import AdversarialBundleTests, evaluate, tiny_training, train
from tests.bundles.conftest import REPOSITORY, Run, environment

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

    def test_a_figure_of_two_evaluations(self, evaluation: Path, few_phantoms: Path, tmp_path: Path) -> None:
        command = [sys.executable, str(REPOSITORY / "benchmarks" / "comparison_figure.py"), str(few_phantoms)]
        command += ["--section", "validation", "--rows", "2", "--output", str(tmp_path / "figure.png")]
        subprocess.run([*command, f"baseline={evaluation}", f"GAN={evaluation}"], check=True)
        with Image.open(tmp_path / "figure.png") as figure:
            assert figure.width > figure.height  # four columns, two rows
        other = subprocess.run(
            [*command, "--section", "test", f"GAN={evaluation}"], capture_output=True, text=True, check=False
        )
        assert other.returncode != 0
        assert "was evaluated on other frames than the section 'test'" in other.stderr

    def test_a_figure_of_the_losses_of_a_training(self, trained: Path, bundle: Path, tmp_path: Path) -> None:
        script = REPOSITORY / "benchmarks" / "training_curves.py"
        command = [sys.executable, str(script), f"GAN={trained}", "--bundle_root", str(bundle)]
        figure = tmp_path / "curves.png"
        subprocess.run([*command, "--output", str(figure)], check=True, env=environment())
        with Image.open(figure) as picture:
            assert picture.width > 3 * picture.height  # four panels in a row

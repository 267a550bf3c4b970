r"""Plot what trainings logged to MLflow after each epoch, one panel a metric and one line a training.

Example:
    python benchmarks/training_curves.py --output curves.png \
        GAN=bundles/gan_deeplab/output/gan_0 baseline=bundles/gan_deeplab/output/baseline_0
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import mlflow
from matplotlib import pyplot as plt

from fetal_monai.data import atomic_path
from fetal_monai.tracking import EXPERIMENT, tracking_uri

METRICS = ("discriminator_loss_label", "discriminator_loss_prediction", "discriminator_accuracy", "val_dice")


def main() -> None:
    """Write the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trainings", nargs="+", help="NAME=FOLDER: a line's name, and a training's output_dir")
    parser.add_argument("--bundle_root", type=Path, default=Path("bundles/gan_deeplab"), help="finds the MLflow store")
    parser.add_argument("--metrics", nargs="+", default=METRICS, help=f"default: {' '.join(METRICS)}")
    parser.add_argument("--output", type=Path, default=Path("curves.png"), help="default: curves.png")
    options = parser.parse_args()

    client = mlflow.MlflowClient(tracking_uri(options.bundle_root))
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        parser.error(f"{tracking_uri(options.bundle_root)} holds no runs; name another store in MLFLOW_TRACKING_URI")
    runs = {run.info.run_name: run.info.run_id for run in client.search_runs([experiment.experiment_id])}
    figure, axes = plt.subplots(
        1, len(options.metrics), squeeze=False, figsize=(4 * len(options.metrics), 3), layout="constrained"
    )
    for training in options.trainings:
        name, _, folder = training.partition("=")
        run_id = runs[(Path(folder) / "mlflow_run.txt").read_text().strip()]
        for axis, metric in zip(axes[0], options.metrics, strict=True):
            history = sorted(client.get_metric_history(run_id, metric), key=lambda point: point.step)
            if history:
                axis.plot([point.step for point in history], [point.value for point in history], label=name)
    for axis, metric in zip(axes[0], options.metrics, strict=True):
        axis.set(title=metric, xlabel="epoch")
        if metric.startswith("discriminator_loss"):
            axis.axhline(math.log(2), color="gray", linestyle=":", label="guessing (ln 2)")
        axis.legend()
    with atomic_path(options.output) as temporary:
        figure.savefig(temporary, dpi=100)
    print(options.output)


if __name__ == "__main__":
    main()

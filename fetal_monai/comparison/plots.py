"""Plots of the comparison: training curves, and agreement after Bland and Altman."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fetal_monai.comparison.agreement import Agreement
from fetal_monai.comparison.methods import Method
from fetal_monai.comparison.picture import Picture, panels, picture

_CURVES = (
    "train_loss",
    "val_mean_dice",
    "val_log_likelihood",
    "val_accuracy",
    "discriminator_loss_label",
    "discriminator_loss_prediction",
    "discriminator_accuracy",
)


def training_curves(methods: Sequence[Method]) -> Picture | None:
    """Draw what the trainings logged after each epoch: one panel per metric, colour per method, line per run."""
    trainings = [(method, each.training) for method in methods for each in method.evaluations if each.training]
    metrics = [metric for metric in _CURVES if any(metric in training.histories for _, training in trainings)]
    if not metrics:
        return None
    figure, axes = panels(len(metrics), width=4, height=3)
    colours = {method.name: f"C{index}" for index, method in enumerate(methods)}
    lines = {}
    for axis, metric in zip(axes, metrics, strict=True):
        for method, training in trainings:
            history = sorted(training.histories.get(metric, {}).items())
            if history:
                (line,) = axis.plot(*zip(*history, strict=True), color=colours[method.name], linewidth=1.2)
                lines[method.name] = line
        axis.set(title=metric, xlabel="epoch")
        if metric.startswith("discriminator_loss"):
            axis.axhline(math.log(2), color="gray", linestyle=":")
            axis.annotate(
                "guessing (ln 2)", (0.99, math.log(2)), xycoords=("axes fraction", "data"), ha="right", va="top"
            )
    figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=2, frameon=False)
    return picture(
        figure, "training_curves", "Training curves", "After each epoch; one colour per method, one line per run."
    )


def bland_altman(agreements: Sequence[Agreement]) -> Picture | None:
    """Draw each method's HC against the label's: difference over mean, with bias and limits of agreement."""
    if not agreements:
        return None
    figure, axes = panels(len(agreements), width=4.2, height=3.2)
    for axis, each in zip(axes, agreements, strict=True):
        axis.plot(each.mean_mm, each.difference_mm, "o", markersize=2.5, alpha=0.5)
        axis.axhline(0, color="gray", linewidth=0.5)
        for value, style in ((each.bias_mm, "-"), (each.limits_mm[0], "--"), (each.limits_mm[1], "--")):
            axis.axhline(value, color="C3", linestyle=style, linewidth=1)
            axis.annotate(
                f"{value:+.1f}", (1.01, value), xycoords=("axes fraction", "data"), va="center", fontsize="small"
            )
        axis.set_title(each.method, fontsize="medium")
        axis.set(xlabel="mean of both HC, mm", ylabel="measured - label, mm")
    return picture(
        figure,
        "bland_altman",
        "Head circumference: measured against label",
        "Bland-Altman plots, one dot per frame; solid: bias, dashed: limits of agreement. The axes differ in range.",
    )

"""Training of a segmentation network against a discriminator of labels and predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from ignite.metrics import Metric
from monai.engines import AdversarialTrainer
from monai.engines.utils import IterationEvents, default_metric_cmp_fn
from monai.inferers import Inferer
from monai.transforms import Transform
from monai.utils import AdversarialKeys
from monai.utils import CommonKeys as Keys
from torch import nn
from torch.utils.data import DataLoader


class AdversarialSegmentationTrainer(AdversarialTrainer):
    """MONAI's `AdversarialTrainer`, whose real sample is the label and not the image.

    One iteration (Luc et al. 2016, Hung et al. 2018): the generator's step on segmentation loss + adversarial_weight *
    adversarial loss, with the discriminator frozen; then the discriminator's step on the label and on the same
    prediction, detached. Differences from the stock trainer: `MODEL_COMPLETED` is fired, so that
    post-processing and metrics see predictions as under a `SupervisedTrainer`; `output["loss"]` is present with and
    without mixed precision; no gradient is computed for the network that is not being trained; the engine's state
    dict holds no live modules (checkpoints are `fetal_monai.handlers.TrainingState`'s).

    `engine.state.output` holds image, label, pred (logits), the scalars loss, reconstruction_loss (segmentation),
    generator_loss (adversarial, unweighted), discriminator_loss, discriminator_loss_label,
    discriminator_loss_prediction and discriminator_accuracy, and the discriminator's inputs and outputs.

    Mixed precision: bfloat16 by `fetal_monai.inferers.AutocastInferer` on any device, or float16 by `amp` on CUDA.

    Args:
        device: Device of the networks and batches.
        max_epochs: Number of epochs.
        train_data_loader: Batches with the keys "image" (B, C, H, W) and "label", one-hot (B, classes, H, W).
        g_network: The segmentation network, image -> logits (B, classes, H, W).
        d_network: The discriminator, probabilities or one-hot label (B, classes, H, W) -> logits.
        recon_loss_function: The segmentation loss of (logits, label).
        g_loss_function: The generator's adversarial loss of (discriminator's logits, target_is_real).
        d_loss_function: The discriminator's loss of (its logits, target_is_real).
        adversarial_weight: lambda_adv, of the adversarial loss against the segmentation loss.
        g_optimizer: Optimiser of the segmentation network.
        d_optimizer: Optimiser of the discriminator.
        g_inferer: Runs the segmentation network.
        d_inferer: Runs the discriminator.
        postprocessing: Applied to the output before the metrics.
        key_train_metric: Compared by `metric_cmp_fn` after every epoch.
        metric_cmp_fn: Whether the first of two values of the key metric is the better.
        additional_metrics: Further metrics.
        train_handlers: Attached to the engine.
        amp: Use float16 on CUDA.
        decollate: Whether handlers and metrics get a list of items instead of a batch.
    """

    def __init__(
        self,
        device: str | torch.device,
        *,
        max_epochs: int,
        train_data_loader: Iterable[Any] | DataLoader,
        g_network: nn.Module,
        d_network: nn.Module,
        recon_loss_function: Callable[..., torch.Tensor],
        g_loss_function: Callable[..., torch.Tensor],
        d_loss_function: Callable[..., torch.Tensor],
        g_optimizer: torch.optim.Optimizer,
        d_optimizer: torch.optim.Optimizer,
        adversarial_weight: float = 0.01,
        g_inferer: Inferer | None = None,
        d_inferer: Inferer | None = None,
        postprocessing: Transform | None = None,
        key_train_metric: dict[str, Metric] | None = None,
        metric_cmp_fn: Callable[[float, float], bool] = default_metric_cmp_fn,
        additional_metrics: dict[str, Metric] | None = None,
        train_handlers: Sequence[Any] | None = None,
        amp: bool = False,
        decollate: bool = True,
    ) -> None:
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            train_data_loader=train_data_loader,
            g_network=g_network,
            g_optimizer=g_optimizer,
            g_loss_function=g_loss_function,
            recon_loss_function=recon_loss_function,
            d_network=d_network,
            d_optimizer=d_optimizer,
            d_loss_function=d_loss_function,
            g_inferer=g_inferer,
            d_inferer=d_inferer,
            postprocessing=postprocessing,
            key_train_metric=key_train_metric,
            metric_cmp_fn=metric_cmp_fn,
            additional_metrics=additional_metrics,
            train_handlers=train_handlers,
            amp=amp,
            decollate=decollate,
        )
        self.adversarial_weight = adversarial_weight

    def _complete_state_dict_user_keys(self) -> None:
        """Leave the networks and optimisers out of the engine's own state dict."""

    def _iteration(self, engine: AdversarialSegmentationTrainer, batchdata: dict[str, torch.Tensor]) -> dict[str, Any]:
        state = engine.state
        image, label = engine.prepare_batch(batchdata, state.device, engine.non_blocking, **engine.to_kwargs)
        # One scaler serves both optimisers; off the CUDA way it passes everything through.
        scaler = engine.scaler or torch.amp.GradScaler(enabled=False)
        # DistributedDataParallel waits for gradients that a frozen network never gets: bypass it.
        parallel = isinstance(state.d_network, nn.parallel.DistributedDataParallel)
        discriminator = state.d_network.module if parallel else state.d_network

        state.g_network.train()
        discriminator.train().requires_grad_(False)
        state.g_optimizer.zero_grad(set_to_none=engine.optim_set_to_none)
        with _mixed_precision(engine):
            logits = engine.g_inferer(image, state.g_network)
            probabilities = logits.softmax(dim=1)
            segmentation_loss = state.recon_loss_function(logits, label)
            adversarial_loss = state.g_loss_function(engine.d_inferer(probabilities, discriminator), True)
            loss = segmentation_loss + engine.adversarial_weight * adversarial_loss
        scaler.scale(loss).backward()
        scaler.step(state.g_optimizer)

        discriminator.requires_grad_(True)
        state.d_optimizer.zero_grad(set_to_none=engine.optim_set_to_none)
        fakes = probabilities.detach()
        with _mixed_precision(engine):
            real_logits = engine.d_inferer(label, state.d_network)
            fake_logits = engine.d_inferer(fakes, state.d_network)
            label_loss = state.d_loss_function(real_logits, True)
            prediction_loss = state.d_loss_function(fake_logits, False)
            discriminator_loss = (label_loss + prediction_loss) / 2
        scaler.scale(discriminator_loss).backward()
        scaler.step(state.d_optimizer)
        scaler.update()

        state.output = {
            Keys.IMAGE: image,
            Keys.LABEL: label,
            Keys.PRED: logits.detach(),
            Keys.LOSS: loss.detach(),
            AdversarialKeys.REALS: label,
            AdversarialKeys.FAKES: fakes,
            AdversarialKeys.REAL_LOGITS: real_logits.detach(),
            AdversarialKeys.FAKE_LOGITS: fake_logits.detach(),
            AdversarialKeys.RECONSTRUCTION_LOSS: segmentation_loss.detach(),
            AdversarialKeys.GENERATOR_LOSS: adversarial_loss.detach(),
            AdversarialKeys.DISCRIMINATOR_LOSS: discriminator_loss.detach(),
            "discriminator_loss_label": label_loss.detach(),
            "discriminator_loss_prediction": prediction_loss.detach(),
            "discriminator_accuracy": ((real_logits > 0).float().mean() + (fake_logits <= 0).float().mean()) / 2,
        }
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return state.output


def _mixed_precision(engine: AdversarialSegmentationTrainer) -> AbstractContextManager[Any]:
    return torch.autocast("cuda", **engine.amp_kwargs) if engine.amp else nullcontext()

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.multiprocessing
from ignite.engine import Events
from ignite.metrics import Average
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedTrainer
from monai.engines.utils import IterationEvents
from monai.handlers import LrScheduleHandler, MeanDice, from_engine
from monai.transforms import AsDiscreted, RandGaussianNoised
from torch import nn

from fetal_monai.engines import AdversarialSegmentationTrainer
from fetal_monai.handlers import StopOnNonFinite, TrainingState
from fetal_monai.inferers import AutocastInferer
from fetal_monai.losses import AdversarialLoss
from fetal_monai.networks import FullyConvolutionalDiscriminator

CPU = torch.device("cpu")
FRAMES = 8


def frames() -> list[dict[str, torch.Tensor]]:
    """Bright discs on noise, with their one-hot label."""
    generator = torch.Generator().manual_seed(5)
    y, x = torch.meshgrid(torch.arange(32), torch.arange(40), indexing="ij")
    items = []
    for i in range(FRAMES):
        head = ((x - 14 - i) ** 2 + (y - 16) ** 2 < 90).float()
        image = head + 0.3 * torch.randn(32, 40, generator=generator)
        items.append({"image": image.unsqueeze(0), "label": torch.stack([1 - head, head])})
    return items


def generator_network(norm: bool = True) -> nn.Sequential:
    torch.manual_seed(1)
    between = [nn.BatchNorm2d(6)] if norm else []
    return nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), *between, nn.ReLU(), nn.Conv2d(6, 2, 3, padding=1))


def discriminator_network() -> FullyConvolutionalDiscriminator:
    torch.manual_seed(2)
    return FullyConvolutionalDiscriminator(width=4)


class Game:
    """Both networks, their optimisers, schedules and the trainer."""

    def __init__(self, epochs: int = 1, handlers: tuple[Any, ...] = (), networks: Any = None, **arguments: Any) -> None:
        self.generator: nn.Module
        self.discriminator: nn.Module
        self.generator, self.discriminator = networks or (generator_network(), discriminator_network())
        self.g_optimizer = torch.optim.SGD(self.generator.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=1e-3, betas=(0.9, 0.99))
        data = Dataset(frames(), RandGaussianNoised("image", prob=0.5))
        defaults: dict[str, Any] = {
            "device": CPU,
            "max_epochs": epochs,
            "train_data_loader": DataLoader(data, batch_size=4, shuffle=True, num_workers=0),
            "recon_loss_function": nn.CrossEntropyLoss(),
            "g_loss_function": AdversarialLoss(),
            "d_loss_function": AdversarialLoss(),
            "train_handlers": list(handlers),
            "decollate": False,
        }
        self.trainer = AdversarialSegmentationTrainer(
            g_network=self.generator,
            d_network=self.discriminator,
            g_optimizer=self.g_optimizer,
            d_optimizer=self.d_optimizer,
            **{**defaults, **arguments},
        )

    def run(self, seed: int = 3) -> Any:
        torch.manual_seed(seed)
        self.trainer.data_loader.dataset.transform.set_random_state(seed)
        self.trainer.run()
        return self.trainer.state.output


def values(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


class TestOneIteration:
    def test_each_step_changes_its_own_network_alone_to_the_bit(self) -> None:
        game, seen = Game(), []
        at_start: list[dict[str, Any]] = []

        def note(name: str) -> Callable[..., None]:
            return lambda *_: seen.append((name, values(game.generator), values(game.discriminator)))

        def start() -> None:
            at_start.append({"g": values(game.generator), "d": values(game.discriminator)})

        game.trainer.add_event_handler(Events.ITERATION_STARTED, start)
        game.g_optimizer.register_step_post_hook(note("generator"))
        game.d_optimizer.register_step_post_hook(note("discriminator"))
        game.run()
        assert [name for name, _, _ in seen] == ["generator", "discriminator"] * 2
        parameters = [name for name, _ in game.generator.named_parameters()]
        for start_values, after_g, after_d in zip(at_start, seen[::2], seen[1::2], strict=True):
            assert same(start_values["d"], after_g[2])
            assert not any(torch.equal(start_values["g"][name], after_g[1][name]) for name in parameters)
            assert same(after_g[1], after_d[1])
            assert not any(torch.equal(after_g[2][name], value) for name, value in after_d[2].items())

    def test_no_gradient_is_computed_for_the_network_that_is_not_trained(self) -> None:
        game = Game()
        gradients: list[list[Any]] = []
        game.g_optimizer.register_step_post_hook(
            lambda *_: gradients.append([p.grad for p in game.discriminator.parameters()])
        )
        before: list[torch.Tensor] = []
        game.g_optimizer.register_step_post_hook(
            lambda *_: before.extend(p.grad.clone() for p in game.generator.parameters() if p.grad is not None)
        )
        game.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=1), game.trainer.terminate)
        game.run()
        assert gradients == [[None] * 10]
        after = [p.grad for p in game.generator.parameters()]
        assert len(after) == 6
        assert all(a is not None and torch.equal(a, b) for a, b in zip(after, before, strict=True))
        assert all(p.requires_grad for p in game.discriminator.parameters())

    def test_losses_are_those_of_the_formulas(self) -> None:
        """Binary cross-entropies written out with the sigmoid, on networks as they were at each step."""
        game = Game(adversarial_weight=0.3)
        game.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=1), game.trainer.terminate)
        generator, discriminator = copy.deepcopy(game.generator), copy.deepcopy(game.discriminator)
        output = game.run()
        logits = generator.train()(output["image"])
        probability = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
        torch.testing.assert_close(output["pred"], logits.detach())
        torch.testing.assert_close(output["fakes"], probability.detach())

        on_prediction, on_label = (torch.sigmoid(discriminator(maps)) for maps in (probability, output["label"]))
        segmentation = -(output["label"] * probability.log()).sum(dim=1).mean()
        adversarial = -on_prediction.log().mean()
        label_loss, prediction_loss = -on_label.log().mean(), -(1 - on_prediction).log().mean()
        accuracy = ((on_label > 0.5).float().mean() + (on_prediction <= 0.5).float().mean()) / 2
        expected = {
            "reconstruction_loss": segmentation,
            "generator_loss": adversarial,
            "loss": segmentation + 0.3 * adversarial,
            "discriminator_loss_label": label_loss,
            "discriminator_loss_prediction": prediction_loss,
            "discriminator_loss": (label_loss + prediction_loss) / 2,
            "discriminator_accuracy": accuracy,
        }
        for name, value in expected.items():
            assert output[name].item() == pytest.approx(value.item(), rel=1e-5), name
            assert not output[name].requires_grad, name

    def test_the_label_is_the_real_sample(self) -> None:
        shown: list[torch.Tensor] = []
        game = Game()
        game.discriminator.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0].detach().clone()))
        game.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=1), game.trainer.terminate)
        output = game.run()
        prediction, label, again = shown
        assert torch.equal(label, output["label"])
        assert torch.equal(prediction, again)
        torch.testing.assert_close(prediction.sum(dim=1), torch.ones(4, 32, 40))


class TestAsASupervisedTrainer:
    def supervised(self, epochs: int) -> dict[str, torch.Tensor]:
        network = generator_network()
        trainer = SupervisedTrainer(
            device=CPU,
            max_epochs=epochs,
            train_data_loader=Game().trainer.data_loader,
            network=network,
            optimizer=torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4),
            loss_function=nn.CrossEntropyLoss(),
            decollate=False,
        )
        torch.manual_seed(3)
        trainer.data_loader.dataset.transform.set_random_state(3)
        trainer.run()
        return values(network)

    def test_without_adversarial_weight_the_updates_are_the_baselines_to_the_bit(self) -> None:
        game = Game(epochs=3, adversarial_weight=0.0)
        game.run()
        assert same(values(game.generator), self.supervised(epochs=3))

    def test_with_it_they_are_not(self) -> None:
        game = Game(epochs=3, adversarial_weight=0.01)
        game.run()
        assert not same(values(game.generator), self.supervised(epochs=3))

    @pytest.mark.parametrize("decollate", [True, False])
    def test_metrics_see_post_processed_predictions(self, decollate: bool) -> None:
        dim = 0 if decollate else 1
        game = Game(
            postprocessing=AsDiscreted("pred", argmax=True, to_onehot=2, dim=dim),
            key_train_metric={
                "train_dice": MeanDice(include_background=False, output_transform=from_engine(["pred", "label"]))
            },
            additional_metrics={"loss": Average(from_engine("loss", first=True) if decollate else lambda o: o["loss"])},
            decollate=decollate,
        )
        fired: list[int] = []
        game.trainer.add_event_handler(
            IterationEvents.MODEL_COMPLETED, lambda engine: fired.append(engine.state.iteration)
        )
        output = game.run()
        assert fired == [1, 2]
        predictions = [item["pred"] for item in output] if decollate else output["pred"]
        assert all(set(prediction.unique().tolist()) <= {0.0, 1.0} for prediction in predictions)
        # On raw logits MeanDice would leave the range of a Dice.
        assert 0 <= game.trainer.state.metrics["train_dice"] <= 1
        assert game.trainer.state.metrics["loss"] > 0

    def test_bfloat16_on_a_cpu_gives_nearly_the_same_losses(self) -> None:
        outputs = []
        for dtype in (None, torch.bfloat16):
            inferer = AutocastInferer(dtype)
            game = Game(g_inferer=inferer, d_inferer=inferer)
            game.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=1), game.trainer.terminate)
            outputs.append(game.run())
        full, low = outputs
        assert low["pred"].dtype == low["real_logits"].dtype == torch.float32
        assert not torch.equal(low["pred"], full["pred"])
        for name in ("loss", "generator_loss", "discriminator_loss"):
            assert low[name].item() == pytest.approx(full[name].item(), rel=0.02), name

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    def test_float16_on_cuda_learns_with_one_scaler(self) -> None:
        device = torch.device("cuda")
        networks = generator_network().to(device), discriminator_network().to(device)
        game = Game(epochs=5, networks=networks, device=device, amp=True)
        losses: list[float] = []
        game.trainer.add_event_handler(
            Events.ITERATION_COMPLETED, lambda engine: losses.append(float(engine.state.output["loss"]))
        )
        game.run()
        assert game.trainer.scaler.get_scale() > 1
        assert losses[-1] < losses[0]

    def test_the_game_is_learnt(self) -> None:
        game = Game(epochs=15)
        output = game.run()
        dice = 2 * (output["pred"].argmax(1) * output["label"][:, 1]).sum()
        dice /= output["pred"].argmax(1).sum() + output["label"][:, 1].sum()
        assert dice > 0.9
        assert 0.1 < output["discriminator_loss"] < 0.8

    def test_the_engines_own_state_holds_no_live_modules(self, tmp_path: Path) -> None:
        game = Game()
        game.run()
        torch.save(game.trainer.state_dict(), tmp_path / "engine.pt")
        assert "iteration" in torch.load(tmp_path / "engine.pt", weights_only=True)


class _StopError(Exception):
    pass


class TestCheckpoints:
    def train(self, folder: Path, epochs: int, resume: bool = False, stop_after: int | None = None) -> dict[str, Any]:
        game = Game(epochs)
        if resume:
            for network in (game.generator, game.discriminator):
                for parameter in network.parameters():
                    nn.init.constant_(parameter, 0.1)  # resuming must not rely on the process's own start
        optimizers = {"optimizer": game.g_optimizer, "discriminator_optimizer": game.d_optimizer}
        schedulers = {
            f"{name}_schedule": torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: (1 - i / 8) ** 0.9)
            for name, optimizer in optimizers.items()
        }
        for scheduler in schedulers.values():
            LrScheduleHandler(scheduler, print_lr=False, epoch_level=False).attach(game.trainer)
        networks = {"network": game.generator, "discriminator": game.discriminator}
        objects: dict[str, Any] = {**networks, **optimizers, **schedulers}
        TrainingState(folder / "checkpoint.pt", objects=objects, settings={}, seed=3, resume=resume).attach(
            game.trainer
        )
        if stop_after is not None:

            def stop() -> None:
                raise _StopError

            game.trainer.add_event_handler(Events.EPOCH_COMPLETED(once=stop_after), stop)
            with pytest.raises(_StopError):
                game.trainer.run()
        else:
            game.trainer.run()
        rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers.values()]
        return {"generator": values(game.generator), "discriminator": values(game.discriminator), "rates": rates}

    def test_resumed_equals_uninterrupted_to_the_bit(self, tmp_path: Path) -> None:
        whole = self.train(tmp_path / "whole", epochs=4)
        self.train(tmp_path / "parts", epochs=4, stop_after=2)
        resumed = self.train(tmp_path / "parts", epochs=4, resume=True)
        assert resumed["rates"] == whole["rates"]
        assert same(resumed["generator"], whole["generator"])
        assert same(resumed["discriminator"], whole["discriminator"])

    def test_both_networks_and_optimisers_load_without_running_code(self, tmp_path: Path) -> None:
        trained = self.train(tmp_path, epochs=1)
        state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
        assert same(state["network"], trained["generator"])
        assert same(state["discriminator"], trained["discriminator"])
        assert {len(state[name]["state"]) for name in ("optimizer", "discriminator_optimizer")} == {6, 10}

    def test_a_nan_stops_the_run_and_the_last_checkpoint_stays(self, tmp_path: Path) -> None:
        losses = iter([1.0, 1.0, 1.0, float("nan")])
        game = Game(
            epochs=3,
            recon_loss_function=lambda logits, label: next(losses) * nn.functional.cross_entropy(logits, label),
        )
        StopOnNonFinite([game.generator, game.discriminator]).attach(game.trainer)
        path = tmp_path / "checkpoint.pt"
        objects: dict[str, Any] = {"network": game.generator, "discriminator": game.discriminator}
        TrainingState(path, objects=objects, settings={}).attach(game.trainer)
        kept: list[bytes] = []
        game.trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: kept.append(path.read_bytes()))
        with pytest.raises(FloatingPointError, match=r"loss is nan in iteration 4 \(epoch 2\).*--resume True"):
            game.trainer.run()
        assert kept == [path.read_bytes()]
        state = torch.load(path, weights_only=True)
        assert state["progress"]["epoch"] == 1
        assert all(value.isfinite().all() for name in objects for value in state[name].values())


def _train_in_parallel(rank: int, folder: str, world_size: int) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=world_size
    )
    try:
        # Without batch normalisation the two halves of a batch do not meet but in the gradient's mean.
        bare = generator_network(norm=False), discriminator_network()
        networks = tuple(nn.parallel.DistributedDataParallel(network) for network in bare)
        half = [frames()[i] for i in range(FRAMES) if i % world_size == rank]
        loader = DataLoader(Dataset(half), batch_size=FRAMES // world_size, num_workers=0)
        Game(epochs=3, networks=networks, train_data_loader=loader).trainer.run()
        torch.save([network.state_dict() for network in bare], f"{folder}/{rank}.pt")
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_train_as_one_with_the_whole_batch(tmp_path: Path) -> None:
    torch.multiprocessing.start_processes(_train_in_parallel, (str(tmp_path), 2), nprocs=2, start_method="forkserver")
    ranks = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    networks = generator_network(norm=False), discriminator_network()
    loader = DataLoader(Dataset(frames()), batch_size=FRAMES, num_workers=0)
    Game(epochs=3, networks=networks, train_data_loader=loader).trainer.run()
    for first, second, network in zip(*ranks, networks, strict=True):
        assert same(first, second)
        for name, value in network.state_dict().items():
            torch.testing.assert_close(first[name], value, rtol=1e-3, atol=1e-5)

from __future__ import annotations

import itertools
import json
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ampose.research.data.batches import Batch, Plan
from ampose.research.data.sampling import Augmentation
from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.zoo import build
from ampose.research.recipes import OpenMotion, Recipe
from ampose.research.training import loop
from ampose.research.training.checkpoint import save_weights
from ampose.research.training.distributed import World
from ampose.research.training.loop import (
    RunMismatchError,
    prefetched,
    start_from,
    train,
    train_step,
    update_average,
)
from ampose.research.training.optimisers import learning_rate, make_optimiser
from tests.research.training.runs import (
    REFINED,
    TINY,
    WINDOWS,
    OneLayer,
    names,
    same,
    sampler,
    source,
    tiny,
)

DROPOUT = tiny(model=MartinezConfig(width=16, channels=3, dropout=0.5))
MUON = tiny(optimiser="muon")


class Share(World):
    """One of several processes, without the others: sums are its own part."""

    def summed(self, value: torch.Tensor) -> torch.Tensor:
        return value


def score(model: nn.Module) -> dict[str, float]:
    """A number that changes with the weights, in the place of a validation error."""
    return {"sum": float(sum(p.double().abs().sum() for p in model.parameters()))}


def run(recipe: Recipe, folder: Path, **changes: object) -> nn.Module:
    options = {"validate": score, "report": lambda *_: None} | changes
    return train(recipe, source(recipe), folder, **options)


@pytest.fixture(autouse=True)
def _frequent_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RECORD_STEPS", 5)  # TINY has 12 steps: records after 5, 10 and 12


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[Recipe, tuple[nn.Module, str]]:
    """The model and the log of runs that nothing interrupted."""
    out = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "RECORD_STEPS", 5)
        for recipe in (TINY, DROPOUT, MUON, WINDOWS, REFINED):
            folder = tmp_path_factory.mktemp("whole")
            out[recipe] = run(recipe, folder), (folder / "log.jsonl").read_text()
    return out


def interrupting(at: int, error: type[BaseException], then: Callable = lambda *_: None):
    """`then`, but raises at call number `at`, from 0."""
    calls = itertools.count()

    def call(*arguments):
        if next(calls) == at:
            raise error
        return then(*arguments)

    return call


class TestRun:
    def test_leaves_recipe_log_and_weights(self, tmp_path: Path) -> None:
        model = run(TINY, tmp_path)
        assert names(tmp_path) == ["log.jsonl", "model.safetensors", "recipe.json", "tensorboard"]
        recipe = json.loads((tmp_path / "recipe.json").read_text())
        assert (recipe["name"], recipe["poses"], recipe["model"]["width"]) == ("tiny", 96, 16)
        assert not model.training
        records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
        assert [record["poses"] for record in records] == [40, 80, 96]
        assert all(record["loss"] > 0 for record in records)
        assert records[-1]["sum"] == score(model)["sum"]

    def test_a_seed_decides_everything(self, tmp_path: Path, whole) -> None:
        expected, log = whole[TINY]
        again = run(TINY, tmp_path / "again", workers=2)  # threads do not change the order
        assert same(again, expected)
        assert (tmp_path / "again" / "log.jsonl").read_text() == log
        assert not same(run(tiny(seed=1), tmp_path / "other"), expected)

    def test_a_finished_run_is_not_run_again(self, tmp_path: Path) -> None:
        first = run(TINY, tmp_path)
        before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}

        def refuse(*_: object) -> dict[str, float]:
            raise AssertionError("a finished run neither validates nor reports")

        again = run(TINY, tmp_path, validate=refuse, report=refuse)
        assert same(first, again)
        assert not again.training
        assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before

    def test_another_recipe_is_refused(self, tmp_path: Path) -> None:
        run(TINY, tmp_path)
        with pytest.raises(RunMismatchError, match="another recipe; give --out another folder"):
            run(tiny(seed=1), tmp_path)

    def test_the_loss_falls(self, tmp_path: Path) -> None:
        still = Augmentation(clusters=8, exact=1, whole=1, free_body=0)
        data = OpenMotion(augmentation=still)
        recipe = tiny(poses=80 * 32, batch=32, learning_rate=3e-3, data=data)
        run(recipe, tmp_path)
        lines = (tmp_path / "log.jsonl").read_text().splitlines()
        losses = [json.loads(line)["loss"] for line in lines]
        assert losses[-1] < 0.6 * losses[0]

    def test_bfloat16_keeps_weights_in_float32(self, tmp_path: Path, whole) -> None:
        model = run(tiny(precision="bfloat16"), tmp_path)
        assert all(p.dtype == torch.float32 for p in model.parameters())
        assert not same(model, whole[TINY][0])
        for one, other in zip(model.parameters(), whole[TINY][0].parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=0.05, atol=0.02)

    def test_validates_as_often_as_asked_and_reports_every_record(self, tmp_path: Path) -> None:
        reports = []
        run(
            tiny(poses=40 * 8),
            tmp_path,
            validations=2,
            report=lambda poses, loss, scores: reports.append((poses, loss, scores)),
        )
        assert [poses for poses, _, _ in reports] == [8 * step for step in range(5, 41, 5)]
        validated = [poses // 8 for poses, _, scores in reports if scores is not None]
        assert validated == [20, 40]
        logged = [json.loads(x) for x in (tmp_path / "log.jsonl").read_text().splitlines()]
        assert [round(loss, 3) for _, loss, _ in reports] == [x["loss"] for x in logged]

    @pytest.mark.parametrize(("loss", "unit"), [("mpjpe", 1e3), ("refined", 1e3), ("mse", 1e6)])
    def test_logs_the_mean_loss_in_millimetres(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str, unit: float
    ) -> None:
        values = iter(torch.arange(1.0, 13.0))
        monkeypatch.setattr(loop, "train_step", lambda *_: next(values))
        run(tiny(loss=loss), tmp_path)
        logged = [json.loads(x)["loss"] for x in (tmp_path / "log.jsonl").read_text().splitlines()]
        assert logged == [3.0 * unit, 8.0 * unit, 11.5 * unit]

    def test_trains_in_another_thread(self, tmp_path: Path, whole) -> None:
        models: list[nn.Module] = []
        thread = threading.Thread(target=lambda: models.append(run(TINY, tmp_path)))
        thread.start()
        thread.join()
        assert same(models[0], whole[TINY][0])

    def test_epochs_over_windows_of_a_dataset(self, tmp_path: Path, whole) -> None:
        """23 frames, each also mirrored: epochs of 46 samples in 8 steps, the last of 4."""
        model, log = whole[WINDOWS]
        poses = [json.loads(line)["poses"] for line in log.splitlines()]
        assert poses == [30, 46 + 12, 46 + 42, 92 + 24, 138]  # after 5, 10, 15, 20 and 24 steps
        assert same(run(WINDOWS, tmp_path, workers=3), model)
        assert (tmp_path / "log.jsonl").read_text() == log

    @pytest.mark.parametrize(("average", "is_last"), [(0.0, True), (0.5, False)])
    def test_without_an_average_the_last_weights_are_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, average: float, is_last: bool
    ) -> None:
        trained = []

        def remember(recipe, model, *rest):
            trained[:] = [model]
            return train_step(recipe, model, *rest)

        monkeypatch.setattr(loop, "train_step", remember)
        kept = run(tiny(average=average), tmp_path)
        assert same(kept, trained[0]) == is_last

    def test_a_network_and_its_refiner_learn_together(self, whole) -> None:
        model, _ = whole[REFINED]
        torch.manual_seed(REFINED.seed)
        fresh = build(REFINED.model)
        for part, before in zip(model.children(), fresh.children(), strict=True):
            assert not same(part, before)


class TestResume:
    """An interrupted run that goes on is the uninterrupted one: its model and its log."""

    @pytest.mark.parametrize(
        ("recipe", "steps"),
        [
            (TINY, range(12)),
            (DROPOUT, range(12)),
            (MUON, (0, 7)),
            (WINDOWS, (0, 7, 8, 9, 23)),  # an epoch has 8 steps
            (REFINED, (0, 11)),
        ],
        ids=["ampose", "dropout", "muon", "windows", "refined"],
    )
    def test_after_an_interruption_between_any_two_steps(
        self, tmp_path: Path, whole, recipe: Recipe, steps: Sequence[int]
    ) -> None:
        for at in steps:
            folder = tmp_path / str(at)
            interrupted = source(recipe)
            make = interrupted.step

            def step(plan, seed, number, make=make, at=at):
                if number == at:
                    raise KeyboardInterrupt
                return make(plan, seed, number)

            interrupted.step = step
            with pytest.raises(KeyboardInterrupt):
                train(recipe, interrupted, folder, validate=score, report=lambda *_: None)
            assert torch.load(folder / "checkpoint.pt")["step"] == at
            self._goes_on(recipe, folder, whole)

    @pytest.mark.parametrize("at", [0, 1, 2])
    @pytest.mark.parametrize("where", ["validate", "report"])
    def test_after_an_interruption_in_a_callback(
        self, tmp_path: Path, whole, where: str, at: int
    ) -> None:
        options = {"validate": score, "report": lambda *_: None}
        with pytest.raises(KeyboardInterrupt):
            run(TINY, tmp_path, **{where: interrupting(at, KeyboardInterrupt, options[where])})
        self._goes_on(TINY, tmp_path, whole)

    @pytest.mark.parametrize("recipe", [TINY, DROPOUT], ids=["ampose", "dropout"])
    @pytest.mark.parametrize("at", [0, 4, 5, 11])
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_in_the_middle_of_a_step(
        self,
        tmp_path: Path,
        whole,
        monkeypatch: pytest.MonkeyPatch,
        recipe: Recipe,
        at: int,
        number: signal.Signals,
    ) -> None:
        steps = itertools.count()

        def half_a_step(*arguments):
            if next(steps) == at:
                signal.raise_signal(number)
            return train_step(*arguments)

        # as `ampose.cli.main` sets it
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with monkeypatch.context() as patch:
                patch.setattr(loop, "train_step", half_a_step)
                with pytest.raises(KeyboardInterrupt):
                    run(recipe, tmp_path)
            assert signal.getsignal(number) is signal.default_int_handler
        finally:
            signal.signal(signal.SIGTERM, before)
        assert torch.load(tmp_path / "checkpoint.pt")["step"] == at + 1
        self._goes_on(recipe, tmp_path, whole)

    @pytest.mark.parametrize("at", [2, 7, 10, 11])
    @pytest.mark.parametrize("every", [1, 3, 8])
    def test_after_the_process_was_killed(
        self, tmp_path: Path, whole, monkeypatch: pytest.MonkeyPatch, at: int, every: int
    ) -> None:
        def seldom(folder, step, *state, save=loop.save_checkpoint):
            if step % every == 0:
                save(folder, step, *state)

        with monkeypatch.context() as patch:
            patch.setattr(loop, "train_step", interrupting(at, RuntimeError, train_step))
            patch.setattr(loop, "save_checkpoint", seldom)
            with pytest.raises(RuntimeError):
                run(TINY, tmp_path, checkpoint_seconds=-1)
        (tmp_path / "checkpoint.pt.partial").write_bytes(b"half")
        with (tmp_path / "log.jsonl").open("a") as log:
            log.write('{"poses": 9')
        self._goes_on(TINY, tmp_path, whole)

    def test_several_times(self, tmp_path: Path, whole) -> None:
        for at in (0, 0, 0):
            with pytest.raises(KeyboardInterrupt):
                run(TINY, tmp_path, report=interrupting(at, KeyboardInterrupt))
        self._goes_on(TINY, tmp_path, whole)

    def test_after_the_weights_were_not_written(
        self, tmp_path: Path, whole, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(loop, "save_weights", interrupting(0, OSError))
            with pytest.raises(OSError):  # noqa: PT011  (a full disk says anything)
                run(TINY, tmp_path, checkpoint_seconds=-1)
        self._goes_on(TINY, tmp_path, whole)

    def _goes_on(self, recipe: Recipe, folder: Path, whole) -> None:
        expected, log = whole[recipe]
        assert not (folder / "model.safetensors").exists()
        assert same(run(recipe, folder), expected)
        assert (folder / "log.jsonl").read_text() == log
        left = set(names(folder)) - {"checkpoint.pt.partial"}
        assert left == {"log.jsonl", "model.safetensors", "recipe.json", "tensorboard"}


@pytest.mark.parametrize("recipe", [TINY, WINDOWS, MUON], ids=["cosine", "exponential", "muon"])
def test_every_part_of_the_optimiser_takes_the_learning_rate(
    tmp_path: Path, monkeypatch, recipe
) -> None:
    used = []

    def remember(recipe, model, optimiser, batch, world):
        used.append([group["lr"] for group in optimiser.param_groups])
        return train_step(recipe, model, optimiser, batch, world)

    monkeypatch.setattr(loop, "train_step", remember)
    run(recipe, tmp_path)
    plan = recipe.plan(46)
    parts = 3 if recipe is MUON else 2
    rates = [learning_rate(recipe, plan, step) for step in range(plan.steps)]
    assert used == [[rate] * parts for rate in rates]


class TestStart:
    """A run that starts from trained weights."""

    def test_from_the_same_network(self, tmp_path: Path) -> None:
        torch.manual_seed(1)
        trained, model = build(TINY.model), build(TINY.model)
        save_weights(trained, tmp_path / "w.safetensors")
        start_from(model, tmp_path / "w.safetensors")
        assert same(model, trained)

    def test_of_a_refiner_from_its_network(self, tmp_path: Path) -> None:
        trained, model = build(REFINED.model.base), build(REFINED.model)
        save_weights(trained, tmp_path / "w.safetensors")
        start_from(model, tmp_path / "w.safetensors")
        assert same(model.base, trained)

    @pytest.mark.parametrize(
        ("trained", "wanted"),
        [
            (replace(REFINED.model.base, depth=2), REFINED.model),  # another size
            (replace(TINY.model, heads=2), TINY.model),  # the same shapes, other sense
            (MartinezConfig(width=16), REFINED.model),
            (REFINED.model, REFINED.model),
            (REFINED.model, REFINED.model.base),
        ],
    )
    def test_from_another_network_is_refused(self, tmp_path: Path, trained, wanted) -> None:
        path = tmp_path / "w.safetensors"
        save_weights(build(trained), path)
        model = build(wanted)
        before = {key: value.clone() for key, value in model.state_dict().items()}
        with pytest.raises(ValueError, match="weights of another network than the recipe") as said:
            start_from(model, path)
        assert str(path) in str(said.value)
        assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())

    def test_the_first_step_has_the_trained_weights(self, tmp_path: Path, monkeypatch) -> None:
        trained = run(WINDOWS, tmp_path / "base")

        def stop(_recipe, model, *_rest):
            assert same(model.base, trained)
            raise RuntimeError("seen")

        monkeypatch.setattr(loop, "train_step", stop)
        with pytest.raises(RuntimeError, match="seen"):
            run(REFINED, tmp_path / "run", initial=tmp_path / "base" / "model.safetensors")

    def test_a_resumed_run_does_not_start_again(self, tmp_path: Path, monkeypatch) -> None:
        run(WINDOWS, tmp_path / "base")
        start = tmp_path / "base" / "model.safetensors"
        whole = run(REFINED, tmp_path / "whole", initial=start)
        with monkeypatch.context() as patch:
            patch.setattr(loop, "train_step", interrupting(7, KeyboardInterrupt, train_step))
            with pytest.raises(KeyboardInterrupt):
                run(REFINED, tmp_path / "cut", initial=start)
        assert same(run(REFINED, tmp_path / "cut", initial=start), whole)


class TestAverage:
    def test_by_hand(self) -> None:
        average, model = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
        with torch.no_grad():
            average.weight.fill_(1.0)
            model.weight.fill_(5.0)
        model.running_mean.fill_(7.0)
        model.num_batches_tracked.fill_(3)
        update_average(average, model, 0.75)
        assert average.weight.item() == pytest.approx(0.75 * 1 + 0.25 * 5)
        assert average.running_mean.item() == pytest.approx(0.75 * 0 + 0.25 * 7)
        assert average.num_batches_tracked.item() == 3
        assert model.weight.item() == 5

    def test_is_short_at_the_start_and_the_recipes_later(self, tmp_path: Path, monkeypatch):
        decays = []
        monkeypatch.setattr(loop, "update_average", lambda *a: decays.append(a[2]))
        run(tiny(average=0.5), tmp_path)
        expected = [min(0.5, (step + 1) / (step + 10)) for step in range(12)]
        assert decays == expected
        assert decays[0] == 0.1
        assert decays[-1] == 0.5


class TestStep:
    """One step of a one-layer model, worked out by hand."""

    batch = Batch(
        inputs=np.array([[[[1.0, 0, 0], [0, 2, 0]]]], np.float32),
        targets=np.array([[[0.0, 0, 0], [0, 0, 6]]], np.float32),
    )

    def _step(self, **changes: object) -> tuple[float, torch.Tensor]:
        model = OneLayer()
        with torch.no_grad():
            model.layer.weight.zero_()
            model.layer.weight[0, 0] = 3.0  # predicts (3, 0, 0) and (0, 0, 0)
        optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
        before = model.layer.weight.detach().clone()
        loss = train_step(tiny(**changes), model, optimiser, self.batch, World())
        return loss.item(), before - model.layer.weight.detach()

    def test_mpjpe(self) -> None:
        loss, gradient = self._step(loss="mpjpe", clip_norm=100.0)
        assert loss == pytest.approx((3 + 6) / 2)
        # d/dW of the mean of |Wx - y|: unit vector of the error times x, halved.
        expected = torch.zeros(3, 3)
        expected[0, 0] = 0.5 * 1
        expected[2, 1] = -0.5 * 2
        torch.testing.assert_close(gradient, expected)

    def test_mse(self) -> None:
        loss, gradient = self._step(loss="mse", clip_norm=100.0)
        assert loss == pytest.approx((9 + 36) / 2)
        expected = torch.zeros(3, 3)
        expected[0, 0] = 0.5 * 2 * 3 * 1
        expected[2, 1] = -0.5 * 2 * 6 * 2
        torch.testing.assert_close(gradient, expected)

    def test_gradients_are_clipped_to_a_norm(self) -> None:
        _, free = self._step(clip_norm=None)
        assert free.norm() > 1
        _, clipped = self._step(clip_norm=0.5)
        assert clipped.norm().item() == pytest.approx(0.5, rel=1e-4)
        torch.testing.assert_close(clipped / clipped.norm(), free / free.norm())

    def test_trains_in_training_mode(self) -> None:
        model = build(DROPOUT.model).eval()
        optimiser = torch.optim.SGD(model.parameters(), lr=0.0)
        batch = sampler().batch(8, np.random.default_rng(0))
        train_step(DROPOUT, model, optimiser, batch, World())
        assert model.training


class TestSharedStep:
    """The mean of the processes' gradients, which training takes, is that of the whole batch."""

    @staticmethod
    def gradients(recipe: Recipe, batch: Batch, world: World) -> tuple[float, list[torch.Tensor]]:
        torch.manual_seed(3)
        model = build(recipe.model)
        if recipe.loss == "refined":
            model.refiner[2].p = 0.0  # every process would drop other numbers
        optimiser = torch.optim.SGD(model.parameters(), lr=0.0)
        loss = train_step(recipe, model, optimiser, batch, world)
        return loss.item(), [parameter.grad for parameter in model.parameters()]

    @pytest.mark.parametrize("recipe", [TINY, WINDOWS, REFINED], ids=lambda recipe: recipe.loss)
    @pytest.mark.parametrize(("size", "count"), [(8, 2), (7, 2), (7, 3), (1, 2)])
    def test_equals_the_whole_one(self, recipe: Recipe, size: int, count: int) -> None:
        recipe = replace(recipe, clip_norm=None)
        batch = source(recipe).step(Plan(poses=size, epochs=1, batch=size), 0, 0)
        expected, whole = self.gradients(recipe, batch, World())
        shares = [self.gradients(recipe, batch, Share(rank, count)) for rank in range(count)]
        assert sum(loss for loss, _ in shares) == pytest.approx(expected, rel=1e-5)
        for gradient, *parts in zip(whole, *(parts for _, parts in shares), strict=True):
            torch.testing.assert_close(sum(parts) / count, gradient, rtol=1e-4, atol=1e-6)

    def test_a_step_that_another_process_left_is_not_taken(self) -> None:
        class Left(World):
            def summed(self, value: torch.Tensor) -> torch.Tensor:
                raise RuntimeError("connection closed")

        model = build(TINY.model)
        before = [parameter.detach().clone() for parameter in model.parameters()]
        optimiser = make_optimiser(TINY, model)
        batch = sampler().batch(8, np.random.default_rng(0))
        with pytest.raises(RuntimeError, match="connection closed"):
            train_step(TINY, model, optimiser, batch, Left(0, 2))
        assert not optimiser.state
        assert all(map(torch.equal, model.parameters(), before))


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(("recipe", "count"), [(TINY, 3), (WINDOWS, 15)], ids=["poses", "epochs"])
def test_batches_made_ahead_are_those_of_their_steps(
    recipe: Recipe, count: int, workers: int
) -> None:
    batches = source(recipe)
    plan = recipe.plan(batches.poses)
    ahead = list(prefetched(batches, plan, 4, 9, workers))
    assert len(ahead) == count
    for step, batch in enumerate(ahead, start=9):
        expected = batches.step(plan, 4, step)
        np.testing.assert_array_equal(batch.inputs, expected.inputs)
        np.testing.assert_array_equal(batch.targets, expected.targets)

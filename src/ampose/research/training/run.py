"""A recipe by name, its data and its run folder put together."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ampose.files import sha256_of
from ampose.metrics import mpjpe, p_mpjpe
from ampose.research.data.batches import Source, WindowSource
from ampose.research.data.open_mocap import FOLD, REST, Track, load_pack
from ampose.research.data.sampling import PoseSampler
from ampose.research.evaluation import licensed
from ampose.research.evaluation.open_protocol import INPUTS, EvaluationSet, load_set, predict_set
from ampose.research.evaluation.provenance import circumstances
from ampose.research.models.zoo import ModelConfig
from ampose.research.recipes import RECIPES, Licensed, OpenMotion, Recipe
from ampose.research.training.checkpoint import WEIGHTS
from ampose.research.training.distributed import World, joined
from ampose.research.training.inference import torch_lifter
from ampose.research.training.loop import train

Scores = dict[str, float]

MOST_VALIDATIONS = 20
VALIDATION_POSES = 50_000
"""Fewest poses between two validations, so that they take a small part of the time."""


class Prepared(NamedTuple):
    """What a recipe needs to run.

    Attributes:
        source: of batches.
        validate: errors of a model, in millimetres; none where nothing is held out.
        standing: whether the data is the published one; see `licensed.standing`.
    """

    source: Source
    validate: Callable[[nn.Module], Scores]
    standing: str


def train_recipe(
    name: str,
    data: Path,
    folder: Path,
    *,
    poses: int | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    learning_rate: float | None = None,
    held_out: str | None = None,
    packs: Sequence[str] | None = None,
    workers: int = 1,
    threads: int | None = None,
    progress: Callable[[int, int | None], None],
) -> Scores | None:
    """Trains a named recipe to its end, in as many processes as ``torchrun`` started.

    Args:
        name: of the recipe.
        data: folder of the open-mocap packs or of the dataset's files.
        folder: run folder.
        poses: instead of the recipe's; for a recipe that counts poses.
        epochs: instead of the recipe's; for a recipe that counts epochs.
        seed: instead of the recipe's.
        learning_rate: instead of the recipe's.
        held_out: training subject to validate on instead of training on it.
        packs: those of the recipe's packs to train on; all of them if empty.
        workers: threads that make the next batches meanwhile.
        threads: for torch.
        progress: called with the poses seen and the poses in all.

    Returns:
        Validation errors in millimetres; None in all processes but the first.

    Raises:
        ValueError: unknown recipe, options that do not fit it, unusable data, or a folder of
            another run.
        KeyboardInterrupt: after saving, so that the same call goes on.
    """
    recipe = resolved(name, poses, epochs, seed, learning_rate, held_out, packs)
    if threads:
        torch.set_num_threads(threads)
    with joined() as world:
        prepared = prepare(recipe, data, world.device)
        if prepared.standing == licensed.TRIAL:
            require_temporary(folder)
        initial = None
        if recipe.start_from is not None:
            initial = folder.parent / recipe.start_from / WEIGHTS
            if not initial.exists():
                raise ValueError(
                    f"{recipe.name} starts from {recipe.start_from}, which is not in {initial}; "
                    f"train {recipe.start_from} there first"
                )
        plan = recipe.plan(prepared.source.poses)
        total = plan.seen(plan.steps)
        folder.mkdir(parents=True, exist_ok=True)
        if world.first:
            describe(folder, world, prepared.standing, pack_paths(recipe.data, data))

        def report(seen: int, loss: float, scores: Scores | None) -> None:
            del loss, scores  # they are in the log
            progress(seen, total)

        model = train(
            recipe,
            prepared.source,
            folder,
            validate=prepared.validate,
            report=report,
            validations=max(1, min(MOST_VALIDATIONS, total // VALIDATION_POSES)),
            initial=initial,
            world=world,
            workers=workers,
        )
        return prepared.validate(model) if world.first else None


def resolved(
    name: str,
    poses: int | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    learning_rate: float | None = None,
    held_out: str | None = None,
    packs: Sequence[str] | None = None,
) -> Recipe:
    """A named recipe with the given options in place of its own.

    Raises:
        ValueError: unknown recipe, or an option that the recipe does not have.
    """
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; known are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    if poses is not None and recipe.poses is None:
        raise ValueError(f"{name} counts epochs; give --epochs instead of --poses")
    if epochs is not None and recipe.epochs is None:
        raise ValueError(f"{name} counts poses; give --poses instead of --epochs")
    training = recipe.data
    if held_out is not None:
        if isinstance(training, OpenMotion) and held_out != FOLD:
            raise ValueError(
                f"{name} can hold out {FOLD!r}, the fold for choosing, not {held_out}"
            )
        training = replace(training, held_out=held_out)  # type: ignore[arg-type]
    if packs:
        if not isinstance(training, OpenMotion):
            raise ValueError(
                f"{name} trains on {training.dataset}, not on packs; leave out --pack"
            )
        if unknown := [each for each in packs if each not in training.packs]:
            known = ", ".join(training.packs)
            raise ValueError(f"{name} trains on no pack {unknown[0]!r}; --pack takes {known}")
        # In the recipe's order, so that naming all of them is the recipe itself.
        training = replace(training, packs=tuple(e for e in training.packs if e in packs))
    return replace(
        recipe,
        poses=recipe.poses if poses is None else poses,
        epochs=recipe.epochs if epochs is None else epochs,
        seed=recipe.seed if seed is None else seed,
        learning_rate=recipe.learning_rate if learning_rate is None else learning_rate,
        data=training,
    )


def prepare(recipe: Recipe, data: Path, device: str) -> Prepared:
    """Loads what a recipe trains on and how it is validated.

    Raises:
        ValueError: the data is missing or unusable.
    """
    if isinstance(recipe.data, OpenMotion):
        validation = load_set("cmu-val", data)
        sampler = load_sampler(recipe.data, data, recipe.model)
        fold = load_set("cmu-fold", data) if recipe.data.held_out else None

        def score(model: nn.Module) -> Scores:
            scores = validation_errors(model, validation, device)
            if fold is not None:
                of_fold = validation_errors(model, fold, device)
                scores |= {f"fold_{name}": error for name, error in of_fold.items()}
            return scores

        return Prepared(sampler, score, licensed.AS_PUBLISHED)
    options = recipe.data
    poses = licensed.load_part(options, recipe.model, data, "train")
    standing = licensed.standing(options.dataset, poses)

    def validate(model: nn.Module) -> Scores:
        if held is None:
            return {}
        predicted = licensed.predict(model, held, mirror=options.mirror_test, device=device)
        return {
            "mpjpe": round(mpjpe(predicted, held.targets), 2),
            "p_mpjpe": round(p_mpjpe(predicted, held.targets), 2),
        }

    held = None
    if options.held_out is not None:
        chosen = poses.subjects == options.held_out
        if not chosen.any() or chosen.all():
            known = ", ".join(np.unique(poses.subjects))
            raise ValueError(f"cannot hold out {options.held_out}; training subjects are {known}")
        held, poses = poses.only(chosen), poses.only(~chosen)
    source = WindowSource(
        poses,
        frames=recipe.model.frames,
        mirrored=options.mirror_training,
        oracle=recipe.loss == "refined",
    )
    return Prepared(source, validate, standing)


def require_temporary(folder: Path) -> None:
    """Generated or partial data may not leave results that look like measured ones.

    Raises:
        ValueError: the folder is not a temporary one.
    """
    temporary = Path(tempfile.gettempdir()).resolve()
    if not folder.resolve().is_relative_to(temporary):
        raise ValueError(
            "this data is not the complete published one (its frame counts differ), so its runs "
            f"are trials: give --out a folder under {temporary}"
        )


def describe(folder: Path, world: World, data: str, packs: Sequence[Path]) -> None:
    """Writes how a run was started, once; for packs also what identifies them."""
    record = folder / "run.json"
    if not record.exists():
        cuda = world.device.startswith("cuda")
        now = circumstances() | {
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if cuda else world.device,
            "processes": world.size,
            "data": data,
            "packs_sha256": {path.stem: sha256_of(path) for path in packs},
        }
        record.write_text(json.dumps(now, indent=2), encoding="utf-8")


def pack_paths(training: OpenMotion | Licensed, data: Path) -> list[Path]:
    """The packs of open motion in a folder; none for licensed data."""
    packs = training.packs if isinstance(training, OpenMotion) else ()
    return [data / f"{name}.npz" for name in packs]


def load_sampler(motion: OpenMotion, data: Path, model: ModelConfig) -> PoseSampler:
    """The training split of packs, in windows of the frames and channels that a network takes.

    Raises:
        ValueError: a pack is missing or cannot be read, one has nothing to train on, or windows
            are asked for and one does not say where the root is.
    """
    paths = pack_paths(motion, data)
    if missing := [path for path in paths if not path.exists()]:
        raise ValueError(
            f"{missing[0]}: no such file; give the folder of the open-mocap packs with --data, or "
            "train on fewer packs: ampose train --pack cmu"
        )
    packs = [load_pack(path) for path in paths]
    split = REST if motion.held_out else "train"
    chosen = [pack.frames(split=split) for pack in packs]
    # The recipe's packs are what cards and results name: each must have been trained on.
    if empty := [p.name for p, c in zip(packs, chosen, strict=True) if not len(c)]:
        raise ValueError(f"no frame of split {split!r} in {', '.join(empty)} of {data}")
    positions = np.concatenate([p.positions[c] for p, c in zip(packs, chosen, strict=True)])
    track = None
    if model.frames > 1:
        track = Track.joined([p.track(c) for p, c in zip(packs, chosen, strict=True)])
    return PoseSampler(
        positions,
        motion.augmentation,
        frames=model.frames,
        track=track,
        channels=model.channels,
    )


def validation_errors(model: nn.Module, chosen: EvaluationSet, device: str) -> Scores:
    """MPJPE and P-MPJPE with known focal length on exact and detector-like 2D, millimetres."""
    lift = torch_lifter(model, device=device)
    target = chosen.joints["template"]
    out = {}
    for kind in INPUTS:
        predicted = predict_set(lift, chosen, "template", kind, focal="known")
        out[f"{kind}_mpjpe"] = round(mpjpe(predicted, target), 2)
        out[f"{kind}_p_mpjpe"] = round(p_mpjpe(predicted, target), 2)
    return out

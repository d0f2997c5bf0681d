"""The settings of other systems' authors, each written down a second time; and that they run."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import torch

from ampose.research.data.batches import Batch
from ampose.research.data.human36m import OFFICIAL_FRAMES
from ampose.research.models.cai_stgcn import CaiSTGCNConfig
from ampose.research.models.cost import input_shape
from ampose.research.models.graformer import GraFormerConfig
from ampose.research.models.graphmlp import GraphMLPConfig
from ampose.research.models.jointformer import JointFormerConfig
from ampose.research.models.lcn import LCNConfig
from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.mhformer import MHFormerConfig
from ampose.research.models.mixste import MixSTEConfig
from ampose.research.models.modulated_gcn import ModulatedGCNConfig
from ampose.research.models.p_stmo import PSTMOConfig
from ampose.research.models.poseformer import PoseFormerConfig
from ampose.research.models.semgcn import SemGCNConfig
from ampose.research.models.srnet import SRNetConfig
from ampose.research.models.stacked_hourglass import StackedHourglassConfig
from ampose.research.models.videopose3d import VideoPose3DConfig
from ampose.research.models.weight_sharing import WeightSharingConfig
from ampose.research.models.zoo import ModelConfig, build
from ampose.research.recipes import COMPARATORS, RECIPES, Licensed, Recipe
from ampose.research.training.distributed import World
from ampose.research.training.loop import train_step
from ampose.research.training.optimisers import make_optimiser

CPN, GT = "cpn_ft_h36m_dbb", "gt"
KEYPOINTS = {"cpn": CPN, "gt": GT}


class Published(NamedTuple):
    """What an author's program says, and as which factor per epoch its schedule comes out."""

    model: ModelConfig
    keypoints: str
    mirrored: bool
    epochs: int
    batch: int
    optimiser: str
    rate: float
    decay: float
    weight_decay: float
    loss: str
    clip: float | None


_16 = "h36m_16"
_3DHP = "mpi_3dhp_17"

PUBLISHED: dict[str, Published] = {
    "h36m-gt-16-martinez": Published(
        MartinezConfig(width=1024, blocks=2, dropout=0.5, skeleton=_16),
        *(GT, False, 200, 64, "adam", 1e-3, 0.9901, 0.0, "mse", 1.0),
    ),
    "h36m-gt-16-semgcn": Published(
        SemGCNConfig(width=128, blocks=4, non_local=True, dropout=0.0, skeleton=_16),
        *(GT, False, 30, 64, "adam", 1e-3, 0.9901, 0.0, "mse", 1.0),
    ),
    **{
        f"h36m-{name}-16-weight-sharing": Published(
            WeightSharingConfig(width=128, blocks=4, dropout=0.1, skeleton=_16),
            *(keypoints, False, 100, 64, "adam", 1e-3, 0.95, 0.0, "mse", 1.0),
        )
        for name, keypoints in KEYPOINTS.items()
    },
    **{
        f"h36m-{name}-16-stacked-hourglass": Published(
            StackedHourglassConfig(stacks=4, width=64, dropout=0.25, skeleton=_16),
            *(keypoints, False, 50, 256, "adam", 1e-4, 0.9749, 0.0, "mse", 1.0),
        )
        for name, keypoints in KEYPOINTS.items()
    },
    "h36m-cpn-16-graformer": Published(
        GraFormerConfig(depth=6, width=128, heads=4, dropout=0.25, skeleton=_16),
        *(CPN, False, 100, 64, "adam", 1e-3, 0.9499, 0.0, "mse", 1.0),
    ),
    "h36m-gt-16-graformer": Published(
        GraFormerConfig(depth=5, width=96, heads=4, dropout=0.25, skeleton=_16),
        *(GT, False, 100, 64, "adam", 1e-3, 0.9499, 0.0, "mse", 1.0),
    ),
    **{
        f"h36m-{name}-17-lcn": Published(
            LCNConfig(width=64, blocks=3, hops=3, dropout=0.25),
            *(keypoints, False, 200, 200, "adam", 1e-3, 0.9901, 0.0, "mse", None),
        )
        for name, keypoints in KEYPOINTS.items()
    },
    # Its schedule is a cosine: the factor is not used.
    **{
        f"h36m-{name}-17-jointformer": Published(
            JointFormerConfig(depth=4, width=64, hidden=512, heads=8, dropout=0.2),
            *(keypoints, True, 25, 256, "adamw", 1e-3, 0.9901, 0.01, "mse", 1.0),
        )
        for name, keypoints in KEYPOINTS.items()
    },
    "h36m-gt-16-modulated-gcn": Published(
        ModulatedGCNConfig(width=128, blocks=4, non_local=False, dropout=0.0, skeleton=_16),
        *(GT, False, 50, 64, "adam", 1e-3, 0.9901, 0.0, "mse", 1.0),
    ),
    "h36m-cpn-17-modulated-gcn": Published(
        ModulatedGCNConfig(width=384, blocks=4, non_local=True, dropout=0.2),
        *(CPN, True, 30, 256, "amsgrad", 5e-3, 0.974, 0.0, "mpjpe", None),
    ),
    "h36m-cpn-17-cai-stgcn": Published(
        CaiSTGCNConfig(width=128, dropout=0.05, body_dropout=0.25, head_dropout=0.1),
        *(CPN, True, 40, 256, "amsgrad", 1e-3, 0.8356, 0.0, "mpjpe", None),
    ),
    "h36m-cpn-17-videopose3d": Published(
        VideoPose3DConfig(width=1024, filters=(1, 1, 1), dropout=0.25),
        *(CPN, True, 80, 1024, "amsgrad", 1e-3, 0.95, 0.0, "mpjpe", None),
    ),
    "h36m-gt-17-srnet": Published(
        SRNetConfig(width=1024, blocks=2, dropout=0.0),
        *(GT, True, 60, 1024, "amsgrad", 1e-3, 0.95, 0.0, "mpjpe", None),
    ),
    "h36m-cpn-17-graphmlp": Published(
        GraphMLPConfig(depth=3, width=512, dropout=0.1, drop_path=0.2),
        *(CPN, True, 20, 256, "amsgrad", 1e-3, 0.8356, 0.0, "mpjpe", None),
    ),
    "h36m-cpn-17-poseformer-27": Published(
        PoseFormerConfig(depth=4, width=32, dropout=0.0, drop_path=0.1, frames=27),
        *(CPN, True, 200, 512, "adamw", 4e-5, 0.99, 0.1, "mpjpe", None),
    ),
    "3dhp-9-mhformer": Published(
        MHFormerConfig(width=512, dropout=0.1, drop_path=0.2, frames=9, skeleton=_3DHP),
        *(GT, True, 19, 256, "amsgrad", 1e-3, 0.8356, 0.0, "mpjpe", None),
    ),
    "3dhp-1-mixste": Published(
        MixSTEConfig(depth=8, width=512, dropout=0.0, drop_path=0.1, frames=1, skeleton=_3DHP),
        *(GT, True, 120, 1024, "adamw", 4e-5, 0.99, 0.1, "mpjpe", None),
    ),
    "3dhp-27-mixste": Published(
        MixSTEConfig(depth=8, width=512, dropout=0.0, drop_path=0.1, frames=27, skeleton=_3DHP),
        *(GT, True, 4, 37, "adamw", 4e-5, 0.7623, 0.1, "mpjpe", None),
    ),
    "3dhp-81-p-stmo": Published(
        PSTMOConfig(depth=3, width=256, hidden=512, dropout=0.1, frames=81, skeleton=_3DHP),
        *(GT, True, 79, 160, "amsgrad", 7e-4, 0.97, 0.0, "mpjpe", None),
    ),
}
"""By recipe."""

COSINE = ("h36m-cpn-17-jointformer", "h36m-gt-17-jointformer")

EVERY = pytest.mark.parametrize("recipe", COMPARATORS, ids=[each.name for each in COMPARATORS])


def test_every_recipe_is_in_the_table() -> None:
    assert {recipe.name for recipe in COMPARATORS} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_settings(name: str) -> None:
    recipe, facts = RECIPES[name], PUBLISHED[name]
    dataset = "mpi-inf-3dhp" if name.startswith("3dhp") else "human3.6m"
    assert recipe == Recipe(
        name,
        facts.model,
        Licensed(
            dataset,
            facts.keypoints,
            mirror_training=facts.mirrored,
            mirror_test=facts.mirrored,
        ),
        epochs=facts.epochs,
        batch=facts.batch,
        optimiser=facts.optimiser,
        learning_rate=facts.rate,
        schedule="cosine" if name in COSINE else "exponential",
        warmup=0.0 if name in COSINE else 0.02,
        decay=pytest.approx(facts.decay, abs=5e-5),
        weight_decay=facts.weight_decay,
        loss=facts.loss,
        clip_norm=facts.clip,
        average=0.0,
        precision="float32",
    )


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        # Factors at the 100,000th, 50,000th and 20,000th step, in batches of 64, 64 and 256.
        ("h36m-gt-16-semgcn", (0.96, 100_000)),
        ("h36m-gt-16-graformer", (0.9, 50_000)),
        ("h36m-gt-16-stacked-hourglass", (0.92, 20_000)),
        ("h36m-gt-17-lcn", (0.96, 32_000)),
    ],
)
def test_learning_rates_fall_as_theirs(name: str, theirs: tuple[float, int]) -> None:
    recipe, (factor, steps) = RECIPES[name], theirs
    steps_per_epoch = recipe.plan(OFFICIAL_FRAMES["train"]).steps_per_epoch
    assert recipe.decay ** (steps / steps_per_epoch) == pytest.approx(factor, rel=1e-4)


def test_stairs_are_where_theirs_are_after_every_fifth_epoch() -> None:
    rate = 1.0
    for epoch in range(1, 21):
        rate *= 0.5 if epoch % 5 == 0 else 0.95
        if epoch % 5 == 0:
            assert RECIPES["h36m-cpn-17-graphmlp"].decay ** epoch == pytest.approx(rate)


def test_mixste_sees_as_many_frames_per_step_and_in_all_as_its_program() -> None:
    one, many = RECIPES["3dhp-1-mixste"], RECIPES["3dhp-27-mixste"]
    assert (one.batch, many.batch * 27) == (1024, pytest.approx(1024, rel=0.03))
    assert many.epochs * 27 == pytest.approx(one.epochs, rel=0.11)
    assert many.decay**many.epochs == pytest.approx(one.decay ** (many.epochs * 27))


@EVERY
def test_no_batch_is_a_single_pose(recipe: Recipe) -> None:
    """Batch normalisation could not take it."""
    frames = 1_052_736 if recipe.data.dataset == "mpi-inf-3dhp" else OFFICIAL_FRAMES["train"]
    plan = recipe.plan(frames * (2 if recipe.data.mirror_training else 1))
    assert len(plan.samples(plan.steps_per_epoch - 1)) > 1


@EVERY
def test_a_step(recipe: Recipe) -> None:
    """The network as published learns from two poses."""
    if isinstance(recipe.model, MixSTEConfig):  # all its depths are alike
        recipe = replace(recipe, model=replace(recipe.model, depth=1))
    torch.manual_seed(0)
    model = build(recipe.model)
    before = {name: value.clone() for name, value in model.named_parameters()}
    frames, joints, channels = input_shape(model)
    random = np.random.default_rng(0)
    batch = Batch(
        random.standard_normal((2, frames, joints, channels)).astype(np.float32),
        random.standard_normal((2, joints, 3)).astype(np.float32),
    )
    loss = train_step(recipe, model, make_optimiser(recipe, model), batch, World())
    assert math.isfinite(loss)
    assert all(torch.isfinite(value).all() for value in model.parameters())
    moved = [name for name, value in model.named_parameters() if not value.equal(before[name])]
    assert len(moved) > len(before) / 2

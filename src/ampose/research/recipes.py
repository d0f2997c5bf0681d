"""Named, typed recipes: everything that decides a training run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from ampose.research.data.batches import Plan
from ampose.research.data.sampling import Augmentation
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.refiner import RefinedConfig
from ampose.research.models.zoo import ModelConfig


@dataclass(frozen=True)
class OpenMotion:
    """Training data that anyone may use, seen through invented cameras.

    Attributes:
        packs: open-mocap packs whose ``train`` split is used.
        augmentation: what varies between samples.
    """

    packs: tuple[str, ...] = ("cmu", "mesh2motion")
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Licensed:
    """Training data that a user must have a licence for; the joint set is the model's.

    Attributes:
        dataset: which one.
        keypoints: the 2D, by the middle of its file's name, such as ``cpn_ft_h36m_dbb``.
        toes: inputs carry the image direction of the feet.
        mirror_training: every epoch holds each sample a second time, mirrored.
        mirror_test: predictions are the mean of those for the sample and for its mirror image.
        held_out: training subject to choose options with; None trains on all.
    """

    dataset: Literal["human3.6m", "mpi-inf-3dhp", "humaneva"]
    keypoints: str = "gt"
    toes: bool = False
    mirror_training: bool = True
    mirror_test: bool = True
    held_out: str | None = None


@dataclass(frozen=True)
class Recipe:
    """One training run.

    Attributes:
        name: what ``ampose train`` calls it.
        model: the network.
        data: what it is trained on.
        poses: poses to see, or
        epochs: passes over the training set; one of the two is given.
        batch: poses per step, of all processes together.
        optimiser: AdamW, Adam, or Adam's AMSGrad variant.
        learning_rate: the highest.
        schedule: ``cosine`` to zero after a linear warm-up, or ``exponential`` by epochs.
        warmup: share of the steps that warm up (cosine).
        decay: factor from one epoch to the next (exponential).
        weight_decay: on matrices only.
        loss: ``mpjpe`` (mean distance), ``mse`` (equation 3.10), or ``refined``, the one of Cai
            et al. for a `RefinedConfig` (see `ampose.research.models.refiner`).
        clip_norm: largest gradient norm; None does not clip.
        average: decay of the running average of the weights, which is what is kept; 0 keeps the
            last weights.
        precision: ``bfloat16`` computes matrix products in it; weights stay float32.
        seed: of initial weights and of every batch.
        start_from: recipe whose trained weights the run starts from.
    """

    name: str
    model: ModelConfig
    data: OpenMotion | Licensed = field(default_factory=OpenMotion)
    poses: int | None = None
    epochs: int | None = None
    batch: int = 256
    optimiser: Literal["adamw", "adam", "amsgrad"] = "adamw"
    learning_rate: float = 2e-3
    schedule: Literal["cosine", "exponential"] = "cosine"
    warmup: float = 0.02
    decay: float = 0.98
    weight_decay: float = 0.01
    loss: Literal["mpjpe", "mse", "refined"] = "mpjpe"
    clip_norm: float | None = 1.0
    average: float = 0.999
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    seed: int = 0
    start_from: str | None = None

    def __post_init__(self) -> None:
        if (self.poses is None) == (self.epochs is None):
            raise ValueError(f"{self.name}: give either poses or epochs")
        if self.schedule == "exponential" and self.epochs is None:
            raise ValueError(f"{self.name}: an exponential schedule goes by epochs; give epochs")

    def plan(self, poses: int) -> Plan:
        """Steps of the run over a training set of so many poses."""
        if self.epochs is None:
            assert self.poses is not None
            # Whole batches: batch normalisation cannot take a last one of a single pose.
            return Plan(math.ceil(self.poses / self.batch) * self.batch, 1, self.batch)
        return Plan(poses, self.epochs, self.batch)


_OPEN_SMALL = Recipe("open-small", AMPoseConfig(depth=4, width=128, channels=3), poses=5_000_000)

_SHIPPED = (
    _OPEN_SMALL,
    replace(_OPEN_SMALL, name="open-large", model=AMPoseConfig(channels=3)),
    replace(
        _OPEN_SMALL,
        name="martinez",
        model=MartinezConfig(channels=3, dropout=0.0),
        learning_rate=1e-3,
    ),
)
"""``open-small`` ships in the package, ``open-large`` needs a GPU, ``martinez`` is the floor."""

ABLATIONS: dict[str, dict[str, dict[str, object]]] = {
    "4.6": {
        "block-two-residual": {"block": "two_residual"},
        "block-transformer": {"block": "transformer"},
        "block-convnext": {"block": "convnext"},
    },
    "4.7": {
        "order-gcn-first": {"order": "gcn_first"},
        "order-transformers-then-gcns": {"order": "all_transformers_then_gcns"},
        "order-gcns-then-transformers": {"order": "all_gcns_then_transformers"},
    },
    "4.8": {
        "groups-4": {"groups": "centre|closer|farther|symmetry"},
        "groups-3-symmetry": {"groups": "centre|closer+farther|symmetry"},
        "groups-2-symmetry": {"groups": "centre|closer+farther+symmetry"},
        "groups-1": {"groups": "all"},
        "groups-2": {"groups": "centre|closer+farther"},
    },
    "4.9": {
        f"{depth}x{width}": {"depth": depth, "width": width}
        for depth, width in ((4, 108), (4, 128), (5, 128), (4, 256), (4, 384), (5, 512), (6, 512))
    },
}
"""Per table of the thesis: what a row changes in the model. The thesis's own choice, which
stands in every table, is the recipe that they are changes of."""


def _variants(base: Recipe, table: str) -> list[Recipe]:
    """The rows of a table as changes of a recipe, each named after it; without itself."""
    models = {
        name: replace(base.model, **changes)  # type: ignore[arg-type]
        for name, changes in ABLATIONS[table].items()
    }
    return [
        replace(base, name=f"{base.name}-{name}", model=model)
        for name, model in models.items()
        if model != base.model
    ]


_OPEN = Recipe("open", AMPoseConfig(depth=5, width=128, channels=3), poses=500_000)
"""What the ablations on open data are changes of: the thesis's depth, at a width for a CPU."""

_CPN = "cpn_ft_h36m_dbb"

_THESIS = Recipe(
    "h36m-cpn-17",
    AMPoseConfig(),
    Licensed("human3.6m", _CPN),
    epochs=60,
    batch=128,
    learning_rate=2.5e-5,
    schedule="exponential",
    decay=0.98,
    weight_decay=0.1,
    loss="mse",
    clip_norm=None,
    average=0.0,
    precision="float32",
)
"""Section 4.3 of the thesis. The text leaves open, and this recipe chooses: AdamW with decay 0.1
(as the nearest relatives with such small learning rates), mirrored poses in training and at test
(as every single-frame system of its table 4.1 that published code), no clipping, no averaging,
and, in the model, dropout 0 and 4 heads."""

_THESIS_16 = replace(_THESIS, name="h36m-cpn-16", model=AMPoseConfig(skeleton="h36m_16"))

_THESIS_3DHP = tuple(
    replace(
        _THESIS,
        name=f"3dhp-{frames}",
        model=AMPoseConfig(frames=frames, skeleton="mpi_3dhp_17"),
        data=Licensed("mpi-inf-3dhp"),
    )
    for frames in (1, 9, 27)
)

_FROM_THESIS = (
    _THESIS,
    replace(
        _THESIS,
        name="h36m-cpn-17-refined",
        model=RefinedConfig(AMPoseConfig()),
        epochs=20,
        optimiser="amsgrad",
        learning_rate=1e-5,
        weight_decay=0.0,
        loss="refined",
        start_from="h36m-cpn-17",
    ),
    replace(_THESIS, name="h36m-gt-17", data=Licensed("human3.6m")),
    *_variants(_THESIS, "4.6"),
    _THESIS_16,
    replace(_THESIS_16, name="h36m-gt-16", data=Licensed("human3.6m")),
    *(variant for table in ("4.7", "4.8", "4.9") for variant in _variants(_THESIS_16, table)),
    replace(
        _THESIS_16,
        name="h36m-cpn-16-toes",
        model=AMPoseConfig(skeleton="h36m_16", channels=4, toes=True),
        data=Licensed("human3.6m", _CPN, toes=True),
    ),
    *_THESIS_3DHP,
    replace(
        _THESIS,
        name="humaneva-gt",
        model=AMPoseConfig(depth=4, width=128, skeleton="humaneva_15"),
        data=Licensed("humaneva"),
    ),
)
"""Every row of the thesis that is ours, and HumanEva-I, which it does not use."""

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        *_SHIPPED,
        *_FROM_THESIS,
        _OPEN,
        *(variant for table in ABLATIONS for variant in _variants(_OPEN, table)),
    )
}
"""Every recipe by name."""

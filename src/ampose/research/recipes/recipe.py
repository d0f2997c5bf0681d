"""A recipe: everything that decides a training run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from ampose.research.data.batches import Plan
from ampose.research.data.sampling import Augmentation
from ampose.research.models.zoo import ModelConfig


@dataclass(frozen=True)
class OpenMotion:
    """Training data that anyone may use, seen through invented cameras.

    Attributes:
        packs: open-mocap packs whose ``train`` split is used.
        augmentation: what varies between samples.
        held_out: ``fold`` to choose options with some training subjects left out and scored; None
            trains on all.
    """

    packs: tuple[str, ...] = ("cmu", "mesh2motion")
    augmentation: Augmentation = field(default_factory=Augmentation)
    held_out: Literal["fold"] | None = None


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
        optimiser: AdamW, Adam, Adam's AMSGrad variant, or Muon for the matrices of hidden layers
            and AdamW for the rest.
        learning_rate: its highest value.
        schedule: ``cosine`` to zero after a linear warm-up, or ``exponential`` by epochs.
        warmup: share of the steps that warm up (cosine).
        decay: factor from one epoch to the next (exponential).
        weight_decay: on matrices only.
        loss: ``mpjpe`` (mean distance), ``mse`` (equation 3.10), or ``refined``, the one of Cai
            et al. for a `RefinedConfig` (see `ampose.research.models.refiner`), or ``likelihood``
            for an `UncertainConfig`.
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
    optimiser: Literal["adamw", "adam", "amsgrad", "muon"] = "adamw"
    learning_rate: float = 2e-3
    schedule: Literal["cosine", "exponential"] = "cosine"
    warmup: float = 0.02
    decay: float = 0.98
    weight_decay: float = 0.01
    loss: Literal["mpjpe", "mse", "refined", "likelihood"] = "mpjpe"
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

"""The open benchmark: every lifter of the zoo, trained alike on as many poses of open motion.

A lifter has its published width where one CPU core trains it on a million poses within the hour,
and is scaled to at most a million parameters where not. Dropout is off for all: every sample is
new, so nothing can be learnt by heart. Its learning rate is the best of three, by short probes
scored on CMU's validation subjects (``results/open_probes.csv``).
"""

from __future__ import annotations

from dataclasses import fields, replace

from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.cai_stgcn import CaiSTGCNConfig
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
from ampose.research.models.zoo import ModelConfig
from ampose.research.recipes.recipe import Recipe

BUDGET = 1_000_000
"""Poses that every lifter sees."""

PROBE = 100_000
"""Poses of a probe."""

PROBED_RATES = (6e-4, 2e-3, 6e-3)

_ENTRIES: tuple[tuple[str, ModelConfig, float], ...] = (
    ("ampose", AMPoseConfig(depth=4, width=128), 2e-3),
    ("martinez", MartinezConfig(), 6e-3),
    ("semgcn", SemGCNConfig(), 2e-3),
    ("cai-stgcn", CaiSTGCNConfig(), 2e-3),
    ("modulated-gcn", ModulatedGCNConfig(), 6e-3),
    ("weight-sharing", WeightSharingConfig(), 6e-4),
    ("graformer", GraFormerConfig(), 6e-3),
    ("stacked-hourglass", StackedHourglassConfig(), 2e-3),
    ("lcn", LCNConfig(), 6e-3),
    ("srnet", SRNetConfig(), 6e-3),
    ("videopose3d", VideoPose3DConfig(), 6e-3),
    ("jointformer", JointFormerConfig(), 2e-3),
    ("graphmlp", GraphMLPConfig(width=160, spatial_hidden=80, channel_hidden=320), 6e-3),
    ("mixste", MixSTEConfig(frames=1, width=80), 6e-4),
)
"""Name, network and learning rate."""

_TEMPORAL: tuple[tuple[str, ModelConfig, float], ...] = (
    ("ampose-9", AMPoseConfig(depth=4, width=128, frames=9), 2e-3),
    ("ampose-27", AMPoseConfig(depth=4, width=128, frames=27), 2e-3),
    ("videopose3d-27", VideoPose3DConfig(filters=(3, 3, 3), frames=27), 6e-3),
    ("poseformer-9", PoseFormerConfig(width=8, frames=9), 2e-3),
    ("mhformer-9", MHFormerConfig(width=104, hidden=208), 2e-3),
    ("p-stmo-81", PSTMOConfig(width=104, hidden=208), 2e-3),
    ("mixste-27", MixSTEConfig(depth=4, width=32), 2e-3),
)
"""The same for those that see several frames, as many as their names say. MixSTE is far below a
million parameters, and still takes hours: it computes all 27 poses to give the middle one."""


def _as_trained(model: ModelConfig) -> ModelConfig:
    """The network for `look_at_person` input, with nothing random in training."""
    changes: dict[str, object] = {
        each.name: 0.0 for each in fields(model) if each.name.endswith(("dropout", "drop_path"))
    }
    return replace(model, channels=3, **changes)  # type: ignore[arg-type]


BENCHMARK = tuple(
    Recipe(f"benchmark-{name}", _as_trained(model), poses=BUDGET, batch=250, learning_rate=rate)
    for name, model, rate in (*_ENTRIES, *_TEMPORAL)
)
"""One recipe per lifter; batches of 250 make the errors at a quarter and a half exact."""


WIDE_BUDGET = 20_000_000
"""Poses of the tier for a GPU."""

_WIDE_RATES: dict[str, float] = {}
"""Name to learning rate, where probes at the published width chose another than above."""


def published(model: ModelConfig) -> ModelConfig:
    """The network as published, for as many frames, with what `_as_trained` changes."""
    asked = {
        each.name: getattr(model, each.name)
        for each in fields(model)
        if each.name in ("frames", "filters", "skeleton")
    }
    return _as_trained(replace(type(model)(), **asked))  # type: ignore[call-arg]


WIDE_BENCHMARK = tuple(
    replace(
        recipe,
        name=recipe.name.replace("-", "-wide-", 1),
        model=published(recipe.model),
        poses=WIDE_BUDGET,
        learning_rate=_WIDE_RATES.get(recipe.name, recipe.learning_rate),
    )
    for recipe in BENCHMARK
)
"""The same lifters at their published widths, in the order of `BENCHMARK`: for a GPU."""

"""Recipes on open motion: the weights that we ship, and the thesis's ablations again."""

from __future__ import annotations

from dataclasses import replace

from ampose.research.data.sampling import Augmentation
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.uncertain import UncertainConfig
from ampose.research.recipes.ablations import ABLATIONS, variants
from ampose.research.recipes.recipe import OpenMotion, Recipe

_SMALL = AMPoseConfig(depth=6, width=104, channels=4, learnt_adjacency=True)
_OPEN_SMALL = Recipe(
    "open-small",
    _SMALL,
    OpenMotion(augmentation=Augmentation(bone_spread_log=0.8)),
    poses=8_000_000,
    batch=128,
    optimiser="muon",
    learning_rate=4e-3,
)

SHIPPED = (
    _OPEN_SMALL,
    replace(_OPEN_SMALL, name="open-large", model=replace(_SMALL, width=208)),
    Recipe(
        "martinez",
        MartinezConfig(channels=3, dropout=0.0),
        _OPEN_SMALL.data,
        poses=_OPEN_SMALL.poses,
        learning_rate=1e-3,  # AdamW: for its wide matrices Muon takes longer than all the rest
    ),
    replace(
        _OPEN_SMALL,
        name="open-small-sigma",
        model=UncertainConfig(_SMALL),
        poses=1_000_000,
        optimiser="adamw",
        learning_rate=2e-3,
        loss="likelihood",
        start_from="open-small",
    ),
)
"""``open-small`` ships in the package, with the head of ``open-small-sigma``; ``martinez`` is the
floor."""

_OPEN = Recipe("open", AMPoseConfig(depth=5, width=128, channels=3), poses=500_000)
"""What the ablations on open data are changes of: the thesis's depth, at a width for a CPU."""

OPEN_ABLATIONS = (_OPEN, *(variant for table in ABLATIONS for variant in variants(_OPEN, table)))

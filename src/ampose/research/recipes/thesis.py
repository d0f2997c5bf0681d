"""Every row of the thesis that is ours, and HumanEva-I, which it does not use."""

from __future__ import annotations

from dataclasses import replace

from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.refiner import RefinedConfig
from ampose.research.recipes.ablations import variants
from ampose.research.recipes.recipe import Licensed, Recipe

CPN = "cpn_ft_h36m_dbb"
"""The 2D of a cascaded pyramid network, fine-tuned on the dataset."""

_THESIS = Recipe(
    "h36m-cpn-17",
    AMPoseConfig(),
    Licensed("human3.6m", CPN),
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

THESIS = (
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
    *variants(_THESIS, "4.6"),
    _THESIS_16,
    replace(_THESIS_16, name="h36m-gt-16", data=Licensed("human3.6m")),
    *(variant for table in ("4.7", "4.8", "4.9") for variant in variants(_THESIS_16, table)),
    replace(
        _THESIS_16,
        name="h36m-cpn-16-toes",
        model=AMPoseConfig(skeleton="h36m_16", channels=4, toes=True),
        data=Licensed("human3.6m", CPN, toes=True),
    ),
    *_THESIS_3DHP,
    replace(
        _THESIS,
        name="humaneva-gt",
        model=AMPoseConfig(depth=4, width=128, skeleton="humaneva_15"),
        data=Licensed("humaneva"),
    ),
)

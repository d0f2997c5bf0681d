"""The systems that the thesis compares itself with, trained as their authors trained them.

Networks, dropout, optimiser, batch, epochs and mirroring are those of the authors' programs, read
for facts; the networks' files name them. Three things hold for all and differ from the programs:
the weights of the last epoch are kept (most programs keep those that are best on the test set),
the learning rate falls by the same factor after every epoch, where theirs may fall with every step
or in stairs, and weight decay is on matrices only. What else a `Recipe` cannot express is
approximated, and named below each; docs/reproduction.md has the list.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ampose.research.data.human36m import OFFICIAL_FRAMES
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
from ampose.research.recipes.recipe import Licensed, Recipe
from ampose.research.recipes.thesis import CPN


def _per_epoch(factor: float, steps: int, batch: int) -> float:
    """The factor per epoch of Human3.6M, without mirrored poses, of one per so many steps."""
    return math.pow(factor, OFFICIAL_FRAMES["train"] / batch / steps)


_STAIRS = (0.95**4 * 0.5) ** (1 / 5)
"""Four epochs that end with a factor of 0.95 and a fifth with 0.5, as one factor for each."""


def _detected(recipe: Recipe, model: ModelConfig | None = None) -> Recipe:
    """The recipe on detected keypoints, with another network if one is given."""
    assert isinstance(recipe.data, Licensed)
    return replace(
        recipe,
        name=recipe.name.replace("-gt-", "-cpn-"),
        model=model or recipe.model,
        data=replace(recipe.data, keypoints=CPN),
    )


_16 = "h36m_16"

_SEMGCN = Recipe(
    "h36m-gt-16-semgcn",
    SemGCNConfig(skeleton=_16),
    Licensed("human3.6m", mirror_training=False, mirror_test=False),
    epochs=30,
    batch=64,
    optimiser="adam",
    learning_rate=1e-3,
    schedule="exponential",
    decay=_per_epoch(0.96, 100_000, 64),
    weight_decay=0.0,
    loss="mse",
    clip_norm=1.0,
    average=0.0,
    precision="float32",
)
"""In no table of the thesis; the program that the next ones come from."""

_MARTINEZ = replace(
    _SEMGCN, name="h36m-gt-16-martinez", model=MartinezConfig(skeleton=_16), epochs=200
)
"""In no table of the thesis. As SemGCN's program trains it: without the original's standardised
poses and limit on the norm of each matrix, and the root is lifted like the other joints."""

_WEIGHT_SHARING = replace(
    _SEMGCN,
    name="h36m-gt-16-weight-sharing",
    model=WeightSharingConfig(skeleton=_16),
    epochs=100,
    decay=_per_epoch(0.95, 24_372, 64),
)

_GRAFORMER = replace(
    _SEMGCN,
    name="h36m-gt-16-graformer",
    model=GraFormerConfig(skeleton=_16),
    epochs=100,
    decay=_per_epoch(0.9, 50_000, 64),
)

_STACKED_HOURGLASS = replace(
    _SEMGCN,
    name="h36m-gt-16-stacked-hourglass",
    model=StackedHourglassConfig(skeleton=_16),
    epochs=50,
    batch=256,
    learning_rate=1e-4,
    decay=_per_epoch(0.92, 20_000, 256),
)
"""The settings of the unofficial program: the authors have released none."""

_LCN = replace(
    _SEMGCN,
    name="h36m-gt-17-lcn",
    model=LCNConfig(),
    epochs=200,
    batch=200,
    decay=_per_epoch(0.96, 32_000, 200),
    clip_norm=None,
)
"""Theirs learns image coordinates and a depth in their scale, and gets millimetres with the true
depth of the root; ours learns metres like all others."""

_JOINTFORMER = replace(
    _SEMGCN,
    name="h36m-gt-17-jointformer",
    model=JointFormerConfig(),
    data=Licensed("human3.6m"),
    epochs=25,
    batch=256,
    optimiser="adamw",
    schedule="cosine",
    warmup=0.0,
    weight_decay=0.01,
)
"""Theirs sees a pose or its mirror image by chance in each of 50 epochs, ours both in each of 25.
Left out: the loss of the poses in between and of predicted errors, and the second network, which
refines."""

_MODULATED_GCN = replace(
    _SEMGCN,
    name="h36m-gt-16-modulated-gcn",
    model=ModulatedGCNConfig(width=128, non_local=False, dropout=0.0, skeleton=_16),
    epochs=50,
)
"""Theirs is nine parts squared to one part absolute distance."""

_VIDEOPOSE3D = replace(
    _SEMGCN,
    name="h36m-cpn-17-videopose3d",
    model=VideoPose3DConfig(),
    data=Licensed("human3.6m", CPN),
    epochs=80,
    batch=1024,
    optimiser="amsgrad",
    decay=0.95,
    loss="mpjpe",
    clip_norm=None,
)
"""The program that the following ones come from. Theirs also lets the momentum of the batch
normalisation fall; see the network."""

_SRNET = replace(
    _VIDEOPOSE3D,
    name="h36m-gt-17-srnet",
    model=SRNetConfig(),
    data=Licensed("human3.6m"),
    epochs=60,
)
"""Theirs minimises the absolute errors of the coordinates; the mean distance is the nearest."""

_CAI = replace(
    _VIDEOPOSE3D,
    name="h36m-cpn-17-cai-stgcn",
    model=CaiSTGCNConfig(),
    epochs=40,
    batch=256,
    decay=_STAIRS,
)
"""Without the refinement of its rows, so in no table. Theirs may run for 200 epochs; after 40 the
learning rate is below 1e-6, and the weights that it published are of the 36th."""

_MODULATED_GCN_LARGE = replace(
    _CAI,
    name="h36m-cpn-17-modulated-gcn",
    model=ModulatedGCNConfig(),
    epochs=30,
    learning_rate=5e-3,
    decay=0.9 ** (1 / 4),
)
"""Without the refinement of its rows, so in no table. Theirs has one part in a hundred of absolute
distance, and a factor of 0.9 after every fourth epoch (0.65 in earlier versions)."""

_GRAPHMLP = replace(_CAI, name="h36m-cpn-17-graphmlp", model=GraphMLPConfig(), epochs=20)
"""In no table of the thesis, which cites it for its way to enter several frames."""

_MHFORMER = replace(
    _GRAPHMLP,
    name="3dhp-9-mhformer",
    model=MHFormerConfig(frames=9, skeleton="mpi_3dhp_17"),
    data=Licensed("mpi-inf-3dhp"),
    epochs=19,
)
"""Theirs learns the poses of all frames. Their program has no MPI-INF-3DHP: as for Human3.6M. It
is told 20 epochs and stops before the last."""

_P_STMO = replace(
    _MHFORMER,
    name="3dhp-81-p-stmo",
    model=PSTMOConfig(frames=81, skeleton="mpi_3dhp_17"),
    epochs=79,
    batch=160,
    learning_rate=7e-4,
    decay=0.97,
)
"""Without the pre-training on masked keypoints and the loss of the poses of all frames. Theirs is
told 80 epochs and stops before the last."""

_POSEFORMER = replace(
    _VIDEOPOSE3D,
    name="h36m-cpn-17-poseformer-27",
    model=PoseFormerConfig(frames=27),
    epochs=200,
    batch=512,
    optimiser="adamw",
    learning_rate=4e-5,
    decay=0.99,
    weight_decay=0.1,
)
"""In no table of the thesis; the command for detected keypoints that its authors publish."""


def _mixste(frames: int) -> Recipe:
    """MixSTE with as many frames per step, and steps in all, as its program has.

    Theirs learns the poses of all T frames, with weights by joint and a loss of velocities, and so
    goes through the set in windows that do not overlap; here every frame is the middle of one.
    1,024 frames are 1,024 / T windows, and one of our epochs is T of their 120. Their program has
    no MPI-INF-3DHP: as for Human3.6M.
    """
    return replace(
        _POSEFORMER,
        name=f"3dhp-{frames}-mixste",
        model=MixSTEConfig(frames=frames, skeleton="mpi_3dhp_17"),
        data=Licensed("mpi-inf-3dhp"),
        epochs=120 // frames,
        batch=1024 // frames,
        decay=0.99**frames,
    )


COMPARATORS = (
    # Tables 4.1 and 4.2; table 4.4 takes those of true 2D.
    *(_LCN, _detected(_LCN)),
    _VIDEOPOSE3D,
    *(_JOINTFORMER, _detected(_JOINTFORMER)),
    _SRNET,
    # Tables 4.3 and 4.4, the last 4.4 only.
    *(_WEIGHT_SHARING, _detected(_WEIGHT_SHARING)),
    *(_STACKED_HOURGLASS, _detected(_STACKED_HOURGLASS)),
    *(_GRAFORMER, _detected(_GRAFORMER, GraFormerConfig(depth=6, width=128, skeleton=_16))),
    _MODULATED_GCN,
    # Table 4.5.
    *(_MHFORMER, _mixste(1), _mixste(27), _P_STMO),
    # In no table.
    *(_MARTINEZ, _SEMGCN, _CAI, _MODULATED_GCN_LARGE, _GRAPHMLP, _POSEFORMER),
)
"""One recipe for each system and setting."""

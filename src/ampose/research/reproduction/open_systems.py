"""The lifters of the open benchmark: what readers call them and what was published of their size.

Where a file of `ampose.research.models` derives a count, it says how ours compares.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

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
from ampose.research.recipes import Recipe
from ampose.research.recipes.benchmark import published

UNKNOWN = "none known"

AMPOSE = "benchmark-ampose"
"""The recipe that others are compared with."""


@dataclass(frozen=True)
class Known:
    """A published lifter.

    Attributes:
        name: as tables show it.
        parameters: as printed, in millions, with what they are of if not the network of one frame.
        source: further what they are of, and where they are printed.
    """

    name: str
    parameters: str = UNKNOWN
    source: str = ""


KNOWN: dict[type[ModelConfig], Known] = {
    AMPoseConfig: Known("AMPose", "18.38", "depth 5, width 512, 16 joints; thesis, table 4.9"),
    MartinezConfig: Known("Martinez et al.", "4.29", "16 joints; README of garyzhao/SemGCN"),
    SemGCNConfig: Known("SemGCN", "0.43", "with non-local layers, 16 joints; its README"),
    CaiSTGCNConfig: Known("Cai et al."),
    ModulatedGCNConfig: Known("Modulated GCN", "2.87 with the refiner", "its issue 13"),
    WeightSharingConfig: Known("Weight sharing", "4.22", "16 joints; Zou and Tang, ICCV 2021"),
    GraFormerConfig: Known("GraFormer", "0.65", "16 joints; the paper, from memory"),
    StackedHourglassConfig: Known(
        "Stacked hourglass", "3.70", "16 joints; the paper, from memory"
    ),
    LCNConfig: Known("LCN"),
    SRNetConfig: Known("SRNet"),
    VideoPose3DConfig: Known(
        "VideoPose3D", "8.56 at 27 frames", "table 5 of the paper, from memory"
    ),
    JointFormerConfig: Known("JointFormer"),
    GraphMLPConfig: Known("GraphMLP", "9.49 at 1 frame", "its README"),
    PoseFormerConfig: Known(
        "PoseFormer", "9.60 at 81 frames", "table 6 of the paper, from memory"
    ),
    MixSTEConfig: Known("MixSTE", "33.7", "1 and 27 frames; thesis, table 4.5"),
    MHFormerConfig: Known("MHFormer", "18.9 at 9 frames", "thesis, table 4.5"),
    PSTMOConfig: Known("P-STMO", "5.4 at 81 frames", "P-STMO-S; thesis, table 4.5"),
}
"""Network to what was published of it."""


def system_name(recipe: Recipe) -> str:
    """The name of a recipe's lifter in tables, with its frames if they are several."""
    name, frames = KNOWN[type(recipe.model)].name, recipe.model.frames
    return name if frames == 1 else f"{name}, {frames} frames"


def width_note(recipe: Recipe) -> str:
    """Whether a recipe's network is the published one, or what is smaller in it."""
    model, full = recipe.model, published(recipe.model)
    smaller = [
        f"{each.name.replace('_', ' ')} {getattr(model, each.name)} of {getattr(full, each.name)}"
        for each in fields(model)
        if each.name != "channels"  # of the input, no size
        and not isinstance(each.default, bool)
        and getattr(model, each.name) != getattr(full, each.name)
    ]
    return f"scaled: {', '.join(smaller)}" if smaller else "published width"

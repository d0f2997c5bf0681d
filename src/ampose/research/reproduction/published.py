"""Tables 4.1 to 4.9 of the thesis, as printed, and which recipe is which row.

H.-X. Lin, "AMPose: Alternately Mixed Global-Local Attention Model for 3D Human Pose Estimation",
master thesis, National Taiwan University, 2023. Numbers in brackets are its references. Rows are
in its order. Its "FLOPs" are multiply-accumulates as thop 0.0.31 counts them.

In the copy at hand the lower half of table 4.3 can be read in part only: a number that cannot be
read is None, and the row's note says where its average comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ampose.research.models.ampose import AMPoseConfig
from ampose.research.recipes import ABLATIONS, RECIPES

THESIS_ACTIONS = (
    *("WalkTogether", "WalkDog", "Walking", "Waiting", "SittingDown", "Smoking", "Sitting"),
    *("Posing", "Purchases", "Photo", "Greeting", "Phoning", "Eating", "Directions"),
    "Discussion",
)
"""Columns of tables 4.1 to 4.3 in the order of the thesis, by the names in the dataset's files."""

AVERAGE = "average"

UNREADABLE = "unreadable"

ORACLE = "oracle: needs the camera's intrinsics and the true depth of the root"
"""The refinement that every row marked * has: that of Cai et al."""


@dataclass(frozen=True)
class System:
    """One row of a table.

    Attributes:
        name: as printed; ``*`` marks refined poses.
        values: quantity to number, only those printed; None is printed, but cannot be read.
        setting: which part of a table in two parts, such as ``"CPN"``.
        recipe: the recipe that is this row; None where the system is published only.
        variant: in an ablation, the key of `ABLATIONS`; empty for the model itself.
        note: what a reader should know of the row.
    """

    name: str
    values: Mapping[str, float | None]
    setting: str = ""
    recipe: str | None = None
    variant: str | None = None
    note: str = ""

    @property
    def oracle(self) -> bool:
        """Whether the row needs ground truth, which nobody has outside a laboratory."""
        return self.name.endswith("*")


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        number: such as ``"4.1"``.
        title: what it shows.
        dataset: that its errors are measured on, a name as in `Licensed`.
        quantities: heading of a column to where its measured number is found: ``group.metric`` in
            the rows of the dataset's protocol, or ``cost.attribute``, millions.
        sections: heading to the columns of one part of the readable table.
        systems: the rows.
        convention: how MPI-INF-3DHP is scored.
        notes: what a reader should know of the table, by subject.
    """

    number: str
    title: str
    dataset: str
    quantities: Mapping[str, str]
    sections: Mapping[str, tuple[str, ...]]
    systems: tuple[System, ...]
    convention: str = "official"
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def runnable(self) -> tuple[System, ...]:
        """The rows that have a recipe."""
        return tuple(system for system in self.systems if system.recipe)

    @property
    def wide(self) -> tuple[str, ...]:
        """Sections with too many columns for published, measured and difference side by side."""
        return tuple(name for name, columns in self.sections.items() if len(columns) > 4)

    @property
    def has_costs(self) -> bool:
        """Whether parameters and multiply-accumulates are among the quantities."""
        return any(place.startswith("cost.") for place in self.quantities.values())

    def is_printed(self, quantity: str) -> bool:
        """Whether the thesis has a column of this quantity."""
        return any(quantity in system.values for system in self.systems)


def variant_name(base: str, table: str, variant: str) -> str:
    """The recipe that a row of an ablation is, as a change of the recipe `base`.

    Raises:
        KeyError: the table has no such variant, or no recipe is that change.
    """
    model = RECIPES[base].model
    assert isinstance(model, AMPoseConfig)
    changes = ABLATIONS[table][variant] if variant else {}
    changed = replace(model, **changes)  # type: ignore[arg-type]
    return base if changed == model else RECIPES[f"{base}-{variant}"].name


def _by_action(name: str, *numbers: float | None, **rest: str) -> System:
    columns = (*THESIS_ACTIONS, AVERAGE)
    return System(name, dict(zip(columns, numbers, strict=True)), **rest)


def _actions_of(metric: str) -> dict[str, str]:
    return {name: f"{name}.{metric}" for name in (AVERAGE, *THESIS_ACTIONS)}


_BY_ACTION = {"Average": (AVERAGE,), "By action": THESIS_ACTIONS}

_OTHERS = {
    "systems of others": "with a recipe, as far as one can say it, of their authors' settings; "
    "docs/reproduction.md lists what is approximated"
}

_STARS = {"rows marked *": f"{ORACLE}; for comparison only, nothing that is shipped uses it"}

_TABLE_1 = Table(
    "4.1",
    "MPJPE on Human3.6M, 17 joints, mm",
    "human3.6m",
    _actions_of("mpjpe"),
    _BY_ACTION,
    (
        _by_action(
            "Ci et al. [5]",
            *(43.3, 54.8, 40.4, 50.0, 78.9, 51.2, 60.2, 49.6, 46.4, 68.9, 50.4, 52.9, 44.7),
            *(46.8, 52.3, 52.7),
            setting="CPN",
            recipe="h36m-cpn-17-lcn",
        ),
        _by_action(
            "Pavllo et al. [25]",
            *(42.7, 55.3, 39.5, 49.5, 67.4, 52.4, 59.3, 49.4, 47.4, 61.4, 51.8, 53.6, 49.0),
            *(47.1, 50.6, 51.8),
            setting="CPN",
            recipe="h36m-cpn-17-videopose3d",
        ),
        _by_action(
            "Cai et al. [1] *",
            *(41.2, 53.5, 39.2, 48.4, 64.4, 51.2, 59.2, 48.3, 45.8, 61.3, 50.9, 52.9, 47.6),
            *(46.5, 48.8, 50.6),
            setting="CPN",
            note="without the refinement it is the recipe h36m-cpn-17-cai-stgcn",
        ),
        _by_action(
            "Lutz et al. [19]",
            *(42.4, 53.8, 39.4, 47.1, 67.1, 51.2, 59.6, 47.0, 46.7, 60.1, 49.4, 53.2, 46.6),
            *(45.0, 48.8, 50.5),
            setting="CPN",
            recipe="h36m-cpn-17-jointformer",
        ),
        _by_action(
            "Zou et al. [37] *",
            *(40.8, 52.2, 38.9, 46.6, 63.0, 49.7, 57.5, 47.9, 46.0, 58.2, 49.4, 50.4, 45.7),
            *(45.4, 49.2, 49.4),
            setting="CPN",
            note="without the refinement it is the recipe h36m-cpn-17-modulated-gcn",
        ),
        _by_action(
            "Ours",
            *(40.6, 52.9, 39.0, 46.4, 66.5, 49.9, 57.1, 47.8, 44.8, 58.6, 48.8, 51.3, 45.2),
            *(44.9, 49.3, 49.5),
            setting="CPN",
            recipe="h36m-cpn-17",
        ),
        _by_action(
            "Ours *",
            *(39.5, 50.5, 37.9, 46.2, 63.9, 49.6, 56.5, 46.2, 44.9, 56.5, 48.0, 51.0, 45.1),
            *(42.8, 48.6, 48.5),
            setting="CPN",
            recipe="h36m-cpn-17-refined",
        ),
        _by_action(
            "Ci et al. [5]",
            *(34.2, 38.2, 31.3, 38.4, 39.5, 34.4, 36.2, 39.8, 32.5, 42.5, 37.8, 34.6, 29.7),
            *(36.3, 38.8, 36.3),
            setting="GT",
            recipe="h36m-gt-17-lcn",
        ),
        _by_action(
            "Lutz et al. [19]",
            *(29.1, 35.0, 28.7, 33.5, 40.1, 33.8, 37.1, 37.1, 31.3, 39.0, 33.4, 33.5, 30.2),
            *(31.0, 36.6, 34.0),
            setting="GT",
            recipe="h36m-gt-17-jointformer",
        ),
        _by_action(
            "Zeng et al. [31]",
            *(27.1, 34.4, 26.5, 34.9, 45.9, 33.3, 38.9, 35.1, 29.5, 42.5, 31.7, 33.5, 27.6),
            *(32.9, 34.5, 33.9),
            setting="GT",
            recipe="h36m-gt-17-srnet",
        ),
        _by_action(
            "Ours",
            *(28.5, 34.3, 27.5, 34.5, 41.8, 33.2, 34.3, 37.1, 31.9, 37.7, 33.2, 33.9, 30.0),
            *(30.7, 35.9, 33.7),
            setting="GT",
            recipe="h36m-gt-17",
            note="the printed actions average to 33.63, the printed average is 33.7",
        ),
    ),
    notes=_STARS | _OTHERS,
)

_TABLE_2 = Table(
    "4.2",
    "P-MPJPE on Human3.6M, 17 joints, mm",
    "human3.6m",
    _actions_of("p_mpjpe"),
    _BY_ACTION,
    (
        _by_action(
            "Ci et al. [5]",
            *(37.0, 43.5, 32.2, 39.9, 62.1, 43.1, 49.1, 38.2, 37.6, 51.1, 41.0, 41.9, 38.0),
            *(36.9, 41.6, 42.2),
            setting="CPN",
            recipe="h36m-cpn-17-lcn",
        ),
        _by_action(
            "Cai et al. [1] *",
            *(34.7, 42.7, 31.0, 36.8, 51.7, 41.3, 47.6, 37.9, 35.6, 46.8, 41.7, 40.7, 38.2),
            *(36.8, 38.7, 40.2),
            setting="CPN",
            note="without the refinement it is the recipe h36m-cpn-17-cai-stgcn; the printed "
            "actions average to 40.15, within the rounding of its parts",
        ),
        _by_action(
            "Pavllo et al. [25]",
            *(34.8, 43.1, 30.3, 36.9, 53.4, 41.4, 46.8, 37.1, 35.4, 45.9, 41.7, 40.1, 38.0),
            *(36.0, 38.7, 40.0),
            setting="CPN",
            recipe="h36m-cpn-17-videopose3d",
        ),
        _by_action(
            "Zou et al. [37] *",
            *(33.9, 41.7, 30.7, 35.6, 51.2, 40.5, 46.4, 37.0, 35.4, 44.5, 40.5, 39.2, 36.3),
            *(35.7, 38.6, 39.1),
            setting="CPN",
            note="without the refinement it is the recipe h36m-cpn-17-modulated-gcn",
        ),
        _by_action(
            "Ours",
            *(33.4, 41.6, 30.4, 35.5, 52.9, 40.4, 46.8, 36.0, 34.3, 44.7, 39.7, 39.6, 36.7),
            *(34.9, 38.2, 39.0),
            setting="CPN",
            recipe="h36m-cpn-17",
        ),
    ),
    notes=_STARS
    | _OTHERS
    | {"P-MPJPE": "after the best rotation, translation and scale of every frame, no reflection"},
)

_UNREAD = (None,) * len(THESIS_ACTIONS)

_TABLE_3 = Table(
    "4.3",
    "MPJPE on Human3.6M, 16 joints, mm",
    "human3.6m",
    _actions_of("mpjpe"),
    _BY_ACTION,
    (
        _by_action(
            "Liu et al. [16]",
            *(43.7, 54.5, 40.3, 50.1, 71.1, 51.5, 60.4, 49.2, 46.0, 67.1, 50.7, 55.5, 47.3),
            *(46.3, 52.2, 52.4),
            setting="CPN",
            recipe="h36m-cpn-16-weight-sharing",
        ),
        _by_action(
            "Xu et al. [29]",
            *(44.1, 53.9, 39.9, 48.6, 71.5, 51.4, 59.7, 48.5, 46.3, 66.1, 50.9, 54.9, 47.5),
            *(45.2, 49.9, 51.9),
            setting="CPN",
            recipe="h36m-cpn-16-stacked-hourglass",
        ),
        _by_action(
            "Zhao et al. [34]",
            *(43.1, 54.1, 39.7, 48.7, 70.0, 51.6, 60.2, 48.0, 47.1, 65.0, 50.0, 54.9, 48.0),
            *(45.2, 50.8, 51.8),
            setting="CPN",
            recipe="h36m-cpn-16-graformer",
        ),
        _by_action(
            "Ours",
            *(41.8, 53.6, 39.9, 47.2, 68.0, 51.1, 58.9, 46.9, 45.8, 59.0, 50.0, 52.9, 47.8),
            *(45.8, 49.1, 50.5),
            setting="CPN",
            recipe="h36m-cpn-16",
        ),
        _by_action(
            "Liu et al. [16]",
            *(32.0, 38.6, 29.6, 38.5, 47.7, 37.4, 40.3, 39.7, 34.9, 45.0, 36.3, 37.5, 33.0),
            *(36.8, 40.3, 37.8),
            setting="GT",
            recipe="h36m-gt-16-weight-sharing",
        ),
        _by_action(
            "Xu et al. [29]",
            *(None, None, None, 36.7, 45.5, 35.4, 38.4, None, 31.7, None, None, None, 31.0),
            *(35.8, 38.1, 35.8),
            setting="GT",
            recipe="h36m-gt-16-stacked-hourglass",
            note="the rest of the row cannot be read; the average is that of Xu et al.'s paper",
        ),
        _by_action(
            "Zhao et al. [34]",
            *_UNREAD,
            35.2,
            setting="GT",
            recipe="h36m-gt-16-graformer",
            note="the row cannot be read; the average is that of Zhao et al.'s paper",
        ),
        _by_action(
            "Ours",
            *_UNREAD,
            34.1,
            setting="GT",
            recipe="h36m-gt-16",
            note="the row cannot be read; the average is the one that section 4.5 repeats",
        ),
    ),
    notes={UNREADABLE: "the lower half of the table is damaged in the copy of the thesis at hand"}
    | _OTHERS,
)

_SCENES = ("PCK outdoor", "PCK noGS", "PCK GS", "AUC", "PCK")


def _scenes(name: str, *numbers: float, **rest: str) -> System:
    return System(name, dict(zip(_SCENES, numbers, strict=True)), **rest)


_TABLE_4 = Table(
    "4.4",
    "Across datasets: trained on Human3.6M, tested on MPI-INF-3DHP, percent",
    "mpi-inf-3dhp",
    {
        "PCK": "all.pck",
        "AUC": "all.auc",
        "PCK GS": "GS.pck",
        "PCK noGS": "noGS.pck",
        "PCK outdoor": "outdoor.pck",
    },
    {"All scenes": ("PCK", "AUC"), "By scene": ("PCK GS", "PCK noGS", "PCK outdoor")},
    (
        _scenes("Ci et al. [5]", 77.3, 70.8, 74.8, 36.7, 74.0, recipe="h36m-gt-17-lcn"),
        _scenes(
            "Zhao et al. [34]",
            *(74.1, 77.9, 80.1, 43.8, 79.0),
            recipe="h36m-gt-16-graformer",
            note="the frame-weighted mean of the printed scenes is 77.8, not 79.0",
        ),
        _scenes(
            *("Liu et al. [16]", 80.1, 80.5, 77.6, 47.6, 79.3),
            recipe="h36m-gt-16-weight-sharing",
        ),
        _scenes(
            *("Xu et al. [29]", 75.2, 81.7, 81.5, 45.8, 80.1),
            recipe="h36m-gt-16-stacked-hourglass",
        ),
        _scenes(
            *("Zou et al. [37]", 85.7, 86.0, 86.4, 53.7, 86.1),
            recipe="h36m-gt-16-modulated-gcn",
        ),
        _scenes("Ours", 87.4, 87.5, 86.1, 55.2, 87.0, recipe="h36m-gt-16"),
    ),
    convention="thesis-scenes",
    notes={
        "model": "the thesis does not say which of its models this is; here it is the one of 16 "
        "joints that was trained on true 2D; of the others too the one on true 2D"
    }
    | _OTHERS,
)

_THOP_MACS = "MACs (M, thop)"
_ALL_MACS = "MACs (M, with attention and adjacency)"
_THOP_PARAMETERS = "parameters (M, thop)"
_ALL_PARAMETERS = "parameters (M, all)"

_COSTS = {
    _THOP_MACS: "cost.thop_macs",
    _ALL_MACS: "cost.all_macs",
    _THOP_PARAMETERS: "cost.linear_parameters",
    _ALL_PARAMETERS: "cost.parameters",
}

_COST_NOTES = {
    "MACs": "what the thesis prints as FLOPs (M) are multiply-accumulates of linear layers as "
    "thop 0.0.31 counts them; beside them the count with attention and adjacency products",
    "parameters": "what the thesis prints fits the count of thop 0.0.31, which has no norms and "
    "no position embeddings; all parameters stand beside it",
}


def _trained_on_3dhp(
    name: str,
    pck: float,
    auc: float,
    macs: float,
    parameters: float,
    mpjpe: float,
    **rest: str,
) -> System:
    errors = {"PCK": pck, "AUC": auc, "MPJPE": mpjpe}
    return System(name, errors | {_THOP_MACS: macs, _THOP_PARAMETERS: parameters}, **rest)


_OLDER_PROTOCOL = (
    "the errors are those of an older protocol, so not comparable with the rows below it nor with "
    "what is measured here"
)

_TABLE_5 = Table(
    "4.5",
    "Trained and tested on MPI-INF-3DHP: PCK and AUC in percent, MPJPE in mm",
    "mpi-inf-3dhp",
    {"PCK": "all.pck", "AUC": "all.auc", "MPJPE": "all.mpjpe", **_COSTS},
    {"Errors": ("PCK", "AUC", "MPJPE"), "Cost": tuple(_COSTS)},
    (
        _trained_on_3dhp(
            *("Li et al. (9 frames) [14]", 93.8, 63.3, 1030, 18.9, 58.0),
            recipe="3dhp-9-mhformer",
            note=f"{_OLDER_PROTOCOL}; 1030 is twice the multiply-accumulates of 27 frames, 18.9 "
            "the parameters without its first stage",
        ),
        _trained_on_3dhp(
            *("Zhang et al. (1 frame) [32]", 94.2, 63.8, 645, 33.7, 57.9),
            recipe="3dhp-1-mixste",
            note=f"{_OLDER_PROTOCOL}; 645 is not explained; 33.7 are all parameters",
        ),
        _trained_on_3dhp(
            *("Zhang et al. (27 frames) [32]", 94.4, 66.5, 645, 33.7, 54.9),
            recipe="3dhp-27-mixste",
            note=f"{_OLDER_PROTOCOL}; 645 is not explained; 33.7 are all parameters; the paper's "
            "use gets 27 poses at the cost measured here for one",
        ),
        _trained_on_3dhp(
            *("Shan et al. (81 frames) [26]", 97.9, 75.8, 493, 5.4, 32.2),
            recipe="3dhp-81-p-stmo",
            note="493 is twice the multiply-accumulates, with norms and biases",
        ),
        _trained_on_3dhp("Ours (1 frame)", 98.0, 79.1, 312, 18.3, 30.8, recipe="3dhp-1"),
        _trained_on_3dhp(
            *("Ours (9 frames)", 98.0, 81.2, 312, 18.4, 28.0),
            recipe="3dhp-9",
            note="18.4 is 18.39 rounded, where 18.3 is 18.39 cut off",
        ),
        _trained_on_3dhp("Ours (27 frames)", 98.0, 81.3, 313, 18.4, 27.9, recipe="3dhp-27"),
    ),
    convention="p-stmo",
    notes={
        "MACs": "the thesis's FLOPs (M) mix conventions: those of its own rows are "
        "multiply-accumulates of linear layers as thop 0.0.31 counts them, those of Li et al. and "
        "Shan et al. count products and sums; measured are multiply-accumulates of linear layers "
        "and convolutions (of ours as thop counts them), and of all products",
        "parameters": "measured are those of linear layers and convolutions, which is thop's "
        "count of ours, and all",
    }
    | _OTHERS,
)


def _ablation(
    table: str,
    base: str,
    name: str,
    variant: str,
    values: Mapping[str, float | None],
    note: str = "",
) -> System:
    recipe = variant_name(base, table, variant)
    return System(name, values, recipe=recipe, variant=variant, note=note)


def _block(
    name: str, variant: str, macs: float, parameters: float, mpjpe: float, note: str = ""
) -> System:
    values = {_THOP_MACS: macs, _THOP_PARAMETERS: parameters, "MPJPE": mpjpe}
    return _ablation("4.6", "h36m-cpn-17", name, variant, values, note)


_MPJPE = {"MPJPE": f"{AVERAGE}.mpjpe"}

_TABLE_6 = Table(
    "4.6",
    "Designs of the GCN block: Human3.6M, CPN, 17 joints, MPJPE in mm",
    "human3.6m",
    {**_MPJPE, **_COSTS},
    {"Errors": ("MPJPE",), "Cost": tuple(_COSTS)},
    (
        _block(
            *("Two residual", "block-two-residual", 312.2, 18.5, 50.1),
            note="18.5 is all parameters, 18.45, rounded; a residual adds none to Ours",
        ),
        _block("Transformer", "block-transformer", 289.8, 17.0, 50.1),
        _block(
            *("ConvNeXt", "block-convnext", 289.9, 17.0, 50.0),
            note="289.9 is thop's count where the two pointwise maps are 1x1 convolutions, whose "
            "biases it adds (0.087 M); here they are linear layers",
        ),
        _block("Ours", "", 312.2, 18.3, 49.5),
    ),
    notes=_COST_NOTES | {"joints": "the table does not say how many; its MACs are those of 17"},
)


def _errors_only(number: str, title: str, rows: Iterator[System]) -> Table:
    return Table(number, title, "human3.6m", _MPJPE, {"Errors": ("MPJPE",)}, tuple(rows))


_TABLE_7 = _errors_only(
    "4.7",
    "Order of transformer encoders and GCN blocks: Human3.6M, CPN, 16 joints, MPJPE in mm",
    (
        _ablation("4.7", "h36m-cpn-16", name, variant, {"MPJPE": mpjpe})
        for name, variant, mpjpe in (
            ("5 Transformers followed by 5 GCN blocks", "order-transformers-then-gcns", 52.0),
            ("5 GCN blocks followed by 5 Transformers", "order-gcns-then-transformers", 57.2),
            ("Alternately (GCN blocks first)", "order-gcn-first", 50.9),
            ("Alternately (Transformers first)", "", 50.5),
        )
    ),
)

_TABLE_8 = _errors_only(
    "4.8",
    "Groups of neighbours that share weights: Human3.6M, CPN, 16 joints, MPJPE in mm",
    (
        _ablation("4.8", "h36m-cpn-16", name, variant, {"MPJPE": mpjpe})
        for name, variant, mpjpe in (
            ("4 groups {(center), (farther), (closer), (symmetry)}", "groups-4", 51.1),
            ("3 groups {(center), (farther, closer), (symmetry)}", "groups-3-symmetry", 51.0),
            ("2 groups {(center), (farther, closer, symmetry)}", "groups-2-symmetry", 51.6),
            ("1 group {(center, farther, closer, symmetry)}", "groups-1", 53.6),
            ("3 groups {(center), (farther), (closer)}", "", 50.5),
            ("2 groups {(center), (farther, closer)}", "groups-2", 50.8),
        )
    ),
)


def _size(variant: str, parameters: float, mpjpe: float, note: str = "") -> System:
    depth, width = variant.split("x")
    values = {_ALL_PARAMETERS: parameters, "MPJPE": mpjpe}
    return _ablation(
        "4.9", "h36m-cpn-16", f"depth {depth}, channel {width}", variant, values, note
    )


_TABLE_9 = Table(
    "4.9",
    "Depth and channels: Human3.6M, CPN, 16 joints, MPJPE in mm",
    "human3.6m",
    {**_MPJPE, **_COSTS},
    {"Errors": ("MPJPE",), "Cost": tuple(_COSTS)},
    (
        _size("4x108", 0.67, 51.3),
        _size("4x128", 0.93, 51.0),
        _size("5x128", 1.17, 51.2),
        _size("4x256", 3.70, 51.0),
        _size("4x384", 8.31, 50.9),
        _size(
            "5x512", 18.38, 50.5, "18.38 is what thop counts; the other rows are all parameters"
        ),
        _size("6x512", 22.13, 50.8),
        System(
            "depth 5, channel 512, with toe direction",
            {"MPJPE": 50.7},
            recipe="h36m-cpn-16-toes",
            note="in the text of section 4.5, not in the table",
        ),
    ),
    notes={
        "parameters": "those of the thesis are cut off after two decimals, not rounded",
        "MACs": "as thop 0.0.31 counts them, of linear layers only, and with attention and "
        "adjacency products",
    },
)

TABLES: dict[str, Table] = {
    table.number: table
    for table in (
        *(_TABLE_1, _TABLE_2, _TABLE_3, _TABLE_4, _TABLE_5),
        *(_TABLE_6, _TABLE_7, _TABLE_8, _TABLE_9),
    )
}
"""Every table by its number."""

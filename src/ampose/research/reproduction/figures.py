"""Input 2D, predicted and true 3D side by side, as in figures 4.3 to 4.5 of the thesis.

Needs matplotlib. Figures are made without pyplot, so that nothing global is touched and no
display is needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d import Axes3D
from numpy.typing import NDArray

from ampose.files import written_beside
from ampose.metrics import joint_errors
from ampose.research.reproduction.samples import Samples
from ampose.skeletons import Skeleton

Array = NDArray[np.floating]

COLOURS = {"left": "#0072B2", "right": "#D55E00", "centre": "#4D4D4D"}
"""Of limbs by side; of Okabe and Ito's set, which colour-blind people can tell apart."""

COLUMNS = ("input 2D", "predicted 3D", "true 3D")

VIEW = "seen from 35 degrees to the right of the camera and 12 above; grid 0.5 m"
_VIEW = {"elev": 12.0, "azim": -55.0}
_GRID = 0.5

_ROW_INCHES = 2.5
_WIDTH_INCHES = 7.5
_HEAD_INCHES = 0.75
_FOOT_INCHES = 0.75


def lift_figure(
    keypoints: Array,
    predicted: Array,
    target: Array,
    skeleton: Skeleton,
    titles: Sequence[str],
    *,
    caption: str = "",
) -> Figure:
    """One row per sample: keypoints, predicted and true pose in one view and at one scale.

    Under each prediction stands its MPJPE. Left limbs are blue, right ones vermilion and drawn
    broken, the rest is grey.

    Args:
        keypoints: (N, J, 2) in any unit, x right and y down; NaN where missing.
        predicted: (N, J, 3) metres, camera axes, root-relative.
        target: the same of the true poses.
        skeleton: the joint set.
        titles: of the samples.
        caption: at the foot of the figure.

    Raises:
        ValueError: shapes or numbers of samples do not fit each other.
    """
    count, joints = len(titles), len(skeleton)
    shapes = keypoints.shape, predicted.shape, target.shape
    if shapes != ((count, joints, 2), (count, joints, 3), (count, joints, 3)) or not count:
        raise ValueError(
            f"{count} titles and {joints} joints need keypoints (N, J, 2) and poses (N, J, 3), "
            f"got {', '.join(map(str, shapes))}"
        )
    height = _HEAD_INCHES + count * _ROW_INCHES + _FOOT_INCHES
    figure = Figure(figsize=(_WIDTH_INCHES, height))
    figure.subplots_adjust(
        left=0.02,
        right=0.98,
        top=1 - _HEAD_INCHES / height,
        bottom=_FOOT_INCHES / height,
        wspace=0.05,
        hspace=0.25,
    )
    errors = joint_errors(predicted, target).mean(-1)
    reach = _reach(predicted, target)
    for row, title in enumerate(titles):
        place = row * len(COLUMNS)
        flat = figure.add_subplot(count, len(COLUMNS), place + 1)
        _draw_2d(flat, keypoints[row], skeleton)
        flat.set_xlabel(title, fontsize=8)
        for column, (pose, label) in enumerate(
            ((predicted[row], f"MPJPE {errors[row]:.0f} mm"), (target[row], "")), start=2
        ):
            solid: Any = figure.add_subplot(count, len(COLUMNS), place + column, projection="3d")
            _draw_3d(solid, pose, skeleton, reach)
            solid.text2D(0.5, -0.1, label, ha="center", fontsize=8, transform=solid.transAxes)
    _label(figure, height, caption)
    return figure


def draw(samples: Samples, folder: Path, stem: str) -> tuple[Path, ...]:
    """Writes the figure of some samples as PNG and PDF.

    Raises:
        OSError: a file cannot be written.
    """
    trial = "TRIAL on generated or partial data or with other epochs; " * samples.is_trial
    figure = lift_figure(
        samples.keypoints,
        samples.predicted,
        samples.target,
        samples.skeleton,
        samples.titles,
        caption=f"{trial}{samples.caption}",
    )
    return save_figure(figure, folder, stem)


def save_figure(
    figure: Figure, folder: Path, stem: str, kinds: Sequence[str] = ("png", "pdf")
) -> tuple[Path, ...]:
    """Writes files of some kinds, each complete or not at all, and the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    unstamped: dict[str, dict[str, None]] = {
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        "svg": {"Date": None, "Creator": None},
    }
    paths = tuple(folder / f"{stem}.{kind}" for kind in kinds)
    for kind, path in zip(kinds, paths, strict=True):
        with written_beside(path) as beside, rc_context({"svg.hashsalt": "ampose"}):
            figure.savefig(beside, format=kind, dpi=150, metadata=unstamped[kind])
    return paths


def _draw_2d(axes: Axes, keypoints: Array, skeleton: Skeleton) -> None:
    for (start, end), style in _limbs(skeleton):
        axes.plot(*keypoints[[start, end]].T, **style)
    axes.plot(*keypoints.T, ".", color="black", markersize=3)
    axes.set_aspect("equal", adjustable="datalim")
    axes.invert_yaxis()
    axes.margins(0.12)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#CCCCCC")


def _draw_3d(axes: Axes3D, joints: Array, skeleton: Skeleton, reach: float) -> None:
    # matplotlib's z points up and its default viewer stands at negative y.
    points = np.stack([joints[:, 0], joints[:, 2], -joints[:, 1]], axis=-1)
    for (start, end), style in _limbs(skeleton):
        axes.plot(*points[[start, end]].T, **style)
    axes.plot(*points.T, ".", color="black", markersize=3)
    ticks = np.arange(-math.floor(reach / _GRID), math.floor(reach / _GRID) + 1) * _GRID
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_ticks(ticks, [""] * len(ticks))
        axis.set_tick_params(length=0, color="none")
        axis.line.set_color("#CCCCCC")
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_zlim(-reach, reach)
    axes.set_box_aspect((1, 1, 1), zoom=1.35)
    axes.view_init(**_VIEW)


def _limbs(skeleton: Skeleton) -> list[tuple[tuple[int, int], dict[str, Any]]]:
    """Every bone, (parent, child), and how it is drawn."""
    return [((parent, child), _style(skeleton.side(child))) for parent, child in skeleton.edges]


def _style(side: str) -> dict[str, Any]:
    return {
        "color": COLOURS[side],
        "linewidth": 2.0,
        "solid_capstyle": "round",
        "linestyle": (0, (2.5, 0.8)) if side == "right" else "-",
    }


def _reach(*poses: Array) -> float:
    """Half the side of a cube about the root that holds all poses, metres, to 10 cm."""
    return math.ceil(max(float(np.abs(pose).max()) for pose in poses) * 10) / 10


def _label(figure: Figure, height: float, caption: str) -> None:
    centres = (0.18, 0.5, 0.83)
    for centre, name in zip(centres, COLUMNS, strict=True):
        at = 1 - (_HEAD_INCHES - 0.15) / height
        figure.text(centre, at, name, ha="center", fontsize=10, weight="bold")
    figure.legend(
        handles=[Line2D([], [], label=side, **_style(side)) for side in COLOURS],
        loc="upper center",
        ncols=3,
        frameon=False,
        fontsize=8,
    )
    figure.text(
        0.5, 0.12 / height, f"{caption}\n{VIEW}".strip(), ha="center", va="bottom", fontsize=7
    )

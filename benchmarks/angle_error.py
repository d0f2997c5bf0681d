"""Scores the angles of lifters on open motion: per angle, and per view of the person.

    python benchmarks/angle_error.py DATA [--weights FILE.onnx ...] [--sets cmu-val ...]
        [-o results/angle_error.csv]

DATA holds the open-mocap packs. Poses, cameras and 2D are those of the open-mocap protocol, the
focal length is known; lifters are those named with ``--weights``, or else all that ship with the
package. Every frame is lifted by itself and nothing is repaired, filtered or fitted.

* Angles are those of `ampose.analysis`, of the lifted pose and of the true one. Up is the true
  one, so what a camera's unknown tilt adds to the angles against the vertical is not in here.
* Views are by where the true pelvis faces: frontal (front and back), oblique and sagittal, as
  `ampose.analysis.views` names them.
* Both sides of an angle count together. Angles that mean nothing in the true or in the lifted
  pose (see ``meant`` in `ampose.analysis.registry`) do not count.
* Error is the mean absolute one, bias the mean of lifted less true, p90 the absolute error that
  nine in ten do not exceed. Coverage: percent of errors within one and two of the lifter's error
  bars, 68.3 and 95.4 if they are right; empty for a lifter without. Factor: what the bars would
  have to be multiplied by until both are reached. On cmu-val, with detector-like 2D and from all
  views, those above 1 are in `ampose.analysis.error_bars.FACTORS`, the larger of both bones'.

A look at a test set is appended to the log, as by ``ampose eval``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from real_video import weights_from

from ampose.analysis import ANGLES, AngleDefinition, columns_of
from ampose.analysis.error_bars import deviations
from ampose.analysis.formulas import wrapped
from ampose.analysis.gravity import Gravity
from ampose.analysis.views import BADGES, aside_degrees, badges
from ampose.errors import InputError
from ampose.lifting import load_network
from ampose.lifting.network import Network
from ampose.research.data.open_mocap import PackError
from ampose.research.evaluation.open_protocol import (
    PROTOCOL,
    SETS,
    EvaluationSet,
    NetworkLifter,
    evaluate,
    load_set,
)
from ampose.research.evaluation.provenance import circumstances, log_test, write_table
from ampose.research.evaluation.uncertainty import lifted

Array = np.ndarray[Any, Any]

PACK_UP = np.array([0.0, 0, 1])
ANY_VIEW = "all"
COLUMNS = ("count", "mae", "bias", "p90", "within_1", "within_2", "factor")
NOMINAL = {1: 0.6827, 2: 0.9545}
"""Error bars to the share of errors within them, if errors are normal."""
ADDED = ("lifter", "set", "bones", "input", "view", "angle", "class")


def true_gravity(chosen: EvaluationSet) -> Gravity:
    """Up (N, 3) in each frame's camera axes, without doubt."""
    return Gravity(chosen.scene.turn @ PACK_UP, np.zeros((2, 3)), "true")


def views_of(chosen: EvaluationSet, bones: str) -> Array:
    """(N,) the view of each frame, by the true pose."""
    gravity = true_gravity(chosen)
    return badges(aside_degrees(chosen.joints[bones], chosen.scene.root, gravity.up))


def errors_of(
    angle: AngleDefinition, found: Array, sigma: Array, true: Array, gravity: Gravity
) -> tuple[Array, Array]:
    """Lifted less true, and the error bars, degrees (N, sides); NaN where it means nothing."""
    errors, bars = [], []
    for column in columns_of([angle.name]):
        meant = column.meant(true, gravity.up) & column.meant(found, gravity.up)
        error = wrapped(column.of(found, gravity.up) - column.of(true, gravity.up))
        errors.append(np.where(meant, error, np.nan))
        bars.append(deviations(column, found, sigma, gravity))
    return np.stack(errors, -1), np.stack(bars, -1)


def score(errors: Array, bars: Array) -> dict[str, str]:
    """Columns of some errors and error bars of one shape, degrees; NaN does not count."""
    known = np.isfinite(errors)
    size, bars = np.abs(errors[known]), bars[known]
    if not len(size):
        return dict.fromkeys(COLUMNS, "")
    sure = np.isfinite(bars).all()
    within = (f"{100 * (size <= k * bars).mean():.1f}" if sure else "" for k in (1, 2))
    factor = ""
    if sure:
        needed = np.divide(size, bars, out=np.where(size > 0, np.inf, 0.0), where=bars > 0)
        levels = [np.quantile(needed, p, method="higher") / k for k, p in NOMINAL.items()]
        factor = f"{max(levels):.3f}"
    return {
        "count": f"{len(size)}",
        "mae": f"{size.mean():.1f}",
        "bias": f"{errors[known].mean():.1f}",
        "p90": f"{np.quantile(size, 0.9):.1f}",
        **dict(zip(("within_1", "within_2"), within, strict=True)),
        "factor": factor,
    }


def rows_of(network: Network, chosen: EvaluationSet) -> Iterator[dict[str, str]]:
    """All rows of one lifter on one set."""
    gravity = true_gravity(chosen)
    for (bones, kind), pixels in chosen.pixels.items():
        found, sigma = lifted(network.run, chosen, pixels, channels=network.channels)
        views = views_of(chosen, bones)
        for angle in ANGLES.values():
            errors, bars = errors_of(angle, found, sigma, chosen.joints[bones], gravity)
            for view in (ANY_VIEW, *BADGES):
                part = views == view if view != ANY_VIEW else slice(None)
                named = (network.name, chosen.name, bones, kind, view, angle.name, angle.kind)
                yield dict(zip(ADDED, named, strict=True)) | score(errors[part], bars[part])


def log_look(path: Path, network: Network, chosen: EvaluationSet) -> None:
    """Says in the log that a test set was looked at."""

    def poses(inputs: Array) -> Array:
        return network.run(inputs)[0]

    lifter = NetworkLifter(1, poses, network.channels)
    log_test(path, network.name, network.sha256, evaluate(lifter, chosen, groups=False))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, action="append", default=[], metavar="FILE.onnx")
    parser.add_argument("--sets", nargs="+", default=["cmu-val"], choices=sorted(SETS))
    parser.add_argument("-o", "--out", type=Path, default=Path("results/angle_error.csv"))
    parser.add_argument("--log", type=Path, default=Path("results/test_log.csv"))
    return parser.parse_args()


def main() -> None:
    """Runs the benchmark and writes its table."""
    told = arguments()
    networks = [load_network(path) for path in weights_from(told.weights)]
    rows = []
    for name in told.sets:
        chosen = load_set(name, told.data)
        for network in networks:
            if chosen.is_test:
                log_look(told.log, network, chosen)
            of_set = list(rows_of(network, chosen))
            rows += of_set
            for row in of_set:
                if (row["bones"], row["view"]) == ("template", ANY_VIEW):
                    print(*(row[key] for key in ("lifter", "set", "input", "angle", "mae")))
    notes = {
        "what": "error of angles, degrees: lifted less true; focal length and up are known",
        "protocol": PROTOCOL,
        **{f"sha256 of {network.name}": network.sha256 for network in networks},
        **circumstances(),
    }
    write_table(told.out, rows, notes)


if __name__ == "__main__":
    try:
        main()
    except (InputError, PackError) as error:
        sys.exit(str(error))

"""Compares views of one movement, which must not differ: how often `ampose.analysis` says they do.

    python benchmarks/same_movement.py MEDIA [-o results/same_movement.csv]

MEDIA is the folder of the four calibrated clips (see ``real_video.py``), which show one athlete at
the same times. Each view goes through `ampose.motion` as in ``ampose run``, with its true focal
length; each pair is compared as by ``ampose compare``, the angles of class A.

* Means, ranges, largest differences: how many angles the comparison calls distinguishable. With a
  chance of 5 % for each of the three columns of a pair, one pair in twenty should name any.
* Apart: mean absolute difference, degrees, of moments that truly belong together.
* Timing: mean and largest distance, milliseconds, between moments that warping takes to belong
  together.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from real_video import VIEWS, Recording, arguments_of, lifters_from, name_of, sequence_in_motion
from takes import run, write_results

import ampose
from ampose.analysis import Angles, angles_of
from ampose.analysis.comparison import compare

MEASURES = {"means": "mean", "ranges": "range", "largest": "largest"}


def rows_of(recording: Recording, lifter: ampose.Lifter) -> Iterator[dict[str, str]]:
    """A row for each pair of views, and one for all."""
    angles = {}
    for view in VIEWS:
        shown = recording.keypoints[view], recording.scores[view]
        camera = recording.cameras[view]
        angles[view] = angles_of(sequence_in_motion(lifter, *shown, camera, recording.times))
    scores = {pair: score(*(angles[view] for view in pair)) for pair in combinations(VIEWS, 2)}
    for pair, found in scores.items():
        yield {"lifter": name_of(lifter), "views": " and ".join(pair)} | printed(found)
    together = list(scores.values())
    counts = {name: sum(each[name] for each in together) for name in ("angles", *MEASURES)}
    means = {name: np.mean([each[name] for each in together]) for name in ("apart", "timing_ms")}
    latest = max(each["timing_largest_ms"] for each in together)
    whole = printed({**counts, **means, "timing_largest_ms": latest})
    yield {"lifter": name_of(lifter), "views": "all pairs"} | whole


def score(a: Angles, b: Angles) -> dict[str, float]:
    """The columns of one pair."""
    found = compare(a, b)
    apart = 1000 * np.abs(found.alignment.times_b - found.alignment.times_a)
    same = compare(a, b, method="none")
    told = {
        name: sum(getattr(row, measure).distinguishable is True for row in found.rows)
        for name, measure in MEASURES.items()
    }
    return {
        "angles": len(found.rows),
        **told,
        "apart": float(np.nanmean(np.abs(same.difference))),
        "timing_ms": float(apart.mean()),
        "timing_largest_ms": float(apart.max()),
    }


def printed(found: dict[str, float]) -> dict[str, str]:
    """Counts as they are, degrees with one digit, milliseconds whole."""
    return {
        name: f"{value:.1f}" if name == "apart" else f"{value:.0f}"
        for name, value in found.items()
    }


def main() -> None:
    """Runs the benchmark and writes its table."""
    arguments = arguments_of(__doc__ or "", Path("results/same_movement.csv"))
    lifters = lifters_from(arguments.weights)
    recording = Recording.detected(arguments.media)
    write_results(
        arguments.out,
        *(rows_of(recording, lifter) for lifter in lifters),
        what="four synchronised views of one movement, pair by pair; angles of class A",
        **{f"sha256 of {name_of(each)}": each.provenance["lifter_sha256"] for each in lifters},
    )


if __name__ == "__main__":
    run(main)

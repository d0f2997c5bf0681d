"""An open benchmark of the smallest networks, and its finished runs without training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.graformer import GraFormerConfig
from ampose.research.models.lcn import LCNConfig
from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.semgcn import SemGCNConfig
from ampose.research.models.srnet import SRNetConfig
from ampose.research.recipes import Recipe
from ampose.research.recipes.improvements import improved
from tests.research.reproduction.runs import write_run

RATES = (1e-3, 2e-3, 4e-3)

NETWORKS = {
    "ampose": AMPoseConfig(depth=1, width=16, channels=3),
    "martinez": MartinezConfig(width=8, channels=3, dropout=0.0),
    "semgcn": SemGCNConfig(width=8, blocks=1, channels=3),
    "lcn": LCNConfig(width=4, blocks=1, channels=3, dropout=0.0),
    "srnet": SRNetConfig(width=16, channels=3),
    "graformer": GraFormerConfig(
        depth=1,
        width=16,
        channels=3,
        dropout=0.0,
        attention_dropout=0.0,
        chebyshev_dropout=0.0,
    ),
}

SMALL = tuple(
    Recipe(f"benchmark-{name}", model, poses=80, batch=10, learning_rate=2e-3)
    for name, model in NETWORKS.items()
)

EXTRA = tuple(
    replace(
        improved(each),
        name=each.name.replace("benchmark", "extras"),
        batch=10,
        learning_rate=2e-3,
    )
    for each in (SMALL[0], SMALL[-1])
)

WIDE = tuple(
    replace(
        each,
        name=each.name.replace("-", "-wide-"),
        poses=160,
        # Of the first one the published network is another, as with the real recipes.
        model=replace(each.model, width=32) if each.name == "benchmark-ampose" else each.model,
    )
    for each in SMALL
)


def write_benchmark_run(
    runs: Path, recipe: Recipe, *, exact: float = 60.0, detector: float = 80.0
) -> Path:
    """A finished run whose validation errors fall by 20 and by 10 mm on the way to these."""
    folder = write_run(runs, recipe)
    write_log(
        folder,
        {
            recipe.poses // 4: (exact + 30, detector + 30),
            recipe.poses // 2: (exact + 10, detector + 10),
            recipe.poses: (exact, detector),
        },
    )
    return folder


def write_probe(runs: Path, recipe: Recipe, rate: float, error: float, *, poses: int) -> Path:
    """A finished probe whose two errors have this mean."""
    probe = replace(recipe, poses=poses, learning_rate=rate)
    made = write_run(runs / "beside", probe)
    folder = runs / f"{recipe.name}-probe-{rate:g}"
    made.replace(folder)
    write_log(folder, {poses: (error - 5, error + 5)})
    return folder


def write_log(folder: Path, errors: Mapping[int, tuple[float, float]]) -> None:
    """A log with these poses, and their errors on exact and on detector-like 2D."""
    records = [{"poses": 1, "loss": 2.0}]
    records += [
        {"poses": poses, "loss": 1.0, "exact_mpjpe": exact, "detector_mpjpe": detector}
        for poses, (exact, detector) in errors.items()
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))

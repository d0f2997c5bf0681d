"""From a run folder to weights that can ship: ONNX and the card that says what they are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ampose._version import __version__
from ampose.cameras import look_at_person
from ampose.files import sha256_of
from ampose.research.evaluation import open_protocol as protocol
from ampose.research.evaluation.provenance import log_test
from ampose.research.evaluation.uncertainty import fitted_calibration
from ampose.research.export import export_onnx
from ampose.research.models.cost import count_parameters
from ampose.research.models.uncertain import Uncertain
from ampose.research.models.zoo import ModelConfig
from ampose.research.training.checkpoint import WEIGHTS, load_weights
from ampose.research.training.inference import torch_lifter, torch_lifter_with_sigma

COMPARED_POSES = 1_000

LICENCE = "Apache-2.0"

CREDITS = {
    "cmu": "The data used in this project was obtained from mocap.cs.cmu.edu. The database was "
    "created with funding from NSF EIA-0196217.",
    "mesh2motion": "Also trained on Mesh2Motion animations (CC0 1.0).",
}
"""Acknowledgements by pack. CMU's is always due, since every lifter is validated on it."""


def package_run(run: Path, data: Path, path: Path, log: Path) -> float:
    """Scores, exports and describes the model of a finished run.

    Args:
        run: folder with ``model.safetensors``, ``recipe.json`` and ``run.json``.
        data: folder of the open-mocap packs.
        path: ``.onnx`` file to write; the card goes beside it.
        log: log of looks at test sets.

    Returns:
        Largest difference between ONNX and torch over `COMPARED_POSES` poses, metres.

    Raises:
        ValueError: the run is not finished, the data is not there, or `path` is no ``.onnx``.
        ExportError: ONNX and torch differ.
    """
    if path.suffix != ".onnx":
        raise ValueError(f"{path}: the file to write must end in .onnx; its card ends in .json")
    if not (run / WEIGHTS).exists():
        raise ValueError(f"{run} holds no {WEIGHTS}; the run is not finished")
    model = load_weights(run / WEIGHTS)
    made = described(run)
    recipe = made["recipe"]
    trained_on = [recipe["data"]]
    more: dict[str, Any] = {}
    if recipe["start_from"]:
        more["starts_from"] = described(run.parent / recipe["start_from"])
        trained_on.append(more["starts_from"]["recipe"]["data"])
    if any("packs" not in each for each in trained_on):
        raise ValueError(f"{run} was trained on licensed data; such weights cannot be packaged")
    packs = list(dict.fromkeys(pack for each in trained_on for pack in each["packs"]))
    config: ModelConfig = model.config  # type: ignore[assignment]
    if config.frames > 1:
        raise ValueError(f"{run}: takes {config.frames} frames; the product lifts single ones")
    if isinstance(model, Uncertain):
        more["sigma"] = calibrate(model, data)
    card = {
        "name": path.stem,
        "recipe": recipe,
        "parameters": count_parameters(model),
        "trained": made["trained"],
        "packaged_by": __version__,
        "data": {
            "packs": packs,
            "split": "train",
            "not_trained_on": "CMU subjects 2, 5, 6, 127 (test), 8, 35, 135 (validation); HDM05",
            "not_evaluated_on": "Human3.6M, MPI-INF-3DHP and any other licensed data",
        },
        "licence": LICENCE,
        "credit": " ".join(text for pack, text in CREDITS.items() if pack in {"cmu", *packs}),
        "input": {
            "skeleton": config.skeleton,
            "frames": config.frames,
            "channels": config.channels,
            "normalisation": look_at_person.__name__,
            "missing": "all channels 0",
        },
        "protocol": f"{protocol.PROTOCOL}, seed 0",
        "measured_mm": _measured(model, data, path.stem, made["model_sha256"], log),
        "model_sha256": made["model_sha256"],
        **more,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    return export_onnx(model, path, inputs=_inputs(data, config.channels), card=card)


def _measured(
    model: torch.nn.Module, data: Path, name: str, sha256: str, log: Path
) -> list[dict[str, Any]]:
    """The rows of the open-mocap protocol; looks at test sets are logged."""
    lift = torch_lifter(model)
    measured = []
    for each in ("cmu-val", "cmu-test", "hdm05"):
        chosen = protocol.load_set(each, data)
        scores = list(protocol.evaluate(lift, chosen, groups=False))
        if chosen.is_test:
            log_test(log, name, sha256, scores)
        measured += [score.row() for score in scores]
    return measured


def described(run: Path) -> dict[str, Any]:
    """What a card says of a finished run: its recipe, its training and its weights."""
    return {
        "recipe": json.loads((run / "recipe.json").read_text(encoding="utf-8")),
        "trained": json.loads((run / "run.json").read_text(encoding="utf-8")),
        "model_sha256": sha256_of(run / WEIGHTS),
    }


def calibrate(model: Uncertain, data: Path) -> dict[str, Any]:
    """Scales a lifter's sigma to fit the validation subjects; returns entries for the card."""
    lift, chosen = torch_lifter_with_sigma(model), protocol.load_set("cmu-val", data)
    factors = fitted_calibration(lift, chosen, channels=model.config.channels)
    model.calibration.mul_(torch.from_numpy(factors))
    return {
        "meaning": "standard deviation of joints, metres, per axis of the pose; 0 for the root",
        "calibrated_on": f"{chosen.name}, {len(chosen.focal)} frames, exact and detector-like",
        "factors": np.round(factors, 3).tolist(),
    }


def _inputs(data: Path, channels: int) -> np.ndarray[Any, Any]:
    """Network inputs (N, 1, 17, channels) of validation poses, half exact, half detector-like."""
    chosen = protocol.load_set("cmu-val", data)
    some = slice(COMPARED_POSES // 2)
    fewer = replace(chosen, focal=chosen.focal[some])
    seen = [
        protocol.network_inputs(
            fewer, chosen.pixels["template", kind][some], focal="unknown", channels=channels
        )[0]
        for kind in protocol.INPUTS
    ]
    return np.concatenate(seen)[:, None]

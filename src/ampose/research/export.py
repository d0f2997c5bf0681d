"""A trained lifter as ONNX: what the product wing runs, checked against torch number by number."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from ampose.research.models.uncertain import Uncertain

# It warns, once per operator, that torchvision is missing, which nothing here needs.
logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)

LARGEST_DIFFERENCE_METRES = 1e-4
"""Export fails if ONNX and torch differ by more on any coordinate."""


class ExportError(RuntimeError):
    """The exported file does not do what the network does."""


def export_onnx(
    model: nn.Module,
    path: Path,
    *,
    inputs: np.ndarray[Any, Any],
    card: Mapping[str, Any],
) -> float:
    """Writes ``model`` as one ONNX file and compares it with torch on `inputs`.

    The graph maps ``keypoints`` (B, T, J, channels) float32 to ``joints`` (B, J, 3) metres, any B;
    that of an `Uncertain` lifter also to ``sigma`` (B, J, 3) metres.
    Its metadata names the skeleton, frames, channels, normalisation and the rule for missing
    joints, and carries the SHA-256 of the card, which goes beside it as ``<name>.json``.

    Args:
        model: the network, in evaluation mode.
        path: the ``.onnx`` file.
        inputs: (N, T, J, channels) to compare on.
        card: what the weights are; the comparison is added to it.

    Returns:
        The largest absolute difference between ONNX and torch over all outputs, metres.

    Raises:
        ExportError: they differ by more than `LARGEST_DIFFERENCE_METRES`.
    """
    names = ["joints"]
    if isinstance(model, Uncertain):
        model, names = _WithSigma(model), ["joints", "sigma"]
    example = torch.from_numpy(inputs[:2]).float()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        draft = Path(folder) / "model.onnx"
        torch.onnx.export(
            model.eval(),
            (example,),
            draft,
            input_names=["keypoints"],
            output_names=names,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        difference = compare(model, draft, inputs)
        if not difference <= LARGEST_DIFFERENCE_METRES:
            raise ExportError(f"ONNX differs from torch by {difference:.2e} m on {path.name}")
        compared = {"poses": len(inputs), "largest_difference_m": difference}
        card_text = json.dumps({**card, "compared_with_torch": compared}, indent=2) + "\n"
        graph = onnx.load(draft)
        onnx.helper.set_model_props(
            graph,
            {
                "skeleton": card["input"]["skeleton"],
                "frames": str(card["input"]["frames"]),
                "channels": str(card["input"]["channels"]),
                "normalisation": card["input"]["normalisation"],
                "missing": card["input"]["missing"],
                "card_sha256": hashlib.sha256(card_text.encode()).hexdigest(),
            },
        )
        onnx.save(graph, draft)
        path.with_suffix(".json").write_text(card_text, encoding="utf-8")
        draft.replace(path)
    return difference


class _WithSigma(nn.Module):
    """Both outputs of an uncertain lifter, pose and sigma, for a graph."""

    def __init__(self, model: Uncertain) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        pose, sigma = self.model(x, with_sigma=True)
        return pose, sigma


def compare(model: nn.Module, path: Path, inputs: np.ndarray[Any, Any]) -> float:
    """Largest absolute difference between ONNX and torch on inputs (N, T, J, channels), metres."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = model(torch.from_numpy(inputs).float())
    found = session.run(None, {"keypoints": inputs.astype(np.float32)})
    outputs = expected if isinstance(expected, tuple) else (expected,)
    pairs = zip(found, outputs, strict=True)
    return max(float(np.abs(one - other.numpy()).max()) for one, other in pairs)

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from ampose.research import export
from ampose.research.export import ExportError, export_onnx
from ampose.research.models.zoo import build
from tests.research.training.runs import TINY, names

CARD = {
    "name": "tiny ä",
    "input": {
        "skeleton": "h36m_17",
        "frames": 1,
        "channels": 3,
        "normalisation": "look_at_person",
        "missing": "x = y = mask = 0",
    },
}
INPUTS = np.random.default_rng(0).normal(size=(6, 1, 17, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return build(TINY.model).eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, model: nn.Module) -> Path:
    path = tmp_path_factory.mktemp("export") / "tiny.onnx"
    assert 0 <= export_onnx(model, path, inputs=INPUTS, card=CARD) < 1e-5
    return path


def test_metadata_says_what_goes_in(exported: Path) -> None:
    metadata = onnxruntime.InferenceSession(exported).get_modelmeta().custom_metadata_map
    card = exported.with_suffix(".json").read_bytes()
    assert metadata == {
        "skeleton": "h36m_17",
        "frames": "1",
        "channels": "3",
        "normalisation": "look_at_person",
        "missing": "x = y = mask = 0",
        "card_sha256": hashlib.sha256(card).hexdigest(),
    }
    told = json.loads(card)
    compared = told.pop("compared_with_torch")
    assert told == CARD
    assert compared["poses"] == len(INPUTS)
    assert 0 <= compared["largest_difference_m"] < 1e-5


def test_is_one_valid_file_and_its_card(exported: Path) -> None:
    assert names(exported.parent) == ["tiny.json", "tiny.onnx"]
    onnx.checker.check_model(onnx.load(exported))


def test_any_number_of_poses(exported: Path, model: nn.Module) -> None:
    session = onnxruntime.InferenceSession(exported)
    for count in (1, 2, 5):
        (joints,) = session.run(["joints"], {"keypoints": INPUTS[:count]})
        with torch.no_grad():
            expected = model(torch.from_numpy(INPUTS[:count]))
        np.testing.assert_allclose(joints, expected, atol=1e-5)


class Different:
    """A session whose answer is off by a little in one coordinate."""

    off = 0.0

    def __init__(self, *arguments: object, **options: object) -> None:
        self._session = _Session(*arguments, **options)

    def run(self, *arguments: object) -> list[np.ndarray]:
        (joints,) = self._session.run(*arguments)
        joints[0, 3, 1] += self.off
        return [joints]


_Session = onnxruntime.InferenceSession


@pytest.mark.parametrize("off", [2e-4, np.nan])
def test_other_numbers_than_torchs_leave_nothing_behind(
    tmp_path: Path, model: nn.Module, monkeypatch: pytest.MonkeyPatch, off: float
) -> None:
    monkeypatch.setattr(onnxruntime, "InferenceSession", Different)
    monkeypatch.setattr(Different, "off", off)
    with pytest.raises(ExportError, match=r"ONNX differs from torch by .* on tiny\.onnx"):
        export_onnx(model, tmp_path / "tiny.onnx", inputs=INPUTS, card=CARD)
    assert names(tmp_path) == []


def test_the_largest_difference_is_returned(
    tmp_path: Path, model: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnxruntime, "InferenceSession", Different)
    monkeypatch.setattr(Different, "off", 5e-5)
    difference = export_onnx(model, tmp_path / "tiny.onnx", inputs=INPUTS, card=CARD)
    assert difference == pytest.approx(5e-5, abs=2e-6)
    assert difference < export.LARGEST_DIFFERENCE_METRES

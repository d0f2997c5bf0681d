from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx.parser
import pytest
from onnx import TensorProto

from ampose.detection.custom import load_refiner
from ampose.detection.simcc import SimCCRefiner
from ampose.errors import InputError
from ampose.onnx_models import open_session
from ampose.skeletons import COCO_17, SKELETONS, Skeleton

from .conftest import MakeModel

BLANK = np.zeros((256, 192, 3), np.uint8)


def _simcc(joints: int, width: int = 192, height: int = 256) -> dict[str, np.ndarray]:
    """Joint j peaks at bin (10 j, 20 j + 1), two bins per pixel, with x score 0.9, y score 0.7."""
    x = np.zeros((1, joints, 2 * width), np.float32)
    y = np.zeros((1, joints, 2 * height), np.float32)
    j = np.arange(joints)
    x[0, j, 10 * j] = 0.9
    y[0, j, 20 * j + 1] = 0.7
    return {"simcc_x": x, "simcc_y": y}


def _movenet(joints: int) -> dict[str, np.ndarray]:
    j = np.arange(joints, dtype=np.float32)
    return {"out": np.stack([j / 100, j / 50, 1 - j / 40], -1)[None, None]}


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("batch", [1, "batch"])
def test_rtmpose_layout_gives_the_middle_of_the_best_bins(
    make_model: MakeModel, batch: int | str, swapped: bool
):
    outputs = _simcc(17)
    if swapped:
        outputs = dict(reversed(outputs.items()))
    path = make_model(TensorProto.FLOAT, [batch, 3, 256, 192], outputs)
    refiner = load_refiner(path, skeleton="COCO-17")
    keypoints, scores = refiner.refine(BLANK)
    assert refiner.skeleton == COCO_17
    assert refiner.size == (192, 256)
    j = np.arange(17)
    # Bin b is b / 2 pixels from the middle of the first pixel, which is half a pixel in.
    np.testing.assert_allclose(keypoints[:, 0] * 192, 5 * j + 0.5, atol=1e-4)
    np.testing.assert_allclose(keypoints[:, 1] * 256, 10 * j + 1.0, atol=1e-4)
    np.testing.assert_allclose(scores, 0.7)


def test_rtmpose_scores_are_clipped(make_model: MakeModel):
    outputs = {name: 3 * value for name, value in _simcc(17).items()}
    path = make_model(TensorProto.FLOAT, [1, 3, 256, 192], outputs)
    assert (load_refiner(path, skeleton="coco_17").refine(BLANK)[1] == 1).all()


def test_rtmpose_input_is_normalised_rgb(tmp_path: Path):
    # Three "joints" that score the means of the three input channels.
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["": 13]>
        means (float[1, 3, 4, 4] image) => (float[1, 3, 8] simcc_x, float[1, 3, 8] simcc_y) {
            mean = ReduceMean<axes = [3]>(image)
            mean2 = ReduceMean<axes = [2], keepdims = 0>(mean)
            shape = Constant<value_ints = [1, 3, 8]>()
            simcc_x = Expand(mean2, shape)
            simcc_y = Identity(simcc_x)
        }
    """)
    path = tmp_path / "means.onnx"
    onnx.save(model, path)
    channels = Skeleton("channels", ("red", "green", "blue"), (-1, -1, -1))
    refiner = SimCCRefiner(open_session(path, 1), channels)
    _, scores = refiner.refine(np.full((4, 4, 3), [130, 150, 160], np.uint8))
    expected = [6.325 / 58.395, 33.72 / 57.12, 56.47 / 57.375]
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


@pytest.mark.parametrize("kind", [TensorProto.INT32, TensorProto.UINT8, TensorProto.FLOAT])
def test_movenet_layout_gives_x_before_y(make_model: MakeModel, kind: int):
    path = make_model(kind, [1, 192, 192, 3], _movenet(17), {"skeleton": "coco_17"})
    refiner = load_refiner(path)
    keypoints, scores = refiner.refine(np.zeros((192, 192, 3), np.uint8))
    j = np.arange(17)
    np.testing.assert_allclose(keypoints, np.stack([j / 50, j / 100], -1), atol=1e-6)
    np.testing.assert_allclose(scores, 1 - j / 40, atol=1e-6)
    assert refiner.size == (192, 192)


def test_a_given_skeleton_beats_the_one_in_the_file(make_model: MakeModel):
    path = make_model(TensorProto.INT32, [1, 64, 64, 3], _movenet(17), {"skeleton": "coco_17"})
    assert load_refiner(path, skeleton="mpi_3dhp_17").skeleton.name == "mpi_3dhp_17"


def test_an_unnamed_joint_set_is_never_guessed(make_model: MakeModel):
    path = make_model(TensorProto.INT32, [1, 64, 64, 3], _movenet(17))
    with pytest.raises(InputError, match="name its joint set, one of " + ", ".join(SKELETONS)):
        load_refiner(path)
    with pytest.raises(InputError, match="unknown skeleton 'dog'; known are h36m_17"):
        load_refiner(path, skeleton="dog")


def test_joint_counts_must_agree(make_model: MakeModel):
    path = make_model(TensorProto.FLOAT, [1, 3, 256, 192], _simcc(17))
    with pytest.raises(InputError, match="gives 17 joints but halpe_26 has 26"):
        load_refiner(path, skeleton="halpe_26")


@pytest.mark.parametrize(
    ("kind", "shape", "outputs"),
    [
        (TensorProto.FLOAT, [1, 3, 256, 192], _movenet(17)),
        (TensorProto.FLOAT, [2, 3, 256, 192], _simcc(17)),
        (TensorProto.FLOAT, [1, 3, "h", "w"], _simcc(17)),
        (TensorProto.FLOAT, [1, 3, 192, 256], _simcc(17)),
        (TensorProto.INT32, [1, 3, 256, 192], _simcc(17)),
        (TensorProto.DOUBLE, [1, 3, 256, 192], _simcc(17)),
        (TensorProto.INT32, [1, 256, 192, 3], _movenet(17)),
        (TensorProto.INT32, [1, 64, 64, 3], _simcc(17)),
    ],
)
def test_other_layouts_are_named(make_model: MakeModel, kind, shape, outputs):
    path = make_model(kind, shape, outputs)
    names = "outputs " + ".*".join(outputs)
    with pytest.raises(InputError, match=rf"has inputs image .*{names}.*allowed are RTMPose's"):
        load_refiner(path, skeleton="coco_17")


def test_no_model_file(tmp_path):
    missing = tmp_path / "no.onnx"
    with pytest.raises(InputError, match=re.escape(f"no model file {missing}")):
        load_refiner(missing, skeleton="coco_17")
    text = tmp_path / "text.onnx"
    text.write_text("hello")
    with pytest.raises(InputError, match="is not an ONNX model") as caught:
        load_refiner(text, skeleton="coco_17")
    assert "\n" not in str(caught.value)


def test_threads_must_be_positive(make_model: MakeModel):
    path = make_model(TensorProto.INT32, [1, 64, 64, 3], _movenet(17))
    with pytest.raises(InputError, match="threads must be 1 or more, got 0"):
        load_refiner(path, skeleton="coco_17", threads=0)

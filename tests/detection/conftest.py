"""Poses and tiny ONNX models whose answers are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ampose.poses import Pose2D
from ampose.skeletons import COCO_17

STANDING = {
    "nose": (0, 0),
    "eye": (4, -4),
    "ear": (8, -2),
    "shoulder": (20, 25),
    "elbow": (28, 55),
    "wrist": (30, 85),
    "hip": (12, 85),
    "knee": (14, 125),
    "ankle": (14, 165),
}
"""Half a person seen from the front, 169 high; the nose is at (0, 0)."""

MakeModel = Callable[..., Path]


def standing(x: float, y: float, *, size: float = 1.0, score: float = 0.9) -> Pose2D:
    """A standing person with the nose at (x, y), facing the camera."""
    keypoints = []
    for joint in COCO_17.joints:
        side, _, part = joint.rpartition("_")
        dx, dy = STANDING[part]
        keypoints.append((x + size * (-dx if side == "right" else dx), y + size * dy))
    points = np.array(keypoints, np.float32)
    box = np.concatenate([points.min(0), points.max(0)])
    return Pose2D(points, np.full(17, score, np.float32), box, COCO_17)


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Writes an ONNX model that answers constants whatever it is shown."""

    def make(
        input_type: int,
        input_shape: list[int | str],
        outputs: dict[str, np.ndarray],
        metadata: dict[str, str] | None = None,
    ) -> Path:
        nodes = [
            helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
            for name, value in outputs.items()
        ]
        graph = helper.make_graph(
            nodes,
            "constant",
            [helper.make_tensor_value_info("image", input_type, input_shape)],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * value.ndim)
                for name, value in outputs.items()
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        helper.set_model_props(model, metadata or {})
        path = tmp_path / "model.onnx"
        onnx.save(model, path)
        return path

    return make

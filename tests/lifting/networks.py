"""Tiny lifters in ONNX whose answers are known."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

METADATA = {
    "skeleton": "h36m_17",
    "frames": "1",
    "channels": "3",
    "normalisation": "look_at_person",
    "missing": "zero",
    "card_sha256": "0" * 64,
}


def echo(path: Path, *, outputs: tuple[str, ...] = ("joints",), **metadata: str | None) -> Path:
    """A lifter that answers what it is shown; `metadata` replaces entries, None removes them.

    Of two outputs the second is the magnitude of the first. Of four channels it answers the last
    three.
    """
    channels = int(metadata.get("channels") or METADATA["channels"])
    nodes = [
        *(
            helper.make_node("Constant", [], [name], value_ints=[value])
            for name, value in (("axis", 1), ("from", -3), ("to", 9), ("last", -1))
        ),
        helper.make_node("Squeeze", ["keypoints", "axis"], ["frame"]),
        helper.make_node("Slice", ["frame", "from", "to", "last"], [outputs[0]]),
        *(helper.make_node("Abs", [outputs[0]], [name]) for name in outputs[1:]),
    ]
    graph = helper.make_graph(
        nodes,
        "echo",
        [
            helper.make_tensor_value_info(
                "keypoints", TensorProto.FLOAT, ["batch", 1, 17, channels]
            )
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 17, 3])
            for name in outputs
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    entries = {key: value for key, value in (METADATA | metadata).items() if value is not None}
    helper.set_model_props(model, entries)
    onnx.save(model, path)
    return path

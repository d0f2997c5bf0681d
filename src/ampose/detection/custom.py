"""A user's own top-down pose model, given as an ONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort

from ampose.detection.movenet import INPUT_TYPES, MoveNetRefiner
from ampose.detection.simcc import SimCCRefiner, output_names
from ampose.errors import InputError, one_line
from ampose.onnx_models import open_session
from ampose.skeletons import SKELETONS, Skeleton, get_skeleton

_ALLOWED = (
    "allowed are RTMPose's layout (one float input (1, 3, H, W); outputs simcc_x (1, J, r*W) and "
    "simcc_y (1, J, r*H)) and MoveNet single-pose's (one int32, uint8 or float input "
    "(1, S, S, 3); one output (1, 1, J, 3))"
)


def load_refiner(
    path: Path, *, skeleton: str | None = None, threads: int | None = None
) -> SimCCRefiner | MoveNetRefiner:
    """A refiner from an ONNX file in the layout of RTMPose or of MoveNet's single-pose models.

    Args:
        path: the ONNX file.
        skeleton: name of its joint set; None takes the model's metadata entry ``skeleton``.
        threads: see `open_session`.

    Raises:
        InputError: not such a file, another layout, or a joint set that is not named, not known
            or of another size.
    """
    session = open_session(path, threads)
    joints = _named_skeleton(path, session, skeleton)
    refiner: type[SimCCRefiner | MoveNetRefiner]
    shape = _input_shape(path, session)
    kind = session.get_inputs()[0].type
    # Files often leave the shapes of their outputs open; a run on a blank picture shows them.
    match kind, shape, _output_shapes(path, session, shape):
        case "tensor(float)", (1, 3, h, w), ((1, count, x_bins), (1, y_count, y_bins)) if (
            count == y_count and x_bins * h == y_bins * w
        ):
            refiner = SimCCRefiner
        case _, (1, h, w, 3), ((1, 1, count, 3),) if h == w:
            refiner = MoveNetRefiner
        case _:
            raise _layout_error(path, session)
    if count != len(joints):
        raise InputError(
            f"{path} gives {count} joints but {joints.name} has {len(joints)}; name the joint "
            f"set that the model was trained for, one of {', '.join(SKELETONS)}, with "
            "--detector-skeleton"
        )
    return refiner(session, joints)


def _named_skeleton(path: Path, session: ort.InferenceSession, name: str | None) -> Skeleton:
    name = name or session.get_modelmeta().custom_metadata_map.get("skeleton")
    if name is None:
        raise InputError(
            f"{path} does not say which joints it gives; name its joint set, one of "
            f"{', '.join(SKELETONS)}, with --detector-skeleton"
        )
    try:
        return get_skeleton(name)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def _input_shape(path: Path, session: ort.InferenceSession) -> tuple[int, ...]:
    """Shape of the one input for one picture; only the batch may be open in the file."""
    inputs = session.get_inputs()
    if len(inputs) == 1 and inputs[0].type in INPUT_TYPES and inputs[0].shape:
        batch, *sides = inputs[0].shape
        if all(isinstance(side, int) for side in sides):
            return (batch if isinstance(batch, int) else 1, *sides)
    raise _layout_error(path, session)


def _output_shapes(
    path: Path, session: ort.InferenceSession, shape: tuple[int, ...]
) -> tuple[tuple[int, ...], ...]:
    model_input = session.get_inputs()[0]
    blank = np.zeros(shape, INPUT_TYPES[model_input.type])
    try:
        outputs = session.run(output_names(session), {model_input.name: blank})
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors share no base class
        raise InputError(f"{path} fails on a blank picture: {one_line(error)}") from None
    return tuple(np.shape(output) for output in outputs)


def _layout_error(path: Path, session: ort.InferenceSession) -> InputError:
    found = "; ".join(
        f"{role} " + ", ".join(f"{value.name} {value.type} {value.shape}" for value in values)
        for role, values in (
            ("inputs", session.get_inputs()),
            ("outputs", session.get_outputs()),
        )
    )
    return InputError(f"{path} has {found}; {_ALLOWED}")

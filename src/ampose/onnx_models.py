"""Opening ONNX files for the CPU."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

from ampose.errors import InputError, one_line

SPINNING = False
"""Whether a network's idle threads spin, which makes busy machines two to three times slower."""

_ERRORS_ONLY = 3


def open_session(path: Path, threads: int | None) -> ort.InferenceSession:
    """An ONNX Runtime session on `threads` threads; None means one per physical core.

    Raises:
        InputError: no such file, not an ONNX model, or fewer than one thread.
    """
    if threads is not None and threads < 1:
        raise InputError(f"threads must be 1 or more, got {threads}")
    try:
        found = path.is_file()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if not found:
        raise InputError(f"no model file {path}; give the path of an ONNX file")
    options = session_options(threads)
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors share no base class
        raise InputError(
            f"{path} is not an ONNX model that runs here: {one_line(error)}"
        ) from None


def session_options(threads: int | None) -> ort.SessionOptions:
    """How sessions run; ``benchmarks/pipeline.py --settings`` compares this with other ways."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(SPINNING)))
    options.log_severity_level = _ERRORS_ONLY
    return options

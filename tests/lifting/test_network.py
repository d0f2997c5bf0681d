from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from ampose.detection import detector
from ampose.errors import InputError
from ampose.lifting import load_network
from ampose.lifting.network import DEFAULT_WEIGHTS
from tests.lifting.networks import echo


def test_name_and_hash(tmp_path: Path) -> None:
    path = echo(tmp_path / "my-lifter.onnx")
    network = load_network(path, threads=1)
    assert network.name == "my-lifter"
    assert network.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not network.gives_sigma


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 4, 5, 40])
def test_batches_are_put_together_in_order(
    tmp_path: Path, rng: np.random.Generator, count: int, threads: int
) -> None:
    inputs = rng.normal(size=(count, 17, 3)).astype(np.float32)
    network = load_network(echo(tmp_path / "a.onnx"), threads=threads)
    joints, sigma = network.run(inputs, batch=4)
    assert joints.dtype == sigma.dtype == np.float32
    np.testing.assert_array_equal(joints, inputs)
    assert sigma.shape == inputs.shape
    assert np.isnan(sigma).all()


def test_sigma_where_the_graph_gives_it(tmp_path: Path, rng: np.random.Generator) -> None:
    inputs = rng.normal(size=(5, 17, 3)).astype(np.float32)
    network = load_network(echo(tmp_path / "a.onnx", outputs=("joints", "sigma")), threads=1)
    assert network.gives_sigma
    joints, sigma = network.run(inputs, batch=4)
    np.testing.assert_array_equal(joints, inputs)
    np.testing.assert_array_equal(sigma, np.abs(inputs))


def test_an_error_in_a_batch_is_raised(tmp_path: Path) -> None:
    network = load_network(echo(tmp_path / "a.onnx"), threads=2)
    with pytest.raises(InvalidArgument):
        network.run(np.zeros((9, 17, 5), np.float32), batch=4)


@pytest.mark.parametrize("outputs", [("poses",), ("joints", "spread"), ("joints", "sigma", "x")])
def test_other_outputs(tmp_path: Path, outputs: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=rf"has keypoints, {', '.join(outputs)}; weights map"):
        load_network(echo(tmp_path / "a.onnx", outputs=outputs))


def test_the_built_in_weights_give_metres() -> None:
    network = load_network(threads=1)
    assert network.name == DEFAULT_WEIGHTS.stem
    out, sigma = network.run(np.zeros((2, 17, network.channels), np.float32))
    assert out.shape == sigma.shape == (2, 17, 3)
    assert np.abs(out).max() < 3
    assert network.gives_sigma
    assert (sigma[:, 1:] > 0).all()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "not an ONNX model"), (bytes(range(256)) * 20, "not an ONNX model")],
)
def test_no_onnx(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "w.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=complaint):
        load_network(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no model file .*nowhere\.onnx"):
        load_network(tmp_path / "nowhere.onnx")
    with pytest.raises(InputError, match="no model file"):
        load_network(tmp_path)


def test_a_foreign_onnx() -> None:
    with pytest.raises(InputError, match="not weights of this package: its metadata lacks skel"):
        load_network(detector._THUNDER, threads=1)


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"normalisation": None}, "lacks normalisation$"),
        ({"card_sha256": None, "missing": None}, "lacks missing, card_sha256$"),
        ({"skeleton": "h36m_16"}, "takes h36m_16, 1 frame"),
        ({"frames": "27"}, r"takes h36m_17, 27 frame\(s\)"),
        ({"channels": "2"}, r"takes .* 2 channels, .* need .* 3 or 4 channels"),
        (
            {"normalisation": "screen"},
            "takes .* screen; .* need h36m_17, 1 frame, 3 or 4 channels, look_at",
        ),
    ],
)
def test_metadata_that_does_not_fit(
    tmp_path: Path, metadata: dict[str, str | None], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        load_network(echo(tmp_path / "a.onnx", **metadata))


@pytest.mark.parametrize("threads", [0, -2])
def test_threads(threads: int) -> None:
    with pytest.raises(InputError, match="threads must be 1 or more"):
        load_network(threads=threads)

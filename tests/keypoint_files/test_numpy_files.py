"""NPZ and NPY."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ampose.errors import InputError
from ampose.keypoint_files import load_keypoints

GOOD: dict[str, Any] = {"keypoints": np.ones((3, 2, 17, 2)), "skeleton": "coco_17"}

points = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.just(17), st.just(2)),
    elements=st.floats(1, 5000, width=32) | st.just(float("nan")),
)


@given(points)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, keypoints: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    np.savez(path, keypoints=keypoints, skeleton="coco_17")
    loaded = load_keypoints(path, fps=1)
    seen = np.isfinite(keypoints).all(-1)
    np.testing.assert_array_equal(loaded.keypoints[seen], keypoints[seen])
    assert np.isnan(loaded.keypoints[~seen]).all()
    np.testing.assert_array_equal(loaded.scores, seen)


@pytest.mark.parametrize("shape", [(17, 2), (3, 17, 2), (3, 1, 17, 2)])
@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_shapes(tmp_path: Path, shape: tuple[int, ...], suffix: str) -> None:
    keypoints = np.arange(1, np.prod(shape) + 1).reshape(shape)
    path = tmp_path / f"a.{suffix}"
    np.savez(path, keypoints=keypoints) if suffix == "npz" else np.save(path, keypoints)
    loaded = load_keypoints(path, skeleton="h36m_17", fps=1)
    assert loaded.keypoints.shape == (shape[0] if len(shape) > 2 else 1, 1, 17, 2)
    np.testing.assert_array_equal(loaded.keypoints.ravel(), keypoints.ravel())


def test_everything_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(
        path,
        **GOOD,
        scores=np.full((3, 2, 17), 0.25),
        ids=[4, 2],
        times=[0.0, 0.1, 0.5],
        image_size=[640, 480],
    )
    loaded = load_keypoints(path)
    assert loaded.ids.tolist() == [4, 2]
    assert loaded.times.tolist() == [0, 0.1, 0.5]
    assert (loaded.image_size, loaded.skeleton.name) == ((640, 480), "coco_17")
    assert (loaded.scores == 0.25).all()
    assert loaded.warnings == ()
    assert "fps is not used" in load_keypoints(path, fps=10).warnings[0]


def test_photos_have_no_times(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **GOOD, times=np.zeros(3))
    loaded = load_keypoints(tmp_path / "a.npz")
    assert not loaded.timed
    assert (np.diff(loaded.times) > 0).all()
    np.savez(tmp_path / "a.npz", keypoints=np.ones((1, 17, 2)), times=[0.0], skeleton="coco_17")
    assert load_keypoints(tmp_path / "a.npz").timed


def test_third_column_is_the_score(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.tile([5, 6, 0.5], (17, 1)))
    loaded = load_keypoints(tmp_path / "a.npy", skeleton="coco_17")
    assert (loaded.scores == 0.5).all()


def test_the_option_overrides_the_file_with_a_warning(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **GOOD, image_size=[6, 4])
    loaded = load_keypoints(tmp_path / "a.npz", skeleton="h36m_17", fps=1, image_size=(3, 2))
    assert (loaded.skeleton.name, loaded.image_size) == ("h36m_17", (3, 2))
    assert ["coco_17" in loaded.warnings[0], "(6, 4)" in loaded.warnings[1]] == [True, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints": np.ones((3, 2, 17, 4))}, "keypoints must be"),
        ({"keypoints": np.ones(2)}, "keypoints must be"),
        ({"keypoints": np.ones((17, 2), complex)}, "keypoints must be numbers"),
        ({"keypoints": np.full((17, 2), None)}, "not a readable NPZ"),
        ({"keypoints": np.full((17, 2), np.inf)}, "infinite x in frame 0"),
        ({"keypoints": np.ones((3, 2, 16, 2))}, "16 joints, coco_17 has 17"),
        ({"scores": np.ones((3, 17))}, "scores must have shape"),
        ({"keypoints": np.ones((17, 3)), "scores": np.ones(17)}, "given twice"),
        ({"ids": [1, 1]}, "ids must be unique"),
        ({"ids": [1]}, "ids must be 2 whole"),
        ({"ids": [1.0, 2.0]}, "ids must be 2 whole"),
        ({"times": [0, 2, 2]}, "times must increase: frame 2 is not after frame 1"),
        ({"times": [0, 0, 1]}, "times must increase: frame 1 is not after frame 0"),
        ({"times": [0, 1]}, "times must be 3"),
        ({"times": [0, 1, np.nan]}, "times must be finite"),
        ({"skeleton": "smpl"}, "unknown skeleton 'smpl'"),
        ({"skeleton": '{"joints": []}'}, "no name"),
        ({"image_size": [1]}, "width and height"),
        ({"image_size": [0, 4]}, "at least 1 x 1"),
        ({"camera": "{"}, "camera: not valid JSON"),
    ],
)
def test_errors(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "a.npz", **(GOOD | change))
    with pytest.raises(InputError, match=message):
        load_keypoints(tmp_path / "a.npz")


def test_a_count_is_no_name(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((25, 2)))
    with pytest.raises(InputError, match="25 joints could be body_25: name it"):
        load_keypoints(tmp_path / "a.npy")


def test_alien_and_broken_archives(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, positions_2d=np.ones(3))
    with pytest.raises(InputError, match="without 'keypoints'; it holds 'positions_2d'"):
        load_keypoints(path)
    np.savez(path, **GOOD)
    whole = path.read_bytes()
    for end in (3, 50, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match="not a readable NPZ file"):
            load_keypoints(path)
    np.save(tmp_path / "a.npy", np.ones((17, 2)))
    path.write_bytes((tmp_path / "a.npy").read_bytes()[:-5])
    with pytest.raises(InputError, match="not a readable NPY file"):
        load_keypoints(path)


def test_archive_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "a.npz", keypoints=np.zeros((1000, 17, 2)))
    size = (tmp_path / "a.npz").stat().st_size
    for module in ("load", "numpy_files"):
        monkeypatch.setattr(f"ampose.keypoint_files.{module}.MAX_BYTES", 2 * size)
    with pytest.raises(InputError, match="when unpacked; 2 GB is the limit"):
        load_keypoints(tmp_path / "a.npz", skeleton="coco_17")


def test_size_from_cameras(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    for cameras, size in (
        ({"size": [6, 4]}, (6, 4)),
        ([{"size": [6, 4]}, {"size": [4, 6]}], None),
    ):
        np.savez(path, **GOOD, camera=json.dumps(cameras))
        assert load_keypoints(path, fps=1).image_size == size

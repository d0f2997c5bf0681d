"""What holds for every format: recognition, missing points, times, options and errors."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.keypoint_files import load_keypoints

BODY = np.arange(1, 52, dtype=float).reshape(17, 3) / [1, 1, 100]  # x, y, score


def write(path: Path, document: object) -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def results(*bodies: np.ndarray) -> list[dict[str, object]]:
    return [{"image_id": i, "keypoints": b.ravel().tolist()} for i, b in enumerate(bodies)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("[]", "a list that is empty"),
        ("{}", "an object that is empty"),
        ('{"type": "FeatureCollection"}', "an object with 'type'; accepted are COCO"),
        ('[{"name": "x"}]', "a list of objects with 'name'"),
        ("[1, 2]", "a list of int"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "1" * 5000 + "]", "not valid JSON"),
        ("hello", "not a known table"),
    ],
)
def test_alien_file(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        load_keypoints(write(tmp_path / "a.json", content))
    assert "\n" not in str(raised.value)
    assert str(tmp_path / "a.json") in str(raised.value)


def test_binary_file(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42\xff\xfe")
    with pytest.raises(InputError, match=r"not UTF-8 text .* accepted are"):
        load_keypoints(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe(tmp_path: Path) -> None:
    """Refused without opening it, which would wait for somebody who writes."""
    path = tmp_path / "a.csv"
    os.mkfifo(path)
    with pytest.raises(InputError, match=r"a\.csv: a pipe or a device; save it"):
        load_keypoints(path)


def test_missing_file_and_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_keypoints(tmp_path / "none.json")
    path = write(tmp_path / "a.json", results(BODY))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom nothing stops
    with pytest.raises(InputError, match="Permission denied"):
        load_keypoints(path)


def test_file_beyond_2_gb(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3 + 1)  # sparse: takes no room
    with pytest.raises(InputError, match="2 GB is the limit"):
        load_keypoints(path)


def test_seventeen_joints_are_never_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", results(BODY))
    with pytest.raises(
        InputError, match=r"17 joints could be h36m_17, coco_17 or mpi_3dhp_17: name it"
    ):
        load_keypoints(path)
    assert load_keypoints(path, skeleton="H36M-17", fps=1).skeleton.name == "h36m_17"


def test_skeleton_that_does_not_fit_or_exist(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", results(BODY))
    with pytest.raises(InputError, match="17 joints, halpe_26 has 26"):
        load_keypoints(path, skeleton="halpe_26")
    with pytest.raises(InputError, match=r"unknown skeleton 'smpl'; known are h36m_17"):
        load_keypoints(path, skeleton="smpl")


@pytest.mark.parametrize("huge", [float("inf"), -float("inf"), 1e300])
def test_infinite_values_are_placed(tmp_path: Path, huge: float) -> None:
    bad = BODY.copy()
    bad[3, 1] = huge
    path = write(tmp_path / "a.json", results(BODY, bad))
    with pytest.raises(InputError, match="infinite y in frame 1, person 0, joint left_ear"):
        load_keypoints(path, skeleton="coco_17")


def test_missing_points(tmp_path: Path) -> None:
    body: list[float | None] = BODY.ravel().tolist()
    body[0:3] = [0, 0, 0]
    body[3] = None
    body[8] = None  # a point without a score
    path = write(tmp_path / "a.json", [{"image_id": 0, "keypoints": body}])
    loaded = load_keypoints(path, skeleton="coco_17")
    assert np.isnan(loaded.keypoints[0, 0, :2]).all()
    assert loaded.scores[0, 0, :4].tolist() == pytest.approx([0, 0, 1, 0.12])
    assert np.isfinite(loaded.keypoints[0, 0, 2:]).all()
    assert loaded.keypoints.dtype == loaded.scores.dtype == np.float32


def test_scores_and_zeros_that_need_a_word(tmp_path: Path) -> None:
    body = BODY.copy()
    body[0, 2] = 1.5
    body[1, :2] = 0
    path = write(tmp_path / "a.json", results(body))
    loaded = load_keypoints(path, skeleton="coco_17")
    assert loaded.scores[0, 0, 0] == 1
    assert [w.split(" ")[0] for w in loaded.warnings] == ["1", "1"]
    assert "cut" in loaded.warnings[0]
    assert "(0, 0)" in loaded.warnings[1]


def test_times_and_size(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", results(BODY, BODY, BODY))
    loaded = load_keypoints(path, skeleton="coco_17", fps=50, image_size=(640, 480))
    assert loaded.times.tolist() == [0, 0.02, 0.04]
    assert (loaded.image_size, loaded.warnings) == ((640, 480), ())
    assumed = load_keypoints(path, skeleton="coco_17")
    assert assumed.times[2] == pytest.approx(2 / 30)
    assert "30 is assumed" in assumed.warnings[0]


@pytest.mark.parametrize("options", [{"fps": 0}, {"fps": float("nan")}, {"image_size": (0, 480)}])
def test_senseless_options(tmp_path: Path, options: dict[str, object]) -> None:
    path = write(tmp_path / "a.json", results(BODY))
    with pytest.raises(InputError, match=r"fps must|image size must"):
        load_keypoints(path, skeleton="coco_17", **options)

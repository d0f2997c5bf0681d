"""``poses.npz`` and ``poses.json``: nothing lost, nothing half-written, one schema."""

from __future__ import annotations

import copy
import errno
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.cameras import Camera
from ampose.errors import InputError
from ampose.export import json_schema, read_npz, write_json, write_npz
from ampose.export.poses_json import DECIMALS
from ampose.export.poses_npz import ARRAYS
from ampose.keypoint_files import load_keypoints
from ampose.poses import CHANGES, PoseSequence
from ampose.skeletons import COCO_17, H36M_17, Skeleton

CAMERA = replace(
    Camera.from_fov((640, 480), 60),
    distortion=(0.1, 0.2, 0.3, 0.4, 0.5),
    rotation=np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]),
    translation=np.array([1.0, 2, 3]),
)
SINCE_1_1 = {*CHANGES, "world", "world_frame", "quality"}
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def sequence(
    frames: int = 3,
    people: int = 2,
    *,
    skeleton: Skeleton = H36M_17,
    cameras: tuple[Camera, ...] = (CAMERA,),
    seed: int = 0,
) -> PoseSequence:
    """Random poses; person 0 is absent from frame 0."""
    random = np.random.default_rng(seed)
    shape = (frames, people, len(skeleton))
    joints = random.normal(size=(*shape, 3)).astype(np.float32)
    root = random.normal(size=(frames, people, 3)).astype(np.float32)
    sigma = random.random((*shape, 3), np.float32)
    keypoints = (500 * random.random((*shape, 2))).astype(np.float32)
    scores = random.random(shape, np.float32)
    for array in (joints, root, sigma, keypoints):
        array[:1, :1] = np.nan
    scores[:1, :1] = 0
    return PoseSequence(
        joints,
        root,
        sigma,
        keypoints,
        scores,
        np.isfinite(joints).all(-1),
        np.arange(people) + 7,
        np.arange(frames) / 30,
        cameras,
        skeleton,
        {"version": "0", "options": {"mapping": "hybrid"}, "source": "caf\u00e9 \udcff"},
        ("careful",),
        **{key: random.random(shape) < 0.5 for key in CHANGES},
        world=random.normal(size=(*shape, 3)).astype(np.float32),
        world_frame={"estimated": True, "tilt_degrees": 2.5},
        quality={"people": [{"id": 7}]},
    )


SEQUENCES = {
    "normal": sequence(),
    "nobody": sequence(people=0),
    "no frames": sequence(frames=0),
    "absent person": sequence(frames=1, people=1),
    "a camera per photo": sequence(2, cameras=(CAMERA, Camera.assumed((480, 640)))),
    "no frames, no cameras": sequence(frames=0, cameras=()),
    "another skeleton": sequence(skeleton=COCO_17),
    "no sigma": replace(sequence(), sigma=np.full((3, 2, 17, 3), np.nan, np.float32)),
}
every_sequence = pytest.mark.parametrize("poses", SEQUENCES.values(), ids=SEQUENCES)


def written_json(poses: PoseSequence, folder: Path) -> Any:
    write_json(poses, folder / "poses.json")
    return json.loads((folder / "poses.json").read_text("utf-8"))


def as_array(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Nested lists back to an array, null being NaN whatever it stands for."""
    out = np.full(shape, np.nan)
    for place in np.ndindex(shape):
        value = values
        for index in place:
            value = None if value is None else value[index]
        out[place] = np.nan if value is None else value
    return out


@every_sequence
def test_npz_round_trip(tmp_path: Path, poses: PoseSequence) -> None:
    write_npz(poses, tmp_path / "poses.npz")
    back = read_npz(tmp_path / "poses.npz")
    for key, dtype in ARRAYS.items():
        assert getattr(back, key).dtype == dtype
        np.testing.assert_array_equal(getattr(back, key), getattr(poses, key))
    assert [c.as_dict() for c in back.cameras] == [c.as_dict() for c in poses.cameras]
    for key in ("skeleton", "provenance", "warnings", "world_frame", "quality"):
        assert getattr(back, key) == getattr(poses, key)


def test_a_file_of_the_first_schema_has_no_motion(tmp_path: Path) -> None:
    write_npz(sequence(), tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as archive:
        old = {key: archive[key] for key in archive if key not in SINCE_1_1}
    np.savez(tmp_path / "old.npz", **old | {"schema_version": np.array("1.0")})
    back = read_npz(tmp_path / "old.npz")
    assert not any(getattr(back, key).any() for key in CHANGES)
    assert back.filled.shape == back.valid.shape
    assert np.isnan(back.world).all()
    assert (back.world_frame, back.quality) == ({}, {})


def test_npz_keys_without_pickle(tmp_path: Path) -> None:
    write_npz(sequence(), tmp_path / "poses.npz")
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    strings = {
        *("schema_version", "skeleton", "camera", "provenance", "warnings"),
        *("world_frame", "quality"),
    }
    assert arrays.keys() == strings | {
        "joints", "root", "sigma", "keypoints", "scores", "valid", "ids", "times",
        "filled", "repaired", "corrected", "world",
    }  # fmt: skip
    assert all(arrays[key].shape == () and arrays[key].dtype.kind == "U" for key in strings)
    assert str(arrays["schema_version"]) == "1.1"
    assert json.loads(str(arrays["skeleton"]))["joints"][0] == "pelvis"
    assert json.loads(str(arrays["camera"]))["size"] == [640, 480]


def test_same_sequence_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_npz(sequence(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_keypoints_can_be_loaded_from_our_own_file(tmp_path: Path) -> None:
    poses = sequence()
    write_npz(poses, tmp_path / "poses.npz")
    loaded = load_keypoints(tmp_path / "poses.npz")
    np.testing.assert_array_equal(loaded.keypoints, poses.keypoints)
    np.testing.assert_array_equal(loaded.scores, poses.scores)
    assert loaded.times.tolist() == poses.times.tolist()
    assert loaded.ids.tolist() == [7, 8]
    assert (loaded.skeleton, loaded.image_size) == (H36M_17, (640, 480))


@every_sequence
def test_json_follows_the_schema_and_agrees_with_npz(tmp_path: Path, poses: PoseSequence) -> None:
    document = written_json(poses, tmp_path)
    VALIDATOR.validate(document)
    write_npz(poses, tmp_path / "poses.npz")
    with np.load(tmp_path / "poses.npz") as archive:
        arrays = dict(archive)
    assert document.keys() == arrays.keys()
    for key in ARRAYS:
        expected = arrays.pop(key)
        slack = 0.5001 * 10.0 ** -DECIMALS.get(key, 9)
        values = as_array(document[key], expected.shape)
        np.testing.assert_allclose(values, expected, rtol=0, atol=slack)
    assert document["schema_version"] == str(arrays.pop("schema_version"))
    for key, text in arrays.items():
        assert document[key] == json.loads(str(text))


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 99))
def test_any_size_is_valid(
    tmp_path_factory: pytest.TempPathFactory, frames: int, people: int, seed: int
) -> None:
    document = written_json(sequence(frames, people, seed=seed), tmp_path_factory.mktemp("json"))
    VALIDATOR.validate(document)
    assert len(document["joints"]) == frames


def test_json_numbers_by_hand(tmp_path: Path) -> None:
    poses = sequence(1, 1, skeleton=Skeleton("dot", ("pelvis",), (-1,)))
    for metres in (poses.joints, poses.root, poses.world):
        metres[...] = [0.123456, -0.000001, 2]
    poses.sigma[...] = [0.123456, -0.000001, np.nan]
    poses.keypoints[...] = [12.347, 7]
    poses.scores[...] = 0.98766
    poses.times[...] = 1.23456789
    document = written_json(poses, tmp_path)
    assert document["joints"] == document["world"] == [[[[0.12346, 0.0, 2.0]]]]
    assert document["root"] == [[[0.12346, 0.0, 2.0]]]
    assert document["sigma"] == [[[None]]]
    assert document["scores"] == [[[0.9877]]]
    assert document["keypoints"] == [[[[12.35, 7]]]]
    assert document["times"] == [1.234568]
    assert "-0.0" not in (tmp_path / "poses.json").read_text().partition('"root"')[2]


def test_infinity_has_no_json(tmp_path: Path) -> None:
    poses = sequence()
    poses.joints[1, 1, 0, 0] = np.inf
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(poses, tmp_path / "poses.json")
    assert not list(tmp_path.iterdir())


def test_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    required = set(json_schema()["required"])
    assert required | SINCE_1_1 == set(json_schema()["properties"]) >= set(ARRAYS)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("joints", 1, 0, 0), [1, 2]),
        (("joints", 1, 0, 0), [1, 2, None]),
        (("joints", 1, 0), "x"),
        (("root", 1, 0), [1, 2, 3, 4]),
        (("sigma", 1, 1, 0), [-1, 0, 0]),
        (("keypoints", 1, 0, 0), [1, 2, 3]),
        (("scores", 1, 0, 0), 1.5),
        (("valid", 1, 0, 0), 1),
        (("ids", 0), 1.5),
        (("ids", 0), 8),  # twice
        (("times", 0), None),
        (("schema_version",), "2.0"),
        (("camera", "size"), [640]),
        (("camera", "focal"), [0, 0]),
        (("skeleton",), "h36m_17"),
        (("warnings",), "careful"),
        (("provenance",), []),
    ],
)
def test_a_corrupted_document_fails(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    document = written_json(sequence(), tmp_path)
    spot = document
    for step in place[:-1]:
        spot = spot[step]
    spot[place[-1]] = value
    assert not VALIDATOR.is_valid(document)


def test_a_lacking_key_fails(tmp_path: Path) -> None:
    document = written_json(sequence(), tmp_path)
    for key in document.keys() - SINCE_1_1:
        lacking = copy.copy(document)
        del lacking[key]
        assert not VALIDATOR.is_valid(lacking), key


def tampered(path: Path, **changes: Any) -> Path:
    write_npz(sequence(), path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays |= changes
    np.savez(path, **{key: array for key, array in arrays.items() if array is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sigma": None}, "without 'sigma'"),
        ({"joints": np.zeros((3, 2, 17, 3))}, "joints must be an array of float32, got float64"),
        ({"joints": np.zeros((3, 2, 16, 3), np.float32)}, "joints must have shape"),
        ({"times": np.float64(0)}, "times must be an array"),
        ({"skeleton": np.zeros(3)}, "skeleton must be one string"),
        ({"warnings": np.float64(3)}, "warnings must be one string"),
        ({"warnings": np.array(['["careful"]'])}, "warnings must be one string"),
        ({"skeleton": np.array("{")}, "not valid JSON"),
        ({"skeleton": np.array("[]")}, "not a readable poses.npz"),
        ({"camera": np.array("{}")}, "'size'"),
        ({"camera": np.array("[]")}, "one camera or 3 needed, got 0"),
        ({"schema_version": np.array("2.0")}, "version '2.0'; this program reads 1.1"),
    ],
)
def test_read_npz_is_strict(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = tampered(tmp_path / "poses.npz", **changes)
    with pytest.raises(InputError) as raised:
        read_npz(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def test_read_npz_passes_over_later_keys(tmp_path: Path) -> None:
    path = tampered(tmp_path / "poses.npz", later=np.zeros(3), schema_version=np.array("1.4"))
    assert read_npz(path).frame_count == 3


def test_read_npz_of_no_archive(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_npz(tmp_path / "poses.npz")
    (tmp_path / "poses.npz").write_text("{}")
    with pytest.raises(InputError, match="not a readable NPZ"):
        read_npz(tmp_path / "poses.npz")


writers = pytest.mark.parametrize("write", [write_npz, write_json])
Writer = Callable[[PoseSequence, Path], None]


@writers
def test_writing_replaces_and_leaves_nothing_else(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "poses"
    path.write_text("old")
    with path.open() as old:  # who reads the old file reads it to its end
        write(sequence(), path)
        assert old.read() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["poses"]
    assert path.stat().st_size > 1000


@writers
def test_full_disk(tmp_path: Path, write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "poses"
    path.write_text("old")
    real = Path.open

    class Full:
        """A file that takes 300 bytes."""

        def __init__(self, file: Any) -> None:
            self.file = file
            self.room = 300

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def write(self, data: bytes) -> int:
            self.room -= len(data)
            if self.room < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return int(self.file.write(data))

    monkeypatch.setattr(Path, "open", lambda self, mode: Full(real(self, mode)))
    with pytest.raises(InputError, match=r"cannot write .*poses: No space left on device"):
        write(sequence(), path)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["poses"]
    assert path.read_text() == "old"


@writers
def test_places_that_cannot_be_written(tmp_path: Path, write: Writer) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for name in ("none/poses", "file/poses", "folder", "n" * 300):
        with pytest.raises(InputError, match="cannot write"):
            write(sequence(), tmp_path / name)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder"]

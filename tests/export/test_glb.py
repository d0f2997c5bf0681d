"""GLB, read back by the specification (`gltf_reader`) and by pygltflib."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pygltflib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.errors import InputError
from ampose.export.glb import write_glb
from ampose.export.rig import RIG, TOP
from ampose.geometry import joints_from_bones, random_rotations
from ampose.motion.bones import ANKLE_SHARE, TYPICAL_BONES, stature
from ampose.poses import PoseSequence
from ampose.skeletons import H36M_17
from tests.export.gltf_reader import Glb
from tests.export.recordings import AT, absent, recording, walking
from tests.motion.people import other_body

TIMES = 7 + np.cumsum([0, 0.04, 0.03, 0.2, 0.04, 0.05, 0.04, 0.5, 0.04, 0.04])
"""Seconds of ten frames, some dropped."""


def written(sequence: PoseSequence, folder: Path) -> Glb:
    path = folder / "poses.glb"
    write_glb(sequence, path)
    assert [each.name for each in folder.iterdir()] == ["poses.glb"]
    return Glb(path)


def places(file: Glb, person: str, second: float | None = None) -> np.ndarray:
    """(17, 3) metres."""
    found = file.joints(person, second)
    assert list(found.keys() ^ AT.keys()) == []
    out = np.empty((17, 3))
    for name, joint in AT.items():
        out[joint] = found[name]
    return out


def test_places_at_the_true_times(tmp_path: Path):
    first, second = walking(10), walking(10, seed=1, lengths=other_body())
    file = written(recording(first, second, times=TIMES), tmp_path)
    for frame, time in enumerate(TIMES - TIMES[0]):
        for name, person in (("Person 3", first), ("Person 4", second)):
            np.testing.assert_allclose(places(file, name, time), person[frame], rtol=0, atol=1e-5)
    seconds = [track[0] for track in file.tracks.values()]
    assert all(np.array_equal(each, (TIMES - TIMES[0]).astype("f4")) for each in seconds)
    assert file.json["asset"]["extras"] == {"notes": [], "start_seconds": 7.0}
    np.testing.assert_allclose(places(file, "Person 4"), second[0], rtol=0, atol=1e-5)


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_any_pose_comes_back(tmp_path_factory: pytest.TempPathFactory, seed: int, frames: int):
    """Bones of random lengths in random directions, within a hundredth of a millimetre."""
    rng = np.random.default_rng(seed)
    directions = random_rotations(frames * 16, rng).reshape(frames, 16, 3, 3)[..., 0]
    lengths = rng.uniform(0.05, 0.6, 16)
    person = joints_from_bones(directions * lengths[:, None], H36M_17)
    person += rng.normal(0, 3, (frames, 1, 3))
    file = written(recording(person), tmp_path_factory.mktemp("glb"))
    for frame in range(frames):
        second = frame / 25 if frames > 1 else None
        found = places(file, "Person 3", second)
        np.testing.assert_allclose(found, person[frame], rtol=0, atol=1e-5)


def test_the_tree(tmp_path: Path):
    file = written(recording(walking(3), walking(3, 1)), tmp_path)
    roots = [file.nodes[root]["name"] for root in file.json["scenes"][file.json["scene"]]["nodes"]]
    assert roots == ["Person 3", "Person 3 sticks", "Person 4", "Person 4 sticks"]
    for skin, person in zip(file.json["skins"], ("Person 3", "Person 4"), strict=True):
        names = [file.nodes[joint]["name"] for joint in skin["joints"]]
        assert names == [joint.name for joint in RIG]
        assert file.named(person)["children"] == [skin["joints"][0]]
    parents = {
        file.nodes[child]["name"]: node["name"]
        for node in file.nodes
        for child in node.get("children", ())
    }
    assert parents["LeftFoot"] == "LeftLeg"
    assert parents["RightArm"] == "RightShoulder"
    assert parents["Neck"] == parents["LeftShoulder"] == "Spine1"
    assert parents[TOP] == "Head"


def test_bind_pose_stands_on_the_floor(tmp_path: Path):
    file = written(recording(walking(3)), tmp_path)
    bind = file.array(file.json["skins"][0]["inverseBindMatrices"]).reshape(-1, 4, 4)
    rest = dict(zip([joint.name for joint in RIG], -bind[:, 3, :3], strict=True))
    np.testing.assert_array_equal(bind[:, :3, :3], np.tile(np.eye(3), (len(RIG), 1, 1)))
    ankle = ANKLE_SHARE * stature(TYPICAL_BONES)
    np.testing.assert_allclose(rest["LeftFoot"], [0.1329, ankle, 0], atol=1e-6)
    np.testing.assert_allclose(rest["Hips"], [0, ankle + 0.4429 + 0.4542, 0], atol=1e-6)
    np.testing.assert_allclose(rest["RightHand"][0], -0.151 - 0.2789 - 0.2517, atol=1e-6)
    assert rest["LeftHand"][1] == pytest.approx(rest["Neck"][1])


@pytest.mark.parametrize("second", [None, 0.04, 0.11])
def test_sticks_are_where_the_bones_are(tmp_path: Path, second: float | None):
    file = written(recording(walking(5)), tmp_path)
    joints, drawn = places(file, "Person 3", second), file.vertices("Person 3", second)
    for parent, child in H36M_17.edges:
        for end in (parent, child):
            assert np.linalg.norm(drawn - joints[end], axis=-1).min() < 1e-5
    bones = np.stack([joints[list(edge)] for edge in H36M_17.edges])
    along = np.linspace(0, 1, 200)[:, None, None]
    lines = (bones[None, :, 0] * (1 - along) + bones[None, :, 1] * along).reshape(-1, 3)
    away = np.linalg.norm(drawn[:, None] - lines, axis=-1).min(1)
    assert 0.011 < away.max() < 0.031


def test_sticks_face_outwards_and_have_the_colour_of_their_side(tmp_path: Path):
    file = written(recording(walking(2)), tmp_path)
    (mesh,) = file.json["meshes"]
    colours = {
        material["name"]: material["pbrMetallicRoughness"]["baseColorFactor"]
        for material in file.json["materials"]
    }
    (red, _, blue, _), (other_red, _, other_blue, _) = colours["left"], colours["right"]
    assert red < blue  # as everywhere: left is blue, right is vermilion
    assert other_blue < other_red
    for primitive in mesh["primitives"]:
        for place in primitive["attributes"].values():
            view = file.json["accessors"][place]["bufferView"]
            assert file.json["bufferViews"][view]["target"] == 34962  # ARRAY_BUFFER
        at = {key: file.array(place) for key, place in primitive["attributes"].items()}
        corners = at["POSITION"].reshape(-1, 3, 3).astype(float)
        normals = at["NORMAL"].reshape(-1, 3, 3)
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        across /= np.linalg.norm(across, axis=-1, keepdims=True)
        np.testing.assert_allclose(normals, across[:, None].repeat(3, 1), atol=1e-3)
        middles = corners.reshape(-1, 24, 3).mean(1).repeat(8, axis=0)
        assert ((corners.mean(1) - middles) * across).sum(-1).min() > 0
        side = file.json["materials"][primitive["material"]]["name"]
        names = {RIG[joint].name for joint in at["JOINTS_0"][:, 0]}
        sides = {"L": "left", "R": "right"}
        assert {sides.get(name[0], "centre") for name in names} == {side}
        np.testing.assert_array_equal(
            at["WEIGHTS_0"], np.tile([1, 0, 0, 0], (len(normals) * 3, 1))
        )


def test_who_is_absent_is_hidden(tmp_path: Path):
    first, second = absent(walking(8), 0, 3, 4, 7), walking(8, 1)
    file = written(recording(first, second), tmp_path)
    for frame in range(8):
        for moment in (frame / 25 + 0.001, frame / 25 + 0.03):
            drawn = file.vertices("Person 3", moment)
            assert np.any(drawn) == (frame not in (0, 3, 4, 7))
            assert np.any(file.vertices("Person 4", moment))
    np.testing.assert_allclose(places(file, "Person 3", 5 / 25), first[5], rtol=0, atol=1e-5)
    assert [key for key in file.tracks if key[1] == "scale"] == [(0, "scale")]
    assert "still in BVH, hidden in GLB" in file.json["asset"]["extras"]["notes"][0]


def test_somebody_who_is_there_once(tmp_path: Path):
    person = absent(walking(4), 0, 1, 3)
    file = written(recording(person), tmp_path)
    assert list(file.tracks) == [(0, "scale")]
    np.testing.assert_allclose(places(file, "Person 3", 2.1 / 25), person[2], rtol=0, atol=1e-5)


def test_quaternions_run_on(tmp_path: Path):
    """Programs that interpolate the four numbers by themselves need signs that do not change."""
    angle = np.linspace(0, 4 * np.pi, 60)
    turned = walking(1).repeat(60, axis=0) - [0, 1, -4]
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, z = turned[..., 0].copy(), turned[..., 2].copy()
    turned[..., 0], turned[..., 2] = cos * x + sin * z, cos * z - sin * x
    tracks = written(recording(turned), tmp_path).tracks
    for (_, what), (_, values, course) in tracks.items():
        assert course == "LINEAR"
        if what == "rotation":
            assert (values[1:] * values[:-1]).sum(-1).min() > 0.9
            np.testing.assert_allclose(np.linalg.norm(values, axis=-1), 1, atol=1e-6)


def test_photos_do_not_go_over_into_each_other(tmp_path: Path):
    person = walking(3)
    file = written(recording(person, times=np.zeros(3)), tmp_path)
    assert {track[2] for track in file.tracks.values()} == {"STEP"}
    np.testing.assert_allclose(places(file, "Person 3", 1.9), person[1], rtol=0, atol=1e-5)
    assert "start_seconds" not in file.json["asset"]["extras"]


def test_one_frame_has_a_pose_and_no_motion(tmp_path: Path):
    person = walking(1)
    file = written(recording(person), tmp_path)
    assert "animations" not in file.json
    np.testing.assert_allclose(places(file, "Person 3"), person[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("frames", [0, 3])
def test_nobody(tmp_path: Path, frames: int):
    file = written(recording(np.full((frames, 17, 3), np.nan)), tmp_path)
    assert file.binary == b""
    assert file.json.keys() == {"asset", "scene", "scenes"}
    assert file.json["scenes"] == [{}]


def test_pygltflib_reads_the_same(tmp_path: Path):
    own = written(recording(walking(5), absent(walking(5, 1), 2)), tmp_path)
    other = pygltflib.GLTF2().load(str(tmp_path / "poses.glb"))
    assert other.asset.version == "2.0"
    assert [node.name for node in other.nodes] == [node["name"] for node in own.nodes]
    assert other.binary_blob() == own.binary
    assert len(other.animations[0].channels) == len(own.tracks)
    for skin in other.skins:
        assert other.accessors[skin.inverseBindMatrices].count == len(skin.joints) == len(RIG)
    targets = [channel.target.path for channel in other.animations[0].channels]
    assert set(targets) == {"translation", "rotation", "scale"}


def test_a_place_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(InputError, match="cannot write"):
        write_glb(recording(walking(2)), tmp_path / "none" / "poses.glb")


def test_same_sequence_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        write_glb(recording(walking(3)), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

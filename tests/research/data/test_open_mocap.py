from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ampose.geometry import bone_lengths
from ampose.research.data.open_mocap import (
    TEMPLATE_BONES,
    PackError,
    Track,
    bone_directions,
    load_pack,
    with_bone_lengths,
)
from ampose.skeletons import H36M_17
from tests.research.packs import poses, walking, write_pack


def test_positions_are_metres(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path / "cmu.npz"))
    assert pack.name == "cmu"
    np.testing.assert_allclose(pack.positions, poses(200, 0), atol=0.6e-4)


def test_frames_of_a_split(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path / "p.npz"))
    assert pack.frames(split="test").tolist() == list(range(120, 200))
    assert pack.frames(split="test", own_skeleton=True).tolist() == list(range(120, 160))
    assert not len(pack.frames(split="elsewhere"))


def test_fold_and_rest_are_the_training_split(tmp_path: Path) -> None:
    splits, subjects = (
        np.array(["train", "train", "val", "train"]),
        np.array(["1", "49", "64", "139"]),
    )
    pack = load_pack(write_pack(tmp_path / "p.npz", split=splits, subject=subjects))
    assert pack.frames(split="fold").tolist() == [*range(80, 120), *range(160, 200)]
    assert pack.frames(split="fold", own_skeleton=True).tolist() == list(range(80, 120))
    assert pack.frames(split="rest").tolist() == list(range(80))


def test_template_is_symmetric_and_human() -> None:
    for left, right in H36M_17.pairs:
        assert TEMPLATE_BONES[left - 1] == TEMPLATE_BONES[right - 1]
    assert TEMPLATE_BONES[[1, 2]].sum() == pytest.approx(0.8971)


def test_bone_lengths_are_set_and_directions_kept() -> None:
    bent = poses(5, 1)
    lengths = np.linspace(0.1, 0.5, 16)
    out = with_bone_lengths(bone_directions(bent), lengths)
    np.testing.assert_allclose(bone_lengths(out, H36M_17), np.tile(lengths, (5, 1)))
    np.testing.assert_allclose(bone_directions(out), bone_directions(bent))


def test_a_bone_without_length_has_no_direction() -> None:
    with pytest.raises(ValueError, match="no length"):
        bone_directions(np.zeros((1, 17, 3)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": None}, "lacks split"),
        (
            {"positions": np.zeros((200, 16, 3), np.int16)},
            r"int16 \(N, 17, 3\), got int16 \(200, 16",
        ),
        ({"positions": np.zeros((200, 17, 3), np.float32)}, "got float32"),
        ({"positions": np.ones((200, 17, 3), np.int16)}, "relative to joint 0"),
        ({"clip_start": np.array([0, 80, 80, 160, 200])}, "clip_start must rise"),
        ({"clip_start": np.array([0, 80, 120, 160, 201])}, "clip_start must rise"),
        ({"clip_start": np.array([], np.int32)}, "clip_start must rise"),
        ({"subject": np.array(["1"])}, "subject must hold one string per clip"),
        (
            {"root": np.zeros((199, 3))},
            r"root must be finite numbers \(200, 3\), got float64 \(199",
        ),
        ({"root": np.full((200, 3), np.nan)}, "root must be finite numbers"),
        ({"root": np.zeros((200, 3), int)}, "root must be finite numbers .* got int64"),
    ],
)
def test_wrong_packs_are_refused(tmp_path: Path, changes, message) -> None:
    path = write_pack(tmp_path / "p.npz", **changes)
    with pytest.raises(PackError, match=message) as caught:
        load_pack(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04cut"])
def test_other_files_are_refused(tmp_path: Path, content) -> None:
    path = tmp_path / "p.npz"
    path.write_bytes(content)
    with pytest.raises(PackError, match=r"not a readable \.npz"):
        load_pack(path)
    with pytest.raises(PackError, match="no such file"):
        load_pack(tmp_path / "absent.npz")


class TestTrack:
    def test_stretches_are_clips(self, tmp_path: Path) -> None:
        changes = walking((80, 40, 40, 40))
        pack = load_pack(write_pack(tmp_path / "p.npz", **changes))
        whole = pack.track(np.arange(200))
        assert whole.starts.tolist() == [0, 80, 120, 160, 200]
        np.testing.assert_array_equal(whole.root, changes["root"])
        part = pack.track(pack.frames(split="test"))
        assert part.starts.tolist() == [0, 40, 80]
        np.testing.assert_array_equal(part.root, changes["root"][120:])
        assert pack.track(np.zeros(0, int)).starts.tolist() == [0, 0]

    @pytest.mark.parametrize(("metres", "broken"), [(0.65, False), (0.75, True)])
    def test_a_stretch_ends_where_the_capture_jumps(
        self, tmp_path: Path, metres: float, broken: bool
    ) -> None:
        """At 25 frames/s 18 m/s are 0.72 m."""
        still = np.round(np.repeat(poses(1, 0), 200, 0) * 1e4).astype(np.int16)
        root = np.zeros((200, 3), np.float32)
        root[30:, 1] = metres
        limb = still.copy()
        limb[30:, 13, 2] += round(metres * 1e4)
        expected = [0, *([30] if broken else []), 80, 120, 160, 200]
        for changes in ({"positions": still, "root": root}, {"positions": limb}):
            pack = load_pack(write_pack(tmp_path / "p.npz", **changes))
            assert pack.track(np.arange(200)).starts.tolist() == expected

    def test_a_pack_without_root_has_none(self, tmp_path: Path) -> None:
        pack = load_pack(write_pack(tmp_path / "p.npz", root=None))
        assert pack.root is None
        with pytest.raises(PackError, match="p: lacks root"):
            pack.track(np.arange(200))

    def test_joined(self) -> None:
        first = Track(np.ones((3, 3)), np.array([0, 1, 3]))
        second = Track(np.zeros((2, 3)), np.array([0, 2]))
        both = Track.joined([first, second])
        assert both.starts.tolist() == [0, 1, 3, 5]
        assert both.root[:, 0].tolist() == [1, 1, 1, 0, 0]

    def test_none_has_poses_stand_alone(self) -> None:
        track = Track.none(3)
        assert track.starts.tolist() == [0, 1, 2, 3]
        assert not track.root.any()
        assert track.root.shape == (3, 3)

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from ampose.research.data.pose_set import CACHE, Clip, PoseSet, cached, join
from ampose.skeletons import H36M_16, H36M_17

ARRAYS = tuple(
    each.name for each in fields(PoseSet) if each.name not in ("name", "skeleton", "official")
)


def clip(frames: int, label: str = "a", **changes: object) -> Clip:
    """A clip whose values tell its frames: frame k holds k in all arrays, and the label's code."""
    number = np.arange(frames, dtype=np.float64) + 100 * ord(label)
    joints = np.broadcast_to(number[:, None, None], (frames, 17, 3))
    content = {
        "subject": f"S{label}",
        "action": f"Walking {label}",
        "camera": label * 3,
        "inputs": joints[..., :2],
        "targets": joints,
        "rays": joints[..., :2],
        "root_depth": number,
        "scored": number % 2 == 0,
    }
    return Clip(**{**content, **changes})


@pytest.fixture
def three() -> PoseSet:
    """Clips of 3, 1 and 2 frames."""
    return join("set", H36M_17, [clip(3, "a"), clip(1, "b"), clip(2, "c")], official=True)


def same(one: PoseSet, other: PoseSet) -> None:
    for each in fields(PoseSet):
        np.testing.assert_array_equal(getattr(one, each.name), getattr(other, each.name))
        assert getattr(one, each.name) is not None


class TestJoin:
    def test_clip_after_clip(self, three: PoseSet) -> None:
        expected = [9700, 9701, 9702, 9800, 9900, 9901]
        np.testing.assert_array_equal(three.root_depth, expected)
        for array in (three.inputs, three.targets, three.rays):
            np.testing.assert_array_equal(array[:, 5, 1], expected)
        np.testing.assert_array_equal(three.scored, [True, False, True, True, True, False])
        assert three.starts.tolist() == [0, 3, 4, 6]
        assert three.starts.dtype == np.int64
        assert list(three.clips()) == [slice(0, 3), slice(3, 4), slice(4, 6)]
        assert (len(three), three.clip_count) == (6, 3)
        assert (three.name, three.official, three.joints) == ("set", True, H36M_17)

    def test_labels(self, three: PoseSet) -> None:
        assert three.subjects.tolist() == ["Sa", "Sb", "Sc"]
        assert three.actions.tolist() == ["Walking a", "Walking b", "Walking c"]
        assert three.cameras.tolist() == ["aaa", "bbb", "ccc"]
        assert three.per_frame(three.subjects).tolist() == ["Sa"] * 3 + ["Sb"] + ["Sc"] * 2

    def test_kinds(self, three: PoseSet) -> None:
        for key in ("inputs", "targets", "rays", "root_depth"):
            assert getattr(three, key).dtype == np.float32
        assert three.scored.dtype == bool

    @pytest.mark.parametrize(
        ("key", "shape"),
        [
            ("inputs", (2, 16, 2)),
            ("inputs", (2, 17, 3)),
            ("targets", (2, 17, 2)),
            ("targets", (3, 17, 3)),
            ("rays", (2, 17, 3)),
            ("root_depth", (2, 1)),
            ("scored", (1,)),
        ],
    )
    def test_shapes_must_fit(self, key: str, shape: tuple[int, ...]) -> None:
        odd = clip(2, "b", **{key: np.zeros(shape)})
        with pytest.raises(ValueError, match=r"set, Sb Walking b bbb: .* has shape \("):
            join("set", H36M_17, [clip(3), odd], official=False)

    def test_joints_are_the_skeletons(self) -> None:
        with pytest.raises(ValueError, match=r"inputs has shape \(2, 17, 2\), not \(2, 16, 2\)"):
            join("set", H36M_16, [clip(2)], official=False)

    def test_nothing(self) -> None:
        with pytest.raises(ValueError, match="set: no clips"):
            join("set", H36M_17, [], official=False)


class TestOnly:
    def test_is_joining_those_clips(self, three: PoseSet) -> None:
        expected = join("set", H36M_17, [clip(3, "a"), clip(2, "c")], official=True)
        same(three.only(np.array([True, False, True])), expected)
        same(three.only(three.subjects != "Sb"), expected)
        same(three.only(np.ones(3, bool)), three)

    def test_nothing(self, three: PoseSet) -> None:
        with pytest.raises(ValueError, match="set: no clip left"):
            three.only(np.zeros(3, bool))


class Loader:
    """Makes a set of a file, and counts how often."""

    def __init__(self, folder: Path) -> None:
        self.files = [folder / "a.npz", folder / "b.npz"]
        for path in self.files:
            path.write_bytes(b"content")
        self.made = 0

    def make(self) -> PoseSet:
        self.made += 1
        return join("set", H36M_17, [clip(3, "a"), clip(1, "b")], official=False)

    def load(self, **options: object) -> PoseSet:
        return cached(self.files, options, self.make)

    @property
    def entries(self) -> list[Path]:
        return list((self.files[0].parent / CACHE).iterdir())


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    return Loader(tmp_path)


def lengthen(path: Path) -> None:
    """Another size, the same time."""
    time = path.stat().st_mtime_ns
    path.write_bytes(b"longer content")
    os.utime(path, ns=(time, time))


class TestCache:
    def test_holds_the_set(self, loader: Loader) -> None:
        for _ in range(3):
            found = loader.load(toes=True, subjects=("S1", "S5"))
            same(found, loader.make())
            assert type(found.official) is bool
            for key in ARRAYS:
                assert isinstance(getattr(found, key), np.memmap)
        assert loader.made == 1 + 3
        same(found.only(np.array([False, True])), loader.make().only(np.array([False, True])))

    def test_is_not_changed_by_accident(self, loader: Loader) -> None:
        loader.load()
        with pytest.raises(ValueError, match="read-only"):
            loader.load().targets[0] = 0

    def test_options_make_another(self, loader: Loader) -> None:
        for options in ({}, {"toes": True}, {"toes": False}, {"toes": True, "subjects": ["S1"]}):
            made = loader.made
            loader.load(**options)
            loader.load(**options)
            assert loader.made == made + 1
        assert len(loader.entries) == 4

    def test_the_order_of_options_does_not_count(self, loader: Loader) -> None:
        loader.load(a=1, b=2)
        loader.load(b=2, a=1)
        assert loader.made == 1

    @pytest.mark.parametrize(
        "change",
        [
            lambda path: path.write_bytes(b"another"),
            lengthen,
            lambda path: os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000)),
            lambda path: path.rename(path.with_name("c.npz")),
        ],
    )
    @pytest.mark.parametrize("which", [0, 1])
    def test_changed_files_make_another(
        self, loader: Loader, change: Callable[[Path], object], which: int
    ) -> None:
        loader.load()
        path = loader.files[which]
        change(path)
        if not path.exists():
            loader.files[which] = path.with_name("c.npz")
        loader.load()
        assert loader.made == 2

    def test_missing_files_are_for_make_to_name(self, loader: Loader) -> None:
        loader.files[1].unlink()
        with pytest.raises(ZeroDivisionError):
            cached(loader.files, {}, lambda: 1 // 0)
        assert not (loader.files[0].parent / CACHE).exists()

    def test_errors_leave_nothing(self, loader: Loader) -> None:
        with pytest.raises(ZeroDivisionError):
            cached(loader.files, {}, lambda: 1 // 0)
        assert not (loader.files[0].parent / CACHE).exists()

    def test_a_folder_that_cannot_be_written(self, loader: Loader) -> None:
        (loader.files[0].parent / CACHE).write_text("not a folder")
        found = loader.load()
        same(found, loader.make())
        assert not isinstance(found.targets, np.memmap)

    def test_a_full_disk(self, loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
        save = np.save

        def fill(path: Path, array: np.ndarray) -> None:
            if path.name == "rays.npy":
                raise OSError(28, "No space left on device")
            save(path, array)

        monkeypatch.setattr(np, "save", fill)
        same(loader.load(), loader.make())
        assert loader.entries == []
        monkeypatch.undo()
        loader.load()
        loader.load()
        assert loader.made == 3

    @pytest.mark.parametrize(
        "damage",
        [
            lambda folder: (folder / "rays.npy").unlink(),
            lambda folder: (folder / "rays.npy").write_bytes(b""),
            lambda folder: os.truncate(folder / "targets.npy", 200),
            lambda folder: (folder / "targets.npy").write_bytes(b"nothing of NumPy's"),
            lambda folder: (folder / "set.json").write_text('{"name": "set"'),
            lambda folder: (folder / "set.json").write_text('{"name": "set"}'),
            lambda folder: (folder / "set.json").write_text("[]"),
            lambda folder: [path.unlink() for path in folder.iterdir()],
        ],
    )
    def test_damage_is_repaired(self, loader: Loader, damage: Callable[[Path], object]) -> None:
        loader.load()
        (folder,) = loader.entries
        damage(folder)
        same(loader.load(), loader.make())
        made = loader.made
        same(loader.load(), join("set", H36M_17, [clip(3), clip(1, "b")], official=False))
        assert loader.made == made
        assert loader.entries == [folder]

    def test_two_processes_at_once(self, loader: Loader) -> None:
        """The second finishes while the first still reads; both get the one copy."""

        def slowly() -> PoseSet:
            loader.load()
            return loader.make()

        found = cached(loader.files, {}, slowly)
        same(found, loader.make())
        assert isinstance(found.targets, np.memmap)
        assert len(loader.entries) == 1

    def test_other_users_may_read_it(self, loader: Loader) -> None:
        loader.load()
        (folder,) = loader.entries
        plain = folder.parent / "plain"
        plain.mkdir()
        assert folder.stat().st_mode == plain.stat().st_mode

    def test_can_be_deleted(self, loader: Loader) -> None:
        loader.load()
        shutil.rmtree(loader.files[0].parent / CACHE)
        same(loader.load(), loader.make())

    def test_what_it_holds(self, loader: Loader) -> None:
        loader.load()
        (folder,) = loader.entries
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            ["set.json", *(f"{key}.npy" for key in ARRAYS)]
        )
        about = json.loads((folder / "set.json").read_text())
        assert about == {"name": "set", "skeleton": "h36m_17", "official": False}


def test_official_travels(three: PoseSet, loader: Loader) -> None:
    for official in (True, False):
        chosen = replace(three, official=official)
        assert chosen.only(np.array([True, False, False])).official is official
        assert cached(loader.files, {"o": official}, lambda c=chosen: c).official is official

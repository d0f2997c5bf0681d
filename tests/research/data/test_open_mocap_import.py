from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.geometry import bone_lengths
from ampose.research.data import open_mocap_import
from ampose.research.data.asf_amc import read_amc, read_asf
from ampose.research.data.open_mocap import load_pack
from ampose.research.data.open_mocap_clips import KnownClip, digest, sketch
from ampose.research.data.open_mocap_import import Finding, Imported, import_open_mocap, report
from ampose.research.data.pose_set import DatasetError
from ampose.skeletons import H36M_17
from tests.research.open_mocap_files import (
    BONES,
    amc_text,
    bvh_text,
    motion,
    write_amc,
    write_asf,
    write_bvh,
)

UNIT = 0.0254 / 0.45
ZERO = {name: np.zeros_like(values) for name, values in motion(24, 0).items()}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str, str], KnownClip]:
    """Our packs, in the place of the real ones: none."""
    clips: dict[tuple[str, str, str], KnownClip] = {}
    monkeypatch.setattr(open_mocap_import, "known_clips", lambda: clips)
    return clips


def as_known(pack: Path, clip: int = 0, skeleton: str = "asf-own") -> KnownClip:
    with np.load(pack) as file:
        start = file["clip_start"]
        positions = file["positions"][start[clip] : start[clip + 1]]
    numbers = tuple(np.round(sketch(positions)).astype(int).tolist())
    return KnownClip(skeleton, "swordplay", len(positions), digest(positions), numbers)


def convert(tmp_path: Path, **options: bool) -> Imported:
    return import_open_mocap(tmp_path / "in", tmp_path / "out", **options)


def cmu(tmp_path: Path) -> dict[str, np.ndarray]:
    with np.load(tmp_path / "out" / "cmu.npz") as file:
        return dict(file)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with one clip of CMU's subject 14."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_asf(folder / "14.asf")
    write_amc(folder / "14_02.amc", motion(60, 2))
    return folder


class TestJoints:
    def test_without_movement(self, source: Path, tmp_path: Path) -> None:
        """Ends of bones are sums of their vectors; then y up becomes z up, and -z forward."""
        write_amc(source / "14_02.amc", ZERO)
        convert(tmp_path)
        sums: dict[str, np.ndarray] = {"root": np.zeros(3)}
        for name, parent, vector, *_ in BONES:
            sums[name] = sums[parent] + np.array(vector)
        hip = (sums["lhipjoint"] + sums["rhipjoint"]) / 2
        shoulders = (sums["lclavicle"] + sums["rclavicle"]) / 2
        expected = {
            "pelvis": hip,
            "right_hip": sums["rhipjoint"],
            "right_knee": sums["rfemur"],
            "right_ankle": sums["rtibia"],
            "left_hip": sums["lhipjoint"],
            "left_knee": sums["lfemur"],
            "left_ankle": sums["ltibia"],
            "spine": sums["lowerback"] + np.array([0, 2, 0]) / 4,  # a quarter of the upper back
            "thorax": (shoulders + sums["lowerneck"]) / 2,
            "neck_nose": sums["upperneck"],
            "head_top": sums["head"],
            "left_shoulder": sums["lclavicle"],
            "left_elbow": sums["lhumerus"],
            "left_wrist": sums["lwrist"],
            "right_shoulder": sums["rclavicle"],
            "right_elbow": sums["rhumerus"],
            "right_wrist": sums["rwrist"],
        }
        pack = cmu(tmp_path)
        for place, name in enumerate(H36M_17.joints):
            x, y, z = (expected[name] - hip) * UNIT * 1e4
            np.testing.assert_allclose(
                pack["positions"][:, place], np.tile([x, -z, y], (5, 1)), atol=0.51, err_msg=name
            )
        x, y, z = hip * UNIT
        np.testing.assert_allclose(pack["root"], np.tile([x, -z, y], (5, 1)), atol=1e-6)

    def test_roundings_are_those_of_our_packs(self, source: Path, tmp_path: Path) -> None:
        """Millimetres in single precision come first, then metres and units of 0.1 mm."""
        moved = motion(480, 6)
        moved["root"][:, :3] = np.random.default_rng(6).normal(0, 20, (480, 3))
        skeleton = read_asf(source / "14.asf")
        ends = skeleton.bone_ends(read_amc(write_amc(source / "14_02.amc", moved), skeleton))
        hip = (ends["lhipjoint"] + ends["rhipjoint"])[:, [0, 2, 1]] / 2 * (1, -1, 1)
        convert(tmp_path)
        times = np.arange(100) * 4.8

        def between(captured: np.ndarray) -> np.ndarray:
            return np.stack([np.interp(times, np.arange(480), axis) for axis in captured.T], 1)

        single = between((hip * 1000).astype(np.float32)).astype(np.float32)
        root = cmu(tmp_path)["root"]
        np.testing.assert_array_equal(root, single / np.float32(1000))
        assert (root != between(hip).astype(np.float32)).any()
        later = between(hip * 1000).astype(np.float32) / np.float32(1000)
        assert (root != later).any()

    def test_both_formats_give_the_same(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        moved = motion(60, 4)
        write_asf(tmp_path / "in" / "14.asf")
        write_amc(tmp_path / "in" / "14_1.amc", moved)
        write_bvh(tmp_path / "in" / "14_2.bvh", moved)
        convert(tmp_path)
        pack = cmu(tmp_path)
        assert pack["skeleton"].tolist() == ["asf-own", "bvh-own"]
        one, other = np.split(pack["positions"].astype(int), 2)
        assert np.abs(one - other).max() <= 1
        np.testing.assert_allclose(*np.split(pack["root"], 2), atol=1e-6)

    def test_bones_keep_their_length(self, source: Path, tmp_path: Path) -> None:
        convert(tmp_path)
        # Spine, thorax and neck join points of several bones; the limbs do not.
        limbs = [0, 1, 2, 3, 4, 5, 11, 12, 14, 15]
        # Captured frames only: between two of them the limbs are a little shorter.
        lengths = bone_lengths(load_pack(tmp_path / "out" / "cmu.npz").positions[::5], H36M_17)
        assert np.ptp(lengths[:, limbs], axis=0).max() < 3e-4


class TestTime:
    @pytest.mark.parametrize(
        ("frames", "count"), [(5, 1), (24, 5), (28, 5), (29, 6), (139, 28), (173, 36), (375, 78)]
    )
    def test_how_many_frames(self, source: Path, tmp_path: Path, frames, count) -> None:
        """The last three are 127_08, 127_06 and 08_11 as they are in our packs."""
        write_amc(source / "14_02.amc", {k: np.repeat(v[:1], frames, 0) for k, v in ZERO.items()})
        convert(tmp_path)
        assert len(cmu(tmp_path)["positions"]) == count

    @pytest.mark.parametrize(
        ("clip", "step"), [("14_02", 4.8), ("60_02", 2.4), ("136_19", 2.4), ("136_18", 4.8)]
    )
    def test_places_between_captured_frames(self, tmp_path: Path, clip: str, step: float) -> None:
        (tmp_path / "in").mkdir()
        write_asf(tmp_path / "in" / f"{clip.partition('_')[0]}.asf")
        moved = ZERO | {"root": np.zeros((24, 6))}
        moved["root"][:, 0] = np.arange(24) ** 2  # on the line between two squares
        write_amc(tmp_path / "in" / f"{clip}.amc", moved)
        convert(tmp_path)
        root = cmu(tmp_path)["root"][:, 0] / UNIT
        before = np.floor(np.arange(len(root)) * step)
        expected = before**2 + (np.arange(len(root)) * step - before) * (2 * before + 1)
        np.testing.assert_allclose(root - root[0], expected, atol=1e-4)
        assert len(root) == 24 // step


class TestPacks:
    def test_what_is_written(self, tmp_path: Path, known) -> None:
        folder = tmp_path / "in"
        (folder / "cmu" / "subjects").mkdir(parents=True)
        (folder / "hdm").mkdir()
        for subject in ("02", "008", "14"):
            write_asf(folder / "cmu" / f"{subject}.asf")
        # Frames: 5 to 9.
        for k, name in enumerate(("02_01", "008_9", "008_11", "14_1", "14_01_walk")):
            write_amc(folder / "cmu" / "subjects" / f"{name}.amc", motion(24 + 5 * k, k))
        write_asf(folder / "HDM_tr.asf")
        write_amc(folder / "hdm" / "HDM_tr_squat1Reps_041_120.amc", motion(50, 9))
        known["cmu", "14", "1"] = KnownClip("asf-own", "drink soda", 5, "", (0,) * 8)
        found = convert(tmp_path)
        assert list(found.frames) == [tmp_path / "out" / f"{n}.npz" for n in ("cmu", "hdm05")]
        assert list(found.frames.values()) == [
            Counter({"train": 8, "val": 6 + 7, "test": 5}),
            Counter({"test": 10}),
        ]
        assert found.unknown == [folder / "cmu" / "subjects" / "14_01_walk.amc"]
        pack = load_pack(tmp_path / "out" / "cmu.npz")  # ours first, the others sorted
        assert pack.subject.tolist() == ["14", "2", "8", "8"]
        assert pack.trial.tolist() == ["1", "1", "9", "11"]
        assert pack.split.tolist() == ["train", "test", "val", "val"]
        assert pack.description.tolist() == ["drink soda", "", "", ""]
        assert pack.skeleton.tolist() == 4 * ["asf-own"]
        assert np.bincount(pack.clips).tolist() == [8, 5, 6, 7]
        written = cmu(tmp_path)
        assert {name: array.dtype.str for name, array in written.items() if name != "trial"} == {
            "positions": "<i2",
            "root": "<f4",
            "clip_start": "<i4",
            "subject": "<U2",
            "skeleton": "<U7",
            "description": "<U10",
            "split": "<U5",
        }
        assert written["root"].shape == (26, 3)
        hdm05 = load_pack(tmp_path / "out" / "hdm05.npz")
        columns = ("subject", "trial", "description", "split")
        assert [getattr(hdm05, name).tolist() for name in columns] == [
            *(["tr"], ["squat1Reps041"], ["squat1Reps"], ["test"])
        ]

    @pytest.mark.parametrize(
        ("subjects", "split"),
        [(("8", "35", "135"), "val"), (("2", "5", "6", "127"), "test"), (("1", "28"), "train")],
    )
    def test_splits(self, source: Path, tmp_path: Path, subjects, split) -> None:
        for subject in subjects:
            shutil.copy(source / "14.asf", source / f"{subject}.asf")
            shutil.copy(source / "14_02.amc", source / f"{subject}_01.amc")
        convert(tmp_path)
        pack = load_pack(tmp_path / "out" / "cmu.npz")
        assert set(pack.split[pack.subject != "14"]) == {split}

    def test_only_known_clips(self, source: Path, tmp_path: Path, known) -> None:
        shutil.copy(source / "14_02.amc", source / "14_03.amc")
        (source / "14_04.amc").write_text("not even read")
        known["cmu", "14", "3"] = KnownClip("asf-own", "", 5, "", (0,) * 8)
        found = convert(tmp_path, known_only=True)
        assert [each.trial for each in found.findings] == ["3"]
        assert cmu(tmp_path)["trial"].tolist() == ["3"]

    def test_the_format_of_our_pack_is_preferred(
        self, source: Path, tmp_path: Path, known
    ) -> None:
        moved = motion(60, 5)
        for trial in (5, 6, 7):
            write_amc(source / f"14_{trial}.amc", moved)
        for trial in (5, 6, 8):
            write_bvh(source / f"14_{trial}.bvh", moved)
        known["cmu", "14", "5"] = KnownClip("bvh-own", "", 5, "", (0,) * 8)
        known["cmu", "14", "7"] = KnownClip("bvh-own", "", 5, "", (0,) * 8)
        convert(tmp_path)
        pack = load_pack(tmp_path / "out" / "cmu.npz")
        assert dict(zip(pack.trial.tolist(), pack.skeleton.tolist(), strict=True)) == {
            "5": "bvh-own",
            "7": "asf-own",
            "2": "asf-own",
            "6": "asf-own",
            "8": "bvh-own",
        }

    def test_copies_of_a_file(self, source: Path, tmp_path: Path) -> None:
        (source / "again").mkdir()
        for path in list(source.glob("14*")):
            shutil.copy(path, source / "again" / path.name)
            (source / "again" / f"._{path.name}").write_bytes(b"\0\5\x16\7")  # as macOS leaves
        found = convert(tmp_path)
        assert (len(found.findings), found.unknown) == (1, [])
        one, other = source / "14_02.amc", source / "again" / "14_2.amc"
        other.write_bytes(one.read_bytes().replace(b"lwrist 1", b"lwrist 2"))
        for path in (one, other):  # as if copied: only a look inside shows that they differ
            os.utime(path, (0, 0))
        assert one.stat().st_size == other.stat().st_size
        with pytest.raises(DatasetError, match=r"14_02\.amc and .*14_2\.amc differ; keep one"):
            convert(tmp_path, overwrite=True)

    def test_progress(self, source: Path, tmp_path: Path) -> None:
        shutil.copy(source / "14_02.amc", source / "14_03.amc")
        seen: list[tuple[int, int | None]] = []
        import_open_mocap(source, tmp_path / "out", progress=lambda *now: seen.append(now))
        assert seen == [(0, 2), (1, 2), (2, 2)]


class TestFindings:
    def test_same_and_missing(self, source: Path, tmp_path: Path, known) -> None:
        assert convert(tmp_path).findings == [Finding("cmu", "14", "2", "new")]
        known["cmu", "14", "2"] = as_known(tmp_path / "out" / "cmu.npz")
        known["cmu", "14", "4"] = known["cmu", "14", "2"]
        assert convert(tmp_path, overwrite=True).findings == [
            Finding("cmu", "14", "2", "same"),
            Finding("cmu", "14", "4", "missing"),
        ]

    def test_differs(self, source: Path, tmp_path: Path, known) -> None:
        convert(tmp_path)
        known["cmu", "14", "2"] = as_known(tmp_path / "out" / "cmu.npz")
        write_amc(source / "14_02.amc", motion(60, 3))
        (found,) = convert(tmp_path, overwrite=True).findings
        assert found.status == "differs"
        assert found.detail.endswith("mm from ours")
        write_amc(source / "14_02.amc", motion(64, 2))
        (found,) = convert(tmp_path, overwrite=True).findings
        assert found.detail == "13 frames, ours has 12"

    def test_a_clip_that_cannot_be_read(self, source: Path, tmp_path: Path) -> None:
        (source / "14_03.amc").write_text(amc_text(motion(9, 0))[:-30], encoding="latin-1")
        write_amc(source / "15_01.amc", motion(9, 0))
        found = convert(tmp_path)
        assert [(each.trial, each.status) for each in found.findings] == [
            *(("2", "new"), ("3", "refused"), ("1", "refused"))
        ]
        assert found.findings[1].detail.startswith(f"{source / '14_03.amc'}: line ")
        assert found.findings[2].detail.endswith("an ASF file, is missing")
        assert cmu(tmp_path)["trial"].tolist() == ["2"]

    @pytest.mark.parametrize(
        ("asf", "amc", "message"),
        [
            (("name lwrist", "name lhand"), ("lwrist", "lhand"), r"14\.asf: it lacks lwrist, as"),
            (("length 0.45", "length 1"), ("", ""), "no person in CMU's unit .* 0.178 to 0.182 m"),
            (("5.0\n", "5e5\n"), ("", ""), "farther from the hip than a pack can hold"),
            (("5.0\n", "5e303\n"), ("", ""), "farther from the hip than a pack can hold"),
        ],
    )
    def test_other_people(self, source: Path, tmp_path: Path, asf, amc, message) -> None:
        for path, (old, new) in ((source / "14.asf", asf), (source / "14_02.amc", amc)):
            text = path.read_text(encoding="latin-1").replace(old, new)
            path.write_text(
                text.replace("lradius lwrist", f"lradius {amc[1] or 'lwrist'}"), "latin-1"
            )
        with pytest.raises(DatasetError, match=message):
            convert(tmp_path)

    def test_too_short(self, source: Path, tmp_path: Path) -> None:
        write_amc(source / "14_02.amc", motion(4, 0))
        with pytest.raises(DatasetError, match=r"14_02\.amc: 4 frame\(s\) are too few"):
            convert(tmp_path)


BVH = {
    "other names": (("Spine1", "Chest"), "it lacks Spine1; only cgspeed's conversion"),
    "nothing lost": (
        (
            "JOINT Neck\n\t\t\t\t{\n\t\t\t\t\tOFFSET 0 0 0",
            "JOINT Neck\n\t\t\t\t{\n\t\t\t\t\tOFFSET 0 2 0",
        ),
        "Neck, LeftShoulder, RightShoulder should have no offset; only",
    ),
    "30 frames/s": (("Time: .0083333", "Time: .033333"), "a frame lasts 0.033333 s; only"),
    "hardly any time": (("Time: .0083333", "Time: 1e-320"), "a frame lasts 9.99989e-321 s"),
    "no added pose": (
        (" 0.0 0.0 0.0 0.0 0.0 0.0 -21", " 1.0 0.0 0.0 0.0 0.0 0.0 -21"),
        "first fra",
    ),
    "damaged": (("MOTION", "MOTON"), r"line \d+: MOTION expected"),
}


@pytest.mark.parametrize("case", BVH)
def test_other_bvh_files(tmp_path: Path, case: str) -> None:
    (old, new), message = BVH[case]
    (tmp_path / "in").mkdir()
    text = bvh_text(motion(9, 0))
    assert old in text
    (tmp_path / "in" / "08_11.bvh").write_text(text.replace(old, new))
    with pytest.raises(DatasetError, match=rf"none of its 1 clips .*08_11\.bvh: .*{message}"):
        convert(tmp_path)


class TestNothing:
    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match=r"in: no such folder; get all ASF and AMC files"):
            convert(tmp_path)

    def test_no_clip(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        write_asf(tmp_path / "in" / "14.asf")
        (tmp_path / "in" / "walk.bvh").touch()
        (tmp_path / "in" / "HDM_tr_01-01_01_120.amc").touch()  # not cut into classes
        with pytest.raises(DatasetError, match="in: no clip of CMU or HDM05 below it; get all"):
            convert(tmp_path)
        assert not (tmp_path / "out").exists()

    def test_no_known_clip(self, source: Path, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="none of its 1 clips is one of ours; get"):
            convert(tmp_path, known_only=True)


class TestWriting:
    def test_existing_packs_stay(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "cmu.npz").write_bytes(b"mine")
        (tmp_path / "out" / "hdm05.npz").write_bytes(b"mine")
        with pytest.raises(InputError, match=r"cmu\.npz exists already; remove it or ask"):
            convert(tmp_path)
        assert (tmp_path / "out" / "cmu.npz").read_bytes() == b"mine"
        convert(tmp_path, overwrite=True)
        assert len(cmu(tmp_path)["positions"]) == 12
        assert (tmp_path / "out" / "hdm05.npz").read_bytes() == b"mine"  # no clip of it was there

    def test_a_file_in_the_way(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "out").touch()
        with pytest.raises(InputError, match=r"cannot write .*out"):
            convert(tmp_path)

    @pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
    def test_an_interruption_leaves_nothing(
        self, source: Path, tmp_path: Path, monkeypatch, error: BaseException
    ) -> None:
        write_asf(source / "HDM_tr.asf")
        write_amc(source / "HDM_tr_squat1Reps_041_120.amc", motion(50, 9))
        real = np.savez_compressed

        def interrupted(path: Path, **content: object) -> None:
            real(path, **content)
            if path.name == "hdm05.npz":
                raise error

        monkeypatch.setattr(open_mocap_import.np, "savez_compressed", interrupted)
        with pytest.raises((KeyboardInterrupt, InputError)):
            convert(tmp_path)
        assert list((tmp_path / "out").iterdir()) == []


class TestReport:
    def test_lines(self, tmp_path: Path) -> None:
        findings = [
            *(Finding("cmu", "5", trial, "same") for trial in ("1", "2", "10", "4", "3")),
            *(Finding("cmu", "13", trial, "new") for trial in ("1", "2")),
            Finding("cmu", "7", "3", "differs", "about 1.3 mm from ours"),
            Finding("cmu", "106", "21", "refused", "106_21.amc: line 5: no"),
            *(Finding("hdm05", "tr", f"hop1Reps{k:03}", "missing") for k in (9, 10, 12)),
        ]
        frames = {tmp_path / "cmu.npz": Counter({"train": 1234, "test": 100})}
        assert list(report(Imported(frames, findings, []))) == [
            "same     cmu 5: 1-4, 10",
            "new      cmu 13: 1-2",
            "missing  hdm05: all 3 clips",
            "differs  cmu 7: 3 (about 1.3 mm from ours)",
            "refused  cmu 106: 21 (106_21.amc: line 5: no)",
            f"Written: {tmp_path / 'cmu.npz'}, 1,334 frames (test 100, train 1,234); "
            "clips: 5 same, 2 new, 1 differs, 1 refused",
        ]

    def test_classes(self) -> None:
        findings = [
            *(Finding("hdm05", "tr", f"hop1Reps{k:03}", "missing") for k in (9, 10, 12)),
            Finding("hdm05", "mm", "hop1Reps008", "missing"),
            Finding("hdm05", "mm", "hop1Reps007", "same"),
        ]
        assert list(report(Imported({}, findings, []))) == [
            "same     hdm05 mm hop1Reps: 7",
            "missing  hdm05 mm hop1Reps: 8",
            "missing  hdm05 tr hop1Reps: 9-10, 12",
        ]

    @pytest.mark.parametrize(
        ("findings", "noted"),
        [
            ([("5", "same")], False),
            ([("5", "same"), ("9", "differs"), ("8", "new")], False),  # no test subjects
            ([("5", "missing")], True),
            ([("5", "new"), ("6", "same")], True),
            ([("5", "differs")], True),
            ([("5", "refused")], True),
            ([("6", "refused")], False),  # neither ours nor written
        ],
    )
    def test_other_test_clips_are_noted(self, tmp_path: Path, known, findings, noted) -> None:
        known["cmu", "5", "1"] = KnownClip("asf-own", "", 5, "", (0,) * 8)
        told = [Finding("cmu", subject, "1", status) for subject, status in findings]
        lines = list(report(Imported({tmp_path / "cmu.npz": Counter(train=1)}, told, [])))
        wanted = "note: cmu's test clips are not all ours: scores on them do not compare"
        assert (lines[-1] == wanted) is noted

    def test_names_that_say_nothing_are_noted(self) -> None:
        unknown = [Path("walk.bvh"), Path("b.amc")]
        assert list(report(Imported({}, [], unknown))) == [
            "note: 2 file(s) are not named as a clip of CMU or HDM05, such as walk.bvh"
        ]

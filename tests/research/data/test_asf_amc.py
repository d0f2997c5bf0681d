from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ampose.research.data.asf_amc import read_amc, read_asf
from ampose.research.data.pose_set import DatasetError
from tests.research.open_mocap_files import (
    BONES,
    amc_text,
    asf_text,
    motion,
    write_amc,
    write_asf,
)

UNIT = 0.0254 / 0.45

LEG = [
    ("hip", "root", (1, 0, 0), (0, 0, 0), ""),
    ("thigh", "hip", (0, -2, 0), (0, 0, 0), "rx ry rz"),
    ("shin", "thigh", (0, -3, 0), (0, 0, 0), "rx"),
]
DOFS = [" ".join(p) for count in range(4) for p in permutations(("rx", "ry", "rz"), count)]
STILL = {"root": np.zeros((1, 6)), "thigh": np.zeros((1, 3)), "shin": np.zeros((1, 1))}


def ends(tmp_path: Path, asf: str, amc: str) -> dict[str, np.ndarray]:
    """Where bones end, in units of length."""
    (tmp_path / "a.asf").write_text(asf)
    (tmp_path / "a.amc").write_text(amc, encoding="latin-1")
    skeleton = read_asf(tmp_path / "a.asf")
    moved = skeleton.bone_ends(read_amc(tmp_path / "a.amc", skeleton))
    return {name: place / skeleton.unit for name, place in moved.items()}


class TestByHand:
    @pytest.mark.parametrize(
        ("moves", "shin"),
        [
            ({}, (1, -5, 0)),
            ({"root": [4, 5, 6, 0, 0, 0]}, (5, 0, 6)),
            ({"root": [0, 0, 0, 0, 0, 90]}, (5, 1, 0)),  # about z: x becomes y, y becomes -x
            ({"root": [0, 0, 0, 90, 0, 90]}, (0, 1, -5)),  # x turns first: -y to -z, x to y
            ({"shin": [90]}, (1, -2, -3)),
            ({"thigh": [90, 0, 0], "shin": [90]}, (1, 3, -2)),
            ({"thigh": [90, 0, 90]}, (1, 0, -5)),
            ({"thigh": [90, 90, 0]}, (-4, 0, 0)),
        ],
    )
    def test_turns(self, tmp_path: Path, moves, shin) -> None:
        moved = STILL | {name: np.array([values], float) for name, values in moves.items()}
        found = ends(tmp_path, asf_text(LEG), amc_text(moved))
        np.testing.assert_allclose(found["shin"], [shin], atol=1e-12)

    def test_a_bone_turns_about_its_own_axes(self, tmp_path: Path) -> None:
        # Its x axis, turned by 90 degrees about z, is the world's y: the leg along -x swings to z.
        bones = [*LEG[:1], ("thigh", "hip", (-2, 0, 0), (0, 0, 90), "rx")]
        moved = {"root": np.zeros((1, 6)), "thigh": np.array([[90.0]])}
        found = ends(tmp_path, asf_text(bones), amc_text(moved))
        np.testing.assert_allclose(found["thigh"], [[1, 0, 2]], atol=1e-12)

    def test_lengths_are_inches_over_the_unit(self, tmp_path: Path) -> None:
        skeleton = read_asf(write_asf(tmp_path / "a.asf"))
        assert skeleton.unit == pytest.approx(0.056444, rel=1e-5)  # as CMU says
        text = asf_text(LEG).replace("length 0.45", "length 1.0")
        (tmp_path / "a.asf").write_text(text)
        leg = read_asf(tmp_path / "a.asf")
        np.testing.assert_allclose(leg.bones[-1].offset, [0, -3 * 0.0254, 0])


def scipy_ends(bones, moved, order: str) -> dict[str, np.ndarray]:
    """The same by SciPy's rotations, one frame after the other."""
    frames = len(moved["root"])
    found = {name: np.empty((frames, 3)) for name in ("root", *(bone[0] for bone in bones))}
    for f in range(frames):
        turns = {"root": Rotation.from_euler(order, moved["root"][f, 3:], degrees=True)}
        found["root"][f] = moved["root"][f, :3]
        for name, parent, vector, axis, dof in bones:
            own = Rotation.from_euler("xyz", axis, degrees=True)
            turn = Rotation.identity()
            for channel, angle in zip(dof.split(), moved.get(name, [()] * frames)[f], strict=True):
                turn = Rotation.from_euler(channel[1], angle, degrees=True) * turn
            turns[name] = turns[parent] * own * turn * own.inv()
            found[name][f] = found[parent][f] + turns[name].apply(vector)
    return found


class TestAgainstScipy:
    def test_the_whole_person(self, tmp_path: Path) -> None:
        moved = motion(4, 0)
        found = ends(tmp_path, asf_text(BONES), amc_text(moved))
        expected = scipy_ends(BONES, moved, "xyz")
        assert found.keys() == expected.keys()
        for name, place in expected.items():
            np.testing.assert_allclose(found[name], place, atol=1e-9, err_msg=name)

    @settings(
        max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        order=st.sampled_from(sorted(permutations("xyz"))),
        dofs=st.lists(st.sampled_from(DOFS), min_size=3, max_size=3),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_any_order_of_turns(self, tmp_path: Path, order, dofs, seed) -> None:
        rng = np.random.default_rng(seed)
        bones = [
            (name, parent, tuple(rng.normal(size=3)), tuple(rng.uniform(-180, 180, 3)), dof)
            for (name, parent, *_), dof in zip(LEG, dofs, strict=True)
        ]
        moved = {"root": rng.normal(0, 90, (2, 6))}
        moved |= {b[0]: rng.normal(0, 90, (2, len(b[4].split()))) for b in bones if b[4]}
        text = asf_text(bones).replace("RX RY RZ", " ".join(f"R{axis}".upper() for axis in order))
        text = text.replace("axis XYZ", f"axis {''.join(order).upper()}")
        found = ends(tmp_path, text, amc_text(moved))
        for name, place in scipy_ends(bones, moved, "".join(order)).items():
            np.testing.assert_allclose(found[name], place, atol=1e-9)


class TestReading:
    def test_columns_follow_the_skeleton(self, tmp_path: Path) -> None:
        skeleton = read_asf(write_asf(tmp_path / "a.asf"))
        moved = motion(3, 1)
        mixed = dict(reversed(moved.items()))
        found = read_amc(write_amc(tmp_path / "a.amc", mixed), skeleton)
        ordered = [moved[name] for name, count in skeleton.channel_counts.items() if count]
        np.testing.assert_array_equal(found, np.hstack(ordered))

    def test_parents_may_come_later(self, tmp_path: Path) -> None:
        (tmp_path / "a.asf").write_text(asf_text(LEG[::-1]))
        assert [bone.name for bone in read_asf(tmp_path / "a.asf").bones] == [
            "hip",
            "thigh",
            "shin",
        ]

    def test_frames_may_begin_anywhere(self, tmp_path: Path) -> None:
        text = amc_text({name: np.repeat(v, 3, 0) for name, v in STILL.items()})
        for old, new in ((3, 12), (2, 11), (1, 10)):
            text = text.replace(f"\n{old}\n", f"\n{new}\n")
        assert len(ends(tmp_path, asf_text(LEG), text)["shin"]) == 3


ASF = {
    "empty": (lambda text: "", r"a\.asf: no section :units, :root, :bonedata, :hierarchy;"),
    "another kind": (lambda text: "HIERARCHY\n", "line 1: an ASF file begins with .* 'HIERARCHY'"),
    "cut in a bone": (
        lambda text: text[: text.index("name shin")] + ":hierarchy\nroot hip\nhip thigh\n",
        "line 35: the file ends or goes on before the bone's end",
    ),
    "no hierarchy": (lambda text: text[: text.index(":hier")], "no section :hierarchy; it is no"),
    "no unit": (lambda text: text.replace("length 0.45", "size 1"), "no length in :units"),
    "no length": (
        lambda text: text.replace("length 0.45", "length 0"),
        "line 6: a length above 0",
    ),
    "radians": (lambda text: text.replace("angle deg", "angle rad"), "line 7: .* 'angle rad'"),
    "root order": (lambda text: text.replace("TX TY", "TX TX"), "line 11: TX TY .* 'TX TX TZ"),
    "no order": (lambda text: text.replace("   order", "   sequence"), "no order in :root"),
    "root axis": (lambda text: text.replace("axis XYZ", "axis ZYX"), "line 12: another order"),
    "root place": (lambda text: text.replace("position 0", "position 1"), "line 13: only a root"),
    "no direction": (
        lambda text: text.replace("direction 0.0", "directon 0.0", 1),
        "line 33: the bone that ends here has no direction",
    ),
    "a word": (
        lambda text: text.replace("length 3.0", "length long"),
        "line 38: finite .* 'long'",
    ),
    "not finite": (lambda text: text.replace("length 3.0", "length nan"), "line 38: finite"),
    "two lengths": (lambda text: text.replace("length 3.0", "length 3 4"), r"line 38: 1 number"),
    "bone axis": (
        lambda text: text.replace("0   XYZ", "0   XYY", 1),
        "line 21: three angles .* XYY'",
    ),
    "axis angles": (lambda text: text.replace("0   XYZ", "XYZ", 1), r"3 number\(s\) needed"),
    "sliding": (lambda text: text.replace("dof rx\n", "dof rx l\n"), "line 40: only .* 'rx l'"),
    "turning twice": (lambda text: text.replace("dof rx\n", "dof rx rx\n"), "got 'rx rx'"),
    "a bone twice": (lambda text: text.replace("name shin", "name hip"), "a second bone hip"),
    "no parent": (lambda text: text.replace("thigh shin\n", "\n"), "line 36: 'shin' is not in :h"),
    "two parents": (
        lambda text: text.replace("hip thigh", "hip thigh shin"),
        "line 47: 'shin' gets a second parent",
    ),
    "root below": (lambda text: text.replace("hip thigh", "hip thigh root"), "'root' gets a sec"),
    "unknown child": (lambda text: text.replace("thigh shin\n", "thigh shin x\n"), "no bone 'x'"),
    "unknown parent": (lambda text: text.replace("thigh shin\n", "knee shin\n"), "no bone 'knee'"),
    "a ring": (
        lambda text: text.replace("root hip", "root").replace("thigh shin", "thigh shin hip"),
        "hip does not hang on the root",
    ),
    "begin forgotten": (lambda text: text.replace("  begin\n", "", 1), "line 16: begin expected"),
}


@pytest.mark.parametrize("case", ASF)
def test_wrong_skeletons(tmp_path: Path, case: str) -> None:
    change, message = ASF[case]
    good = asf_text(LEG)
    text = change(good)
    assert text != good
    path = tmp_path / "a.asf"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message) as caught:
        read_asf(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


AMC = {
    "empty": (lambda text: "", r"a\.amc: no frame; it is no AMC file or is cut short"),
    "only a header": (lambda text: text[: text.index("1\n")], "no frame"),
    "another kind": (lambda text: "HIERARCHY\n" + text, "line 1: the number of a frame .* 'HIER"),
    "radians": (lambda text: text.replace(":DEG", ":RAD").replace("REES", "IANS"), "line 3: only"),
    "cut after a bone": (
        lambda text: text[: text.rindex("thigh")],
        "line 13: frame 3 ends here, before thigh",
    ),
    "cut after a number": (
        lambda text: text[: text.rindex("root")],
        "line 12: frame 3 ends here, before root",
    ),
    "cut in a line": (
        lambda text: text[: text.rindex(" 0.0")].rstrip("\n"),
        r"line 15: shin has 1 channel\(s\) in a\.asf, got 'shin'",
    ),
    "a bone fewer": (lambda text: text.replace("shin 0.0\n", ""), "line 4: frame 1 lacks shin"),
    "an unknown bone": (lambda text: text.replace("shin", "knee"), r"line 7: a\.asf has no .*'kn"),
    "a bone twice": (
        lambda text: text.replace("shin 0.0", "shin 0.0\nshin 0.0", 1),
        "a second sh",
    ),
    "one bone more": (
        lambda text: text + "shin 0.0\n",
        "line 16: the next frame expected, got 'shin 0.0'",
    ),
    "another order": (
        lambda text: text[:-9] + "root 0 0 0 0 0 0\n",
        "line 15: shin expected, got 'root 0 0 0...'",
    ),
    "a number more": (lambda text: text.replace("shin 0.0", "shin 0.0 1.0"), "line 7: shin has 1"),
    "a word": (lambda text: text.replace("shin 0.0", "shin x"), "line 7: finite .* got 'x'"),
    "not finite": (lambda text: text[:-4] + "inf\n", "line 15: finite numbers needed, got 'inf'"),
    "a gap": (lambda text: text.replace("\n3\n", "\n4\n"), "line 12: frame 3 expected, got 4"),
    "a huge number": (lambda text: text.replace("\n3\n", f"\n{'9' * 5000}\n"), "next frame exp"),
}


@pytest.mark.parametrize("case", AMC)
def test_wrong_movements(tmp_path: Path, case: str) -> None:
    change, message = AMC[case]
    (tmp_path / "a.asf").write_text(asf_text(LEG))
    skeleton = read_asf(tmp_path / "a.asf")
    good = amc_text({name: np.repeat(values, 3, 0) for name, values in STILL.items()})
    text = change(good)
    assert text != good
    path = tmp_path / "a.amc"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DatasetError, match=message) as caught:
        read_amc(path, skeleton)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot be read \(Is a directory\)"):
        read_asf(tmp_path)

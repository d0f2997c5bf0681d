from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ampose.research.data.bvh import Bvh, read_bvh
from ampose.research.data.pose_set import DatasetError

ARM = """HIERARCHY
ROOT Body
{
	OFFSET 10 0 0
	CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
	JOINT Arm
	{
		OFFSET 0 2 0
		CHANNELS 3 Zrotation Yrotation Xrotation
		End Site
		{
			OFFSET 3 0 0
		}
	}
	JOINT Stump
	{
		OFFSET 0 -1 0
		CHANNELS 0
	}
}
MOTION
Frames:	2
Frame Time: .0083333
0 0 0 0 0 0 0 0 0
1 2 3 90 0 0 0 90 0
"""


def read(tmp_path: Path, text: str) -> Bvh:
    (tmp_path / "a.bvh").write_text(text)
    return read_bvh(tmp_path / "a.bvh")


class TestByHand:
    def test_places(self, tmp_path: Path) -> None:
        bvh = read(tmp_path, ARM)
        assert bvh.frame_time == 0.0083333
        found = bvh.joint_places(0.5)
        assert list(found) == ["Body", "Arm", "Arm end", "Stump"]
        # In the second frame x is turned to y and y to -x; the arm turns about y first: x to -z.
        expected = {
            "Body": [(10, 0, 0), (11, 2, 3)],
            "Arm": [(10, 2, 0), (9, 2, 3)],
            "Arm end": [(13, 2, 0), (9, 2, 0)],
            "Stump": [(10, -1, 0), (12, 2, 3)],
        }
        for name, places in expected.items():
            np.testing.assert_allclose(found[name], np.array(places) / 2, atol=1e-12)

    @pytest.mark.parametrize(
        ("channels", "end"),
        [  # of a turn by 90 degrees about z and one about x, on an arm along x
            ("Zrotation Xrotation", (0, 3, 0)),
            ("Xrotation Zrotation", (0, 0, 3)),
        ],
    )
    def test_turns_apply_from_left_to_right(self, tmp_path: Path, channels, end) -> None:
        text = ARM.replace("CHANNELS 3 Zrotation Yrotation Xrotation", f"CHANNELS 2 {channels}")
        text = text.replace("0 0 0 0 0 0 0 0 0\n1 2 3 90 0 0 0 90 0", 2 * "0 0 0 0 0 0 90 90\n")
        found = read(tmp_path, text).joint_places(1)
        np.testing.assert_allclose(found["Arm end"] - found["Arm"], [end, end], atol=1e-12)

    def test_a_joint_can_slide_and_channels_can_mix(self, tmp_path: Path) -> None:
        text = ARM.replace(
            "CHANNELS 3 Zrotation Yrotation Xrotation", "CHANNELS 3 Zrotation Yposition Xposition"
        ).replace("1 2 3 90 0 0 0 90 0", "0 0 0 0 0 0 90 5 7")
        found = read(tmp_path, text).joint_places(1)
        np.testing.assert_allclose(found["Arm"][1], [17, 7, 0])
        np.testing.assert_allclose(found["Arm end"][1], [17, 10, 0], atol=1e-12)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    orders=st.lists(st.sampled_from(sorted(permutations("XYZ"))), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_chains_agree_with_scipy(tmp_path: Path, orders, seed) -> None:
    rng = np.random.default_rng(seed)
    offsets = rng.normal(0, 10, (len(orders), 3)).round(3)
    angles = rng.uniform(-360, 360, (2, len(orders), 3)).round(4)
    text = "HIERARCHY\n"
    for k, (order, offset) in enumerate(zip(orders, offsets, strict=True)):
        text += f"{'JOINT' if k else 'ROOT'} j{k}\n{{\nOFFSET {' '.join(map(str, offset))}\n"
        text += f"CHANNELS 3 {' '.join(axis + 'rotation' for axis in order)}\n"
    text += "}\n" * len(orders) + "MOTION\nFrames: 2\nFrame Time: 0.1\n"
    text += "\n".join(" ".join(map(str, frame.ravel())) for frame in angles)
    found = read(tmp_path, text).joint_places(1)
    for f in range(2):
        turn, place = Rotation.identity(), np.zeros(3)
        for k, order in enumerate(orders):
            place = place + turn.apply(offsets[k])
            # SciPy's capital letters are turns about the axes that have turned already.
            turn = turn * Rotation.from_euler("".join(order), angles[f, k], degrees=True)
            np.testing.assert_allclose(found[f"j{k}"][f], place, atol=1e-9)


WRONG = {
    "empty": (lambda text: "", "line 1: the file ends before HIERARCHY"),
    "another kind": (lambda text: ":version 1\n" + text, "line 1: HIERARCHY exp.* ':version 1'"),
    "words after": (lambda text: text.replace("HY\n", "HY x\n"), "line 1: nothing may follow HI"),
    "no root": (lambda text: text.replace("ROOT", "JOINT", 1), "line 2: ROOT expected, got 'JOI"),
    "a second root": (
        lambda text: text.replace("JOINT Stump", "ROOT Stump"),
        "line 15: JOINT, End Site or } expected, got 'ROOT Stump'",
    ),
    "a name with a space": (lambda text: text.replace("Stump", "a b"), "got 'JOINT a b'"),
    "a joint twice": (lambda text: text.replace("Stump", "Arm"), "line 1.: a second joint 'Arm'"),
    "no brace": (lambda text: text.replace("\t{\n", "", 1), "line 7: { expected, got 'OFFSET 0 2"),
    "brace and more": (lambda text: text.replace("\t{\n", "\t{ x\n", 1), "line 7: nothing may"),
    "no offset": (lambda text: text.replace("\tOFFSET 10 0 0\n", ""), "line 4: OFFSET expected"),
    "flat offset": (
        lambda text: text.replace("10 0 0", "10 0"),
        r"line 4: 3 number\(s\) .* got 2",
    ),
    "a word": (lambda text: text.replace("10 0 0", "10 0 x"), "line 4: finite .* got '10 0 x'"),
    "channels": (lambda text: text.replace("LS 3", "LS 4"), "line 9: CHANNELS, their number"),
    "no channels": (lambda text: text.replace("LS 0", "LS"), "line 18: CHANNELS, their number"),
    "a channel": (lambda text: text.replace("Zrot", "Wrot"), "line 5: CHANNELS, .* of Xposition,"),
    "one twice": (lambda text: text.replace("Zrot", "Yrot"), "line 5: CHANNELS, their number"),
    "cut in the tree": (
        lambda text: text[: text.index("\tJOINT Stump")],
        "line 14: the file ends before the end of the hierarchy",
    ),
    "cut before motion": (
        lambda text: text[: text.index("MOTION")],
        "line 20: the file ends before MOTION",
    ),
    "no count": (lambda text: text.replace("Frames:\t2\n", ""), "line 22: Frames: expected"),
    "no frame": (lambda text: text.replace(":\t2", ":\t0"), "line 22: a number of frames .*'0'"),
    "half a frame": (lambda text: text.replace(":\t2", ":\t1.5"), "line 22: a number of frames"),
    "endless": (lambda text: text.replace(":\t2", ":\t" + "9" * 99), "line 22: a number of fr"),
    "time": (lambda text: text.replace("Time: .", "Time: -"), "line 23: a time above 0 needed"),
    "a value fewer": (
        lambda text: text.replace("90 0\n", "90\n"),
        r"line 25: 9 number\(s\) needed, got 8: '1 2 3 90\.\.\.'",
    ),
    "a value more": (lambda text: text.replace("90 0\n", "90 0 0\n"), "line 25: .* got 10"),
    "not a number": (lambda text: text.replace("0 90 0\n", "0 nan 0\n"), "line 25: finite"),
    "a frame fewer": (
        lambda text: text[: text.index("1 2 3")],
        "line 24: the file ends before frame 2 of 2",
    ),
    "a frame more": (
        lambda text: text + "1 2 3 90 0 0 0 90 0\n",
        "line 26: more lines than the 2 frames that the file announces",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files(tmp_path: Path, case: str) -> None:
    change, message = WRONG[case]
    text = change(ARM)
    assert text != ARM
    with pytest.raises(DatasetError, match=message) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'a.bvh'}: ")
    assert "\n" not in str(caught.value)


def test_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"x\.bvh: cannot be read \(No such file"):
        read_bvh(tmp_path / "x.bvh")

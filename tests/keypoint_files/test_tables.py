"""CSV, tidy and wide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.errors import InputError
from ampose.keypoint_files import KeypointFile, load_keypoints
from ampose.skeletons import H36M_17, SKELETONS, Skeleton


def load(folder: Path, text: str, **options: object) -> KeypointFile:
    path = folder / "a.csv"
    path.write_text(text)
    return load_keypoints(path, **{"fps": 1, **options})


def tidy(skeleton: Skeleton, frames: tuple[int, ...] = (3,)) -> str:
    rows = [f"{f},{name},{j + 1},{f}" for f in frames for j, name in enumerate(skeleton.joints)]
    return "\n".join(["frame,joint,x,y", *rows])


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda s: s.name)
def test_tidy_names_its_skeleton(tmp_path: Path, skeleton: Skeleton) -> None:
    loaded = load(tmp_path, tidy(skeleton, (7, 2)))
    assert loaded.skeleton == skeleton
    assert loaded.times.tolist() == [2, 7]
    assert loaded.keypoints[0, 0, :, 0].tolist() == list(range(1, len(skeleton) + 1))
    assert loaded.keypoints[:, 0, 0, 1].tolist() == [2, 7]
    assert (loaded.scores == 1).all()


@given(st.randoms(use_true_random=False))
def test_row_order_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, random: object
) -> None:
    header, *rows = tidy(H36M_17, (0, 1)).splitlines()
    random.shuffle(rows)
    loaded = load(tmp_path_factory.mktemp("csv"), "\n".join([header, *rows]))
    assert loaded.keypoints[0, 0, :, 0].tolist() == list(range(1, 18))


def test_tidy_people_scores_and_gaps(tmp_path: Path) -> None:
    text = (
        "\ufeffFrame, Person,joint,x,y,score,note\n"
        "0,5,Left Hip,1,2,0.5,a\n"
        "0,5,right-hip,,,,\n"
        "4,3,left_hip,nan,4,0.5,b\n"
        "4,3,pelvis,7,8,,b\n"
    )
    loaded = load(tmp_path, text, skeleton="h36m_17")
    hip = H36M_17.index("left_hip")
    assert loaded.ids.tolist() == [3, 5]
    assert loaded.times.tolist() == [0, 4]
    assert loaded.keypoints[0, 1, hip].tolist() == [1, 2]
    assert loaded.scores[0, 1, hip] == 0.5
    assert loaded.keypoints[1, 0, 0].tolist() == [7, 8]
    assert loaded.scores[1, 0, 0] == 1
    assert int(np.isfinite(loaded.keypoints).all(-1).sum()) == 2
    assert loaded.warnings == ("columns 'note' are ignored",)


def test_wide(tmp_path: Path) -> None:
    columns = [f"{name}_{v}" for name in reversed(H36M_17.joints) for v in ("x", "y", "score")]
    rows = [[f, *[n for j in range(17) for n in (j + 1, f + 1, 0.5)]] for f in (0, 2)]
    text = "\n".join(",".join(map(str, row)) for row in [["frame", *columns], *rows])
    loaded = load(tmp_path, text)
    assert loaded.skeleton == H36M_17
    assert loaded.keypoints[0, 0, :, 0].tolist() == list(range(17, 0, -1))
    assert loaded.keypoints[:, 0, 0, 1].tolist() == [1, 3]
    assert (loaded.scores == 0.5).all()


@pytest.mark.parametrize("separator", [";", "\t"])
def test_tables_of_spreadsheets(tmp_path: Path, separator: str) -> None:
    rows = [f"0,{joint},{i}.25,{i}.5" for i, joint in enumerate(H36M_17.joints)]
    text = "\n".join(["frame,joint,x,y", *rows])
    plain = load(tmp_path, text)
    theirs = text.replace(",", separator).replace(".", ",")
    np.testing.assert_array_equal(load(tmp_path, theirs).keypoints, plain.keypoints)
    with pytest.raises(InputError, match=r"line 2: '1\.250\.5' is not a number"):
        load(tmp_path, theirs.replace("0,25", "1,250,5"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scorer,DLC,DLC\nbodyparts,nose,nose\ncoords,x,y", "DeepLabCut"),
        ("frame|joint|x|y\n", r"its columns are 'frame\|joint\|x\|y': give columns frame"),
        ("frame,joint,x,y\n", "no rows"),
        ("frame,nose_x\n0,1", "'nose' have x but no y"),
        ("frame,x,y,joint,x\n", "twice"),
        ("frame,joint,x,y\n0,nose,1", "line 2: 3 cells, the header has 4"),
        ("frame,joint,x,y\n0,nose,1,a", "line 2: 'a' is not a number"),
        ("frame,joint,x,y\n0.5,nose,1,2", "line 2: frame must be a whole number"),
        ("frame,joint,x,y\n,nose,1,2", "line 2: frame must be a whole number"),
        ("frame,person,joint,x,y\n0,Anna,nose,1,2", "'Anna' is not a number"),
        ("frame,joint,x,y\n0,nose,1,2\n0,Nose,1,2", "line 3: a second 'nose'"),
        ("frame,joint,x,y\n0,snout,1,2", "no known joint set has all of the joints 'snout'"),
        ("frame,joint,x,y\n0,nose,1,2", "'nose' fit coco_17, .*name one with --skeleton"),
        ('frame,joint,x,y\n0,"nose,1,2', "not a readable CSV"),
        (
            "frame,pelvis_x,pelvis_y,head_top_x,head_top_y,neck_nose_x,neck_nose_y\n0,1,inf,1,1,1,1",
            "infinite y in frame 0, person 0, joint pelvis",
        ),
    ],
)
def test_errors(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(tmp_path, text)


def test_a_joint_that_the_named_skeleton_lacks(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="joint 'nose' is not in h36m_17, which has pelvis"):
        load(tmp_path, "frame,joint,x,y\n0,nose,1,2", skeleton="h36m_17")

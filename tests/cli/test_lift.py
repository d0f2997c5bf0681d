from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ampose.export import read_npz
from ampose.skeletons import COCO_17
from tests.research.training.commands import Command, assert_one_line

SIZE = ("--image-size", "640x480")
COCO = ("--skeleton", "coco_17")


def points(joints: int = 17, frames: int = 3) -> np.ndarray:
    """(T, J, 3) x, y, score."""
    xy = np.random.default_rng(0).uniform(100, 400, (frames, joints, 2))
    return np.concatenate([xy, np.ones((frames, joints, 1))], axis=-1)


def flat(person: np.ndarray) -> list[float]:
    return [float(value) for value in person.ravel()]


def results(image: Callable[[int], object], joints: int = 17) -> list[dict[str, Any]]:
    """COCO's or AlphaPose's list, depending on the names of the images."""
    return [
        {"image_id": image(index), "category_id": 1, "keypoints": flat(person), "score": 1.0}
        for index, person in enumerate(points(joints))
    ]


def save(name: str, document: object) -> Path:
    path = Path(name)
    path.write_text(json.dumps(document))
    return path


def coco() -> Path:
    return save("coco.json", results(int))


def alphapose() -> Path:
    return save("halpe.json", results("{}.jpg".format, joints=26))


def openpose() -> Path:
    Path("openpose").mkdir()
    for index, person in enumerate(points(25)):
        people = [{"person_id": [-1], "pose_keypoints_2d": flat(person)}]
        save(f"openpose/clip_{index:012}_keypoints.json", {"version": 1.3, "people": people})
    return Path("openpose")


def openpose_file() -> Path:
    person = {"pose_keypoints_2d": flat(points(25)[0])}
    return save("one_keypoints.json", {"version": 1.3, "people": [person, person]})


def npz() -> Path:
    np.savez("k.npz", keypoints=points())
    return Path("k.npz")


def csv() -> Path:
    rows = [
        f"{frame},{joint},{x},{y}"
        for frame, person in enumerate(points())
        for joint, (x, y, _) in zip(COCO_17.joints, person, strict=True)
    ]
    Path("k.csv").write_text("\n".join(["frame,joint,x,y", *rows]))
    return Path("k.csv")


def test_keypoints_are_never_replaced(ampose: Command) -> None:
    """By poses made of them, such as of an earlier result lifted again."""
    assert ampose("lift", npz(), "-o", "out", *SIZE, *COCO).code == 0
    before = Path("out/poses.npz").read_bytes()
    said = ampose("lift", "out/poses.npz", "-o", "out", "--force")
    assert_one_line(said, "out/poses.npz would be replaced by its own result; take another -o")
    assert Path("out/poses.npz").read_bytes() == before
    assert ampose("lift", "out/poses.npz", "-o", "again").code == 0


def test_what_an_earlier_result_left_is_told_as_such(ampose: Command) -> None:
    """``--force`` replaces files, and removes none."""
    source = npz()
    words = ("lift", source, "-o", "out", "--force", *SIZE, *COCO)
    assert ampose(*words, "--format", "csv,bvh").out.endswith(
        "Results in out: poses.npz, poses.json, poses.csv, person_<id>.bvh\n"
        "Open out/overlay.mp4 to look at them.\n"
    )
    said = ampose(*words, "--format", "csv").out
    assert "note: of an earlier result, and still there: person_0.bvh\n" in said
    assert "Results in out: poses.npz, poses.json, poses.csv\n" in said
    np.savez("k.npz", keypoints=np.full((3, 17, 3), np.nan))
    said = ampose(*words, "--format", "csv-wide,bvh,mot").out
    assert "note: of an earlier result, and still there: person_0.bvh, poses.csv\n" in said
    assert "Results in out: poses.npz, poses.json, poses_wide.csv\n" in said


@pytest.mark.parametrize(
    ("make", "words", "shape"),
    [
        (coco, COCO, (3, 1)),
        (alphapose, (), (3, 1)),
        (openpose, (), (3, 1)),
        (openpose_file, (), (1, 2)),
        (npz, COCO, (3, 1)),
        (csv, COCO, (3, 1)),
    ],
)
def test_every_format(
    ampose: Command, make: Callable[[], Path], words: tuple[str, ...], shape: tuple[int, int]
) -> None:
    said = ampose("lift", make(), "-o", "out", *words, *SIZE, "--fps", 10)
    assert (said.code, said.err) == (0, "")
    result = read_npz(Path("out/poses.npz"))
    assert result.joints.shape == (*shape, 17, 3)
    assert result.valid.all()
    assert result.times.tolist() == pytest.approx([0, 0.1, 0.2][: shape[0]])
    overlay = "overlay.mp4" if shape[0] > 1 else "overlay.png"
    assert said.out.endswith(f"Open out/{overlay} to look at them.\n")


@pytest.mark.parametrize(
    ("make", "words", "complaint"),
    [
        (coco, (), "17 joints could be h36m_17, coco_17 or mpi_3dhp_17: name it with --skeleton"),
        (npz, (), "17 joints could be h36m_17, coco_17 or mpi_3dhp_17"),
        (npz, ("--skeleton", "zebra"), "unknown skeleton 'zebra'; known are h36m_17"),
        (npz, ("--skeleton", "halpe_26"), "the file has 17 joints, halpe_26 has 26"),
        (openpose, COCO, "the file has 25 joints, coco_17 has 17"),
    ],
)
def test_joint_sets_are_never_guessed(
    ampose: Command, make: Callable[[], Path], words: tuple[str, ...], complaint: str
) -> None:
    assert_one_line(ampose("lift", make(), "-o", "out", *words, *SIZE), complaint)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("", "the file is empty"),
        ("[]", "JSON, but not of keypoints: a list that is empty; accepted are COCO JSON"),
        ("{}", "an object that is empty"),
        ('{"cats": 3}', "an object with 'cats'"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("hello", "not a known table"),
    ],
)
def test_empty_and_alien_files(ampose: Command, document: str, complaint: str) -> None:
    Path("k.json").write_text(document)
    assert_one_line(ampose("lift", "k.json", "-o", "x/out", *COCO, *SIZE), "k.json: ", complaint)
    assert [path.name for path in Path().iterdir()] == ["k.json"]


def test_binary_files(ampose: Command) -> None:
    Path("k.npz").write_bytes(np.random.default_rng(0).bytes(999))
    assert_one_line(ampose("lift", "k.npz", "-o", "out", *COCO, *SIZE), "k.npz: ")
    Path("k.npz").write_bytes(b"PK" + bytes(99))
    assert_one_line(ampose("lift", "k.npz", "-o", "out", *COCO, *SIZE), "not a readable NPZ file")
    assert_one_line(ampose("lift", "no.npz", "-o", "out", *COCO, *SIZE), "No such file")
    assert_one_line(ampose("lift", ".", "-o", "out", *COCO, *SIZE), "holds no *_keypoints.json")
    assert not Path("out").exists()


def test_infinite_values(ampose: Command) -> None:
    document = results(int)
    document[1]["keypoints"][4] = float("inf")
    said = ampose("lift", save("k.json", document), "-o", "out", *COCO, *SIZE)
    assert_one_line(said, "infinite y in frame 1, person 0, joint left_eye")


def test_a_wrong_joint_count(ampose: Command) -> None:
    document = results(int)
    del document[1]["keypoints"][-3:]
    said = ampose("lift", save("k.json", document), "-o", "out", *COCO, *SIZE)
    assert_one_line(said, "frame 1: 16 joints, coco_17 has 17")


def test_missing_joints_and_people(ampose: Command) -> None:
    keypoints = points()[..., :2]
    keypoints[0] = np.nan
    keypoints[1, 9:11] = np.nan
    keypoints[2, 5:] = np.nan
    np.savez("k.npz", keypoints=keypoints)
    said = ampose("lift", "k.npz", "-o", "out", "--skeleton", "h36m_17", *SIZE)
    assert (said.code, said.err) == (0, "")
    assert "note: 1 of 3 frames show nobody.\n" in said.out
    assert "show fewer than 6 joints and were not lifted" in said.out
    assert "joints were not seen; they are guessed" in said.out
    result = read_npz(Path("out/poses.npz"))
    assert result.valid.all(-1)[:, 0].tolist() == [False, True, False]


def test_keypoints_outside_the_image(ampose: Command) -> None:
    np.savez("k.npz", keypoints=points()[..., :2] + 3000)
    said = ampose("lift", "k.npz", "-o", "out", *COCO, *SIZE)
    assert (said.code, said.err) == (0, "")
    assert "keypoints lie outside the image.\n" in said.out


@pytest.mark.parametrize("shape", [(0, 17, 2), (3, 0, 17, 2)])
def test_nobody(ampose: Command, shape: tuple[int, ...]) -> None:
    np.savez("k.npz", keypoints=np.zeros(shape))
    said = ampose("lift", "k.npz", "-o", "out", *COCO, *SIZE)
    assert (said.code, said.err) == (0, "")
    assert "note: No person was found.\n" in said.out
    assert read_npz(Path("out/poses.npz")).frame_count == shape[0]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "does not say how large the image was; give --image-size"),
        (("--image-size", "640"), "--image-size is WIDTHxHEIGHT, such as 1280x720, got '640'"),
        (("--image-size", "0x480"), "--image-size is"),
        (("--image-size", "axb"), "--image-size is"),
        ((*SIZE, "--fps", 0), "--fps must be"),
        ((*SIZE, "--fps", 1e9), "--fps must be 0.001 to 1,000,000 frames per second, got 1e+09"),
        ((*SIZE, "--threads", -1), "--threads must be"),
        ((*SIZE, "--weights", "k.npz"), "k.npz is not an ONNX model"),
    ],
)
def test_bad_options(ampose: Command, words: tuple[object, ...], complaint: str) -> None:
    assert_one_line(ampose("lift", npz(), "-o", "out", *COCO, *words), complaint)
    assert not Path("out").exists()


def test_frame_numbers_by_the_billion(ampose: Command) -> None:
    """PoseTrack's are; the overlay must not last for years."""
    document = results(lambda index: [1, 10_005_330_000, 2**62][index])
    said = ampose("lift", save("k.json", document), "-o", "out", *COCO, *SIZE)
    assert (said.code, said.err) == (0, "")
    times = read_npz(Path("out/poses.npz")).times
    assert times.tolist() == pytest.approx([1 / 30, 10_005_330_000 / 30, 2**62 / 30])

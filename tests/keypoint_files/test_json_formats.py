"""COCO, AlphaPose and OpenPose, each file made by hand."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.errors import InputError
from ampose.keypoint_files import load_keypoints
from ampose.skeletons import COCO_17, H36M_17


def body(joints: int, start: float = 1) -> list[float]:
    """x = start, start + 1...; y = 100 + x; score 0.5."""
    return [n for j in range(joints) for n in (start + j, 100 + start + j, 0.5)]


def save(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def annotations(*people: dict[str, Any], names: tuple[str, ...] = COCO_17.joints) -> Any:
    return {
        "images": [{"id": i, "width": 640, "height": 480, "file_name": "x"} for i in (5, 1, 2)],
        "annotations": [{"category_id": 1, **person} for person in people],
        "categories": [{"id": 1, "name": "person", "keypoints": list(names)}],
    }


def test_coco_results_keep_gaps_and_order(tmp_path: Path) -> None:
    records = [
        {"image_id": i, "category_id": 1, "keypoints": body(17, s), "score": 0.9}
        for i, s in ((5, 50), (1, 10), (1, 20), (2, 30))
    ]
    loaded = load_keypoints(save(tmp_path / "a.json", records), skeleton="h36m_17", fps=10)
    assert loaded.times.tolist() == [0.1, 0.2, 0.5]
    assert loaded.keypoints.shape == (3, 2, 17, 2)
    assert loaded.keypoints[0, :, 0].tolist() == [[10, 110], [20, 120]]
    assert loaded.keypoints[2, 0, 0].tolist() == [50, 150]
    assert np.isnan(loaded.keypoints[1:, 1]).all()
    assert not loaded.scores[1:, 1].any()
    assert loaded.ids.tolist() == [0, 1]
    assert "no identities" in loaded.warnings[0]


def test_coco_images_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    numbers = [900_001, 17, 4, 65_536, 1000]
    records = [{"image_id": i, "keypoints": body(17, i)} for i in numbers]
    loaded = load_keypoints(save(tmp_path / "a.json", records), skeleton="coco_17", fps=1)
    assert loaded.times.tolist() == sorted(numbers)
    assert loaded.keypoints[:, 0, 0, 0].tolist() == sorted(numbers)


def test_identities_of_some_are_none(tmp_path: Path) -> None:
    first, second = ({"image_id": 1, "keypoints": body(17, start)} for start in (1, 50))
    records = [first | {"track_id": 8}, second, first | {"image_id": 2, "track_id": 8}]
    loaded = load_keypoints(save(tmp_path / "a.json", records), skeleton="coco_17", fps=1)
    assert loaded.ids.tolist() == [0, 1]
    assert not loaded.identified
    assert any("no identities" in warning for warning in loaded.warnings)
    photo = load_keypoints(save(tmp_path / "a.json", records[:2]), skeleton="coco_17", fps=1)
    assert not any("no identities" in warning for warning in photo.warnings)


def test_coco_annotations(tmp_path: Path) -> None:
    person = body(17)
    person[2::3] = [0, 1, *[2] * 15]
    crowd = {"image_id": 2, "keypoints": [0] * 51, "num_keypoints": 0, "iscrowd": 1}
    box_only = {"image_id": 2, "bbox": [0, 0, 1, 1]}
    document = annotations({"image_id": 1, "keypoints": person}, crowd, box_only)
    loaded = load_keypoints(save(tmp_path / "a.json", document), fps=1)
    assert (loaded.skeleton, loaded.image_size) == (COCO_17, (640, 480))
    assert loaded.times.tolist() == [1, 2, 5]
    assert loaded.keypoints.shape == (3, 1, 17, 2)
    assert np.isnan(loaded.keypoints[0, 0, 0]).all()
    assert loaded.keypoints[0, 0, 1].tolist() == [2, 102]
    assert loaded.scores[0, 0].tolist() == [0] + [1] * 16
    assert not loaded.scores[1:].any()
    assert not any("scores" in warning for warning in loaded.warnings)


def test_coco_names_in_another_order_are_sorted(tmp_path: Path) -> None:
    document = annotations(
        {"image_id": 1, "keypoints": body(17)}, names=tuple(reversed(H36M_17.joints))
    )
    loaded = load_keypoints(save(tmp_path / "a.json", document), fps=1)
    assert loaded.skeleton == H36M_17
    assert loaded.keypoints[0, 0, :, 0].tolist() == list(range(17, 0, -1))


def test_coco_names_against_what_was_asked(tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", annotations({"image_id": 1, "keypoints": body(17)}))
    loaded = load_keypoints(path, skeleton="h36m_17", fps=1)
    assert loaded.skeleton == H36M_17
    assert loaded.keypoints[0, 0, 0].tolist() == [1, 101]
    assert "not those of h36m_17" in loaded.warnings[0]


def test_coco_without_people(tmp_path: Path) -> None:
    loaded = load_keypoints(save(tmp_path / "a.json", annotations()), fps=1)
    assert loaded.keypoints.shape == (3, 0, 17, 2)
    assert loaded.warnings == ("there is nobody in the file",)
    bare = {"images": [], "annotations": []}
    with pytest.raises(InputError, match="names no joints: name its joint set"):
        load_keypoints(save(tmp_path / "b.json", bare))
    assert load_keypoints(tmp_path / "b.json", skeleton="coco_17").scores.shape == (0, 0, 17)


def test_coco_images_of_different_size(tmp_path: Path) -> None:
    document = annotations({"image_id": 1, "keypoints": body(17)})
    document["images"][0]["width"] = 100
    path = save(tmp_path / "a.json", document)
    loaded = load_keypoints(path, fps=1)
    assert loaded.image_size is None
    assert "2 different sizes" in loaded.warnings[0]
    assert load_keypoints(path, fps=1, image_size=(9, 8)).image_size == (9, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": [{"image_id": 9, "keypoints": body(17)}]}, "image 9"),
        ({"annotations": [{"image_id": 1, "keypoints": body(16)}]}, "16 joints, the category"),
        ({"annotations": 3}, "'annotations' must be a list"),
        ({"images": [{"id": "a"}]}, "image id must be a whole number"),
        ({"categories": [{"keypoints": ["hip", "Snout"]}]}, "no known joint set has all"),
        ({"categories": [{"keypoints": ["nose", "left_eye"]}]}, "name one with --skeleton"),
        ({"categories": [{"keypoints": ["nose", "nose"]}]}, "a joint twice"),
        ({"categories": [{"keypoints": ["a"]}, {"keypoints": ["b"]}]}, "different joints"),
        ({"categories": []}, "name it with --skeleton"),
    ],
)
def test_coco_annotation_errors(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    document = annotations({"image_id": 1, "keypoints": body(17)}) | change
    with pytest.raises(InputError, match=message):
        load_keypoints(save(tmp_path / "a.json", document))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"image_id": 1, "keypoints": body(16)}, "frame 1: 16 joints, coco_17 has 17"),
        ({"image_id": 1, "keypoints": [1, 2]}, "one flat list"),
        ({"image_id": 1, "keypoints": [[1, 2, 3]]}, "one flat list"),
        ({"image_id": 1, "keypoints": ["a", 1, 2]}, "must be numbers"),
        ({"image_id": 1, "keypoints": [10**400, 1, 2]}, "must be numbers"),
        ({"image_id": 1}, "one flat list"),
        ({"image_id": True, "keypoints": body(17)}, "image_id must be a whole number"),
        ({"image_id": 2**64, "keypoints": body(17)}, "image_id must be a whole number"),
        ({"image_id": "1.jpg", "keypoints": body(17)}, "image_id must be a whole number"),
        (7, "must be a list of objects"),
    ],
)
def test_coco_result_errors(tmp_path: Path, record: Any, message: str) -> None:
    records = [{"image_id": 0, "keypoints": body(17)}, record]
    with pytest.raises(InputError, match=message):
        load_keypoints(save(tmp_path / "a.json", records), skeleton="coco_17")


def test_arrays_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    records = [{"image_id": n, "track_id": n, "keypoints": body(17)} for n in range(3300)]
    with pytest.raises(InputError, match="3300 frames of 3300 people are too many"):
        load_keypoints(save(tmp_path / "a.json", records), skeleton="coco_17")


def test_alphapose_names_halpe_and_identities(tmp_path: Path) -> None:
    records = [
        {"image_id": f"{n}.jpg", "keypoints": body(26, s), "score": 3.1, "idx": idx, "box": []}
        for n, s, idx in ((10, 1, 7), (9, 2, 4.0), (9, 3, [7]))
    ]
    loaded = load_keypoints(save(tmp_path / "a.json", records), fps=1)
    assert loaded.skeleton.name == "halpe_26"
    assert loaded.times.tolist() == [9, 10]
    assert loaded.ids.tolist() == [4, 7]
    assert loaded.keypoints[:, 1, 0, 0].tolist() == [3, 1]
    assert loaded.warnings == ()


def test_alphapose_seventeen_must_be_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", [{"image_id": "a.jpg", "keypoints": body(17)}])
    with pytest.raises(InputError, match="17 joints could be"):
        load_keypoints(path)
    assert load_keypoints(path, skeleton="coco_17").times.tolist() == [0]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"image_id": "1.jpg", "keypoints": body(26), "idx": 3}, "person 3 appears 2 times"),
        ({"image_id": "2.jpg", "keypoints": body(26), "idx": "x"}, "idx must be a whole"),
        ({"image_id": 2, "keypoints": body(26), "idx": 3}, "image_id must be a name"),
        ({"image_id": "2.jpg", "keypoints": body(17), "idx": 3}, "17 joints, halpe_26"),
    ],
)
def test_alphapose_errors(tmp_path: Path, record: Any, message: str) -> None:
    records = [{"image_id": "1.jpg", "keypoints": body(26), "idx": 3}, record]
    with pytest.raises(InputError, match=message):
        load_keypoints(save(tmp_path / "a.json", records))


def openpose(*bodies: list[float], person_id: int = -1) -> Any:
    return {
        "version": 1.3,
        "people": [{"person_id": [person_id], "pose_keypoints_2d": b} for b in bodies],
    }


def test_openpose_file(tmp_path: Path) -> None:
    points = body(25)
    points[3:6] = [0, 0, 0]
    loaded = load_keypoints(save(tmp_path / "a.json", openpose(points)))
    assert loaded.skeleton.name == "body_25"
    assert loaded.keypoints[0, 0, 0].tolist() == [1, 101]
    assert np.isnan(loaded.keypoints[0, 0, 1]).all()
    assert (loaded.ids.tolist(), loaded.times.tolist(), loaded.warnings) == ([0], [0], ())


@pytest.mark.parametrize(
    ("names", "times"),
    [(("v_2", "v_10", "v_11"), [2, 10, 11]), (("a9", "a10", "b"), [0, 1, 2])],
)
def test_openpose_folder(tmp_path: Path, names: tuple[str, ...], times: list[float]) -> None:
    for place, name in enumerate(names):
        people = [body(25, place)] if place else []  # the first frame shows nobody
        save(tmp_path / f"{name}_keypoints.json", openpose(*people))
    (tmp_path / "notes.txt").write_text("not a frame")
    loaded = load_keypoints(tmp_path, fps=1)
    assert loaded.times.tolist() == times
    assert loaded.keypoints[1:, 0, 0, 0].tolist() == [1, 2]
    assert np.isnan(loaded.keypoints[0]).all()


def test_openpose_identities(tmp_path: Path) -> None:
    for frame in range(2):
        document = openpose(body(25), person_id=8)
        save(tmp_path / f"{frame}_keypoints.json", document)
    assert load_keypoints(tmp_path, fps=1).ids.tolist() == [8]


def test_openpose_nobody(tmp_path: Path) -> None:
    loaded = load_keypoints(save(tmp_path / "a.json", openpose([])))
    assert loaded.keypoints.shape == (1, 0, 25, 2)
    assert "nobody" in loaded.warnings[0]


@pytest.mark.parametrize(("joints", "name"), [(18, "COCO_18"), (15, "MPI_15")])
def test_openpose_sets_we_lack(tmp_path: Path, joints: int, name: str) -> None:
    with pytest.raises(InputError, match=f"{name}.*BODY_25"):
        load_keypoints(save(tmp_path / "a.json", openpose(body(joints))))


def test_openpose_layout_with_another_named_set(tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", openpose(body(26)))  # as Pose2Sim writes it
    with pytest.raises(InputError, match="26 joints could be halpe_26: name it"):
        load_keypoints(path)
    assert load_keypoints(path, skeleton="halpe_26").skeleton.name == "halpe_26"


def test_openpose_folder_beyond_2_gb(tmp_path: Path) -> None:
    for name in ("1", "2"):
        with (tmp_path / f"{name}_keypoints.json").open("wb") as file:
            file.truncate(2**30 + 1)  # sparse: takes no room
    with pytest.raises(InputError, match="larger than 2 GB together"):
        load_keypoints(tmp_path)


def test_openpose_folder_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no"):
        load_keypoints(tmp_path)
    save(tmp_path / "1_keypoints.json", [])
    with pytest.raises(InputError, match=r"1_keypoints\.json: no OpenPose file"):
        load_keypoints(tmp_path)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "people", "keypoints"]), inner, max_size=2)
    ),
    max_leaves=4,
)
documents = st.sampled_from(
    [
        annotations({"image_id": 1, "keypoints": body(17), "track_id": 1}),
        [{"image_id": n, "keypoints": body(17), "track_id": 1} for n in range(2)],
        [{"image_id": f"{n}.jpg", "keypoints": body(26), "idx": 1} for n in range(2)],
        openpose(body(25), person_id=1),
    ]
)


@given(st.data(), documents, junk)
def test_any_wrong_value_is_an_input_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, document: Any, wrong: Any
) -> None:
    document = copy.deepcopy(document)
    spot = document
    while True:
        key = data.draw(
            st.sampled_from(list(spot) if isinstance(spot, dict) else range(len(spot)))
        )
        if not isinstance(spot[key], dict | list) or not spot[key] or data.draw(st.booleans()):
            break
        spot = spot[key]
    spot[key] = wrong
    path = save(tmp_path_factory.mktemp("junk") / "a.json", document)
    skeleton = data.draw(st.sampled_from([None, "coco_17"]))
    with contextlib.suppress(InputError):
        loaded = load_keypoints(path, skeleton=skeleton)
        assert not np.isinf(loaded.keypoints).any()

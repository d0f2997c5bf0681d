from __future__ import annotations

import json
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import jsonschema
import numpy as np
import pytest
from PIL import Image

import ampose
from ampose import Camera, FramePoses, InputError, Options, results, running
from ampose.export import json_schema, read_npz
from ampose.poses import Pose2D, PoseSequence
from ampose.skeletons import COCO_17, Skeleton
from tests.cli.clips import SIZE, clip, nobody, person, photo

CAMERA = Camera.from_fov((64, 48), 60)


class Fixed:
    """A detector that sees the same people everywhere."""

    skeleton: Skeleton = COCO_17
    provenance: dict[str, str] = {"finder": "fixed"}  # noqa: RUF012 - as the protocol has it

    def __init__(self, *people: Pose2D) -> None:
        self.people = people

    def detect(self, image: np.ndarray) -> list[Pose2D]:
        return list(self.people)

    def follow(self, image: np.ndarray, previous: Pose2D) -> Pose2D | None:
        return previous


def body(left: float, *, size: float = 100) -> Pose2D:
    random = np.random.default_rng(1)
    points = random.uniform((left, 100), (left + size, 100 + size), (17, 2)).astype(np.float32)
    box = np.concatenate([points.min(0), points.max(0)])
    return Pose2D(points, np.full(17, 0.9, np.float32), box, COCO_17)


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replaces the detector, so that a run costs nothing."""

    def see(*people: Pose2D) -> None:
        monkeypatch.setattr(running, "load_detector", lambda *_, **__: Fixed(*people))

    return see


def frame(index: int, ids: list[int], camera: Camera = CAMERA) -> FramePoses:
    """People whose every number is their identity."""
    value = np.array(ids, np.float32)
    return FramePoses(
        index,
        index / 10,
        "clip.mp4",
        np.zeros((48, 64, 3), np.uint8),
        camera,
        np.array(ids, np.int64),
        *(
            np.broadcast_to(value.reshape(-1, *[1] * len(tail)), (len(ids), *tail)).copy()
            for tail in ((17, 3), (3,), (17, 3), (17, 2), (17,))
        ),
    )


# gather


def test_gather_sorts_people_and_leaves_gaps() -> None:
    sequence = results.gather([frame(0, [7, 2]), frame(1, []), frame(2, [2])])
    assert sequence.ids.tolist() == [2, 7]
    assert sequence.times.tolist() == [0, 0.1, 0.2]
    here = np.array([[True, True], [False, False], [True, False]])
    for key in ("joints", "root", "sigma", "keypoints"):
        values = getattr(sequence, key)
        assert values.dtype == np.float32
        there = values.reshape(3, 2, -1)
        assert (np.isfinite(there).all(-1) == here).all()
        assert (np.isnan(there).all(-1) == ~here).all()
        assert (there[:, 0][here[:, 0]] == 2).all()
        assert (there[:, 1][here[:, 1]] == 7).all()
    assert (sequence.valid.all(-1) == here).all()
    assert (sequence.scores[~here] == 0).all()
    assert "1 of 3 frames show nobody." in sequence.warnings


def test_gather_keeps_one_camera_where_all_are_the_same() -> None:
    assert results.gather([frame(0, [1]), frame(1, [1])]).cameras == (CAMERA,)
    other = Camera.from_fov((48, 64), 60)
    mixed = results.gather([frame(0, [1]), frame(1, [1], other)])
    assert mixed.cameras == (CAMERA, other)
    assert mixed.camera(1) is other


def test_gather_nothing_and_nobody() -> None:
    assert results.gather([]).joints.shape == (0, 0, 17, 3)
    alone = results.gather([frame(0, [])])
    assert alone.joints.shape == (1, 0, 17, 3)
    assert "No person was found." in alone.warnings


def test_gather_drops_pictures_as_it_goes() -> None:
    pictures: list[weakref.ref[Any]] = []

    def frames() -> Iterator[FramePoses]:
        for index in range(4):
            yield frame(index, [1])
            assert all(picture() is None for picture in pictures[:-1])

    def noted(stream: Iterator[FramePoses]) -> Iterator[FramePoses]:
        for given in stream:
            pictures.append(weakref.ref(given.image))
            yield given

    assert results.gather(noted(frames())).frame_count == len(pictures) == 4


# run, stream, lift_file


def test_a_video_by_the_real_detector(tmp_path: Path) -> None:
    result = ampose.run(clip(tmp_path / "a.mp4"))
    assert result.joints.shape == (3, 1, 17, 3)
    assert result.valid.all()
    assert result.times == pytest.approx([0, 0.04, 0.08])
    head, pelvis, foot = result.keypoints[0, 0, [10, 0, 3], 1]
    assert 0 < head < pelvis < foot < SIZE[1]
    assert result.joints[0, 0, 10, 1] < -0.3  # the head is above the pelvis
    assert 1 < result.root[0, 0, 2] < 20
    assert result.provenance["source"] == "a.mp4"
    assert result.provenance["refiner"] == "movenet_thunder.onnx"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.mp4"]


def test_everybody_is_found(tmp_path: Path) -> None:
    pair = np.concatenate([person()[0], person()[0]], axis=1)
    result = ampose.run(photo(tmp_path / "a.png", pair))
    assert result.person_count == 2
    middles = np.sort(np.nanmean(result.keypoints[0, :, :, 0], axis=-1))
    assert middles[0] < SIZE[0] < middles[1]
    assert middles[1] - middles[0] == pytest.approx(SIZE[0], abs=SIZE[0] / 10)


def test_stream_gives_frames_as_they_come(tmp_path: Path) -> None:
    frames = ampose.stream(clip(tmp_path / "a.mp4"))
    first = next(frames)
    assert (first.index, first.time, first.name) == (0, 0, "a.mp4")
    assert first.image.shape == (480, 272, 3)
    assert first.camera.size == SIZE
    assert first.joints.shape == (1, 17, 3)
    assert first.valid.all()
    rest = list(frames)
    assert [frame.index for frame in rest] == [1, 2]
    assert [frame.ids.tolist() for frame in rest] == [[0], [0]]
    gathered = results.gather([first, *rest])
    alone = ampose.run(tmp_path / "a.mp4", options=Options(frame_by_frame=True))
    np.testing.assert_allclose(gathered.joints, alone.joints, atol=1e-6)
    np.testing.assert_array_equal(gathered.keypoints, alone.keypoints)


def test_streaming_something_missing() -> None:
    with pytest.raises(InputError, match=r"nowhere.mp4 does not exist"):
        next(ampose.stream("nowhere.mp4"))


def test_results_are_what_run_returns(tmp_path: Path, sees: Any) -> None:
    sees(body(20), body(150))
    result = ampose.run(clip(tmp_path / "a.mp4"), tmp_path / "out", Options(fov=50, min_score=0.1))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["overlay.mp4", "poses.json", "poses.npz"]
    back = read_npz(tmp_path / "out" / "poses.npz")
    for key in ("joints", "root", "keypoints", "scores", "valid", "ids", "times"):
        np.testing.assert_array_equal(getattr(back, key), getattr(result, key))
    document = json.loads((tmp_path / "out" / "poses.json").read_text())
    jsonschema.validate(document, json_schema())
    assert document["ids"] == [0, 1]
    options = document["provenance"]["options"]
    assert {"fov": 50, "min_score": 0.1, "mapping": "hybrid"}.items() <= options.items()
    assert document["camera"]["source"] == "given"


def played(path: Path) -> tuple[str, list[float]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [float(frame.pts * frame.time_base) for frame in container.decode(stream)]
        return stream.codec_context.name, times


def test_the_overlay_keeps_the_times_of_a_variable_frame_rate(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    source = clip(tmp_path / "a.mkv", [*person(), person()[0]], times=[0, 40, 200, 600])
    result = ampose.run(source, tmp_path / "out")
    assert result.times == pytest.approx([0, 0.04, 0.2, 0.6])
    codec, times = played(tmp_path / "out" / "overlay.mp4")
    assert codec == "h264"
    assert times == pytest.approx([0, 0.04, 0.2, 0.6], abs=1e-3)


def test_start_end_and_slow_motion(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    source = clip(tmp_path / "a.mp4", [person()[0]] * 6)
    cut = ampose.run(source, options=Options(start=0.08, end=0.16))
    assert cut.times == pytest.approx([0.08, 0.12])
    slow = ampose.run(source, options=Options(capture_fps=250))
    assert slow.times == pytest.approx(np.arange(6) / 250)


def test_the_overlay_neither_stands_still_for_days_nor_stops_time(
    tmp_path: Path, sees: Any
) -> None:
    keypoints = np.random.default_rng(0).uniform(0, 300, (4, 17, 2))
    np.savez(
        tmp_path / "k.npz",
        keypoints=keypoints,
        times=[-5.0, -5 + 1e-9, 0.0, 1e15],
        skeleton="coco_17",
        image_size=[640, 480],
    )
    result = ampose.lift_file(tmp_path / "k.npz", tmp_path / "out")
    assert result.times.tolist() == [-5.0, -5 + 1e-9, 0.0, 1e15]
    _, times = played(tmp_path / "out" / "overlay.mp4")
    assert times == pytest.approx([0, 0.001, 5.001, 15.001], abs=1e-3)


def test_options_of_another_kind_of_source_are_named(tmp_path: Path, sees: Any) -> None:
    sees(body(0))
    source = photo(tmp_path / "a.png")
    options = Options(start=1, capture_fps=240, sequence=True, fps=10)
    assert ignored(ampose.run(source, options=options)) == [
        "Options that mean nothing for a photo were ignored: --start, --capture-fps, --sequence, "
        "--fps."
    ]
    assert not ignored(ampose.run(source))


def ignored(result: PoseSequence) -> list[str]:
    return [warning for warning in result.warnings if "were ignored" in warning]


def test_options_of_motion_are_named_where_nothing_moves(tmp_path: Path, sees: Any) -> None:
    sees(body(0))
    source = photo(tmp_path / "in" / "a.png")
    options = Options(
        filter="one-euro", cutoff=3, bones=False, height=1.8, pitch=20, roll=5, frame_by_frame=True
    )
    names = "--filter, --cutoff, --no-bones, --pitch, --roll."
    assert ignored(ampose.run(source, options=options)) == [
        f"Options that mean nothing for a photo were ignored: {names}"
    ]
    separate = ampose.run(source.parent, options=replace(options, fps=10))
    assert ignored(separate) == [
        f"Options that mean nothing for photos that stand alone were ignored: --fps, {names}"
    ]
    sequence = Options(sequence=True, fps=10, pitch=20, filter="none")
    assert not ignored(ampose.run(source.parent, options=sequence))
    filmed = ampose.run(clip(tmp_path / "a.mp4"), options=Options(pitch=20, cutoff=3))
    assert not ignored(filmed)


def test_photos_of_a_folder_stand_alone(tmp_path: Path, sees: Any) -> None:
    sees(body(20), body(150))
    photo(tmp_path / "in" / "b 10.jpg")
    photo(tmp_path / "in" / "b 9.png", nobody((300, 200)))
    result = ampose.run(tmp_path / "in", tmp_path / "out")
    assert result.times.tolist() == [0, 0]
    assert [camera.size for camera in result.cameras] == [(300, 200), SIZE]
    overlays = sorted(path.name for path in (tmp_path / "out" / "overlay").iterdir())
    assert overlays == ["0000_b 9.png", "0001_b 10.png"]


@pytest.mark.parametrize("name", ["\u5c71" * 80, "a" * 251, "x" + "\u00e9" * 120])
def test_photos_with_the_longest_names(tmp_path: Path, sees: Any, name: str) -> None:
    sees(body(20))
    small = photo(tmp_path / "small.png")
    (tmp_path / "in").mkdir()
    for end in ("", "2"):
        (tmp_path / "in" / f"{name[: len(name) - len(end)]}{end}.png").write_bytes(
            small.read_bytes()
        )
    ampose.run(tmp_path / "in", tmp_path / "out")
    overlays = sorted(path.stem for path in (tmp_path / "out" / "overlay").iterdir())
    assert [stem[:5] for stem in overlays] == ["0000_", "0001_"]
    for stem in overlays:
        assert name.startswith(stem[5:])
        assert 190 < len(stem.encode()) <= 205


def test_a_sequence_of_photos_is_a_video(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    for index in range(3):
        photo(tmp_path / "in" / f"{index}.jpg")
    result = ampose.run(tmp_path / "in", tmp_path / "out", Options(sequence=True, fps=10))
    assert result.times == pytest.approx([0, 0.1, 0.2])
    assert len(result.cameras) == 1
    assert (tmp_path / "out" / "overlay.mp4").exists()
    unsure = ampose.run(tmp_path / "in", options=Options(sequence=True))
    assert any("30 frames per second are assumed" in note for note in unsure.warnings)
    assert unsure.times == pytest.approx([0, 1 / 30, 2 / 30])


@pytest.mark.parametrize("out", [None, "out"])
def test_a_sequence_of_different_sizes(tmp_path: Path, sees: Any, out: str | None) -> None:
    sees(body(20))
    photo(tmp_path / "in" / "1.jpg")
    photo(tmp_path / "in" / "2.jpg", nobody((300, 200)))
    with pytest.raises(InputError, match=r"2.jpg has 300 x 200 pixels, 1.jpg has 272 x 480"):
        ampose.run(tmp_path / "in", out and tmp_path / out, Options(sequence=True))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_exif_turns_the_photo_and_gives_the_camera(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    lying = Image.Exif()
    lying[0x0112] = 6  # turn right to see it upright
    lying.get_ifd(0x8769)[0xA405] = 26  # mm, as on 35 mm film
    source = photo(tmp_path / "a.jpg", np.rot90(person()[0]), exif=lying)
    result = ampose.run(source)
    assert result.cameras[0].size == SIZE
    assert result.cameras[0].source == "exif"
    assert not any("field of view" in note for note in result.warnings)


def test_the_camera_of_one_photo_is_not_that_of_the_next(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    lens = Image.Exif()
    lens.get_ifd(0x8769)[0xA405] = 85
    photo(tmp_path / "in" / "1.jpg", exif=lens)
    alone = ampose.run(photo(tmp_path / "in" / "2.jpg"))
    result = ampose.run(tmp_path / "in")
    assert [camera.source for camera in result.cameras] == ["exif", "assumed"]
    assert result.cameras[1].focal == alone.cameras[0].focal
    assert any("field of view is not known" in warning for warning in result.warnings)
    told = [pose.camera.source for pose in ampose.stream(tmp_path / "in")]
    assert told == ["exif", "assumed"]
    filmed = ampose.run(tmp_path / "in", options=Options(sequence=True, fps=10))
    assert [camera.source for camera in filmed.cameras] == ["exif"]


def test_a_very_large_photo_is_told_in_its_own_pixels(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    source = photo(tmp_path / "a.png", nobody((8192, 10)))
    wanted = ampose.run(photo(tmp_path / "b.png", nobody((4096, 5)))).keypoints
    result = ampose.run(source, tmp_path / "out")
    assert result.cameras[0].size == (8192, 10)
    np.testing.assert_allclose(result.keypoints, wanted * 2, rtol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (1000, 1)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    result = ampose.run(photo(tmp_path / "a.png", nobody(size)), tmp_path / "out")
    assert result.joints.shape == (1, 0, 17, 3)
    assert "No person was found." in result.warnings


def test_progress_is_told(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    told: list[tuple[int, int | None]] = []
    ampose.run(clip(tmp_path / "a.mp4"), progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    told.clear()
    ampose.run(tmp_path / "a.mp4", tmp_path / "out", progress=lambda *each: told.append(each))
    assert told == [(done, 6) for done in range(1, 7)]  # to find, and to draw


def test_an_error_on_the_way_leaves_nothing(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    photo(tmp_path / "in" / "1.jpg")
    (tmp_path / "in" / "2.jpg").write_text("no photo")
    with pytest.raises(InputError, match=r"2.jpg is not a photo"):
        ampose.run(tmp_path / "in", tmp_path / "x" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_lifting_a_file_needs_the_image_size(tmp_path: Path) -> None:
    np.savez(tmp_path / "k.npz", keypoints=np.zeros((2, 17, 2)))
    with pytest.raises(InputError, match=r"does not say how large .* --image-size"):
        ampose.lift_file(tmp_path / "k.npz", skeleton="coco_17")


def test_lifting_a_file_keeps_its_people_and_times(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "k.npz",
        keypoints=random.uniform(0, 400, (2, 3, 17, 2)),
        ids=[4, 9, -1],
        times=[1.5, 2.5],
    )
    result = ampose.lift_file(tmp_path / "k.npz", skeleton="coco-17", image_size=(640, 480))
    assert result.ids.tolist() == [4, 9, -1]
    assert result.times.tolist() == [1.5, 2.5]
    assert result.provenance["source"] == "k.npz"
    assert result.joints.shape == (2, 3, 17, 3)


def recording(path: Path, **more: object) -> Path:
    """Two people who change places in the file in every frame, but not in the picture."""
    one, other = (body(left).keypoints for left in (20, 300))
    frames = [[one, other] if frame % 2 else [other, one] for frame in range(20)]
    np.savez(path, keypoints=np.array(frames), image_size=[640, 480], skeleton="coco_17", **more)
    return path


def test_keypoints_without_times_are_lifted_one_by_one(tmp_path: Path) -> None:
    untimed = recording(tmp_path / "k.npz", ids=[0, 1])
    result = ampose.lift_file(untimed)
    assert any("frames' times are not known" in warning for warning in result.warnings)
    assert np.isnan(result.world).all()
    timed = ampose.lift_file(untimed, options=Options(fps=25))
    assert not any("times are not known" in warning for warning in timed.warnings)
    assert np.isfinite(timed.world).all()
    alone = ampose.lift_file(untimed, options=Options(fps=25, frame_by_frame=True))
    np.testing.assert_array_equal(alone.joints, result.joints)


def test_the_filter_that_was_applied_is_told(tmp_path: Path, sees: Any) -> None:
    def told(result: PoseSequence) -> str:
        with_angles = ampose.angles_of(result).filter
        assert result.provenance["filter"] == with_angles
        return with_angles

    sees(body(20))
    filmed = clip(tmp_path / "a.mp4", [person()[0]] * 12)
    assert told(ampose.run(filmed)) == "butterworth"
    assert told(ampose.run(filmed, options=Options(filter="savitzky-golay"))) == "savitzky-golay"
    assert told(ampose.run(filmed, options=Options(frame_by_frame=True))) == "none"
    assert told(ampose.run(photo(tmp_path / "a.png"))) == "none"
    timed = recording(tmp_path / "k.npz", times=np.arange(20) / 25)
    lifted = ampose.lift_file(timed, options=Options(fov=70))
    assert told(lifted) == "butterworth"
    assert lifted.provenance["options"]["fov"] == 70
    assert told(ampose.lift_file(timed, options=Options(frame_by_frame=True))) == "none"
    assert told(ampose.lift_file(recording(tmp_path / "n.npz"))) == "none"


def test_people_of_a_file_without_identities_get_them(tmp_path: Path) -> None:
    result = ampose.lift_file(recording(tmp_path / "k.npz", times=np.arange(20) / 25))
    middles = np.nanmean(result.keypoints[..., 0], axis=-1)
    assert result.ids.tolist() == [0, 1]
    assert (np.ptp(middles, axis=0) < 5).all()
    named = recording(tmp_path / "n.npz", times=np.arange(20) / 25, ids=[5, 6])
    kept = ampose.lift_file(named, options=Options(person="6"))
    assert kept.ids.tolist() == [6]
    with pytest.raises(InputError, match="there is no person 4; ids are 5, 6"):
        ampose.lift_file(named, options=Options(person="4"))


def test_who_is_meant_in_a_photo(tmp_path: Path, sees: Any) -> None:
    sees(body(20), body(150, size=150))
    picture = photo(tmp_path / "in" / "a.png")
    for who in ("1", "largest"):
        assert ampose.run(picture, options=Options(person=who)).ids.tolist() == [1]
    place = ",".join(f"{number:.0f}" for number in body(150).box[:2] + 20)
    (clicked,) = ampose.run(picture, options=Options(person=place)).keypoints[0]
    assert np.nanmin(clicked[:, 0]) > 140
    with pytest.raises(InputError, match="there is no person 7; ids are 0, 1"):
        ampose.run(picture, options=Options(person="7"))
    assert ampose.run(picture.parent, options=Options(person="largest")).person_count == 1
    with pytest.raises(InputError, match="--person 1 needs one photo or a recording"):
        ampose.run(picture.parent, options=Options(person="1"))


def test_who_is_meant_in_a_video(tmp_path: Path, sees: Any) -> None:
    sees(body(20), body(150))
    source = clip(tmp_path / "a.mp4")
    result = ampose.run(source, tmp_path / "out", Options(person="1"))
    assert result.ids.tolist() == [1]
    assert [frame.ids.tolist() for frame in ampose.stream(source, Options(person="1"))] == [
        [1]
    ] * 3
    with pytest.raises(InputError, match="there is no person 2; ids are 0, 1"):
        ampose.run(source, tmp_path / "x", Options(person="2"))
    assert not (tmp_path / "x").exists()


def test_a_height_is_the_size_in_photos_too(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    picture = photo(tmp_path / "a.png")
    usual, tall = (ampose.run(picture, options=Options(height=h)) for h in (None, 2))
    share = np.linalg.norm(tall.joints[0, 0, 10]) / np.linalg.norm(usual.joints[0, 0, 10])
    assert share == pytest.approx(2 / 1.69, abs=0.01)
    assert any("2 m tall" in warning for warning in tall.warnings)


def test_our_own_results_can_be_lifted_again(tmp_path: Path, sees: Any) -> None:
    sees(body(20))
    first = ampose.run(clip(tmp_path / "a.mp4"), tmp_path / "out")
    again = ampose.lift_file(tmp_path / "out" / "poses.npz", tmp_path / "again")
    np.testing.assert_allclose(again.joints, first.joints, atol=1e-4)
    assert again.times.tolist() == first.times.tolist()


def test_our_own_results_of_photos_can_be_lifted_again(tmp_path: Path, sees: Any) -> None:
    sees(body(20), body(150))
    for name in "ab":
        photo(tmp_path / "in" / f"{name}.png")
    first = ampose.run(tmp_path / "in", tmp_path / "out")
    again = ampose.lift_file(tmp_path / "out" / "poses.npz", tmp_path / "again")
    np.testing.assert_allclose(again.joints, first.joints, atol=1e-4)
    assert any("times are not known" in warning for warning in again.warnings)


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_the_overlay_of_keypoints(tmp_path: Path, frames: int) -> None:
    np.savez(
        tmp_path / "k.npz",
        keypoints=np.full((frames, 17, 2), np.nan),
        image_size=[10_000, 20],
        skeleton="coco_17",
    )
    result = ampose.lift_file(tmp_path / "k.npz", tmp_path / "out")
    assert result.frame_count == frames
    assert "No person was found." in result.warnings
    overlays = {path.name for path in (tmp_path / "out").glob("overlay*")}
    assert overlays == [set(), {"overlay.png"}, {"overlay.mp4"}][frames]


def test_on_black_tells_progress_and_scales_down() -> None:
    sequence = results.gather([frame(0, [1]), frame(1, [1])])
    large = replace(sequence, cameras=(Camera.assumed((12_800, 6400)),))
    told: list[int] = []
    frames = list(results.on_black(large, "k.npz", lambda done, _: told.append(done)))
    assert told == [1, 2]
    assert frames[0].image.shape == (640, 1280, 3)
    assert frames[1].time == 0.1

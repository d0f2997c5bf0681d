from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ampose.analysis import Event
from ampose.errors import InputError
from ampose.report import pictures
from ampose.report.pictures import key_frames, key_moments
from tests.cli.clips import SIZE, clip, photo
from tests.report.recordings import bending, photos

RED = np.broadcast_to(np.uint8([220, 30, 30]), (SIZE[1], SIZE[0], 3))
BLUE = np.broadcast_to(np.uint8([30, 30, 220]), (SIZE[1], SIZE[0], 3))


def colour(picture: np.ndarray) -> np.ndarray:
    """Of a corner, where there is no skeleton."""
    return picture[:6, :6].mean((0, 1))


def test_the_first_of_each_event_is_shown() -> None:
    events = [Event(*words) for words in [("top", 0, 6, 0.24, ""), ("bottom", 0, 4, 0.16, "")] * 2]
    events.append(Event("top", 0, 8, 0.32, ""))
    moments = key_moments(bending(), events)
    assert moments == [(4, "bottom, 0.16 s"), (6, "top, 0.24 s")]


def test_events_of_several_people_say_whose_they_are() -> None:
    events = [Event("top", 0, 6, 0.24, ""), Event("top", 1, 6, 0.24, "")]
    assert key_moments(bending(9, 2), events) == [(6, "top (person 0), top (person 1), 0.24 s")]


def test_else_moments_are_spread_over_what_there_is() -> None:
    recording = bending(101)
    recording.valid[:50] = False
    assert [frame for frame, _ in key_moments(recording, [])] == [50, 60, 70, 80, 90, 100]


def test_few_frames_are_all_shown() -> None:
    assert [frame for frame, _ in key_moments(bending(3), [])] == [0, 1, 2]
    recording = bending(3)
    recording.valid[:] = False
    assert key_moments(recording, []) == []


def test_photos_by_number() -> None:
    assert key_moments(photos(3), [])[2] == (2, "photo 2")
    assert key_moments(photos(1), []) == [(0, "")]


def test_pictures_are_the_frames_at_their_times(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", [RED] * 6 + [BLUE] * 3)
    recording = bending(9)
    events = [Event("start", 0, 1, 0.04, ""), Event("bottom", 0, 7, 0.28, "")]
    (first, second), note = key_frames(recording, recording, events, path)
    assert note == "Pictures are from clip.mp4."
    assert colour(first.picture) == pytest.approx([220, 30, 30], abs=15)
    assert colour(second.picture) == pytest.approx([30, 30, 220], abs=15)
    assert np.ptp(second.picture.reshape(-1, 3), axis=0).max() > 150  # the skeleton is on it


def test_slow_motion_has_real_times(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", [RED] * 6 + [BLUE] * 3)
    recording = bending(9, rate=100, provenance={"options": {"capture_fps": 100}})
    events = [Event("bottom", 0, 7, 0.07, "")]
    (frame,), note = key_frames(recording, recording, events, path)
    assert note.startswith("Pictures are from")
    assert colour(frame.picture) == pytest.approx([30, 30, 220], abs=15)


def test_uneven_times(tmp_path: Path) -> None:
    times = [0, 40, 45, 50, 200, 400, 410, 600, 800]
    path = clip(tmp_path / "clip.mp4", [RED] * 3 + [BLUE] * 6, times=times)
    recording = replace(bending(9), times=np.array(times) / 1000)
    events = [Event("start", 0, 2, 0.045, ""), Event("bottom", 0, 3, 0.05, "")]
    (first, second), note = key_frames(recording, recording, events, path)
    assert note.startswith("Pictures are from")
    assert colour(first.picture) == pytest.approx([220, 30, 30], abs=15)
    assert colour(second.picture) == pytest.approx([30, 30, 220], abs=15)


def test_photos_and_folders(tmp_path: Path) -> None:
    for name, picture in (("1.png", RED), ("2.png", BLUE)):
        photo(tmp_path / "folder" / name, picture)
    poses = photos(2)
    (_, second), note = key_frames(poses, poses, [], tmp_path / "folder")
    assert note == "Pictures are from folder."
    assert colour(second.picture) == pytest.approx([30, 30, 220], abs=15)
    (only,), _ = key_frames(photos(1), photos(1), [], tmp_path / "folder" / "1.png")
    assert colour(only.picture) == pytest.approx([220, 30, 30], abs=15)


def test_another_file_of_that_name_is_not_used(tmp_path: Path) -> None:
    small = clip(tmp_path / "small.mp4", [RED[:240]] * 9)
    short = clip(tmp_path / "short.mp4", [RED] * 3)
    text = tmp_path / "text.json"
    text.write_text("{}")
    photo(tmp_path / "folder" / "1.png", RED)
    recording = bending()
    slower = clip(tmp_path / "slower.mp4", [RED] * 9, times=[50 * place for place in range(9)])
    for path in (small, short, slower, text, tmp_path / "folder"):
        with pytest.raises(InputError, match=rf"{path}.*: it is not what the result came from$"):
            key_frames(recording, recording, [], path)
        frames, note = key_frames(recording, recording, [], path, guessed=True)
        assert note.endswith(f"{path.name} was found, but is not what the result came from.")
        assert frames[0].picture.shape == (560, 560, 3)
    stills = photos(3)
    moving = clip(tmp_path / "c.mp4", [RED] * 3)
    assert "not what" in key_frames(stills, stills, [], moving, guessed=True)[1]


def test_without_a_source_skeletons_are_drawn() -> None:
    recording = replace(bending(), keypoints=np.full_like(bending().keypoints, np.nan))
    frames, note = key_frames(recording, recording, [], None)
    assert "was not found beside the result" in note
    assert np.ptp(frames[0].picture) > 100
    assert frames[0].joints.shape == (1, 17, 3)
    assert frames[0].joints[0, 10, 1] > 0.5  # the head is up


def test_nothing_to_show() -> None:
    nobody = bending().only([])
    assert key_frames(nobody, nobody, [], None) == ((), "")


def test_faces_of_everybody_are_covered_first(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", [RED] * 9)
    recording = bending(9, 2)
    seen: list[np.ndarray] = []

    class Hide:
        warnings = ()

        def __call__(
            self, image: np.ndarray, keypoints: np.ndarray, scores: np.ndarray
        ) -> np.ndarray:
            seen.append(keypoints)
            assert image.shape == (SIZE[1], SIZE[0], 3)
            assert scores.shape == keypoints.shape[:2]
            return np.zeros_like(image)

    (frame, *_), _ = key_frames(recording, recording.only([0]), [], path, hide=Hide())
    assert seen[0].shape == (2, 17, 2)
    assert seen[0][0] == pytest.approx(recording.keypoints[0, 0], abs=1e-3)
    assert colour(frame.picture) == pytest.approx([0, 0, 0])


def test_large_pictures_are_reduced_with_their_keypoints() -> None:
    image = np.zeros((3000, 1700, 3), np.uint8)
    assert pictures._small(image).shape == (1920, 1088, 3)
    recording = bending()
    places = pictures._in_picture(
        recording, 0, np.zeros((SIZE[1] // 2, SIZE[0] // 2, 3), np.uint8)
    )
    assert places == pytest.approx(recording.keypoints[0] / 2)

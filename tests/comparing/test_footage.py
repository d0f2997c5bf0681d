from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ampose import InputError
from ampose.cameras import Camera
from ampose.comparing import footage as module
from ampose.comparing.footage import Footage
from ampose.media import Video
from ampose.poses import Pose2D
from ampose.skeletons import COCO_17
from tests.cli.clips import clip, nobody, photo
from tests.comparing.recordings import numbered, recording
from tests.render.upright import points
from tests.test_pipeline import Fixed


def numbers(found: Footage, frames: list[int]) -> list[int]:
    """Which pictures were given."""
    return [round(float(image.mean()) / 5) for image in found.pictures(frames)]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return clip(tmp_path / "a.mp4", numbered(41), times=range(0, 4100, 100))


def test_frames_by_their_times(video: Path) -> None:
    found = Footage(recording(10), video, blur=False)
    for wanted in ([0, 1, 2], [5, 5, 5, 9, 9, 40], [40], list(range(41))):
        assert numbers(found, wanted) == wanted


def test_a_recording_that_left_frames_out(video: Path) -> None:
    whole = recording(10)
    kept = [0, 3, 4, 20, 40]
    live = replace(
        whole,
        times=whole.times[kept],
        **{
            name: getattr(whole, name)[kept]
            for name in ("joints", "root", "sigma", "keypoints", "scores", "valid", "world")
        },
        **{name: getattr(whole, name)[kept] for name in ("filled", "repaired", "corrected")},
    )
    assert numbers(Footage(live, video, blur=False), [0, 1, 2, 3, 4]) == kept


def test_a_part_of_a_video_and_slow_motion(video: Path) -> None:
    part = replace(recording(10), times=recording(10).times[:41] * 0.5 + 1.0)
    assert numbers(Footage(part, video, blur=False), [0, 2, 4]) == [10, 11, 12]
    slow = recording(10, provenance={"options": {"capture_fps": 40.0}})
    with Video(video) as whole:
        slow = replace(slow, times=slow.times * whole.fps / 40)
    assert numbers(Footage(slow, video, blur=False), [0, 10, 37]) == [0, 10, 37]


def test_photos(tmp_path: Path) -> None:
    for number, picture in enumerate(numbered(41)):
        photo(tmp_path / "in" / f"{number:02d}.png", picture)
    found = Footage(recording(10), tmp_path / "in", blur=False)
    assert numbers(found, [3, 3, 7]) == [3, 3, 7]
    photo(tmp_path / "in" / "99.png", numbered(1)[0])
    with pytest.raises(InputError, match="it holds 42 photos, not 41"):
        Footage(recording(10), tmp_path / "in", blur=False)


def test_what_is_not_it(tmp_path: Path, video: Path) -> None:
    other = replace(recording(10), cameras=(Camera.from_fov((32, 24), 60),))
    with pytest.raises(InputError, match="its pictures have 64 x 48 pixels, not 32 x 24"):
        Footage(other, video, blur=False)
    late = replace(recording(10), times=recording(10).times + 100)
    with pytest.raises(InputError, match=r"it has no frame at 100\.00 s"):
        Footage(late, video, blur=False)
    with pytest.raises(InputError, match="it is a photo"):
        Footage(recording(10), photo(tmp_path / "a.png"), blur=False)
    short = clip(tmp_path / "short.mp4", numbered(20), times=range(0, 2000, 100))
    with pytest.raises(InputError, match=r"short\.mp4 is not what the recording was made from"):
        numbers(Footage(recording(10), short, blur=False), [30])
    rare = clip(tmp_path / "rare.mp4", numbered(3), times=[0, 2000, 4000])
    with pytest.raises(InputError, match=r"it has no frame at 1\.00 s"):
        numbers(Footage(recording(10), rare, blur=False), [0, 10])


def test_faces_are_covered_with_what_frames_around_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head is found in the next search only, five frames after the one that is shown."""
    rng = np.random.default_rng(0)
    size = (600, 480)
    picture = nobody(size).copy()
    picture[:200] = rng.integers(0, 256, (200, 600, 3), np.uint8)
    source = clip(tmp_path / "a.mp4", [picture] * 41, times=range(0, 4100, 100))
    keypoints = points().astype(np.float32)
    box = np.concatenate([keypoints.min(0), keypoints.max(0)])
    person = Pose2D(keypoints, np.full(17, 0.9, np.float32), box, COCO_17)
    searches = []

    class Late(Fixed):
        def detect(self, image: np.ndarray) -> list[Pose2D]:
            if image.shape[0] < 480:
                return []  # a tile
            searches.append(image)
            return [person] if len(searches) == 2 else []

        def follow(self, image: np.ndarray, previous: Pose2D) -> Pose2D | None:
            return None

    monkeypatch.setattr(module, "load_detector", lambda: Late())
    sequence = replace(recording(10), cameras=(Camera.from_fov(size, 60),))
    for blur in (False, True):
        (image,) = Footage(sequence, source, blur=blur).pictures([0])
        colours = np.unique(image[70:95, 290:315].reshape(-1, 3), axis=0)
        assert (len(colours) < 20) == blur

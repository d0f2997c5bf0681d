from __future__ import annotations

import numpy as np

from ampose.cameras import Camera
from ampose.lifting.caveats import caveats

GIVEN = Camera.from_fov((640, 480), 60)


def told(
    keypoints: np.ndarray, valid: np.ndarray, *cameras: Camera, skip: int = 1
) -> tuple[str, ...]:
    return caveats(cameras or (GIVEN,), keypoints, valid)[skip:]


def seen(frames: int = 2, people: int = 1) -> tuple[np.ndarray, np.ndarray]:
    shape = (frames, people, 17)
    return np.full((*shape, 2), 100.0), np.ones(shape, bool)


def test_size_is_always_a_caveat_and_a_good_result_has_no_other() -> None:
    assert "Size and distance are estimated" in told(*seen(), skip=0)[0]
    assert told(*seen()) == ()


def test_an_assumed_field_of_view() -> None:
    (note,) = told(*seen(), GIVEN, Camera.assumed((640, 480)))
    assert note.startswith("The field of view is not known; 60 degrees")


def test_nobody() -> None:
    keypoints, valid = seen()
    assert told(keypoints * np.nan, valid & False) == ("No person was found.",)
    assert told(*seen(frames=0)) == told(*seen(people=0)) == ("No person was found.",)


def test_frames_without_anybody() -> None:
    keypoints, valid = seen(frames=3, people=2)
    keypoints[0, 0] = np.nan
    keypoints[1] = np.nan
    valid &= np.isfinite(keypoints).all(-1)
    assert told(keypoints, valid) == ("1 of 3 frames show nobody.",)


def test_people_who_show_too_little() -> None:
    keypoints, valid = seen(frames=3)
    keypoints[0, 0, 5:] = np.nan
    valid[0] = False
    assert told(keypoints, valid) == (
        "1 of 3 people-frames show fewer than 6 joints and were not lifted.",
    )


def test_guessed_joints() -> None:
    keypoints, valid = seen()
    keypoints[0, 0, :4] = np.nan
    (note,) = told(keypoints, valid)
    assert note.startswith("4 of 34 joints were not seen")


def test_keypoints_outside_the_image_of_their_own_frame() -> None:
    keypoints, valid = seen()
    keypoints[:, 0, 0] = (-1, 100)
    keypoints[:, 0, 1] = (100, 480.5)
    keypoints[:, 0, 2] = (640, 480)
    assert told(keypoints, valid) == ("4 keypoints lie outside the image.",)
    tall = Camera.from_fov((640, 500), 60)
    assert told(keypoints, valid, GIVEN, tall) == ("3 keypoints lie outside the image.",)

from __future__ import annotations

import numpy as np

from ampose.cameras import Camera
from ampose.geometry import box_of_seen
from ampose.motion.tracks import Tracks, identified
from ampose.poses import Pose2D
from ampose.skeletons import COCO_17

CAMERA = Camera.from_fov((640, 480), 60)
BODY = np.random.default_rng(0).uniform((0, 0), (60, 180), (17, 2)).astype(np.float32)
SCORES = np.linspace(0.3, 0.9, 17, dtype=np.float32)


def pose(place: float, identity: int | None) -> Pose2D:
    keypoints = BODY + np.float32(place)
    return Pose2D(keypoints, SCORES, box_of_seen(keypoints), COCO_17, identity)


def test_people_by_their_ids():
    people = [[pose(7, 7), pose(0, 0)], [], [pose(3, 3)]]
    tracks = Tracks.of(people, np.arange(3.0), COCO_17, CAMERA)
    assert tracks.ids.tolist() == [0, 3, 7]
    there = np.isfinite(tracks.keypoints).all((-2, -1))
    assert there.tolist() == [[True, False, True], [False] * 3, [False, True, False]]
    np.testing.assert_array_equal(tracks.keypoints[0, 2], BODY + 7)
    np.testing.assert_array_equal(tracks.scores, np.where(there[..., None], SCORES, 0))
    few = tracks.only([2, 1])
    assert few.ids.tolist() == [7, 3]
    np.testing.assert_array_equal(few.keypoints, tracks.keypoints[:, [2, 1]])
    np.testing.assert_array_equal(few.scores, tracks.scores[:, [2, 1]])


def test_identities_where_places_mean_nothing():
    """Two people 300 pixels apart change places in the file; one of them is seen in part."""
    keypoints = np.stack([[BODY, BODY + 300], [BODY + 302, BODY + 2], [BODY + 4, BODY + 304]])
    keypoints[:, :, 15] = np.nan
    keypoints[2, 0, 12:] = np.nan
    scores = np.where(np.isfinite(keypoints).all(-1), SCORES, 0)
    given = Tracks(keypoints, scores, np.arange(2), np.arange(3) / 25, COCO_17, CAMERA)
    found = identified(given)
    assert found.ids.tolist() == [0, 1]
    middles = np.nanmean(found.keypoints[:, :, :12], axis=(2, 3))
    apart = middles[:, 1] - middles[:, 0]
    assert np.abs(np.abs(apart) - 300).max() < 5
    assert (np.sign(apart) == np.sign(apart[0])).all()


def test_nobody_is_nobody():
    nobody = Tracks(
        np.full((3, 2, 17, 2), np.nan), np.zeros((3, 2, 17)), np.arange(2), np.arange(3.0),
        COCO_17, CAMERA,
    )  # fmt: skip
    assert identified(nobody).keypoints.shape == (3, 0, 17, 2)

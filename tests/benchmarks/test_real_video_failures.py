"""The pictures of failures: which frames, what is written on them, and where things are drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import real_video
import real_video_failures as failures
from PIL import Image
from real_video_failures import GAP, LIFTED, LINE, REFERENCE, SIDE, Failure

from ampose import media
from ampose.render.style import PANEL, person_colour
from tests.benchmarks.scene import FRAMES, SIZE, WORLD, Answering, camera, recording


def off_by(millimetres: np.ndarray, view: str = "cam01") -> real_video.Comparison:
    """One frame for each number: a wrist lifted that far from where it is."""
    count = len(millimetres)
    reference = np.repeat(camera(view).to_camera(WORLD[:1]), count, axis=0)
    lifted = reference.copy()
    lifted[:, real_video.LIMBS[2], 0] += np.asarray(millimetres) / 1000
    return real_video.Comparison(np.arange(10, 10 + count), lifted, reference)


class TestChosen:
    def test_worst_and_median_of_the_bad_views(self) -> None:
        compared = {
            "cam01": off_by([100, 500, 300, 200, 400]),
            "cam02": off_by([1, 2, 3, 4, 5]),
            "cam03": off_by([600, 10, 500, 400, 300]),
            "cam04": off_by([0, 0, 0, 0, 1]),
        }
        assert failures.chosen(compared) == [
            Failure("cam01", 1, "worst"),
            Failure("cam01", 2, "median"),
            Failure("cam03", 0, "worst"),
            Failure("cam03", 3, "median"),
        ]

    def test_views_alike_are_all_shown(self) -> None:
        compared = dict.fromkeys(real_video.VIEWS, off_by([100, 200]))
        assert {failure.view for failure in failures.chosen(compared)} == set(compared)


def test_caption() -> None:
    compared = off_by([0, 120, 240])
    text = failures.caption(Failure("cam01", 1, "worst"), compared)
    aligned = compared.aligned_errors[1].mean()
    scaled = compared.bone_scaled_errors[1].mean()
    assert text == (
        f"cam01, frame 11, worst of 3: P-MPJPE {aligned:.0f} mm, bone-scaled {scaled:.0f} mm, "
        f"depth flips {int(compared.depth_flips[1].sum())} of 8"
    )
    assert 0 < round(aligned) <= 120 / 12 * 2


def is_colour(pixels: np.ndarray, identity: int) -> np.ndarray:
    return (np.abs(pixels.astype(int) - person_colour(identity)) < 3).all(-1)


class TestPicture:
    def test_cut_out_around_the_person(self) -> None:
        """A person 200 high and 100 wide: cut at 24 pixels around, 248 high, so 300/248 as big."""
        image = np.zeros((1000, 800, 3), np.uint8)
        image[480:520, 380:420] = (0, 200, 0)  # in the middle of the person
        keypoints = np.full((17, 2), np.nan)
        keypoints[[0, 4]] = (350, 400), (450, 600)  # pelvis and left hip
        panel = failures.picture(image, keypoints)
        assert panel.shape == (SIDE, SIDE, 3)
        assert (panel[:, 0] == PANEL).all()  # upright, so empty at the sides
        assert (panel[:, -1] == PANEL).all()
        green = np.argwhere(panel[..., 1] > panel[..., 0].astype(int) + 100)
        np.testing.assert_allclose(green.mean(0), SIDE / 2, atol=1.5)
        np.testing.assert_allclose(np.ptp(green, axis=0), 40 * 300 / 248, atol=3)
        bone = np.argwhere(is_colour(panel, LIFTED))
        np.testing.assert_allclose(bone.mean(0), SIDE / 2, atol=3)
        np.testing.assert_allclose(np.ptp(bone, axis=0), np.array([200, 100]) * 300 / 248, atol=6)

    def test_at_the_edge_of_the_image(self) -> None:
        image = np.full((100, 300, 3), 90, np.uint8)
        keypoints = np.full((17, 2), np.nan)
        keypoints[:3] = (-20, 50), (150, 10), (299, 120)  # outside the image is allowed
        panel = failures.picture(image, keypoints)
        assert panel.shape == (SIDE, SIDE, 3)
        assert (panel[0] == PANEL).all()  # the image is 100 high, so empty above
        assert (panel[-1] == PANEL).all()


def test_the_two_poses_in_the_panels() -> None:
    """The lifted person leans towards the camera, the true one away from it, equally far."""
    compared = off_by([0])
    height = compared.reference[..., 1] - compared.reference[:, real_video.HIPS, 1].mean()
    compared.reference[..., 2] = 4 - height / 2  # up is -y
    compared.lifted[..., 2] = 4 + height / 2
    front, side = (
        [is_colour(panel[:120], identity).nonzero()[1] for identity in (LIFTED, REFERENCE)]
        for panel in failures.skeletons(compared, 0, 2.3)
    )
    assert front[LIFTED].size
    assert not front[REFERENCE].size  # in the same place, hidden by the nearer one
    assert side[LIFTED].mean() < SIDE / 2 - 10  # the camera is at the left
    assert side[REFERENCE].mean() > SIDE / 2 + 10


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Four clips in which every frame has a grey of its own."""
    size = SIZE[0] // 4, SIZE[1] // 4
    for view in real_video.VIEWS:
        with media.VideoWriter(tmp_path / f"{view}.mp4", size, 25) as writer:
            for number in range(FRAMES):
                image = np.full((size[1], size[0], 3), 20 * number, np.uint8)
                writer.write(image, number / 25)
    return tmp_path


def test_a_sheet_for_each_lifter(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame whose pose is bad is shown, with the picture of that frame."""
    answer = camera("cam01").to_camera(WORLD)
    answer[6, real_video.LIMBS[2]] += 0.5
    lifters = [Answering(answer, name) for name in ("first", "second")]
    monkeypatch.setattr(failures, "lifters_from", lambda paths: lifters)
    made = recording()
    made.keypoints = {view: xy / 4 for view, xy in made.keypoints.items()}
    made.cameras = {
        view: each.resized((SIZE[0] // 4, SIZE[1] // 4)) for view, each in made.cameras.items()
    }
    monkeypatch.setattr(failures.Recording, "detected", lambda media: made)
    monkeypatch.setattr(failures, "VIEWS", ("cam01",))
    out = clips / "images"
    monkeypatch.setattr(sys, "argv", ["real_video_failures.py", str(clips), "-o", str(out)])
    failures.main()
    assert {path.name for path in out.iterdir()} == {"failures_first.jpg", "failures_second.jpg"}
    with Image.open(out / "failures_first.jpg") as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape == (LINE + 2 * (LINE + SIDE + GAP), 3 * SIDE + 4 * GAP, 3)
    corner = pixels[2 * LINE + 12, GAP + SIDE // 2].astype(int)  # above the person's head
    np.testing.assert_allclose(corner, 20 * 6, atol=8)

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ampose.detection.crops import Crop

_side = st.floats(1, 5000)
_place = st.floats(-3000, 3000)
_crops = st.builds(
    Crop,
    st.tuples(_place, _place),
    st.tuples(_side, _side),
    st.floats(-math.pi, math.pi),
)


@given(_crops, st.lists(st.tuples(st.floats(-2, 3), st.floats(-2, 3)), min_size=1, max_size=5))
def test_to_image_and_back_is_the_same_place(crop, points):
    points = np.array(points)
    np.testing.assert_allclose(crop.to_crop(crop.to_image(points)), points, atol=1e-6)


@given(
    st.lists(st.tuples(_place, _place), min_size=1, max_size=6),
    st.floats(-math.pi, math.pi),
    st.floats(0.3, 3),
    st.floats(1, 2),
)
def test_around_holds_every_point_and_has_the_aspect(points, angle, aspect, scale):
    points = np.array(points)
    crop = Crop.around(points, aspect=aspect, scale=scale, angle=angle)
    inside = crop.to_crop(points)
    assert inside.min() >= -1e-6
    assert inside.max() <= 1 + 1e-6
    assert crop.size[0] / crop.size[1] == pytest.approx(aspect)


def test_around_is_the_smallest_crop_times_scale():
    crop = Crop.around(np.array([[10.0, 20.0], [30.0, 120.0]]), aspect=0.5, scale=1.2)
    assert crop.centre == pytest.approx((20, 70))
    assert crop.size == pytest.approx((60, 120))


def test_quarter_turn_puts_the_top_of_the_crop_at_the_right_of_the_image():
    crop = Crop((50, 50), (20, 40), math.pi / 2)
    np.testing.assert_allclose(crop.to_image(np.array([0.5, 0.0])), [70, 50], atol=1e-9)


def test_letterbox_centres_the_image():
    crop = Crop.letterbox((1920, 1080), (256, 160))
    assert crop.centre == (960, 540)
    assert crop.size == pytest.approx((1920, 1200))


def test_a_size_of_zero_is_refused():
    with pytest.raises(ValueError, match="positive width"):
        Crop((0, 0), (0, 5))


def _noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_cutting_pixel_for_pixel_is_slicing():
    image = _noise(40, 30)
    crop = Crop((20, 15), (16, 12))
    np.testing.assert_array_equal(crop.cut(image, (16, 12)), image[9:21, 12:28])


def test_cutting_a_quarter_turn_is_turning_the_slice():
    image = _noise(40, 30)
    cut = Crop((20, 15), (12, 16), math.pi / 2).cut(image, (12, 16))
    np.testing.assert_array_equal(cut, np.rot90(image[9:21, 12:28]))


def test_outside_the_image_is_black():
    image = np.full((10, 10, 3), 200, np.uint8)
    cut = Crop((0, 0), (20, 20)).cut(image, (20, 20))
    assert (cut[10:, 10:] == 200).all()
    assert not cut[:10].any()
    assert not cut[:, :10].any()
    assert not Crop((500, 500), (20, 20)).cut(image, (8, 8)).any()


def test_half_a_pixel_aside_is_the_mean_of_two():
    image = _noise(40, 30)
    cut = Crop((20.5, 15), (16, 12)).cut(image, (16, 12)).astype(int)
    wide = image[9:21, 12:29].astype(int)
    np.testing.assert_allclose(cut, (wide[:, :-1] + wide[:, 1:]) / 2, atol=1)


def test_shrinking_averages_all_pixels():
    image = _noise(80, 64)
    cut = Crop((40, 32), (64, 48)).cut(image, (8, 6))
    blocks = image[8:56, 8:72].reshape(6, 8, 8, 8, 3)
    np.testing.assert_allclose(cut, blocks.mean((1, 3)), atol=1)


@pytest.mark.parametrize(
    ("centre", "size", "angle"),
    [((210.5, 160.25), 90.0, 0.0), ((200, 150), 300.0, 0.3), ((230, 130), 233.0, -2.0)],
)
def test_a_blob_is_cut_where_to_crop_says(centre, size, angle):
    image = _blob(400, 300, at=(215.5, 148.0), radius=20)
    crop = Crop(centre, (size, size), angle)
    cut = crop.cut(image, (64, 64))[..., 0].astype(float)
    y, x = np.mgrid[:64, :64] + 0.5
    found = np.array([(cut * x).sum(), (cut * y).sum()]) / cut.sum() / 64
    assert abs(found - crop.to_crop(np.array([215.5, 148.0]))).max() * 64 < 0.03


def _blob(width: int, height: int, *, at: tuple[float, float], radius: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width] + 0.5
    distance = np.hypot(x - at[0], y - at[1])
    grey = np.clip(1 - distance / radius, 0, 1) * 255
    return np.asarray(Image.fromarray(grey.astype(np.uint8)).convert("RGB"))

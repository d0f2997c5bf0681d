from __future__ import annotations

import numpy as np
import pytest

from ampose.render.pair import SIDE, Half, PairRenderer, Window
from ampose.render.style import BACKGROUND, PANEL, person_colour
from ampose.skeletons import H36M_17
from tests.render.test_overlay import STANDING, has

WHOLE = Window(0.0, 0.0, 1.0)
NOWHERE = np.full((17, 2), np.nan)
LEFT = np.s_[42 : 42 + SIDE, 12 : 12 + SIDE]
RIGHT = np.s_[42 : 42 + SIDE, 24 + SIDE : 24 + 2 * SIDE]


def half(image: np.ndarray | None = None, keypoints: np.ndarray = NOWHERE) -> Half:
    return Half(image, keypoints, STANDING, 1.25)


def draw(first: Half, second: Half, windows: tuple[Window, Window] = (WHOLE, WHOLE)) -> np.ndarray:
    return PairRenderer(("before", "after"), windows, H36M_17, "text").draw((first, second))


def test_size_and_colours() -> None:
    out = draw(half(), half())
    assert out.shape == (PairRenderer.size[1], PairRenderer.size[0], 3)
    assert PairRenderer.size[0] % 2 == PairRenderer.size[1] % 2 == 0
    middle = out.shape[1] // 2
    for part, own, other in ((out[:, :middle], 0, 1), (out[:, middle:], 1, 0)):
        assert has(part, person_colour(own))
        assert not has(part[50:], person_colour(other))


@pytest.mark.parametrize(("width", "height"), [(200, 200), (2000, 2000), (200, 100)])
def test_the_window_of_the_picture_fills_the_panel(width: int, height: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (250, 10, 10)
    image[: height // 2, width // 2 :] = (10, 250, 10)
    out = draw(half(image), half(), (Window(0.25, 0.0, 0.25), WHOLE))[LEFT]
    np.testing.assert_array_equal(out[5:100, 5:-5], np.broadcast_to((250, 10, 10), (95, 470, 3)))
    beside = draw(half(image), half(), (Window(-0.5, 0.0, 1.0), WHOLE))[LEFT]
    assert (beside[20, 5] == PANEL).all()
    assert (beside[20, SIDE // 2 + 20] == (250, 10, 10)).all()


def test_keypoints_go_with_the_window() -> None:
    keypoints = np.tile((150.0, 50.0), (17, 1))
    image = np.full((100, 200, 3), 90, np.uint8)
    window = Window.around(keypoints + np.linspace(-20, 20, 17)[:, None], (200, 100))
    out = draw(half(image, keypoints), half(), (window, WHOLE))[LEFT].astype(int)
    y, x = np.argwhere(np.abs(out - 90).max(-1) > 60).mean(0)
    assert (x, y) == pytest.approx((SIDE / 2, SIDE / 2), abs=4)


def test_windows() -> None:
    around = Window.around(np.array([[[10.0, 20.0], [110.0, 60.0], [np.nan, 5]]]), (200, 100))
    side = 100 / 0.76 / 200
    assert around.side == pytest.approx(side)
    assert around.left == pytest.approx(60 / 200 - side / 2)
    assert around.top == pytest.approx(40 / 200 - side / 2)
    assert Window.around(NOWHERE, (200, 100)) == WHOLE
    assert Window.around(np.array([[5.0, 5.0]]), (200, 100)).side > 0


def test_who_is_absent_leaves_empty_panels() -> None:
    gone = Half(None, NOWHERE, np.full((17, 3), np.nan), 0.0)
    out = draw(gone, gone)
    assert not has(out[50:], person_colour(0))
    assert (out[0, 0] == BACKGROUND).all()

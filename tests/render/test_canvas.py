import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.render.canvas import draw_dot, draw_line, draw_text, fitted, mix, text_width

RED = (255, 0, 0)


def black(size=40):
    return np.zeros((size, size, 3), np.uint8)


def test_a_line_covers_what_it_should():
    canvas = black(20)
    draw_line(canvas, (5, 10), (15, 10), 4, RED)  # rows 8 to 11, whole pixels
    assert canvas[:, 10, 0].tolist() == [0] * 8 + [255] * 4 + [0] * 8
    assert not canvas[..., 1:].any()
    canvas = black(20)
    draw_line(canvas, (5, 10), (15, 10), 5, RED)  # half of rows 7 and 12 as well
    assert canvas[:, 10, 0].tolist() == [0] * 7 + [128] + [255] * 4 + [128] + [0] * 7


def test_a_rim_surrounds_the_line():
    canvas = black(20)
    draw_line(canvas, (5, 10), (15, 10), 4, RED, rim=(0, 0, 200))
    assert canvas[10, 10].tolist() == [255, 0, 0]
    assert canvas[12, 10].tolist() == [0, 0, 200]
    assert canvas[14, 10].tolist() == [0, 0, 0]


@given(x=st.floats(12, 28), y=st.floats(12, 28), radius=st.floats(1.5, 10))
def test_a_dot_has_the_area_and_the_centre_of_a_circle(x, y, radius):
    canvas = black()
    draw_dot(canvas, (x, y), radius, RED)
    weight = canvas[..., 0] / 255
    assert weight.sum() == pytest.approx(np.pi * radius**2, rel=0.08)
    places = np.arange(40) + 0.5
    assert (weight.sum(0) @ places) / weight.sum() == pytest.approx(x, abs=0.1)
    assert (weight.sum(1) @ places) / weight.sum() == pytest.approx(y, abs=0.1)


@given(st.tuples(*[st.floats(-1e9, 1e9)] * 4))
def test_nothing_is_drawn_outside_the_view(ends):
    canvas = black()
    draw_line(canvas[10:30, 10:30], ends[:2], ends[2:], 6, RED, rim=(9, 9, 9))
    canvas[10:30, 10:30] = 0
    assert not canvas.any()


def test_text_stays_in_its_width_and_in_the_canvas():
    canvas = np.zeros((40, 200, 3), np.uint8)
    draw_text(canvas, (10, 10), "Hx 0.5 m", RED)
    rows, columns = np.nonzero(canvas[..., 0])
    assert rows.min() == 10
    assert columns.min() in (10, 11, 12)
    assert columns.max() < 10 + text_width("Hx 0.5 m")
    for place in ((-5, -5), (195, 35), (300, 300)):
        draw_text(canvas, place, "clipped", RED)


def test_text_that_begins_outside_is_clipped():
    whole = np.zeros((60, 200, 3), np.uint8)
    draw_text(whole, (20, 20), "clipped", RED)
    for left, top in ((-10, 5), (5, -4), (-10, -4), (-500, 5), (5, -500)):
        canvas = np.zeros((30, 100, 3), np.uint8)
        draw_text(canvas, (left, top), "clipped", RED)
        wanted = np.zeros((2000, 2000, 3), np.uint8)
        wanted[900 + top : 960 + top, 900 + left : 1100 + left] = whole
        np.testing.assert_array_equal(canvas, wanted[920:950, 920:1020])


def test_long_text_is_shortened():
    assert fitted("short", 500) == "short"
    assert fitted("two\nlines", 500) == "two lines"
    short = fitted("a rather long sentence that does not fit", 100)
    assert short.endswith("…")
    assert short.startswith("a rather")
    assert text_width(short) <= 100
    assert fitted("no room at all", 2) == ""


def test_mix():
    assert mix((0, 100, 200), (100, 100, 0), 0.25) == (25, 100, 150)

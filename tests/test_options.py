from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from ampose import Camera, InputError, Options
from ampose.motion.cleaning import Repairs


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"fov": 60, "focal": 500}, "give --fov or --focal, not both"),
        ({"fov": 0.5}, "--fov must be 1 to 170 degrees, got 0.5"),
        ({"fov": float("nan")}, "--fov must be 1 to 170 degrees, got nan"),
        ({"focal": -500}, "--focal must be 1 to"),
        ({"focal": float("inf")}, "--focal must be"),
        ({"fps": 0}, "--fps must be 0.001 to 1,000,000 frames per second, got 0"),
        ({"capture_fps": -30}, "--capture-fps must be"),
        ({"min_score": 1.1}, "--min-score must be 0 to 1, got 1.1"),
        ({"threads": 0}, "--threads must be 1 to 256, got 0"),
        ({"threads": 1000}, "--threads must be"),
        ({"height": 0}, "--height must be 0.3 to 2.8 metres, got 0"),
        ({"height": 178}, "--height must be 0.3 to 2.8 metres, got 178"),
        ({"cutoff": 0}, "--cutoff must be"),
        ({"pitch": 91}, "--pitch must be -90 to 90 degrees, got 91"),
        ({"roll": float("nan")}, "--roll must be"),
        ({"filter": "kalman"}, "--filter must be butterworth, savitzky-golay, one-euro or none"),
        ({"mapping": "x"}, "--mapping must be hybrid or plain, got 'x'"),
        ({"fov": "70"}, "--fov must be a number, got '70'"),
        ({"cutoff": True}, "--cutoff must be a number, got True"),
        ({"min_score": None}, "--min-score must be a number, got None"),
        ({"threads": 2.5}, "--threads must be a whole number, got 2.5"),
        ({"bones": "no"}, "--bones must be True or False, got 'no'"),
        ({"person": 1}, "--person must be text, such as '0', got 1"),
        ({"person": "me"}, "--person must be all, largest, longest, an id"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Options(**options)


def test_numbers_of_numpy_can_be_written() -> None:
    options = Options(
        fov=np.float32(70), threads=np.int64(2), height=2, world=np.bool_(False), min_score=0
    )
    assert json.loads(json.dumps(options.as_dict())) == options.as_dict()
    plain = Options(fov=70.0, threads=2, height=2, world=False, min_score=0)
    assert options == plain
    assert type(options.fov) is float
    assert type(options.threads) is type(options.height) is int


def test_the_camera_of_a_picture() -> None:
    known = Camera.from_focal((400, 300), 321, source="exif")
    assert Options().camera_of_size((400, 300), known) is known
    assert Options().camera_of_size((400, 300)).source == "assumed"
    by_fov = Options(fov=90).camera_of_size((400, 300), known)
    assert by_fov.focal == pytest.approx((200, 200))
    by_focal = Options(focal=250).camera_of_size((400, 300), known)
    assert (by_focal.focal, by_focal.source) == ((250, 250), "given")


def test_a_focal_length_in_millimetres_is_noticed() -> None:
    with pytest.raises(InputError, match=r"--focal 50 is .* 174 degrees .* not millimetres"):
        Options(focal=50).camera_of_size((1920, 1080))
    with pytest.raises(InputError, match=r"view of 0.000573 degrees"):
        Options(focal=1e6).camera_of_size((10, 10))


def test_every_repair_is_an_option() -> None:
    assert Options().repairs == Repairs()
    told = {"swaps": False, "filter": "none", "cutoff": 6.0, "height": 1.8, "pitch": 5.0}
    assert Options(**told).repairs == Repairs(**told)
    assert {field.name for field in fields(Repairs)} <= {field.name for field in fields(Options)}


def test_frame_by_frame_leaves_the_height() -> None:
    assert Options(frame_by_frame=True, height=1.8).repairs == Repairs.none(height=1.8)

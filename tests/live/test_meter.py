from __future__ import annotations

import math

import pytest

from ampose.live import Meter


def test_nothing_yet() -> None:
    status = Meter().status
    assert (status.shown, status.dropped, status.people, status.seconds) == (0, 0, 0, 0)
    assert all(map(math.isnan, (status.rate, status.mean_rate, status.delay, status.high_delay)))


def test_rate_and_delay() -> None:
    now = 0.0
    meter = Meter(lambda: now)
    for place in range(200):  # a second's worth of 50 frames/s, then of 20
        now += 0.02 if place < 100 else 0.05
        meter.show(now - 0.06, people=place % 3)
    meter.drop()
    meter.drop()
    status = meter.status
    assert (status.shown, status.dropped, status.people) == (200, 2, 1)
    assert status.rate == pytest.approx(20)
    assert status.seconds == pytest.approx(99 * 0.02 + 100 * 0.05)
    assert status.mean_rate == pytest.approx(199 / status.seconds)
    assert status.delay == pytest.approx(0.06)
    assert status.high_delay == pytest.approx(0.06)


def test_half_of_the_delays_and_nearly_all() -> None:
    now = 0.0
    meter = Meter(lambda: now)
    for place in range(101):
        now += 1.0
        meter.show(now - place / 100, people=0)
    assert meter.status.delay == pytest.approx(0.5)
    assert meter.status.high_delay == pytest.approx(0.95)

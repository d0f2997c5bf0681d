"""The benchmark of outliers, gaps and filters: what is planted, hidden, lifted and averaged."""

from __future__ import annotations

import csv
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import smoothing
import takes

from ampose.errors import InputError
from tests.research.packs import walking, write_data


class Flat:
    """A lifter that answers the keypoints themselves, in thousands of pixels, at depth 0."""

    provenance = {"lifter": "flat"}  # noqa: RUF012

    def lift(self, xy, *, image_size, camera):
        assert image_size == camera.size
        joints = np.concatenate([xy, np.zeros_like(xy[..., :1])], -1)[:, None] / 1000
        return SimpleNamespace(joints=np.nan_to_num(joints), root=joints[:, :, 0])


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "packs", **walking((40, 60, 90, 60)))


@pytest.fixture
def sample(data):
    return next(smoothing.samples("cmu-val", data))


def test_samples_are_the_same_every_time(data, sample):
    again = next(smoothing.samples("cmu-val", data))
    for kind in smoothing.INPUTS:
        np.testing.assert_array_equal(sample.keypoints[kind], again.keypoints[kind])
    np.testing.assert_array_equal(sample.keypoints["exact"], sample.take.keypoints)
    assert np.isnan(sample.keypoints["detector-like"]).any()


def test_errors_of_the_truth_and_of_a_known_difference(sample):
    means = smoothing.Means()
    smoothing.add_errors(means, sample, ("truth",), sample.truth, sample.root)
    wrong = sample.truth.copy()
    # Every second frame, all joints but the root are 17 mm to the right.
    wrong[::2, 1:, 0] += 0.017
    smoothing.add_errors(
        means, sample, ("wrong",), wrong, sample.root + np.array([0, 0.003, 0.004])
    )
    truth, wrong = means.rows(["which"], decimals=6)
    quick = truth.pop("fast_mpjpe_mm"), wrong.pop("fast_mpjpe_mm")
    assert quick in (("", ""), ("0.000000", wrong["mpjpe_mm"]))  # the made-up walk is slow
    values = {name: float(value) for name, value in wrong.items() if name != "which"}
    assert all(float(value) < 1e-6 for name, value in truth.items() if name != "which")
    assert values["mpjpe_mm"] == pytest.approx(17 * 16 / 17 / 2)
    assert values["velocity_mm_per_s"] == pytest.approx(17 * 16 / 17 * 25)
    assert values["acceleration_mm_per_s2"] == pytest.approx(2 * 17 * 16 / 17 * 25**2)
    assert values["root_mm"] == pytest.approx(5)


def test_means_are_weighted_and_may_be_empty():
    means = smoothing.Means()
    means.add(("a", "b"), "x", 2.0, 3)
    means.add(("a", "b"), "x", 4.0, 1)
    means.add(("a", "c"), "y", np.array([1.0, 2.0]))
    means.add(("a", "c"), "z", np.zeros(0))
    assert means.rows(["one", "two"]) == [
        {"one": "a", "two": "b", "x": "2.5", "y": "", "z": ""},
        {"one": "a", "two": "c", "x": "", "y": "1.5", "z": ""},
    ]


def test_planted_outliers(rng):
    keypoints = np.zeros((5000, 17, 2))
    keypoints[:, 3] = np.nan
    bad, where = smoothing.planted(keypoints, np.full(5000, 200.0), rng)
    jumps = np.linalg.norm(bad - keypoints, axis=-1)
    assert not where[:, 3].any()
    assert where.mean() == pytest.approx(smoothing.OUTLIER_SHARE * 16 / 17, rel=0.1)
    assert (jumps[~where & (np.arange(17) != 3)] == 0).all()
    assert 20 <= jumps[where].min() < 22
    assert 98 < jumps[where].max() <= 100
    steps = np.flatnonzero(np.diff(jumps[:, 5]) != 0)
    assert np.diff(steps).min() >= 1
    assert not np.isclose(bad[where].mean(0), 0, atol=1e-9).all()


def test_a_hidden_joint(sample):
    """Straight between its neighbours, guessed (by this lifter as 0), or as it is."""
    xy = sample.keypoints["exact"]
    gap = slice(20, 24)
    ways = smoothing.hide_joint(sample, Flat(), xy, gap, 6)
    assert {name: joints.shape for name, joints in ways.items()} == dict.fromkeys(
        ("pchip", "linear", "guessed", "seen"), (4, 17, 3)
    )
    np.testing.assert_allclose(ways["seen"][..., :2] * 1000, xy[gap])
    assert (ways["guessed"][:, 6] == 0).all()
    share = np.arange(1, 5)[:, None] / 5
    straight = xy[19, 6] + share * (xy[24, 6] - xy[19, 6])
    np.testing.assert_allclose(ways["linear"][:, 6, :2] * 1000, straight)
    assert not np.allclose(ways["pchip"][:, 6], ways["linear"][:, 6])
    others = np.arange(17) != 6
    for joints in ways.values():
        np.testing.assert_allclose(joints[:, others, :2] * 1000, xy[gap][:, others])


def test_a_hidden_person(sample):
    xy = sample.keypoints["exact"]
    seen = sample.lift(Flat(), xy)
    gap = slice(20, 24)
    ways = smoothing.hide_person(sample, Flat(), xy, seen, gap)
    assert set(ways) == {"pchip", "linear", "pchip_2d"}
    # This lifter is linear, so that filling before and after it are one.
    np.testing.assert_allclose(ways["pchip_2d"][0], ways["pchip"][0])
    share = np.arange(1, 5)[:, None, None] / 5
    straight = seen[1][19] + share * (seen[1][24] - seen[1][19])
    np.testing.assert_allclose(ways["linear"][1], straight)


def test_what_is_filtered(sample, monkeypatch):
    """Before lifting, after it, or both: one and the same with a lifter that is linear."""
    settings = [(side, "butterworth", 3.0) for side in ("2D", "3D", "both", "truth")]
    monkeypatch.setattr(smoothing, "SETTINGS", settings)
    seen = {}
    monkeypatch.setattr(
        smoothing, "add_errors", lambda means, sample, row, *lifted: seen.update({row: lifted})
    )
    smoothing.score_filters(smoothing.Means(), "cmu-val", sample, Flat())
    exact = {row[2:]: joints for row, (joints, _) in seen.items() if row[1] == "exact"}
    before, after, twice = (exact["butterworth", side, "3"] for side in ("2D", "3D", "both"))
    np.testing.assert_allclose(before, after, atol=1e-12)
    assert np.abs(twice - after).max() > 1e-4
    assert np.abs(after - exact["none", "", ""]).max() > 1e-4
    assert np.abs(exact["butterworth", "truth", "3"] - sample.truth).mean() < 0.02
    assert len(seen) == 2 * 5 + 1


def test_three_tables(data, tmp_path, monkeypatch):
    monkeypatch.setattr(smoothing.ampose, "Lifter", Flat)
    monkeypatch.setattr(smoothing, "GAP_FRAMES", (1, 3))
    out = tmp_path / "results" / "smoothing.csv"
    sets = ["--sets", "cmu-val", "cmu-test"]
    monkeypatch.setattr(sys, "argv", ["smoothing.py", str(data), *sets, "-o", str(out)])
    smoothing.main()
    tables = {}
    for path in out.parent.iterdir():
        lines = path.read_text().splitlines()
        assert "# lifter: flat" in lines
        tables[path.stem] = list(csv.DictReader(x for x in lines if not x.startswith("#")))
    assert set(tables) == {"smoothing", "smoothing_outliers", "smoothing_gaps"}
    assert {row["set"] for row in tables["smoothing"]} == {"cmu-val", "cmu-test"}
    assert len(tables["smoothing_outliers"]) == 2 * 2
    assert len(tables["smoothing_gaps"]) == 2 * 2 * 2 * 3
    assert {row["gap_s"] for row in tables["smoothing_gaps"]} == {"0.08", "0.16"}


@pytest.mark.parametrize("broken", ["no packs", "no motion"])
def test_nothing_to_measure(tmp_path, broken):
    if broken == "no motion":
        write_data(tmp_path, **walking((40, 30, 30, 30)))
    with pytest.raises(InputError, match="cmu"):
        smoothing.measure(["cmu-val"], tmp_path, Flat())


def test_settings_are_usable(sample):
    for _, method, cutoff in smoothing.SETTINGS:
        _, changed = smoothing.smooth(sample.root, sample.times, method, cutoff=cutoff)
        assert changed.any()
    assert takes.FRAMES_PER_SECOND == 25

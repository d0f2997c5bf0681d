"""The benchmark of identities on cases counted by hand, and on invented walks."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import takes
import tracking

from ampose.cameras import Camera
from ampose.errors import InputError
from ampose.research.evaluation.provenance import read_table
from ampose.skeletons import H36M_17
from tests.research.packs import walk, walking, write_data

Frame = tuple[list[int], list[int], np.ndarray]
CAMERA = Camera.from_focal((1000, 1000), 1000)


def frame(matches: dict[int, int], *, false: tuple[int, ...] = (), missed: tuple[int, ...] = ()):
    """True identities matched to found ones, all with similarity 1."""
    true, found = [*matches, *missed], [*matches.values(), *false]
    alike = np.zeros((len(true), len(found)))
    for number in range(len(matches)):
        alike[number, number] = 1
    return true, found, alike


class TestIdentitySwitches:
    def test_none(self):
        assert tracking.identity_switches([frame({0: 5, 1: 6})] * 4) == 0
        assert tracking.identity_switches([]) == 0

    def test_an_exchange_is_two_and_back_is_two_more(self):
        there, back = frame({0: 5, 1: 6}), frame({0: 6, 1: 5})
        assert tracking.identity_switches([there, there, back, back]) == 2
        assert tracking.identity_switches([there, back, there]) == 4

    def test_a_gap_is_none_but_a_new_identity_after_it_is_one(self):
        before, gap = frame({0: 5}), frame({}, missed=(0,))
        assert tracking.identity_switches([before, gap, gap, before]) == 0
        assert tracking.identity_switches([before, gap, gap, frame({0: 7})]) == 1

    def test_a_match_lasts_while_it_is_possible(self):
        """A second identity that fits better does not take over while the first one fits."""
        both = [0], [5, 6], np.array([[0.6, 0.9]])
        assert tracking.identity_switches([frame({0: 5}), both, both]) == 0
        assert tracking.identity_switches([frame({0: 6}), both, both]) == 0
        assert tracking.identity_switches([frame({0: 5}), both, frame({0: 6})]) == 1

    def test_false_finds_do_not_count(self):
        assert tracking.identity_switches([frame({0: 5}, false=(9,)), frame({0: 5})]) == 0


class TestIdentityCounts:
    def test_all_right(self):
        assert tracking.identity_counts([frame({0: 5, 1: 6})] * 4) == (8, 0, 0)

    def test_by_hand(self):
        """0 is called 5 for 3 frames and 7 for 2; 1 is missed once; once there is nobody's 9."""
        frames = [
            frame({0: 5, 1: 6}),
            frame({0: 5, 1: 6}),
            frame({0: 5, 1: 6}, false=(9,)),
            frame({0: 7}, missed=(1,)),
            frame({0: 7, 1: 6}),
        ]
        # 0 is 5: 3 hits; 1 is 6: 4 hits. Found 10 poses, true ones 10.
        assert tracking.identity_counts(frames) == (7, 3, 3)

    def test_an_exchange_in_the_middle_costs_half(self):
        frames = [frame({0: 5, 1: 6})] * 3 + [frame({0: 6, 1: 5})] * 3
        assert tracking.identity_counts(frames) == (6, 6, 6)

    def test_nobody_found(self):
        assert tracking.identity_counts([frame({}, missed=(0, 1))] * 2) == (0, 0, 4)


def figure(x: float, depth: float, standing: np.ndarray) -> np.ndarray:
    """One frame of an upright person, camera axes."""
    return standing[None] + np.array([x, 0, depth])


class TestCovered:
    def test_a_person_behind_another_is_hidden(self, standing: np.ndarray):
        front, back = figure(0, 4, standing), figure(0, 5, standing)
        assert tracking.covered(back, front, CAMERA).mean() > 0.6
        assert not tracking.covered(front, back, CAMERA).any()

    def test_a_person_beside_another_is_not(self, standing: np.ndarray):
        front, back = figure(0, 4, standing), figure(2.5, 5, standing)
        assert not tracking.covered(back, front, CAMERA).any()

    def test_a_capsule_by_hand(self, standing: np.ndarray):
        """The left shank, 60 mm thick, at 4 m: 15 pixels around the line."""
        front = figure(0, 4, standing)
        knee, ankle = H36M_17.indices(("left_knee", "left_ankle"))
        middle = CAMERA.project(front)[0, [knee, ankle]].mean(0)
        depth = 6.0
        for off, hidden in ((13, True), (17, False)):
            pixel = middle + np.array([off, 0])
            back = np.full((1, 17, 3), 50.0)
            back[0, 0] = [*((pixel - 500) / 1000 * depth), depth]
            assert tracking.covered(back, front, CAMERA)[0, 0] == hidden


def crowd(*places: tuple[float, float], frames: int = 11) -> tracking.Crowd:
    """People who glide from x to x at depths of 4, 5 ... metres."""
    x, y, z = np.zeros((3, 17))
    y[H36M_17.index("head_top")], y[H36M_17.index("left_ankle")] = -0.8, 0.8
    x[H36M_17.index("left_wrist")], x[H36M_17.index("right_wrist")] = 0.3, -0.3
    body = np.stack([x, y, z], axis=-1)
    made = []
    for number, (start, end) in enumerate(places):
        way = np.linspace(start, end, frames)[:, None, None] * [1.0, 0, 0]
        motion = takes.Motion("glide", "", body + way + [0, 0, 4.0 + number])
        made.append(takes.Take(motion, CAMERA))
    return tracking.Crowd(tuple(made))


def test_crossings():
    assert tracking.crossings(crowd((-1, 1), (1, -1))) == 1
    assert tracking.crossings(crowd((-1, 1), (-1.5, 1))) == 0
    assert tracking.crossings(crowd((-1, 1), (1, -1), (1.5, -1.5))) == 3
    assert tracking.crossings(crowd((-1, 1), (1, -1), (3, 2.4))) == 1


def test_between_counts_what_begins_and_ends():
    row = np.array([1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1], bool)
    assert tracking.between(row) == [(3, 4), (6, 9)]
    assert tracking.between(np.zeros(3, bool)) == []
    assert tracking.between(np.ones(3, bool)) == []


class TestNearestBox:
    def test_goes_by_the_nearest_and_forgets(self, standing: np.ndarray):
        def at(x: float):
            return tracking.posed(CAMERA.project(figure(x, 4, standing))[0])

        method = tracking.NearestBox(remember=1)
        first = {p.box[0]: p.id for p in method.update([at(0), at(1)], 0)}
        second = {p.box[0]: p.id for p in method.update([at(1.1), at(0.1)], 0.5)}
        assert sorted(first.values()) == [0, 1]
        assert [first[x] for x in sorted(first)] == [second[x] for x in sorted(second)]
        assert [p.id for p in method.update([at(0.1)], 1.6)] == [2]

    def test_exchanges_people_who_cross(self):
        """What the benchmark is about: the plain way does not know where people go."""
        made = crowd((-1, 1), (1, -1), frames=11)
        frames = tracking.truth(made)
        assert [len(f) for f in frames].count(1) >= 1
        tracker = tracking.NearestBox()
        found = [
            tracker.update([replace(p, id=None) for p in f], t / 5) for t, f in enumerate(frames)
        ]
        assert tracking.identity_switches(tracking.matchable(frames, found)) > 0


@pytest.fixture
def walks() -> list[takes.Motion]:
    made = []
    for seed in range(4):
        positions, root = walk(80, seed)
        joints = (positions + root[:, None]) @ takes.PACK_TO_WORLD.T
        made.append(takes.Motion(f"walk {seed}", "", joints))
    return made


@pytest.mark.parametrize("people", tracking.PEOPLE)
def test_sequences_have_people_hidden_for_a_while(walks, people: int):
    (made,) = tracking.crowds(walks, people, 1, 0)
    assert len(made.takes) == people
    runs = [run for row in made.gone() for run in tracking.between(row)]
    assert max(end - start for start, end in runs) >= tracking.LEAST_HIDDEN
    assert len({take.camera for take in made.takes}) == 1
    true, found = tracking.truth(made), tracking.detections(made, np.random.default_rng(0))
    assert len(true) == len(found) == len(made.times)
    assert sum(map(len, true)) == (~made.gone()).sum()
    ratio = sum(map(len, found)) / sum(map(len, true))
    assert ratio == pytest.approx(1 - tracking.MISSED + tracking.FALSE / people, abs=0.06)


def test_the_same_seed_makes_the_same(walks):
    first, again = (next(tracking.crowds(walks, 2, 1, 3)) for _ in range(2))
    np.testing.assert_array_equal(first.hidden(), again.hidden())


def test_a_row_for_each_number_of_people_and_method(tmp_path: Path, monkeypatch):
    data = write_data(tmp_path / "packs", **walking((80, 200, 200, 40)))
    monkeypatch.setattr(tracking, "SEQUENCES", 1)
    monkeypatch.setattr(tracking, "LEAST_WAY", 0.1)
    monkeypatch.setattr(tracking, "PEOPLE", (2,))
    walks = [next(takes.motions("cmu-val", data))] * 3
    monkeypatch.setattr(tracking, "motions", lambda name, folder: iter(walks))
    out = tmp_path / "out.csv"
    monkeypatch.setattr(sys, "argv", ["tracking.py", str(data), "-o", str(out)])
    tracking.main()
    notes, rows = read_table(out, ("set", "people", "identity_switches", "idf1_percent"))
    assert [(r["people"], r["method"]) for r in rows] == [("2", m) for m in tracking.METHODS]
    assert {"what", "seed", "commit", "hardware", "day"} <= notes.keys()


def test_bad_arguments_are_one_line(tmp_path: Path):
    with pytest.raises(InputError, match="unknown set nowhere; known are cmu-val"):
        list(tracking.rows_of("nowhere", tmp_path))
    data = write_data(tmp_path / "packs", **walking())
    with pytest.raises(InputError, match=r"walks of 2\.5 m; 4 needed"):
        list(tracking.rows_of("cmu-val", data))

"""The protocol seen from outside: its cameras are worked out from pixels and joints alone."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from ampose.geometry import bone_lengths
from ampose.research.data.open_mocap import TEMPLATE_BONES, PackError, load_pack
from ampose.research.evaluation import open_protocol as protocol
from ampose.research.evaluation.open_protocol import (
    EvaluationSet,
    NetworkLifter,
    draw_set,
    evaluate,
    load_set,
)
from ampose.skeletons import H36M_17
from tests.research.packs import poses, walk, walking, write_data, write_pack

MANY = 6_500
BODY = poses(MANY, 1)
BODY[..., 2] *= 1.2  # so that native bones are not the template's


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> EvaluationSet:
    """A full set, drawn from more frames than it takes."""
    return draw_set(load_pack(_big_pack(tmp_path_factory.mktemp("big"))), "test", name="big")


def _big_pack(folder: Path) -> Path:
    return write_pack(
        folder / "big.npz",
        positions=np.round(BODY * 1e4).astype(np.int16),
        clip_start=np.array([0, 3_000, 5_000, 6_200, 6_400, MANY], np.int32),
        subject=np.array(list("12345")),
        trial=np.array(list("12345")),
        skeleton=np.array(["asf-own", "fbx", "bvh-own", "daz-fixed", "asf-own"]),
        description=np.array(["walk", "run", "walk", "jump", "fall"]),
        split=np.array(["test"] * 4 + ["train"]),
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> EvaluationSet:
    return load_set("hdm05", write_data(tmp_path_factory.mktemp("data") / "packs"))


def roots(chosen: EvaluationSet, bones: str) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) the one root that fits joints, exact pixels and focal length, and what is left.

    x (Z + z) = f (X + px) is linear in the root (X, Y, Z).
    """
    joints, pixels = chosen.joints[bones], chosen.pixels[bones, "exact"]
    rays = (pixels - (640, 480)) / chosen.focal[:, None, None]
    count = len(joints)
    rows = np.zeros((count, 17, 2, 3))
    rows[..., 0, 0] = rows[..., 1, 1] = 1
    rows[..., 2] = -rays
    right = rays * joints[..., 2:] - joints[..., :2]
    rows, right = rows.reshape(count, 34, 3), right.reshape(count, 34)
    found = (np.linalg.pinv(rows) @ right[..., None])[..., 0]
    return found, np.abs((rows @ found[..., None])[..., 0] - right).max(-1)


def turns(chosen: EvaluationSet, bones: str, world: np.ndarray) -> np.ndarray:
    """(N, 3, 3) pack axes to camera axes, the best fit (Kabsch) to poses in both."""
    u, _, vt = np.linalg.svd(np.einsum("nji,njk->nik", chosen.joints[bones], world))
    flip = np.ones((len(u), 3))
    flip[:, 2] = np.linalg.det(u @ vt)
    return (u * flip[:, None]) @ vt


def frames_of(chosen: EvaluationSet) -> np.ndarray:
    """Which frame of `BODY` each pose is, by its distances between joints."""

    def shape(joints: np.ndarray) -> np.ndarray:
        return np.linalg.norm(joints[:, 1:], axis=-1)

    distance, index = cKDTree(shape(BODY)).query(shape(chosen.joints["native"]))
    assert distance.max() < 2e-3
    return index


class TestPoses:
    def test_six_thousand_without_repetition(self, big: EvaluationSet) -> None:
        frames = frames_of(big)
        assert len(frames) == len(set(frames)) == 6_000

    def test_only_the_splits_own_skeletons(self, big: EvaluationSet) -> None:
        assert frames_of(big).max() < 6_200
        assert set(big.sources) == {"big/asf-own", "big/fbx", "big/bvh-own"}
        assert set(big.classes) == {"walk", "run"}
        runs = (frames_of(big) >= 3_000) & (frames_of(big) < 5_000)
        np.testing.assert_array_equal(big.classes == "run", runs)
        np.testing.assert_array_equal(big.sources == "big/fbx", runs)

    def test_a_small_split_is_taken_whole(self, small: EvaluationSet) -> None:
        assert len(small.focal) == 40

    def test_bones(self, big: EvaluationSet) -> None:
        template = bone_lengths(big.joints["template"], H36M_17)
        np.testing.assert_allclose(template, np.tile(TEMPLATE_BONES, (6_000, 1)), rtol=1e-9)
        native = bone_lengths(big.joints["native"], H36M_17)
        np.testing.assert_allclose(native, bone_lengths(BODY, H36M_17)[frames_of(big)], atol=2e-4)
        assert np.abs(native - template).max() > 0.01

    def test_template_poses_keep_directions(self, big: EvaluationSet) -> None:
        parents, children = np.array(H36M_17.edges).T
        directions = [
            bones / np.linalg.norm(bones, axis=-1, keepdims=True)
            for joints in big.joints.values()
            for bones in [joints[:, children] - joints[:, parents]]
        ]
        np.testing.assert_allclose(directions[0], directions[1], atol=1e-6)


class TestCameras:
    @pytest.mark.parametrize("bones", ["template", "native"])
    def test_exact_pixels_are_the_projection(self, big: EvaluationSet, bones: str) -> None:
        root, left = roots(big, bones)
        assert left.max() < 1e-9
        distance = np.linalg.norm(root, axis=-1)
        assert 2.5 <= distance.min() < 2.51
        assert 6.99 < distance.max() <= 7
        assert (root[:, 2] > 0).all()
        np.testing.assert_allclose(root, roots(big, "template")[0], atol=1e-8)  # one camera each

    def test_fields_of_view(self, big: EvaluationSet) -> None:
        degrees = np.degrees(2 * np.arctan(640 / big.focal))
        assert 40 <= degrees.min() < 40.1
        assert 74.9 < degrees.max() <= 75
        assert degrees.mean() == pytest.approx(57.5, abs=0.5)

    def test_places(self, big: EvaluationSet) -> None:
        root, _ = roots(big, "template")
        place = root[:, :2] / root[:, 2:] * big.focal[:, None] / (640, 480)
        np.testing.assert_allclose(place.mean(0), 0, atol=0.015)
        np.testing.assert_allclose(place.std(0), (0.25, 0.1), rtol=0.04)

    def test_angles(self, big: EvaluationSet) -> None:
        turn = turns(big, "native", BODY[frames_of(big)])
        # The camera's axes in the pack's world are the rows; z of the world is up.
        right, forward = turn[:, 0], turn[:, 2]
        elevation = np.degrees(np.arcsin(-forward[:, 2]))  # a raised camera looks down
        assert elevation.min() == pytest.approx(-20, abs=0.1)
        assert elevation.max() == pytest.approx(45, abs=0.1)
        assert elevation.mean() == pytest.approx(8, abs=0.6)
        assert elevation.std() == pytest.approx(12, abs=0.6)
        azimuth = np.arctan2(forward[:, 1], forward[:, 0])
        counts, _ = np.histogram(azimuth, 8, (-np.pi, np.pi))
        np.testing.assert_allclose(counts, 750, atol=110)
        level = np.stack([forward[:, 1], -forward[:, 0], np.zeros(6_000)], axis=-1)
        level /= np.linalg.norm(level, axis=-1, keepdims=True)
        roll = np.degrees(np.arcsin((np.cross(level, right) * forward).sum(-1)))
        assert roll.mean() == pytest.approx(0, abs=0.2)
        assert roll.std() == pytest.approx(3, abs=0.15)

    def test_people_are_upright(self, big: EvaluationSet) -> None:
        head = big.joints["template"][:, H36M_17.index("head_top"), 1]
        assert (head < 0).mean() > 0.95  # y points down


class TestDetector:
    def test_noise_of_each_joint(self, big: EvaluationSet) -> None:
        vague = ("pelvis", "right_hip", "left_hip", "spine", "thorax", "head_top")
        expected = np.where([joint in vague for joint in H36M_17.joints], 0.02, 0.01)
        for bones in ("template", "native"):
            exact = big.pixels[bones, "exact"]
            side = np.ptp(exact, axis=1).max(-1)[:, None, None]
            moved = (big.pixels[bones, "detector"] - exact) / side
            np.testing.assert_allclose(np.nanstd(moved, (0, 2)), expected, rtol=0.04)
            np.testing.assert_allclose(np.nanmean(moved, 0), 0, atol=0.001)

    def test_missing_joints(self, big: EvaluationSet) -> None:
        missing = np.isnan(big.pixels["template", "detector"])
        np.testing.assert_array_equal(missing[..., 0], missing[..., 1])
        np.testing.assert_array_equal(missing, np.isnan(big.pixels["native", "detector"]))
        assert missing.mean() == pytest.approx(0.02, abs=0.002)
        np.testing.assert_allclose(missing[..., 0].mean(0), 0.02, atol=0.007)
        assert not any(np.isnan(big.pixels[b, "exact"]).any() for b in ("template", "native"))


class TestDrawing:
    def test_version_1_stays_what_it_is(self, big: EvaluationSet) -> None:
        """Kept scores and the shipped card were measured on these numbers."""
        assert frames_of(big)[:6].tolist() == [5368, 1728, 4917, 4942, 2786, 3743]
        focal = [1049.7199686143829, 931.9970028972222, 1652.9247599515988]
        np.testing.assert_allclose(big.focal[:3], focal, rtol=1e-12)
        for key, wrist, total in (
            (("template", "exact"), [821.377062527673, 465.1164112397617], -1769.35602607),
            (("template", "detector"), [809.1196163638004, 455.7923483429538], 26211.76540893),
            (("native", "exact"), [832.9710782611103, 459.2660247947696], -3736.49653949),
            (("native", "detector"), [818.5251934543089, 448.27724811666724], 22763.52754739),
        ):
            pixels = big.pixels[key]
            np.testing.assert_allclose(pixels[4321, 13], wrist, rtol=1e-9)
            weights = np.cos(np.arange(pixels.size)).reshape(pixels.shape)
            assert np.nansum(pixels * weights) == pytest.approx(total, abs=1e-4)
        assert np.isnan(big.pixels["template", "detector"]).any(-1).sum() == 2028

    def test_is_done_once(self, tmp_path: Path) -> None:
        pack = load_pack(write_pack(tmp_path / "p.npz"))
        np.random.seed(1)  # noqa: NPY002  (must not matter)
        one = draw_set(pack, "test", name="a")
        np.random.seed(2)  # noqa: NPY002
        same, other = draw_set(pack, "test", name="a"), draw_set(pack, "test", name="a", seed=1)
        for key, pixels in one.pixels.items():
            np.testing.assert_array_equal(pixels, same.pixels[key])
            assert not np.array_equal(pixels, other.pixels[key])
        for bones, joints in one.joints.items():
            np.testing.assert_array_equal(joints, same.joints[bones])
        np.testing.assert_array_equal(one.focal, same.focal)

    def test_named_sets_take_their_pack_and_split(self, tmp_path: Path) -> None:
        data = write_data(tmp_path / "data")
        for name, pack, split, tests in (
            ("cmu-val", "cmu", "val", False),
            ("cmu-test", "cmu", "test", True),
            ("hdm05", "hdm05", "test", True),
        ):
            chosen = load_set(name, data)
            expected = draw_set(load_pack(data / f"{pack}.npz"), split, name=name)
            assert (chosen.name, chosen.is_test) == (name, tests)
            np.testing.assert_array_equal(chosen.focal, expected.focal)
            np.testing.assert_array_equal(chosen.joints["native"], expected.joints["native"])
        assert set(load_set("cmu-val", data).sources) == {"cmu/fbx"}
        assert set(load_set("cmu-test", data).classes) == {"squat"}

    def test_a_pack_by_its_path(self, tmp_path: Path) -> None:
        path = write_pack(tmp_path / "mine.npz")
        chosen = load_set(str(path), tmp_path / "nowhere")
        assert (chosen.name, chosen.is_test) == ("mine", True)

    def test_unknown_names_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="unknown set 'h36m'; known are cmu-val, cmu-fold,"):
            load_set("h36m", tmp_path)
        with pytest.raises(PackError, match=r"cmu\.npz: no such file; .* --data"):
            load_set("cmu-val", tmp_path)

    @pytest.mark.parametrize("split", ["elsewhere", "train"])
    def test_a_split_without_own_skeletons_is_refused(self, tmp_path: Path, split: str) -> None:
        skeletons = np.array(["daz-fixed", "fbx", "bvh-own", "daz-fixed"])
        pack = load_pack(write_pack(tmp_path / "p.npz", skeleton=skeletons))
        with pytest.raises(ValueError, match=f"p: no frame of split '{split}' on its subject's"):
            draw_set(pack, split, name="p")


def oracle(chosen: EvaluationSet, joints: np.ndarray):
    """A lifter that answers with the true joints in the virtual camera's axes.

    It knows the true rays; the turn is the one that takes them onto the inputs, found together
    with the scale of the inputs, and without the code under test.
    """
    root, _ = roots(chosen, "template")
    rays = joints + root[:, None]
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)

    def fit(scale: float, seen: np.ndarray, ray: np.ndarray) -> tuple[float, np.ndarray]:
        wanted = seen * (scale, scale, 1)
        wanted /= np.linalg.norm(wanted, axis=-1, keepdims=True)
        turn, left = Rotation.align_vectors(wanted, ray)
        return left, turn.as_matrix()

    def lift(inputs: np.ndarray) -> np.ndarray:
        out = np.empty_like(joints)
        for n, seen in enumerate(inputs.astype(np.float64)):
            best = minimize_scalar(
                lambda scale, n=n, seen=seen: fit(scale, seen, rays[n])[0],
                bounds=(0.01, 2),
                method="bounded",
                options={"xatol": 1e-10},
            )
            out[n] = joints[n] @ fit(best.x, seen, rays[n])[1].T
        return out

    return lift


class TestScores:
    def test_an_oracle_is_right_where_the_focal_length_is_known(self, small) -> None:
        joints = small.joints["template"]
        pixels = small.pixels["template", "exact"]
        lift = oracle(small, joints)
        known = protocol.predict(lift, small, pixels, focal="known")
        assert np.linalg.norm(known - joints, axis=-1).max() < 1e-5
        # With the default focal length the person is looked for along another ray.
        unknown = protocol.predict(lift, small, pixels, focal="unknown")
        assert np.linalg.norm(unknown - joints, axis=-1).mean() > 1e-3

    def test_a_known_focal_length_is_the_only_difference(self, small) -> None:
        """On cameras whose focal length is the default's, both columns are the same."""
        default = np.full_like(small.focal, 640 / np.tan(np.radians(30)))
        same = replace(small, focal=default)
        scores = list(evaluate(lambda x: _constant(x) + x, same, groups=False))
        by_focal = {
            focal: [replace(s, focal="") for s in scores if s.focal == focal]
            for focal in ("known", "unknown")
        }
        assert by_focal["known"] == by_focal["unknown"]

    def test_of_a_trivial_lifter_by_hand(self, small) -> None:
        """Nothing but a point: its error is the mean distance of the joints from the root."""
        scores = list(evaluate(lambda inputs: 1e-9 * _constant(inputs), small, groups=False))
        assert len(scores) == 8
        for s in scores:
            distance = np.linalg.norm(small.joints[s.bones], axis=-1).mean() * 1000
            assert s.mpjpe == pytest.approx(distance, abs=1e-3)
            assert (s.set, s.group, s.frames) == ("hdm05", "all", 40)
            assert 0 < s.p_mpjpe < s.mpjpe

    def test_a_turned_and_scaled_answer_aligns_to_zero(self, small) -> None:
        chosen = replace(small, pixels={("native", "exact"): small.pixels["native", "exact"]})
        turn = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
        lift = lambda _: 2 * small.joints["native"] @ turn + 1  # noqa: E731
        for s in evaluate(lift, chosen):
            assert s.p_mpjpe < 1e-6
            assert s.mpjpe > 500  # the shift goes with the root, the turn and the scale do not

    def test_a_turned_and_scaled_answer_keeps_its_angles_and_bones(self, small) -> None:
        chosen = replace(small, pixels={("template", "exact"): small.pixels["template", "exact"]})
        turn = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
        lift = lambda _: 2 * small.joints["template"] @ turn  # noqa: E731
        for s in evaluate(lift, chosen):
            assert s.angle_error < 1e-6
            assert s.bone_variation < 1e-6
        lift = lambda _: small.joints["template"] * [1, 1, 0.5]  # noqa: E731
        for s in evaluate(lift, chosen, groups=False):
            assert s.angle_error > 1
            assert s.bone_variation > 1

    def test_the_shares_of_near_joints_leave_out_three(self, small, monkeypatch) -> None:
        """A joint that is right counts at all thresholds but 0, one wrong by 147 mm at one."""
        chosen = replace(small, pixels={("template", "exact"): small.pixels["template", "exact"]})
        for wrong in ("spine", "neck_nose", "left_wrist"):
            moved = small.joints["template"].copy()
            moved[:, H36M_17.joints.index(wrong), 1] += 0.147
            monkeypatch.setattr(protocol, "predict", lambda *_, moved=moved, **__: moved)
            s = next(evaluate(_constant, chosen, groups=False))
            assert s.pck == 100
            shares = [30 / 31] * 13 + [(1 if wrong == "left_wrist" else 30) / 31]
            assert s.auc == pytest.approx(100 * np.mean(shares))

    def test_every_combination_is_a_main_row(self, small) -> None:
        rows = [s for s in evaluate(_constant, small) if s.group == "all"]
        found = [(s.bones, s.input, s.focal) for s in rows]
        assert len(found) == len(set(found)) == 8
        assert set(found) == {
            (bones, kind, focal)
            for bones in ("template", "native")
            for kind in ("exact", "detector")
            for focal in ("known", "unknown")
        }

    def test_groups_partition_the_frames(self, big: EvaluationSet) -> None:
        scores = list(evaluate(_constant, big))
        assert {s.bones for s in scores if s.group != "all"} == {"template"}
        exact = {s.group: s for s in scores[: len({s.group for s in scores})]}
        sources = {"source big/asf-own", "source big/bvh-own", "source big/fbx"}
        assert exact.keys() == {"all", "class run", "class walk"} | sources
        for kind in ("class", "source"):
            parts = [s for name, s in exact.items() if name.startswith(kind)]
            assert sum(s.frames for s in parts) == 6_000
            for error in ("mpjpe", "p_mpjpe"):
                mean = sum(getattr(s, error) * s.frames for s in parts) / 6_000
                assert mean == pytest.approx(getattr(exact["all"], error))
        runs = (big.classes == "run").sum()
        assert exact["class run"].frames == exact["source big/fbx"].frames == runs

    def test_missing_joints_reach_the_lifter_as_zeros(self, small) -> None:
        seen: list[np.ndarray] = []

        def remember(inputs: np.ndarray) -> np.ndarray:
            seen.append(inputs)
            return _constant(inputs)

        pixels = small.pixels["template", "detector"]
        protocol.predict(remember, small, pixels, focal="known")
        missing = np.isnan(pixels).any(-1)
        assert missing.any()
        assert not seen[0][missing].any()
        assert (seen[0][~missing][:, 2] == 1).all()

    def test_rows_have_one_decimal(self) -> None:
        numbers = (12.345, 10.0, 9.96, 0.04, 98.0, 60.0)
        row = protocol.Score("s", "all", "native", "exact", "known", 7, *numbers).row()
        assert list(row.values())[5:] == [7, 12.3, 10.0, 10.0, 0.0, 98.0, 60.0]
        text = io.StringIO()
        csv.DictWriter(text, list(row)).writerow(row)
        assert text.getvalue().strip().endswith("7,12.3,10.0,10.0,0.0,98.0,60.0")


def _constant(inputs: np.ndarray) -> np.ndarray:
    """One pose for everybody."""
    return np.broadcast_to(poses(1, 5), inputs.shape)


LENGTHS = (80, 40, 40, 40)
KEYS = [(bones, kind) for bones in ("template", "native") for kind in ("exact", "detector")]


@pytest.fixture(scope="module")
def strolls(tmp_path_factory: pytest.TempPathFactory) -> EvaluationSet:
    """The 40 frames of the test clip of walks, bones 1.2 times as high."""
    return draw_set(load_pack(_strolls(tmp_path_factory.mktemp("strolls"))), "test", name="s")


def _strolls(folder: Path, **changes: object) -> Path:
    given = walking(LENGTHS) | changes
    given["positions"] = (given["positions"] * [1, 1, 1.2]).astype(np.int16)
    return write_pack(folder / "strolls.npz", **given)


def everything(chosen: EvaluationSet, bones: str, kind: str, frames: int) -> np.ndarray:
    return chosen.windows(bones, kind, frames, slice(0, len(chosen.focal)))


class TestWindows:
    @pytest.mark.parametrize("frames", [1, 3, 9, 81])
    @pytest.mark.parametrize(("bones", "kind"), KEYS)
    def test_the_middle_is_version_1(self, strolls, bones: str, kind: str, frames: int) -> None:
        windows = everything(strolls, bones, kind, frames)
        assert windows.shape == (40, frames, 17, 2)
        np.testing.assert_array_equal(windows[:, frames // 2], strolls.pixels[bones, kind])

    @pytest.mark.parametrize(("bones", "kind"), KEYS)
    def test_lifters_of_several_lengths_see_the_same(self, strolls, bones: str, kind: str) -> None:
        long, short = (everything(strolls, bones, kind, frames) for frames in (27, 9))
        np.testing.assert_array_equal(long[:, 9:18], short)

    def test_are_the_clip_seen_by_the_cameras_of_version_1(self, strolls) -> None:
        """The camera from the middle frame alone; what it sees of the others, worked out anew."""
        bent, path = walk(40, 2)  # the third clip, which is the test one
        bent = np.round(bent * 1e4).astype(np.int16) * [1, 1, 1.2]
        bent = bent.astype(np.int16) / 1e4
        shapes = np.linalg.norm(strolls.joints["native"][:, 1:], axis=-1)
        distance, frames = cKDTree(np.linalg.norm(bent[:, 1:], axis=-1)).query(shapes)
        assert distance.max() < 1e-6
        assert len(set(frames)) == 40
        turn, (place, _) = turns(strolls, "native", bent[frames]), roots(strolls, "native")
        windows = everything(strolls, "native", "exact", 9)
        repeats = 0
        for n, frame in enumerate(frames):
            around = (frame + np.arange(-4, 5)).clip(0, 39)
            repeats += len(set(around)) < 9
            points = bent[around] + (path[around] - path[frame])[:, None]
            points = points @ turn[n].T + place[n]
            pixels = points[..., :2] / points[..., 2:] * strolls.focal[n] + (640, 480)
            np.testing.assert_allclose(windows[n], pixels, atol=0.01)
        assert repeats == 8

    def test_template_bones_are_those_of_all_frames(self, tmp_path: Path) -> None:
        """A walk on template bones looks the same on both."""
        chosen = draw_set(load_pack(write_pack(tmp_path / "p.npz", **walking())), "test", name="p")
        template, native = (everything(chosen, b, "exact", 9) for b in ("template", "native"))
        np.testing.assert_allclose(template, native, atol=0.5)  # positions are whole 0.1 mm

    def test_faults_of_the_other_frames(self, tmp_path: Path) -> None:
        """Noise of version 1's size that lasts, joints missing as often, both repeated at ends."""
        changes = walking((80, 40, 900, 40))
        chosen = draw_set(load_pack(write_pack(tmp_path / "p.npz", **changes)), "test", name="p")
        exact, found = (everything(chosen, "template", kind, 9) for kind in ("exact", "detector"))
        itself = np.abs(np.diff(exact, axis=1)).max((2, 3)) > 0
        again = found[:, :-1][~itself], found[:, 1:][~itself]
        assert (~itself).sum() >= 20
        np.testing.assert_array_equal(*again)
        side = np.ptp(exact, axis=2).max(-1)[..., None, None]
        moved = (found - exact) / side
        vague = ("pelvis", "right_hip", "left_hip", "spine", "thorax", "head_top")
        expected = np.where([joint in vague for joint in H36M_17.joints], 0.02, 0.01)
        for frame in range(9):
            np.testing.assert_allclose(np.nanstd(moved[:, frame], (0, 2)), expected, rtol=0.1)
            assert np.isnan(moved[:, frame]).mean() == pytest.approx(0.02, abs=0.005)
        wrist = moved[itself.all(1)][:, :, H36M_17.index("left_wrist")]
        whole = wrist[np.isfinite(wrist).all((1, 2))]
        correlation = np.corrcoef(np.moveaxis(whole, 1, 0).reshape(9, -1))
        apart = np.abs(np.subtract.outer(np.arange(9), np.arange(9)))
        np.testing.assert_allclose(correlation, 0.8**apart, atol=0.1)
        # Joints that are missing are others in the next frame.
        missing = np.isnan(found[itself.all(1)]).any(-1)
        assert (missing[:, 4] & missing[:, 5]).sum() < 0.2 * missing[:, 4].sum()

    def test_other_poses_have_other_faults(self, strolls) -> None:
        moved = everything(strolls, "template", "detector", 3) - everything(
            strolls, "template", "exact", 3
        )
        moved = moved[:, [0, 2], 13].reshape(-1, 2)
        moved = moved[np.isfinite(moved).all(1)]
        assert len({tuple(each) for each in moved.round(6)}) > 70

    def test_end_where_somebody_leaves_the_picture_or_comes_too_near(self, tmp_path: Path) -> None:
        """At 0.4 m per frame; where a window ends, worked out from version 1's cameras."""
        count = 900
        still = np.repeat(walk(1, 0)[0], count, 0)
        root = np.arange(count)[:, None] * np.array([0.4, 0, 0])
        path = write_pack(
            tmp_path / "p.npz",
            positions=np.round(still * 1e4).astype(np.int16),
            root=root.astype(np.float32),
            clip_start=np.array([0, count]),
            **{key: np.array([value]) for key, value in ONE_CLIP.items()},
        )
        chosen = draw_set(load_pack(path), "test", name="p")
        windows = everything(chosen, "native", "exact", 27)
        turn, (place, _) = turns(chosen, "native", still), roots(chosen, "native")
        step = 0.4 * turn[:, :, 0]
        course = place[:, None] + np.arange(-13, 14)[:, None] * step[:, None]
        depth = course[..., 2] + chosen.joints["native"][:, None, :, 2].min(-1)
        pixel = np.abs(course[..., :2] / course[..., 2:]) * chosen.focal[:, None, None]
        inside = (depth > 0.5) & (course[..., 2] > 0) & (pixel < (640, 480)).all(-1)
        moves = np.abs(np.diff(windows, axis=1)).max((2, 3)) > 0
        ends = 0
        frames = chosen.scene.frames
        for n in np.flatnonzero((frames >= 13) & (frames < count - 13)):
            for side in (-1, 1):
                shown = 13
                while 0 <= shown + side < 27 and inside[n, shown + side]:
                    shown += side
                along = moves[n, 13:] if side == 1 else moves[n, :13][::-1]
                reach = abs(shown - 13)
                if not np.isclose(depth[n], 0.5, atol=1e-3).any():
                    assert along[:reach].all()
                    assert not along[reach:].any()
                ends += reach < 13
        assert ends > 300

    def test_without_root_there_are_none(self, tmp_path: Path) -> None:
        pack = load_pack(_strolls(tmp_path, root=None))
        chosen = draw_set(pack, "test", name="p")
        next(evaluate(_constant, chosen))
        with pytest.raises(PackError, match="strolls: lacks root"):
            next(evaluate(NetworkLifter(3, lambda inputs: _constant(inputs[:, 1])), chosen))


ONE_CLIP = {
    "subject": "1",
    "trial": "1",
    "skeleton": "fbx",
    "description": "run",
    "split": "test",
}


class TestNetworkLifters:
    @pytest.mark.parametrize("focal", ["known", "unknown"])
    @pytest.mark.parametrize(("bones", "kind"), KEYS)
    def test_one_that_looks_at_the_middle_is_a_single_frame_lifter(
        self, strolls, monkeypatch, bones: str, kind: str, focal: str
    ) -> None:
        monkeypatch.setattr(protocol, "WINDOWS_AT_ONCE", 7)
        shapes = []

        def middle(inputs: np.ndarray) -> np.ndarray:
            shapes.append(inputs.shape)
            return inputs[:, 4]

        several = protocol.predict_set(NetworkLifter(9, middle), strolls, bones, kind, focal=focal)
        one = protocol.predict_set(lambda x: x, strolls, bones, kind, focal=focal)
        alone = protocol.predict(lambda x: x, strolls, strolls.pixels[bones, kind], focal=focal)
        np.testing.assert_array_equal(one, alone)
        np.testing.assert_allclose(several, one, atol=1e-6)
        assert shapes == 5 * [(7, 9, 17, 3)] + [(5, 9, 17, 3)]

    def test_single_frames_and_windows_are_not_mixed_up(self, strolls) -> None:
        pixels = strolls.pixels["native", "exact"]
        lift = NetworkLifter(9, lambda inputs: inputs[:, 4])
        with pytest.raises(ValueError, match=r"takes windows, got pixels \(40, 17, 2\)"):
            protocol.predict(lift, strolls, pixels, focal="known")
        windows = everything(strolls, "native", "exact", 9)
        with pytest.raises(ValueError, match=r"takes single frames, got pixels \(40, 9, 17, 2\)"):
            protocol.predict(_constant, strolls, windows, focal="known")

    def test_motion_survives_the_normalisation(self, strolls) -> None:
        """A person who walks 1 m/s moves in the inputs, and is of one size."""
        seen = []

        def keep(inputs: np.ndarray) -> np.ndarray:
            seen.append(inputs)
            return inputs[:, 4]

        protocol.predict_set(NetworkLifter(9, keep), strolls, "native", "exact", focal="known")
        inputs = np.concatenate(seen)
        centre = (inputs[..., :2].max(2) + inputs[..., :2].min(2)) / 2
        np.testing.assert_allclose(centre[:, 4], 0, atol=0.03)
        side = np.ptp(inputs[..., :2], axis=2).max(-1)
        np.testing.assert_allclose(side[:, 4], 2, atol=1e-5)
        assert np.linalg.norm(centre[:, 8] - centre[:, 0], axis=-1).max() > 0.2

    def test_are_scored_like_others(self, strolls) -> None:
        lift = NetworkLifter(9, lambda inputs: _constant(inputs[:, 4]))
        assert list(evaluate(lift, strolls)) == list(evaluate(_constant, strolls))

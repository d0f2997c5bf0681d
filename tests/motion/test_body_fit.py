from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from ampose.geometry import bone_lengths, joints_from_bones, rotate, rotation_about
from ampose.lifting.root import estimate_root
from ampose.metrics import aligned_joint_errors
from ampose.motion import body_fit
from ampose.motion.body import reprojection_residual
from ampose.motion.body_fit import fit_to_bones, fitted_lengths
from ampose.motion.bones import TYPICAL_BONES, stature, unit_bones, with_lengths
from ampose.skeletons import H36M_17
from tests.motion.people import CAMERA, RATE, moving, other_body, seen


def relative(joints: np.ndarray) -> np.ndarray:
    return joints - joints[:, :1]


class TestFit:
    def test_a_right_answer_stays(self):
        truth = moving(20)
        _, rays, scores = seen(truth)
        fit = fit_to_bones(relative(truth), rays, scores, TYPICAL_BONES)
        np.testing.assert_allclose(fit.joints, relative(truth), atol=1e-6)
        np.testing.assert_allclose(fit.root, truth[:, 0], atol=1e-5)

    @pytest.mark.parametrize("said", [False, True])
    def test_goes_to_scipys_minimum_of_what_is_stated(self, said, monkeypatch):
        """One frame, in standard deviations: Huber's of the keypoints, squares of directions."""
        rng = np.random.default_rng(3)
        truth = moving(1)
        keypoints, _, _ = seen(truth)
        keypoints[0, 13] += 0 if said else 60  # steps do not settle on one far off a free arm
        scores, rays = rng.uniform(0.2, 1, (1, 17)), CAMERA.rays(keypoints)
        lifted = with_lengths(truth + rng.normal(0, 0.03, truth.shape), TYPICAL_BONES)
        sigma = rng.choice([0.001, 0.03, 0.06], (1, 17, 3)) if said else None
        start, bones = estimate_root(lifted, rays, scores), unit_bones(lifted)[0]
        deviation = np.where(np.isin(range(17), body_fit.VAGUE), 0.045, 0.03)
        weight = np.sqrt(scores[0]) / deviation * start[0, 2]
        if sigma is None:
            ray = start[0] / np.linalg.norm(start)
            along = np.outer(ray, ray)
            root_precision = (np.eye(3) - along) / 0.1 + along / 0.15
        else:
            parents, children = np.transpose(H36M_17.edges)
            off = np.sqrt(sigma[0, parents] ** 2 + sigma[0, children] ** 2)
            off = (off / TYPICAL_BONES[:, None]).clip(0.03, 0.5)

        def misses(unknown):
            directions = unknown[3:].reshape(16, 3)
            directions = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
            places = joints_from_bones(directions * TYPICAL_BONES[:, None], H36M_17) + unknown[:3]
            miss = (rays[0, :, :2] - places[:, :2] / places[:, 2:]) * weight[:, None]
            far = np.linalg.norm(miss, axis=-1, keepdims=True).clip(2)
            miss *= np.sqrt(4 * far - 4) / far
            turned = directions - bones
            turned = turned @ root_precision if sigma is None else turned / off
            return np.concatenate([miss.ravel(), turned.ravel()])

        begin = np.concatenate([start[0], bones.ravel()])
        best = least_squares(misses, begin, ftol=1e-15, gtol=1e-12).x
        directions = best[3:].reshape(16, 3)
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        expected = joints_from_bones(directions * TYPICAL_BONES[:, None], H36M_17)
        monkeypatch.setattr(body_fit, "FIT_STEPS", 50)
        fit = fit_to_bones(lifted, rays, scores, TYPICAL_BONES, sigma=sigma)
        np.testing.assert_allclose(fit.joints[0], expected, atol=1e-4)
        np.testing.assert_allclose(fit.root[0], best[:3], atol=1e-4)

    def test_lengths_are_exact_and_the_picture_is_nearer(self, rng):
        truth = moving(30, other_body())
        keypoints, rays, scores = seen(truth)
        lifted = relative(truth) + rng.normal(0, 0.03, truth.shape)
        fit = fit_to_bones(lifted, rays, scores, other_body())
        lengths = bone_lengths(fit.joints, H36M_17)
        np.testing.assert_allclose(lengths, np.tile(other_body(), (30, 1)), rtol=1e-12)
        assert not fit.joints[:, 0].any()
        before, after = (
            reprojection_residual(
                joints, estimate_root(joints, rays, scores), keypoints, scores, CAMERA
            ).pixels
            for joints in (with_lengths(lifted, other_body()), fit.joints)
        )
        assert after < 0.7 * before
        errors = [
            aligned_joint_errors(j, relative(truth)).mean()
            for j in (with_lengths(lifted, other_body()), fit.joints)
        ]
        assert errors[1] < 0.9 * errors[0]

    def test_a_joint_not_seen_keeps_its_lifted_direction(self, rng):
        truth = moving(5)
        _, rays, scores = seen(truth)
        wrist = H36M_17.index("left_wrist")
        rays[:, wrist] = np.nan
        lifted = relative(truth) + rng.normal(0, 0.03, truth.shape)
        fit = fit_to_bones(lifted, rays, scores, TYPICAL_BONES)
        directions = [
            with_lengths(joints, TYPICAL_BONES)[:, wrist]
            - with_lengths(joints, TYPICAL_BONES)[:, wrist - 1]
            for joints in (fit.joints, lifted)
        ]
        np.testing.assert_allclose(*directions, atol=1e-6)

    def test_an_outlier_pulls_little(self):
        truth = moving(5)
        keypoints, _, scores = seen(truth)
        wrist = H36M_17.index("left_wrist")
        moved = []
        for pixels in (30, 300):
            wrong = keypoints.copy()
            wrong[:, wrist, 0] += pixels
            fit = fit_to_bones(relative(truth), CAMERA.rays(wrong), scores, TYPICAL_BONES)
            moved.append(np.linalg.norm(fit.joints - relative(truth), axis=-1)[:, wrist].mean())
        assert moved[1] < 4 * moved[0]

    def test_sigma_says_what_may_move(self, rng):
        """A forearm that the lifter is sure of turns less than one that it is not sure of."""
        truth = moving(5)
        _, rays, scores = seen(truth)
        lifted = with_lengths(truth + rng.normal(0, 0.05, truth.shape), TYPICAL_BONES)
        moved = []
        for deviation in (0.005, 0.3):
            sigma = np.full(truth.shape, deviation)
            fit = fit_to_bones(lifted, rays, scores, TYPICAL_BONES, sigma=sigma)
            moved.append(np.abs(fit.joints - lifted).mean())
        assert moved[1] > 3 * moved[0]
        unknown = fit_to_bones(
            lifted, rays, scores, TYPICAL_BONES, sigma=np.full(truth.shape, np.nan)
        )
        plain = fit_to_bones(lifted, rays, scores, TYPICAL_BONES)
        np.testing.assert_array_equal(unknown.joints, plain.joints)

    @pytest.mark.parametrize("frames", [0, 1, 2])
    def test_few_frames(self, frames):
        truth = moving(max(frames, 1))[:frames]
        fit = fit_to_bones(relative(truth), *seen(truth)[1:], TYPICAL_BONES)
        assert fit.joints.shape == (frames, 17, 3)
        assert np.isfinite(fit.root).all()

    def test_absent_frames_stay_absent_and_others_do_not_change(self):
        truth = moving(6)
        _, rays, scores = seen(truth)
        whole = fit_to_bones(relative(truth), rays, scores, TYPICAL_BONES)
        lifted = relative(truth)
        lifted[2] = np.nan
        rays[4] = np.nan  # lifted, but nothing says where
        fit = fit_to_bones(lifted, rays, scores, TYPICAL_BONES)
        assert np.isnan(fit.joints[2]).all()
        assert np.isnan(fit.root[[2, 4]]).all()
        np.testing.assert_allclose(fit.joints[4], with_lengths(lifted[4], TYPICAL_BONES))
        for frame in (0, 1, 3, 5):
            np.testing.assert_allclose(fit.joints[frame], whole.joints[frame], atol=1e-9)

    def test_frames_in_parts(self, monkeypatch):
        truth = moving(11, other_body())
        _, rays, scores = seen(truth)
        whole = fit_to_bones(relative(truth), rays, scores, TYPICAL_BONES)
        monkeypatch.setattr(body_fit, "_FRAMES_AT_ONCE", 4)
        parts = fit_to_bones(relative(truth), rays, scores, TYPICAL_BONES)
        np.testing.assert_allclose(parts.joints, whole.joints, atol=1e-9)


class TestLengths:
    times = np.arange(100) / RATE

    def turning(self) -> np.ndarray:
        """A body that the camera sees from all around, so that each bone lies across the ray."""
        joints = moving(100, other_body())
        turned = rotate(relative(joints), rotation_about(1, 0.3 * np.arange(100)))
        return turned + np.array([0.2, 0, 4])

    def test_other_proportions_are_found(self):
        """Directions are right, lengths are assumed: the picture says what they are."""
        truth = self.turning()
        _, rays, scores = seen(truth)
        found = fitted_lengths(relative(truth), rays, scores, self.times, TYPICAL_BONES)
        found *= stature(other_body()) / stature(found)
        before = np.abs(TYPICAL_BONES / other_body() - 1)
        assert np.abs(found / other_body() - 1).max() < 0.2 * before.max()

    def test_the_sum_is_kept_and_sides_are_alike(self, rng):
        truth = self.turning()
        _, rays, scores = seen(truth)
        start = TYPICAL_BONES * rng.uniform(0.9, 1.1, 16)
        found = fitted_lengths(relative(truth), rays, scores, self.times, start)
        assert found.sum() == pytest.approx(start.sum())
        np.testing.assert_allclose(found, found[body_fit.OTHER_SIDE])

    def test_one_frame_moves_them_less_than_many(self):
        truth = self.turning()
        _, rays, scores = seen(truth)
        every = (relative(truth), rays, scores, self.times)
        changes = [
            np.abs(fitted_lengths(*(a[:n] for a in every), TYPICAL_BONES) - TYPICAL_BONES).sum()
            for n in (1, 100)
        ]
        assert 0 < changes[0] < 0.7 * changes[1]

    def test_a_standing_clip_counts_by_its_time_and_not_by_its_frames(self):
        truth = np.repeat(self.turning()[:1], 50, axis=0)
        _, rays, scores = seen(truth)
        found = [
            fitted_lengths(relative(truth[:n]), rays[:n], scores[:n], times, TYPICAL_BONES)
            for n, times in ((50, np.arange(50) / 10_000), (1, np.zeros(1)))
        ]
        np.testing.assert_allclose(*found, atol=1e-9)

    def test_nobody(self):
        lifted = np.full((3, 17, 3), np.nan)
        rays, scores = np.full((3, 17, 3), np.nan), np.zeros((3, 17))
        found = fitted_lengths(lifted, rays, scores, np.arange(3.0), TYPICAL_BONES)
        np.testing.assert_allclose(found, TYPICAL_BONES)


def test_the_equations_are_the_derivative(rng):
    """Against finite differences of the projection, all unknowns of one frame and the lengths."""
    truth = moving(1)
    _, rays, scores = seen(truth)
    lifted = relative(truth) + rng.normal(0, 0.02, truth.shape)
    frames = body_fit._Frames.of(lifted, rays, scores, TYPICAL_BONES, None)
    lengths = TYPICAL_BONES.copy()
    monkey = 1e9  # no Huber weight, which is not part of the derivative
    old, body_fit.HUBER = body_fit.HUBER, monkey
    try:
        _, _, system = frames.equations(lengths)
        by_length = system.by_length(lengths)
        step = 1e-6
        for unknown in range(system.local.shape[-1]):
            other = body_fit._Frames.of(lifted, rays, scores, lengths, None)
            change = np.zeros((1, system.local.shape[-1]))
            change[0, unknown] = step
            other.move(change)
            _, _, moved = other.equations(lengths)
            slope = (system.misses - moved.misses) / step
            np.testing.assert_allclose(slope, system.local[..., unknown], atol=1e-3)
        for shared in range(by_length.shape[-1]):
            _, _, moved = frames.equations(lengths * np.exp(step * body_fit._TO_BONES[:, shared]))
            slope = (system.misses - moved.misses) / step
            np.testing.assert_allclose(slope, by_length[..., shared], atol=1e-3)
    finally:
        body_fit.HUBER = old


def test_aligned_error_falls_with_right_lengths(rng):
    """Of poses lifted on wrong bones so that they project right, as a lifter does."""
    truth = moving(40, other_body())
    _, rays, scores = seen(truth)
    lifted = fit_to_bones(
        relative(truth) + rng.normal(0, 0.02, truth.shape), rays, scores, TYPICAL_BONES
    ).joints
    fit = fit_to_bones(lifted, rays, scores, other_body()).joints
    errors = [aligned_joint_errors(j, relative(truth)).mean() for j in (lifted, fit)]
    assert errors[1] < 0.7 * errors[0]

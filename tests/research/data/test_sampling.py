from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ampose.geometry import bone_lengths
from ampose.research.data.batches import Plan
from ampose.research.data.open_mocap import TEMPLATE_BONES
from ampose.research.data.sampling import Augmentation, PoseSampler
from ampose.skeletons import H36M_17
from tests.research.packs import poses

NOTHING = Augmentation(
    crossover_upper=0,
    crossover_arms=0,
    crossover_leg=0,
    clusters=8,
    free_body=0,
    bone_spread=0,
    unknown_focal=0,
    exact=1,
    miss_joint=0,
    miss_limb=0,
)
"""No augmentation but the camera and the mirror."""

POOL = poses(100, 0)


def batch(options: Augmentation, size: int = 200, seed: int = 0):
    return PoseSampler(POOL, options).batch(size, np.random.default_rng(seed))


def test_the_generator_decides_everything() -> None:
    sampler = PoseSampler(POOL, Augmentation(clusters=8))
    first, again, other = (sampler.batch(50, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.targets, again.targets)
    assert not np.array_equal(first.targets, other.targets)


@pytest.mark.parametrize(("step", "size"), [(0, 30), (3, 10), (4, 30), (11, 10)])
def test_a_step_depends_on_its_number_and_the_seed_only(step: int, size: int) -> None:
    sampler = PoseSampler(POOL, Augmentation(clusters=8))
    assert sampler.poses == 100
    plan = Plan(sampler.poses, 3, 30)  # 30, 30, 30 and 10 samples, three times
    out = sampler.step(plan, 5, step)
    expected = sampler.batch(size, np.random.default_rng([5, step]))
    assert (out.inputs.shape, out.inputs.dtype) == ((size, 1, 17, 3), np.float32)
    assert (out.targets.shape, out.targets.dtype) == ((size, 17, 3), np.float32)
    assert (out.rays, out.root_depth) == (None, None)
    np.testing.assert_array_equal(out.inputs, expected.inputs)
    np.testing.assert_array_equal(out.targets, expected.targets)
    for other in (sampler.step(plan, 6, step), sampler.step(plan, 5, step + 4)):
        assert not np.array_equal(out.targets[:10], other.targets[:10])


def test_exact_inputs_are_the_projection_of_the_targets() -> None:
    """For some distance and ray: root + target must project onto the inputs up to scale."""
    out = batch(NOTHING)
    for inputs, target in zip(out.inputs[:, 0], out.targets.astype(float), strict=True):
        assert inputs[:, 2].all()
        # x (Z + z) = s (X + tx) is linear in tx, ty, Z and 1/scale: solve it, expect no residual.
        rows, right = [], []
        for (x, y, _), (px, py, pz) in zip(inputs, target, strict=True):
            rows += [[1, 0, -x, -x * pz], [0, 1, -y, -y * pz]]
            right += [-px, -py]
        solution, residual, rank, _ = np.linalg.lstsq(np.array(rows), np.array(right))
        assert rank == 4
        assert np.sqrt(residual[0] / 34) < 1e-5
        assert solution[2] / solution[3] > 0.8  # the root lies in front of the camera


def test_bones_are_the_template_or_near_it() -> None:
    exact = bone_lengths(batch(NOTHING).targets, H36M_17)
    np.testing.assert_allclose(exact, np.tile(TEMPLATE_BONES, (200, 1)), rtol=1e-4)
    varied = bone_lengths(batch(replace(NOTHING, bone_spread=0.06)).targets, H36M_17)
    np.testing.assert_allclose(varied.sum(1), TEMPLATE_BONES.sum(), rtol=1e-4)
    mirror = np.array(H36M_17.mirror[1:]) - 1
    np.testing.assert_allclose(varied, varied[:, mirror], rtol=1e-4)
    assert 0.01 < np.std(varied / TEMPLATE_BONES) < 0.1


@pytest.mark.parametrize("part", ["crossover_upper", "crossover_arms", "crossover_leg"])
def test_crossover_keeps_what_it_does_not_exchange(part: str) -> None:
    plain, mixed = batch(NOTHING), batch(replace(NOTHING, **{part: 1.0}))
    assert np.isfinite(mixed.targets).all()
    # An exchanged limb keeps its own shape: the angle inside it comes from the pool.
    knee = _angles(mixed.targets, "left_hip", "left_knee", "left_ankle")
    elbow = _angles(mixed.targets, "left_shoulder", "left_elbow", "left_wrist")
    pool_knee = np.concatenate(
        [_angles(POOL, f"{s}_hip", f"{s}_knee", f"{s}_ankle") for s in ("left", "right")]
    )
    pool_elbow = np.concatenate(
        [_angles(POOL, f"{s}_shoulder", f"{s}_elbow", f"{s}_wrist") for s in ("left", "right")]
    )
    for angle, pool in ((knee, pool_knee), (elbow, pool_elbow)):
        assert np.abs(angle[:, None] - pool).min(1).max() < 1e-3
    assert not np.allclose(plain.targets, mixed.targets)


def _angles(joints: np.ndarray, *names: str) -> np.ndarray:
    a, b, c = (joints[:, H36M_17.index(name)].astype(float) for name in names)
    u, v = a - b, c - b
    cosine = (u * v).sum(-1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1)
    return np.arccos(cosine.clip(-1, 1))


def test_people_stand_upright_unless_turned_freely() -> None:
    def upright(targets: np.ndarray) -> np.ndarray:
        return -targets[:, H36M_17.index("thorax"), 1]  # camera y points down

    assert (upright(batch(NOTHING).targets) > 0).mean() > 0.98
    free = upright(batch(replace(NOTHING, free_body=1.0), size=1000).targets)
    assert 0.45 < (free > 0).mean() < 0.55


def test_missing_joints_are_zero_and_masked() -> None:
    out = batch(replace(NOTHING, miss_joint=0.2, whole=0))
    missing = out.inputs[..., 2] == 0
    assert 0.15 < missing.mean() < 0.25
    assert not out.inputs[missing].any()
    whole = batch(replace(NOTHING, miss_joint=0.2, miss_limb=1.0, whole=1))
    assert whole.inputs[..., 2].all()


def test_noise_has_the_size_that_is_asked() -> None:
    exact = batch(NOTHING, size=4000)
    options = replace(NOTHING, exact=0, noise=0.01, noise_spread=0, definition_shift=0)
    noisy = batch(replace(options, outlier=0, swap_limb=0, swap_body=0), size=4000)
    wrist, thorax = H36M_17.indices(["left_wrist", "thorax"])
    moved = (noisy.inputs - exact.inputs)[:, 0]
    # 1 % of the larger box side, which is 2 in these units, so 0.02; doubled for the thorax. The
    # box itself moves with the noise, which adds a little.
    assert 0.018 < moved[:, wrist, :2].std() < 0.028
    assert 1.6 < moved[:, thorax, :2].std() / moved[:, wrist, :2].std() < 2.1


def test_swapped_sides_exchange_inputs_but_not_targets() -> None:
    exact = batch(NOTHING)
    options = replace(NOTHING, exact=0, noise=0, definition_shift=0, swap_limb=0, swap_body=1)
    swapped = batch(options)
    np.testing.assert_array_equal(swapped.targets, exact.targets)
    np.testing.assert_allclose(swapped.inputs, exact.inputs[:, :, H36M_17.mirror], atol=1e-6)


def test_an_unknown_focal_length_changes_the_view_of_people_off_the_centre() -> None:
    known, unknown = batch(NOTHING), batch(replace(NOTHING, unknown_focal=1))
    centred = replace(NOTHING, off_centre=(0, 0))
    assert np.abs(known.inputs - unknown.inputs).max() > 0.02
    difference = batch(centred).inputs - batch(replace(centred, unknown_focal=1)).inputs
    assert np.median(np.abs(difference)) < 0.01


def test_rare_poses_are_drawn_more_often_than_uniformly() -> None:
    rare = POOL[:1] * 1.0
    rare[:, 1:] = rare[:, 1:][..., [0, 2, 1]] * [1, 1, -1]  # lying, once among 2000 of one pose
    pool = np.concatenate([np.repeat(POOL[1:2], 2000, axis=0), rare])
    sampler = PoseSampler(pool, replace(NOTHING, clusters=2, balanced=1.0))
    uniform = PoseSampler(pool, replace(NOTHING, clusters=2, balanced=0.0))
    assert uniform._weights[-1] == pytest.approx(1 / 2001)
    assert sampler._weights[-1] > 10 / 2001
    assert sampler._weights.sum() == pytest.approx(1)

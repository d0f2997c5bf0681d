from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ampose.geometry import bone_lengths
from ampose.research.data.batches import Batch, Plan, neighbours
from ampose.research.data.open_mocap import TEMPLATE_BONES, Track
from ampose.research.data.sampling import Augmentation, PoseSampler, lasting
from ampose.skeletons import H36M_17
from tests.research.packs import poses, walk

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


def test_some_bodies_differ_much_more_from_the_template_than_others() -> None:
    def spread(**options: float) -> np.ndarray:
        """Of each sample, the standard deviation of its bones' relative lengths."""
        lengths = bone_lengths(batch(replace(NOTHING, **options)).targets, H36M_17)
        np.testing.assert_allclose(lengths.sum(1), TEMPLATE_BONES.sum(), rtol=1e-4)
        return np.std(lengths / TEMPLATE_BONES, axis=1)

    usual = spread(bone_spread=0.06)
    uneven = spread(bone_spread=0.06, bone_spread_log=0.8)
    assert np.median(uneven) == pytest.approx(0.06, rel=0.2)
    # Log-normal: one in six above 0.06 e^0.8 = 0.134, one in six below 0.027.
    assert 0.08 < np.mean(uneven > 0.134) < 0.2
    assert 0.08 < np.mean(uneven < 0.027) < 0.25
    assert np.mean(usual > 0.134) < 0.03


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


def test_a_single_pose_is_what_it_was_before_there_were_windows() -> None:
    """Kept scores come from runs on these numbers; the generator is left where it was."""
    rng = np.random.default_rng(7)
    out = PoseSampler(POOL, Augmentation(clusters=8)).batch(500, rng)
    assert (rng.random(), rng.standard_normal()) == (0.027397878573731882, 0.06219641086944776)
    assert out.inputs[..., 2].sum() == 8396
    knee = [
        [0.10272533446550369, 1.0019676685333252, 1],
        [-0.3719128370285034, 0.05182237550616264, 1],
    ]
    np.testing.assert_allclose(out.inputs[3, 0, [3, 13]], knee, atol=1e-6)
    wrist = [-0.20202887058258057, 0.1395685374736786, 0.08263108134269714]
    np.testing.assert_allclose(out.targets[3, 13], wrist, atol=1e-6)
    for array, total in ((out.inputs, -8.067158), (out.targets, 13.187675)):
        weights = np.cos(np.arange(array.size)).reshape(array.shape)
        assert (array * weights).sum() == pytest.approx(total, abs=1e-3)


CLIPS = (40, 5, 25, 1)
WALKS = [walk(length, seed) for seed, length in enumerate(CLIPS)]
BODIES = np.concatenate([positions for positions, _ in WALKS])
TRACK = Track(np.concatenate([root for _, root in WALKS]), np.cumsum([0, *CLIPS]))
MIRROR = list(H36M_17.mirror)

EXACT = replace(Augmentation(clusters=8), exact=1, miss_joint=0, miss_limb=0)
"""Everything but the detector's faults."""

FLAWS = replace(NOTHING, exact=0, noise=0, definition_shift=0, swap_limb=0, swap_body=0, whole=0)


def windows(
    options: Augmentation, frames: int = 9, size: int = 150, seed: int = 0, **changes: object
) -> Batch:
    """Windows of the walks."""
    given = {"positions": BODIES, "track": TRACK} | changes
    sampler = PoseSampler(augmentation=options, frames=frames, **given)
    return sampler.batch(size, np.random.default_rng(seed))


def standing_still(count: int = 60) -> dict[str, object]:
    """One pose all the time."""
    return {"positions": np.repeat(POOL[:1], count, 0), "track": still(count)}


def still(count: int, speed: float = 0.0) -> Track:
    """A root that goes straight on, metres per frame."""
    root = np.arange(count)[:, None] * np.array([speed, 0, 0])
    return Track(root.astype(np.float32), np.array([0, count]))


class TestWindows:
    def test_shapes(self) -> None:
        out = windows(Augmentation(clusters=8), size=30)
        assert (out.inputs.shape, out.inputs.dtype) == ((30, 9, 17, 3), np.float32)
        assert (out.targets.shape, out.targets.dtype) == ((30, 17, 3), np.float32)

    def test_steps_are_reproducible(self) -> None:
        sampler = PoseSampler(BODIES, Augmentation(clusters=8), frames=9, track=TRACK)
        plan = Plan(100, 1, 50)
        first, again, other = (sampler.step(plan, 5, step) for step in (0, 0, 1))
        np.testing.assert_array_equal(first.inputs, again.inputs)
        assert not np.array_equal(first.inputs, other.inputs)

    @pytest.mark.parametrize("frames", [3, 9, 27])
    def test_the_middle_is_the_single_pose(self, frames: int) -> None:
        """Up to the detector's faults, which are drawn per frame, everything is per window."""
        one = PoseSampler(BODIES, EXACT).batch(150, np.random.default_rng(0))
        out = windows(EXACT, frames)
        np.testing.assert_allclose(out.inputs[:, frames // 2], one.inputs[:, 0], atol=2e-5)
        np.testing.assert_allclose(out.targets, one.targets, atol=2e-6)

    @pytest.mark.parametrize("free_body", [0, 1])
    def test_are_clips_seen_by_one_camera(self, free_body: float) -> None:
        """The whole of it anew, from the targets: which frame, how turned, seen from where.

        The walk is in the virtual camera's axes by the turn of the middle frame; from there on
        frames are those of the clip, with its end frames repeated, and the root where it was.
        """
        options = replace(NOTHING, free_body=free_body, off_centre=(0, 0))
        out = windows(options, size=60)
        recognise = Recogniser(BODIES)
        seen = set()
        for inputs, target in zip(out.inputs, out.targets.astype(float), strict=True):
            frame, side, turn, pool = recognise(target)
            around = neighbours(TRACK.starts, np.array([frame]), 9)[0]
            seen.add((side, len(set(around))))
            path = (TRACK.root[around] - TRACK.root[frame]) * [side, 1, 1]
            points = turn.apply((pool[around] + path[:, None]).reshape(-1, 3)).reshape(9, 17, 3)
            place, scale = _place(inputs[4], target)
            assert np.linalg.norm(place) > 1.5
            points += place
            expected = points[..., :2] / points[..., 2:] * scale
            np.testing.assert_allclose(inputs[..., :2], expected, atol=5e-4)
        assert {side for side, _ in seen} == {-1, 1}
        assert {distinct for _, distinct in seen} >= {1, 5, 9}

    def test_who_stands_still_is_seen_still(self) -> None:
        out = windows(EXACT, **standing_still())
        np.testing.assert_allclose(out.inputs, out.inputs[:, [4] * 9], atol=1e-5)

    def test_poses_without_a_track_stand_alone(self) -> None:
        """Repeated frames are the middle one with all its faults."""
        out = windows(Augmentation(clusters=8), positions=POOL, track=None)
        np.testing.assert_array_equal(out.inputs, out.inputs[:, [4] * 9])
        assert (out.inputs[..., 2] == 0).any()

    def test_end_where_somebody_leaves_the_picture_or_comes_too_near(self) -> None:
        """At 0.4 m per frame; the virtual camera looks almost where the real one does."""
        level = {"elevation_degrees": (0, 0), "roll_degrees": 0, "off_centre": (0, 0)}
        given = {"positions": np.repeat(POOL[:1], 9_999, 0), "track": still(9_999, 0.4)}
        out = windows(replace(NOTHING, **level), 27, **given)
        recognise, ended = Recogniser(POOL[:1]), 0
        for inputs, target in zip(out.inputs, out.targets.astype(float), strict=True):
            _, side, turn, _ = recognise(target)
            place, _ = _place(inputs[13], target)
            root = place + np.arange(-13, 14)[:, None] * turn.apply([0.4 * side, 0, 0])
            depth = root[:, 2] + target[:, 2].min()
            lateral = np.abs(root[:, 0]) / root[:, 2].clip(1e-9)
            moving = np.flatnonzero(np.abs(np.diff(inputs, axis=0)).max((1, 2)) > 0)
            first, last = (moving[0], moving[-1] + 1) if len(moving) else (13, 13)
            assert len(moving) == last - first  # nothing is repeated but at the ends
            assert first <= 13 <= last
            assert depth[first : last + 1].min() > 0.4
            assert lateral[first : last + 1].max() < np.tan(np.radians(42.5)) + 0.15
            for beyond in ({first - 1} - {-1}) | ({last + 1} - {27}):
                # At least 35 degrees along the longer side, and 9/16 of that along the other.
                assert (
                    depth[beyond] < 0.6
                    or lateral[beyond] > 9 / 16 * np.tan(np.radians(17.5)) - 0.1
                )
                ended += 1
        assert ended > 100

    def test_exchanged_limbs_move_as_their_owner_moved(self) -> None:
        """In the frame of the chest, arms go through nine consecutive poses of one clip."""
        options = replace(NOTHING, crossover_arms=1)
        sampler = PoseSampler(BODIES, options, frames=9, track=TRACK)
        bodies, _, itself = sampler._bodies(100, np.random.default_rng(0))
        own = _arms_in_chest(sampler._directions)
        mirrored = own[:, [2, 3, 0, 1]] * np.array([-1, 1, 1])
        mixed = _arms_in_chest(bodies)
        moved = 0
        for window, real in zip(mixed, itself, strict=True):
            misses = {
                side: np.abs(pool - window[4]).max((1, 2))
                for side, pool in (("own", own), ("mirrored", mirrored))
            }
            side = min(misses, key=lambda side: misses[side].min())
            donor = int(misses[side].argmin())
            around = neighbours(TRACK.starts, np.array([donor]), 9)[0]
            pool = own if side == "own" else mirrored
            np.testing.assert_allclose(window, pool[around], atol=2e-3)
            # Where the donor's clip ends, the window ends.
            assert not real[around - donor != np.arange(9) - 4].any()
            moved += len(set(around)) == 9
        assert moved > 20

    def test_hidden_limbs_and_definitions_last(self) -> None:
        hidden = windows(replace(FLAWS, miss_limb=1), **standing_still()).inputs[..., 2]
        assert (hidden == hidden[:, :1]).all()
        assert (hidden.sum((1, 2)) < 9 * 17).all()
        shifted = replace(FLAWS, definition_shift=0.05, outlier=0)
        out = windows(shifted, **standing_still()).inputs
        np.testing.assert_allclose(out, out[:, [4] * 9], atol=1e-5)
        exact = windows(NOTHING, **standing_still()).inputs
        assert np.abs(out - exact).max() > 0.02

    @pytest.mark.parametrize(
        ("fault", "share"), [("swap_body", 0.5), ("swap_limb", 0.5), ("miss_joint", 0.05)]
    )
    def test_swaps_and_missing_joints_come_and_go(self, fault: str, share: float) -> None:
        out = windows(replace(FLAWS, **{fault: share}), **standing_still()).inputs
        exact = windows(NOTHING, **standing_still()).inputs
        differ = np.abs(out - exact).max((2, 3)) > 0.02
        assert 0.3 < differ.mean() < 1
        changed = (out[:, 3:5] != out[:, 4:6]).any((2, 3))
        assert 0.3 < changed.mean() <= 1

    def test_noise_lasts_and_is_as_large_as_in_a_single_pose(self) -> None:
        options = replace(FLAWS, noise=0.01, noise_spread=0, outlier=0)
        exact = windows(NOTHING, size=1_000).inputs
        moved = (windows(options, size=1_000).inputs - exact)[..., :2]
        wrist = H36M_17.index("left_wrist")
        # As where single poses have it. The frames beside share 0.8 of it, and the box's part.
        assert 0.018 < moved[:, 4, wrist].std() < 0.028
        assert moved[:, 0, wrist].std() == pytest.approx(moved[:, 4, wrist].std(), rel=0.15)
        beside = np.corrcoef(moved[:, 4, wrist].ravel(), moved[:, 5, wrist].ravel())[0, 1]
        assert 0.75 < beside < 0.93


def test_lasting_noise_by_hand() -> None:
    """The middle as given; each further one has 0.8 of the one before and 0.6 of its own."""
    noise = np.arange(1.0, 6)[None]
    right = [3, 0.8 * 3 + 0.6 * 4]
    left = [3, 0.8 * 3 + 0.6 * 2]
    right.append(0.8 * right[-1] + 0.6 * 5)
    left.append(0.8 * left[-1] + 0.6 * 1)
    np.testing.assert_allclose(lasting(noise, 0.8), [[left[2], left[1], 3, right[1], right[2]]])
    np.testing.assert_array_equal(lasting(noise[:, :1], 0.8), noise[:, :1])
    many = lasting(np.random.default_rng(0).standard_normal((20_000, 9)), 0.8)
    np.testing.assert_allclose(many.std(0), 1, atol=0.02)
    correlation = np.corrcoef(many.T)
    apart = np.abs(np.subtract.outer(np.arange(9), np.arange(9)))
    np.testing.assert_allclose(correlation, 0.8**apart, atol=0.02)


class Recogniser:
    """Finds a target among poses or their mirror images, by distances between joints."""

    def __init__(self, poses: np.ndarray) -> None:
        self._pools = {1: poses, -1: poses[:, MIRROR] * [-1, 1, 1]}
        self._shapes = {side: _distances(pool) for side, pool in self._pools.items()}

    def __call__(self, target: np.ndarray) -> tuple[int, int, Rotation, np.ndarray]:
        """Frame, side (-1 if mirrored), the turn that takes it there, and its pool."""
        wanted = _distances(target[None])
        misses = {side: np.abs(shape - wanted).max(1) for side, shape in self._shapes.items()}
        side = min(misses, key=lambda side: misses[side].min())
        frame = int(misses[side].argmin())
        assert misses[side][frame] < 1e-5
        pool = self._pools[side]
        turn, _ = Rotation.align_vectors(target[1:], pool[frame, 1:])
        return frame, side, turn, pool


def _distances(poses: np.ndarray) -> np.ndarray:
    """(N, 17 * 17) between all joints of a pose."""
    between = poses[:, :, None] - poses[:, None]
    return np.linalg.norm(between, axis=-1).reshape(len(poses), -1)


def _place(inputs: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float]:
    """Where a pose stands and the scale of its exact inputs: x (Z + z) = s (X + px)."""
    rows, right = [], []
    for (x, y, _), (px, py, pz) in zip(inputs.astype(float), target, strict=True):
        rows += [[1, 0, -x, px], [0, 1, -y, py]]
        right += [x * pz, y * pz]
    sx, sy, z, scale = np.linalg.lstsq(np.array(rows), np.array(right))[0]
    return np.array([sx / scale, sy / scale, z]), scale


def _arms_in_chest(directions: np.ndarray) -> np.ndarray:
    """Arm bones (..., 4, 3), left and right, along the shoulders, the spine and forward."""
    across = directions[..., 10, :] - directions[..., 13, :]
    across = across / np.linalg.norm(across, axis=-1, keepdims=True)
    up = directions[..., 7, :] - (directions[..., 7, :] * across).sum(-1, keepdims=True) * across
    up = up / np.linalg.norm(up, axis=-1, keepdims=True)
    axes = np.stack([across, up, np.cross(across, up)], axis=-2)
    return np.einsum("...ij,...bj->...bi", axes, directions[..., [11, 12, 14, 15], :])

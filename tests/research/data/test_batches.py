from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampose.research.data import batches
from ampose.research.data.batches import (
    Batch,
    Plan,
    WindowSource,
    mirrored,
    neighbours,
    repeated,
    windows,
)
from ampose.research.data.pose_set import Clip, PoseSet, cached, join
from ampose.skeletons import H36M_16, H36M_17
from tests.research.training.runs import camera_clips

CLIPS = (7, 1, 4, 9)

ORACLE = ("inputs", "targets", "rays", "root_depth")


def coded(lengths=CLIPS, channels: int = 2) -> PoseSet:
    """Clips whose numbers say where they come from: in x, 1000 per clip and 1 per frame."""
    clips = []
    for number, length in enumerate(lengths, start=1):
        x = np.broadcast_to(1000.0 * number + np.arange(length)[:, None], (length, 17))
        joint = np.broadcast_to(1.0 + np.arange(17), (length, 17))
        clips.append(
            Clip(
                *("S1", f"take {number}", "camera"),
                inputs=np.stack([x, joint, x, joint][:channels], axis=-1),
                targets=np.stack([x, joint, -joint], axis=-1),
                rays=np.stack([x, joint], axis=-1),
                root_depth=x[:, 0],
                scored=np.ones(length, bool),
            )
        )
    return join("coded", H36M_17, clips, official=False)


def codes(lengths=CLIPS) -> list[float]:
    """What `coded` writes into the frames."""
    return [1000.0 * k + t for k, length in enumerate(lengths, 1) for t in range(length)]


def steps(source: WindowSource, plan: Plan, seed: int = 0) -> list[Batch]:
    return [source.step(plan, seed, step) for step in range(plan.steps)]


def assert_same(one: Batch, other: Batch) -> None:
    for key in ORACLE:
        np.testing.assert_array_equal(getattr(one, key), getattr(other, key))


class TestPlan:
    def test_the_last_step_of_an_epoch_takes_what_is_left(self) -> None:
        plan = Plan(poses=10, epochs=3, batch=4)
        assert (plan.steps_per_epoch, plan.steps) == (3, 9)
        first = [range(4), range(4, 8), range(8, 10)]
        assert [plan.samples(step) for step in range(9)] == 3 * first
        assert [plan.seen(step) for step in range(10)] == [0, 4, 8, 10, 14, 18, 20, 24, 28, 30]

    def test_a_batch_that_divides_the_epoch(self) -> None:
        plan = Plan(poses=8, epochs=2, batch=4)
        assert plan.steps == 4
        assert [plan.samples(step) for step in range(4)] == 2 * [range(4), range(4, 8)]
        assert plan.seen(4) == 16

    def test_a_batch_larger_than_the_epoch(self) -> None:
        plan = Plan(poses=3, epochs=2, batch=8)
        assert [plan.samples(step) for step in range(plan.steps)] == [range(3), range(3)]

    def test_the_training_set_of_the_thesis(self) -> None:
        """1,559,752 frames of Human3.6M, each twice, 128 at a time."""
        plan = Plan(poses=2 * 1_559_752, epochs=60, batch=128)
        assert plan.steps == 60 * 24_372
        assert len(plan.samples(24_371)) == 2 * 1_559_752 - 24_371 * 128 == 16

    @given(st.integers(1, 60), st.integers(1, 4), st.integers(1, 70))
    def test_every_sample_once_per_epoch(self, poses: int, epochs: int, batch: int) -> None:
        plan = Plan(poses, epochs, batch)
        places = [list(plan.samples(step)) for step in range(plan.steps)]
        assert list(chain(*places)) == epochs * list(range(poses))
        assert {len(some) for some in places} <= {batch, poses % batch}
        seen = [plan.seen(step) for step in range(plan.steps + 1)]
        assert np.diff(seen).tolist() == [len(some) for some in places]
        assert (seen[0], seen[-1]) == (0, epochs * poses)


class TestBatch:
    batch = Batch(np.arange(5.0)[:, None, None, None], np.arange(5.0)[:, None, None])

    def test_shares_are_the_batch(self) -> None:
        full = replace(self.batch, rays=np.arange(5.0)[:, None, None], root_depth=np.arange(5.0))
        shares = [full.part(rank, 3) for rank in range(3)]
        assert [len(share) for share in shares] == [2, 2, 1]
        for key in ORACLE:
            together = np.concatenate([getattr(share, key) for share in shares])
            assert sorted(together.ravel()) == [0, 1, 2, 3, 4]
        for share in shares:  # a sample stays together
            np.testing.assert_array_equal(share.inputs.ravel(), share.root_depth)
            np.testing.assert_array_equal(share.targets.ravel(), share.rays.ravel())
            np.testing.assert_array_equal(share.targets.ravel(), share.root_depth)

    def test_without_an_oracle_there_is_none_in_the_shares(self) -> None:
        share = self.batch.part(1, 2)
        assert (len(share), share.rays, share.root_depth) == (2, None, None)

    def test_more_processes_than_samples(self) -> None:
        assert [len(self.batch.part(rank, 7)) for rank in range(7)] == [1] * 5 + [0, 0]


class TestWindowSource:
    @given(
        st.lists(st.integers(1, 8), min_size=1, max_size=5),
        st.integers(1, 20),
        st.booleans(),
        st.sampled_from([1, 3, 9]),
        st.integers(0, 3),
    )
    def test_an_epoch_holds_every_frame_once_and_once_mirrored(
        self, lengths: list[int], batch: int, both: bool, frames: int, seed: int
    ) -> None:
        source = WindowSource(coded(lengths), frames=frames, mirrored=both)
        assert source.poses == sum(lengths) * (2 if both else 1)
        plan = Plan(source.poses, 2, batch)
        made = steps(source, plan, seed)
        for epoch in (made[: plan.steps_per_epoch], made[plan.steps_per_epoch :]):
            middle = [x for some in epoch for x in some.inputs[:, frames // 2, 0, 0].tolist()]
            expected = codes(lengths)
            assert sorted(middle) == sorted(expected + [-x for x in expected] * both)

    def test_orders_differ_between_epochs_and_seeds(self) -> None:
        source = WindowSource(coded((200,)))
        plan = Plan(source.poses, 2, 200)
        first, second = (some.targets[:, 0, 0].tolist() for some in steps(source, plan))
        other = source.step(plan, 1, 0).targets[:, 0, 0].tolist()
        assert len({tuple(order) for order in (first, second, other, codes((200,)))}) == 4

    @pytest.mark.parametrize("frames", [1, 5])
    def test_everything_of_a_sample_is_of_its_frame(self, frames: int) -> None:
        source = WindowSource(coded(), frames=frames, mirrored=True, oracle=True)
        for some in steps(source, Plan(source.poses, 1, 8)):
            x = some.inputs[:, frames // 2, :, 0]
            np.testing.assert_array_equal(some.targets[..., 0], x)
            np.testing.assert_array_equal(some.rays[..., 0], x)
            np.testing.assert_array_equal(some.root_depth, np.abs(x[:, 0]))
            joint = some.inputs[:, frames // 2, :, 1]
            np.testing.assert_array_equal(some.targets[..., 1], joint)
            np.testing.assert_array_equal(some.targets[..., 2], -joint)
            # In a mirrored sample the place of a left joint holds the right joint.
            order = np.where(x[:, :1] < 0, np.array(H36M_17.mirror) + 1, np.arange(17) + 1)
            np.testing.assert_array_equal(joint, order)

    @pytest.mark.parametrize("skeleton", ["h36m_17", "h36m_16"])
    def test_mirror_images_are_poses_of_the_same_camera(self, skeleton: str) -> None:
        poses = camera_clips(skeleton=skeleton)
        source = WindowSource(poses, mirrored=True, oracle=True)
        (batch,) = steps(source, Plan(source.poses, 1, source.poses))
        depth = batch.targets[..., 2] + batch.root_depth[:, None]
        on_rays = batch.rays * depth[..., None]
        on_rays -= on_rays[:, :1]
        np.testing.assert_allclose(on_rays, batch.targets[..., :2], atol=1e-5)
        np.testing.assert_allclose(batch.inputs[:, 0], 2.3 * batch.rays, atol=1e-5)

    def test_samples_are_float32_and_without_an_oracle_have_none(self) -> None:
        plan = Plan(21, 1, 8)
        batch = WindowSource(coded(), frames=3).step(plan, 0, 0)
        assert (batch.inputs.shape, batch.inputs.dtype) == ((8, 3, 17, 2), np.float32)
        assert (batch.targets.shape, batch.targets.dtype) == ((8, 17, 3), np.float32)
        assert (batch.rays, batch.root_depth) == (None, None)
        batch = WindowSource(coded(), oracle=True).step(plan, 0, 2)  # 21 = 8 + 8 + 5
        assert (batch.rays.shape, batch.rays.dtype) == ((5, 17, 2), np.float32)
        assert (batch.root_depth.shape, batch.root_depth.dtype) == ((5,), np.float32)

    @pytest.mark.parametrize("both", [False, True])
    def test_a_plan_may_go_round_the_set_several_times(self, both: bool) -> None:
        """As that of a recipe that counts poses: 63 samples of 21 frames."""
        source = WindowSource(coded(), mirrored=both)
        (batch,) = steps(source, Plan(poses=63, epochs=1, batch=63))
        second = [-x for x in codes()] if both else codes()
        assert sorted(batch.targets[:, 0, 0]) == sorted(codes() + second + codes())

    def test_a_step_is_the_same_whatever_came_before(self) -> None:
        poses = coded()
        options = {"frames": 3, "mirrored": True, "oracle": True}
        plan = Plan(42, 3, 5)
        used = WindowSource(poses, **options)
        expected = steps(used, plan)
        batches._order.cache_clear()
        for step in np.random.default_rng(0).permutation(plan.steps).tolist():
            assert_same(used.step(plan, 0, step), expected[step])
        for step in (0, 8, 9, 26):
            batches._order.cache_clear()
            assert_same(WindowSource(poses, **options).step(plan, 0, step), expected[step])

    def test_threads_get_the_same_steps(self) -> None:
        source = WindowSource(coded(), frames=3, mirrored=True, oracle=True)
        plan = Plan(42, 8, 5)
        expected = steps(source, plan)
        batches._order.cache_clear()
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda step: source.step(plan, 0, step), range(plan.steps)))
        for one, other in zip(made, expected, strict=True):
            assert_same(one, other)

    @pytest.mark.parametrize("frames", [1, 3])
    def test_memory_mapped_sets_are_read_and_never_written(
        self, tmp_path: Path, frames: int
    ) -> None:
        (tmp_path / "data.npz").write_bytes(b"of a loader")
        in_memory = coded(channels=4)
        mapped = cached([tmp_path / "data.npz"], {}, lambda: in_memory)
        assert isinstance(mapped.inputs, np.memmap)
        assert not mapped.inputs.flags.writeable
        before = {field.name: np.array(getattr(mapped, field.name)) for field in fields(mapped)}
        options = {"frames": frames, "mirrored": True, "oracle": True}
        plan = Plan(42, 1, 10)
        pairs = zip(
            steps(WindowSource(mapped, **options), plan),
            steps(WindowSource(in_memory, **options), plan),
            strict=True,
        )
        for one, other in pairs:
            assert_same(one, other)
            for key in ORACLE:
                array = getattr(one, key)
                assert type(array) is np.ndarray
                assert array.flags.writeable  # torch warns of others
                array.fill(-1)
        for name, array in before.items():
            np.testing.assert_array_equal(getattr(mapped, name), array)


class TestWindows:
    def test_by_hand(self) -> None:
        around = windows(coded((3, 1, 2)), np.array([0, 1, 3, 5]), 5)[:, :, 0, 0]
        assert around.tolist() == [
            [1000, 1000, 1000, 1001, 1002],
            [1000, 1000, 1001, 1002, 1002],
            [2000, 2000, 2000, 2000, 2000],
            [3000, 3000, 3001, 3001, 3001],
        ]

    @given(
        st.lists(st.integers(1, 12), min_size=1, max_size=5),
        st.sampled_from([1, 3, 9, 27]),
        st.sampled_from([2, 4]),
    )
    def test_are_slices_of_clips_with_repeated_edges(
        self, lengths: list[int], frames: int, channels: int
    ) -> None:
        poses = coded(lengths, channels)
        side = frames // 2
        expected = []
        for clip in poses.clips():
            padded = np.pad(poses.inputs[clip], ((side, side), (0, 0), (0, 0)), mode="edge")
            expected += [padded[t : t + frames] for t in range(clip.stop - clip.start)]
        made = windows(poses, np.arange(len(poses)), frames)
        np.testing.assert_array_equal(made, expected)


class TestMirrored:
    def test_by_hand(self) -> None:
        left, right, nose = H36M_17.indices(["left_ankle", "right_ankle", "neck_nose"])
        array = np.arange(17 * 4, dtype=float).reshape(17, 4) + 1
        out = mirrored(array, H36M_17.mirror)
        x, y, toe_x, toe_y = array[right]
        assert out[left].tolist() == [-x, y, -toe_x, toe_y]
        x, y, toe_x, toe_y = array[left]
        assert out[right].tolist() == [-x, y, -toe_x, toe_y]
        x, y, toe_x, toe_y = array[nose]
        assert out[nose].tolist() == [-x, y, -toe_x, toe_y]
        assert array[0].tolist() == [1, 2, 3, 4]  # left as it was

    @pytest.mark.parametrize(("channels", "negated"), [(2, [0]), (3, [0]), (4, [0, 2])])
    def test_only_x_and_the_toes_x_change_sign(self, channels: int, negated: list[int]) -> None:
        signs = mirrored(np.ones((5, 16, channels)), H36M_16.mirror)
        expected = [-1 if channel in negated else 1 for channel in range(channels)]
        np.testing.assert_array_equal(signs, np.broadcast_to(expected, signs.shape))

    @given(st.sampled_from([H36M_17, H36M_16]), st.integers(2, 4), st.integers(0, 99))
    def test_twice_is_the_identity(self, skeleton, channels: int, seed: int) -> None:
        array = np.random.default_rng(seed).normal(size=(3, 2, len(skeleton), channels))
        once = mirrored(array, skeleton.mirror)
        assert not np.array_equal(once, array)
        np.testing.assert_array_equal(mirrored(once, skeleton.mirror), array)


class TestNeighbours:
    def test_by_hand(self) -> None:
        starts = np.array([0, 4, 5])
        around = neighbours(starts, np.array([0, 2, 3, 4]), 5)
        assert around.tolist() == [
            *([0, 0, 0, 1, 2], [0, 1, 2, 3, 3], [1, 2, 3, 3, 3], [4, 4, 4, 4, 4])
        ]

    @given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.sampled_from([1, 3, 9]))
    def test_stay_in_their_clip(self, lengths: list[int], length: int) -> None:
        starts = np.cumsum([0, *lengths])
        frames = np.arange(starts[-1])
        clip = np.repeat(np.arange(len(lengths)), lengths)
        around = neighbours(starts, frames, length)
        np.testing.assert_array_equal(clip[around], np.tile(clip[:, None], length))
        np.testing.assert_array_equal(around[:, length // 2], frames)
        wanted = frames[:, None] + np.arange(length) - length // 2
        inside = (wanted >= starts[clip][:, None]) & (wanted < starts[clip + 1][:, None])
        np.testing.assert_array_equal(around == wanted, inside)


class TestRepeated:
    def test_by_hand(self) -> None:
        usable = np.array(
            [
                *([1, 1, 1, 1, 1], [0, 1, 1, 1, 0], [1, 0, 1, 0, 1]),
                *([1, 1, 0, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 0, 1]),
            ],
            bool,
        )
        assert repeated(usable).tolist() == [
            *([0, 1, 2, 3, 4], [1, 1, 2, 3, 3], [2, 2, 2, 2, 2]),
            *([0, 1, 2, 3, 4], [2, 2, 2, 2, 2], [0, 1, 2, 2, 2]),
        ]

    def test_of_one_frame(self) -> None:
        assert repeated(np.array([[True], [False]])).tolist() == [[0], [0]]

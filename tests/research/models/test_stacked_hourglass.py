from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import count_parameters
from ampose.research.models.stacked_hourglass import (
    Hourglass,
    JointGraphConv,
    Pooling,
    StackedHourglass,
    StackedHourglassConfig,
    pooled,
    pools,
)
from ampose.research.models.weight_sharing import JointMaps
from ampose.skeletons import BODY_25, H36M_16, H36M_17, HUMANEVA_15, MPI_3DHP_17
from tests.research.models.contract import LifterContract
from tests.research.models.hops import hops_between
from tests.research.models.written_out import at_random, dropouts

SMALL = StackedHourglassConfig(stacks=2, width=16, channels=3)


class TestStackedHourglass(LifterContract):
    config = replace(SMALL, stacks=1)  # its export is slow
    impossible = (
        ({"width": 12}, "width must divide by 2, by stacks 1 and by reduction 8, got 12"),
        ({"stacks": 3}, "by stacks 3"),
        ({"stacks": 0}, "by stacks 0"),
        ({"skeleton": "coco_17"}, "pooling needs one tree, coco_17 has 2"),
        ({"dropout": 1.5}, "dropout must be at least 0 and below 1"),
    )


def test_parameters_and_operations_of_the_published_model() -> None:
    model = StackedHourglass(StackedHourglassConfig(skeleton="h36m_16")).eval()
    maps = sum(count_parameters(m) for m in model.modules() if isinstance(m, JointMaps))
    fine, middle, few = 2 * 16, 2 * 8, 2 * 4
    hourglass = 2 * fine * 64 * 96 + 2 * middle * 96 * 128 + few * 128 * 128
    assert maps == fine * 2 * 64 + 4 * hourglass == 3_674_112
    norms_and_biases = 3 * (64 + 4 * (96 + 128 + 128 + 96 + 64))
    last = 4 * (64 + 1) * 16 + (64 + 1) * 8 + (8 + 1) * 64 + (64 + 1) * 3
    counted = count_parameters(model)
    assert counted == maps + norms_and_biases + last == 3_685_899
    assert counted / 3.70e6 == pytest.approx(1, abs=0.004)  # the paper; 14 thousand are missing
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 16, 2))
    assert counter.get_total_flops() == 2 * 3_989_504


def named(skeleton, groups: list[list[int]]) -> list[set[str]]:
    return [{skeleton.joints[joint] for joint in group} for group in groups]


class TestPools:
    LIMBS = (
        {"right_knee", "right_ankle"},
        {"left_knee", "left_ankle"},
        {"left_elbow", "left_wrist"},
        {"right_elbow", "right_wrist"},
        {"left_hip", "right_hip"},
        {"left_shoulder", "right_shoulder"},
    )

    @pytest.mark.parametrize(
        ("skeleton", "below", "above"),
        [
            (H36M_16, {"pelvis", "spine"}, {"thorax", "head_top"}),
            (H36M_17, {"pelvis", "spine"}, {"thorax", "neck_nose", "head_top"}),
            (MPI_3DHP_17, {"pelvis", "spine"}, {"neck", "head", "head_top"}),
            (HUMANEVA_15, {"pelvis"}, {"thorax", "head"}),
        ],
    )
    def test_of_joints(self, skeleton, below, above) -> None:
        fine, coarse = pools(skeleton)
        names = named(skeleton, fine)
        assert sorted(map(sorted, names)) == sorted(map(sorted, (*self.LIMBS, below, above)))
        together = [set().union(*(names[pool] for pool in group)) for group in coarse]
        legs, arms = (
            {f"{side}_{joint}" for side in ("left", "right") for joint in limb}
            for limb in (("knee", "ankle"), ("elbow", "wrist"))
        )
        lower = below | {"left_hip", "right_hip"}
        upper = above | {"left_shoulder", "right_shoulder"}
        expected = [lower, upper, legs, arms]
        assert sorted(map(sorted, together)) == sorted(map(sorted, expected))

    @pytest.mark.parametrize("skeleton", [H36M_16, H36M_17, MPI_3DHP_17, HUMANEVA_15, BODY_25])
    def test_hold_everything_once(self, skeleton) -> None:
        fine, coarse = pools(skeleton)
        assert sorted(j for group in fine for j in group) == list(range(len(skeleton)))
        assert sorted(p for group in coarse for p in group) == list(range(len(fine)))

    def test_are_joined_where_bones_join_them(self) -> None:
        fine, coarse = pools(H36M_16)
        joints = hops_between(16, H36M_16.edges) <= 1
        middle = pooled(joints, fine)
        few = pooled(middle, coarse)
        place = {joint: index for index, group in enumerate(fine) for joint in group}
        bones = {frozenset((place[one], place[other])) for one, other in H36M_16.edges}
        expected = {bone for bone in bones if len(bone) == 2}
        found = {
            frozenset(map(int, pair)) for pair in np.argwhere(middle & ~np.eye(8, dtype=bool))
        }
        assert found == expected
        assert len(found) == 7  # still a tree
        # Legs, pelvis with hips, thorax with shoulders, arms: a chain.
        ends = few.sum(1) == 2
        assert sorted(few.sum(1)) == [2, 2, 3, 3]
        assert not few[np.ix_(ends, ends)][0, 1]

    def test_pooling_takes_the_largest_and_the_way_back_copies(self) -> None:
        pooling = Pooling([[0, 2, 3], [1]])
        x = torch.tensor([[[6.0, -9.0], [5.0, -1.0], [4.0, -7.0], [2.0, -8.0]]])
        down = pooling(x)
        assert down.tolist() == [[[6.0, -7.0], [5.0, -1.0]]]
        back = [[6.0, -7.0], [5.0, -1.0], [6.0, -7.0], [6.0, -7.0]]
        assert pooling.undo(down).tolist() == [back]


class TestJointGraphConv:
    JOINED = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=bool)

    def test_maps_before_it_takes_the_mean_of_neighbours(self) -> None:
        layer = JointGraphConv(self.JOINED, 4, 5)
        x = torch.randn(2, 3, 4)
        own = [x[:, j] @ layer.own.weight[j] for j in range(3)]
        passed = [x[:, j] @ layer.neighbours.weight[j] for j in range(3)]
        rows = [
            (own[0] + passed[1]) / 2,
            (own[1] + passed[0] + passed[2]) / 3,
            (own[2] + passed[1]) / 2,
        ]
        torch.testing.assert_close(layer(x), torch.stack(rows, 1) + layer.bias)

    def test_no_two_joints_share_a_map(self) -> None:
        layer = JointGraphConv(self.JOINED, 4, 5)
        same = torch.randn(1, 1, 4).expand(1, 3, 4)
        ends = layer(same)[0, [0, 2]]
        assert not torch.allclose(ends[0], ends[1])


class TestHourglass:
    def test_one_hourglass_reaches_from_ankle_to_wrist(self) -> None:
        ankle, wrist = H36M_16.indices(["left_ankle", "right_wrist"])
        distance = hops_between(16, H36M_16.edges)[ankle, wrist]
        assert distance == 8  # its five graph layers would reach 5 bones without pooling
        hourglass = Hourglass(H36M_16, SMALL).eval()
        x = torch.randn(1, 16, 16, requires_grad=True)
        hourglass(x)[0, wrist].sum().backward()
        assert x.grad[0, ankle].any()

    def test_layers_are_on_the_skeleton_of_their_scale(self) -> None:
        hourglass = Hourglass(H36M_16, SMALL)
        fine, coarse = pools(H36M_16)
        joints = hops_between(16, H36M_16.edges) <= 1
        middle = pooled(joints, fine)
        few = pooled(middle, coarse)
        scales = {"enter": joints, "down": middle, "bottom": few, "up": middle, "leave": joints}
        for name, joined in scales.items():
            adjacency = getattr(hourglass, name)[0].adjacency
            np.testing.assert_array_equal(adjacency.numpy() > 0, joined)

    def test_three_ways_around_it(self) -> None:
        """What goes past a part of the hourglass still arrives when that part says nothing."""
        hourglass = Hourglass(H36M_16, SMALL).eval()
        x = torch.randn(2, 16, 16)
        hourglass.bottom.forward = lambda z: torch.zeros_like(z)
        middle = hourglass.down(hourglass.to_middle(joints := hourglass.enter(x)))
        back = hourglass.to_middle.undo(hourglass.up(middle))
        torch.testing.assert_close(hourglass(x), x + hourglass.leave(joints + back))
        hourglass.up.forward = lambda z: z.new_zeros(2, 8, 24)
        torch.testing.assert_close(hourglass(x), x + hourglass.leave(joints))
        hourglass.leave.forward = lambda _: torch.zeros_like(x)
        assert torch.equal(hourglass(x), x)


def test_frames_become_numbers_of_the_same_joint() -> None:
    model = StackedHourglass(replace(SMALL, frames=3, channels=2)).eval()
    x = torch.randn(2, 3, 17, 2)
    seen: list[torch.Tensor] = []
    model.start.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    assert model(x).shape == (2, 17, 3)
    assert torch.equal(seen[0][1, 5], x[1, :, 5].flatten())


def test_written_out() -> None:
    model = at_random(StackedHourglass(SMALL))
    x = torch.randn(2, 1, 17, 3)
    first = model.hourglasses[0](model.start(x[:, 0]))
    second = model.hourglasses[1](first)
    levels = [model.reductions[0](first), model.reductions[1](second)]
    features = torch.cat(levels, dim=-1)
    squeeze, _, widen, _ = model.excite
    weights = torch.sigmoid(widen(torch.relu(squeeze(features.mean(1, keepdim=True)))))
    torch.testing.assert_close(model(x), model.head(features * weights))


def test_dropout_follows_every_graph_layer() -> None:
    assert dropouts(StackedHourglass(StackedHourglassConfig())) == [0.25] * (1 + 4 * 5)


class TestLevels:
    def test_every_hourglass_answers_with_its_share_of_channels(self) -> None:
        model = StackedHourglass(SMALL).eval()
        seen: list[torch.Tensor] = []
        model.head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        x = torch.randn(2, 1, 17, 3)
        model(x)
        model.reductions[1].weight.data.zero_()
        model.reductions[1].bias.data.zero_()
        model(x)
        assert seen[0].shape == (2, 17, 16)
        assert seen[0].any()
        assert seen[1][..., :8].any()
        assert not seen[1][..., 8:].any()

    def test_squeeze_sees_the_mean_joint_and_shuts_channels(self) -> None:
        model = StackedHourglass(SMALL).eval()
        squeezed: list[torch.Tensor] = []
        model.excite.register_forward_pre_hook(lambda _, inputs: squeezed.append(inputs[0]))
        model.excite[2].bias.data.fill_(-1e4)
        out = model(torch.randn(2, 1, 17, 3))
        assert squeezed[0].shape == (2, 1, 16)
        torch.testing.assert_close(out, model.head.bias.expand(2, 17, 3))

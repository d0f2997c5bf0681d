from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import count_parameters
from ampose.research.models.poseformer import PoseFormer, PoseFormerConfig, Transformer
from tests.research.models.contract import LifterContract
from tests.research.models.written_out import at_random, dropouts

SMALL = PoseFormerConfig(depth=2, width=4, heads=2, frames=5, channels=3)


class TestPoseFormer(LifterContract):
    config = SMALL
    impossible = (
        ({"heads": 3}, "width 4 does not divide into 3 heads"),
        ({"drop_path": -0.1}, "drop_path must be at least 0 and below 1, got -0.1"),
        ({"frames": 1}, "frames must be at least 3"),
    )


@pytest.mark.parametrize("frames", [9, 27, 81])
def test_parameters(frames: int) -> None:
    with torch.device("meta"):
        count = count_parameters(PoseFormer(PoseFormerConfig(frames=frames)))

    def encoder(width: int) -> int:
        attention = 4 * (width + 1) * width
        return attention + (width + 1) * 2 * width + (2 * width + 1) * width + 2 * 2 * width

    frame = 17 * 32
    embeddings = (2 + 1) * 32 + 17 * 32 + frames * frame
    rest = 2 * 32 + 2 * frame + (frames + 1) + 2 * frame + (frame + 1) * 51
    assert count == embeddings + 4 * (encoder(32) + encoder(frame)) + rest
    if frames == 81:
        assert count == 9_602_885
        assert f"{count / 1e6:.2f}" == "9.60"  # table 6 of the paper, from memory


def test_operations() -> None:
    with FlopCounterMode(display=False) as counted:
        PoseFormer(PoseFormerConfig())(torch.zeros(1, 81, 17, 2))
    frame = 17 * 32
    linear = 81 * 17 * 2 * 32 + 4 * 81 * 8 * (17 * 32**2 + frame**2) + 81 * frame + frame * 51
    attention = 4 * 2 * (81 * 17**2 * 32 + 81**2 * frame)
    assert (linear, attention) == (812_347_584, 34_546_176)
    assert counted.get_total_flops() == 2 * (linear + attention)


def test_joints_of_a_frame_do_not_see_other_frames() -> None:
    model = at_random(PoseFormer(SMALL))
    x = torch.randn(1, 5, 17, 3, requires_grad=True)
    model.of_joints(model.embed(x))[0, 3, 7].square().sum().backward()
    assert not x.grad[0, [0, 1, 2, 4]].any()
    assert x.grad[0, 3].all()


def test_frames_share_the_weights_of_joints() -> None:
    model = at_random(PoseFormer(SMALL))
    x, order = torch.randn(2, 5, 17, 3), [4, 1, 0, 2, 3]
    joints = model.of_joints(model.embed(x))
    torch.testing.assert_close(model.of_joints(model.embed(x[:, order])), joints[:, order])


def test_a_frame_is_one_token() -> None:
    model = at_random(PoseFormer(SMALL))
    tokens: list[torch.Tensor] = []
    model.of_frames.register_forward_hook(lambda _, inputs, __: tokens.append(inputs[0]))
    x = torch.randn(2, 5, 17, 3)
    model(x)
    joints = model.of_joints(model.embed(x))
    assert torch.equal(tokens[0][1, 2], joints[1, 2].reshape(17 * 4))


def test_frames_are_told_apart_by_position_and_by_the_weights_of_the_mean() -> None:
    model = at_random(PoseFormer(SMALL))
    x, order = torch.randn(2, 5, 17, 3), [4, 1, 0, 2, 3]
    nn.init.constant_(model.mean.weight, 0.2)
    assert not torch.allclose(model(x[:, order]), model(x), atol=1e-3)
    nn.init.zeros_(model.of_frames.position)
    torch.testing.assert_close(model(x[:, order]), model(x))
    nn.init.normal_(model.mean.weight)
    assert not torch.allclose(model(x[:, order]), model(x), atol=1e-3)


def test_written_out() -> None:
    model = at_random(PoseFormer(SMALL))

    def transformer(z: torch.Tensor, part: Transformer) -> torch.Tensor:
        first, second = part.encoders
        return part.norm(second(first(z + part.position)))

    x = torch.randn(2, 5, 17, 3)
    joints = transformer(model.embed(x), model.of_joints)
    frames = transformer(joints.reshape(2, 5, 17 * 4), model.of_frames)
    mean = torch.einsum("btc,t->bc", frames, model.mean.weight[0]) + model.mean.bias
    norm, linear = model.head
    torch.testing.assert_close(model(x), linear(norm(mean)).reshape(2, 17, 3))


def test_dropout_follows_positions_attention_and_mlp_layers() -> None:
    half = [0.3] * (1 + SMALL.depth * 3)
    assert dropouts(PoseFormer(replace(SMALL, dropout=0.3))) == 2 * half


def test_a_fresh_network_as_published() -> None:
    model = PoseFormer(PoseFormerConfig(frames=9))
    for part in (model.of_joints, model.of_frames):
        assert not part.position.any()
        assert [e.drop_path.rate for e in part.encoders] == pytest.approx([0, 1 / 30, 2 / 30, 0.1])
    assert {m.p for m in model.modules() if isinstance(m, nn.Dropout)} == {0.0}

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import count_parameters
from ampose.research.models.jointformer import Encoder, JointFormer, JointFormerConfig
from tests.research.models.contract import LifterContract
from tests.research.models.written_out import at_random

# Its width does not divide into the heads, which have a width of their own.
SMALL = JointFormerConfig(depth=3, width=9, hidden=16, heads=2, head_width=6, channels=3)


class TestJointFormer(LifterContract):
    config = SMALL


class TestJointFormerOf3Frames(LifterContract):
    config = replace(SMALL, frames=3, channels=2)


def test_parameters() -> None:
    model = JointFormer(JointFormerConfig())
    error_map = 2 * 17 * 64 + (17 * 64 + 1) * 17 * 3
    last_way_back = (17 * 3 + 1) * 17 * 64
    assert count_parameters(model) == 1_190_668
    # The authors' program prints 1.48 M: also an error map per encoder, and a last way back.
    assert 1_190_668 + 4 * error_map + last_way_back == 1_478_104
    attention = 4 * 64 * 8 * 64
    feed_forward = (64 + 1) * 512 + (512 + 1) * 64
    assert count_parameters(model.encoders[0]) == attention + feed_forward + 2 * 2 * 64


def test_operations() -> None:
    with FlopCounterMode(display=False) as counted:
        JointFormer(JointFormerConfig())(torch.zeros(1, 1, 17, 2))
    per_joint = 4 * 64 * 512 + 2 * 64 * 512 + 2 * 17 * 512
    pose_maps = 7 * 17 * 64 * 17 * 3  # four out, three back
    assert counted.get_total_flops() == 2 * (17 * 2 * 64 + 4 * 17 * per_joint + pose_maps)
    assert counted.get_total_flops() == 2 * 14_943_680


def test_attention_is_that_of_the_original_transformer() -> None:
    encoder = Encoder(SMALL).eval()
    x = torch.randn(1, 17, 9)
    q, k, v = (x[0] @ m.weight.T for m in (encoder.query, encoder.key, encoder.value))
    heads = [
        torch.softmax(q[:, h] @ k[:, h].T / 6**0.5, -1) @ v[:, h]
        for h in (slice(0, 6), slice(6, 12))
    ]
    expected = torch.cat(heads, -1) @ encoder.project.weight.T
    torch.testing.assert_close(encoder.attention(x)[0], expected)


def test_an_encoder_normalises_after_each_residual() -> None:
    encoder = Encoder(SMALL).eval()
    x = torch.randn(2, 17, 9)
    middle = encoder.norm1(x + encoder.attention(x))
    first, _, last = encoder.feed_forward
    expected = encoder.norm2(middle + last(torch.relu(first(middle))))
    torch.testing.assert_close(encoder(x), expected)
    torch.testing.assert_close(encoder(x).mean(-1), torch.zeros(2, 17), atol=1e-5, rtol=0)


def test_an_encoder_does_not_tell_joints_apart() -> None:
    encoder = Encoder(SMALL).eval()
    x, order = torch.randn(2, 17, 9), torch.randperm(17)
    torch.testing.assert_close(encoder(x[:, order]), encoder(x)[:, order])


def test_tokens_are_the_input_the_encoding_and_the_pose() -> None:
    model = at_random(JointFormer(SMALL))
    x = torch.randn(2, 1, 17, 3)
    z = model.norm(model.embed(x[:, 0]))
    for encoder, pose_map, feedback in zip(
        model.encoders, model.pose_maps, [*model.feedbacks, None], strict=True
    ):
        encoded = encoder(z)
        pose = pose_map(encoded.reshape(2, 17 * 9))
        if feedback is not None:
            z = torch.relu(z + encoded + feedback(pose).reshape(2, 17, 9))
    torch.testing.assert_close(model(x), pose.reshape(2, 17, 3))


def test_every_estimate_is_there_for_supervision() -> None:
    model = JointFormer(SMALL).eval()
    x = torch.randn(2, 1, 17, 3)
    poses = model.poses(x)
    assert [pose.shape for pose in poses] == [(2, 17, 3)] * 3
    assert torch.equal(poses[-1], model(x))
    with torch.no_grad():
        model.pose_maps[0][-1].bias += 1
    others = model.poses(x)
    torch.testing.assert_close(others[0], poses[0] + 1)
    assert not torch.allclose(others[1], poses[1])  # it goes back to the tokens


def test_frames_become_numbers_of_the_same_joint() -> None:
    model = JointFormer(replace(SMALL, frames=3, channels=2))
    tokens: list[torch.Tensor] = []
    model.embed.register_forward_hook(lambda _, inputs, __: tokens.append(inputs[0]))
    x = torch.randn(1, 3, 17, 2)
    model(x)
    assert torch.equal(tokens[0][0, 5], x[0, :, 5].reshape(-1))


def test_matrices_start_as_xavier_says() -> None:
    model = JointFormer(JointFormerConfig())
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            bound = (6 / sum(parameter.shape)) ** 0.5
            assert 0.9 * bound < parameter.abs().max() <= bound, name


def test_dropout_is_where_the_code_has_it() -> None:
    model = JointFormer(JointFormerConfig())
    rates = [(name, m.p) for name, m in model.named_modules() if isinstance(m, nn.Dropout)]
    assert rates == [
        *((f"encoders.{layer}.dropout", 0.1) for layer in range(4)),
        *((f"pose_maps.{layer}.1", 0.2) for layer in range(4)),
    ]

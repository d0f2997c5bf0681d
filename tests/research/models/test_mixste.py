from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.cost import cost, count_parameters
from ampose.research.models.mixste import MixSTE, MixSTEConfig
from ampose.research.models.transformer import DropPath, TransformerBlock, attend, rising
from tests.research.models.contract import LifterContract

SMALL = MixSTEConfig(depth=2, width=16, heads=2, frames=3, channels=3)


class TestMixSTE(LifterContract):
    config = SMALL
    impossible = (({"heads": 3}, "width 16 does not divide into 3 heads"),)


def test_one_frame_is_enough() -> None:
    config = replace(SMALL, frames=1, channels=2)
    assert MixSTE(config)(torch.randn(2, 1, 17, 2)).shape == (2, 17, 3)


@pytest.mark.parametrize(
    ("frames", "count"), [(1, 33_659_907), (27, 33_673_219), (243, 33_783_811)]
)
def test_parameters(frames: int, count: int) -> None:
    with torch.device("meta"):
        found = count_parameters(MixSTE(MixSTEConfig(frames=frames)))
    # 16 blocks: qkv, output and MLP of hidden 2C with biases, two norms. Then input, positions,
    # two shared norms, and the head with its own.
    c = 512
    expected = 16 * (8 * c**2 + 11 * c) + 3 * c + (17 + frames) * c + 2 * 2 * c + 5 * c + 3
    assert found == expected == count
    if frames < 243:
        assert f"{found / 1e6:.1f}" == "33.7"  # thesis, table 4.5


def test_multiply_accumulates() -> None:
    t, c = 243, 512
    normed: list[int] = []  # numbers that come out of a LayerNorm
    with torch.device("meta"):
        model, x = MixSTE(MixSTEConfig(frames=t)), torch.zeros(1, t, 17, 2)
        for module in model.modules():
            if isinstance(module, nn.LayerNorm):
                module.register_forward_hook(lambda *args: normed.append(args[-1].numel()))
        with FlopCounterMode(display=False) as counter:
            model(x)
    linear = t * 17 * (16 * 8 * c**2 + 2 * c) + 17 * 3 * c
    products = 8 * 2 * c * (t * 17**2 + 17 * t**2)
    assert counter.get_total_flops() == 2 * (linear + products)
    # As thop counts, without products and with 4 for each number of a norm, and with the paper's
    # heads of the other frames: 139.038 G.
    heads = (t - 1) * 17 * (3 + 4) * c
    counted = counter.get_total_flops() // 2 - products + 4 * sum(normed)
    assert counted + heads == 139_038_488_064


def test_a_norm_follows_every_block_and_is_shared_by_all_depths() -> None:
    model = MixSTE(replace(SMALL, depth=8))
    norms = [m for m in model.modules() if isinstance(m, nn.LayerNorm)]
    assert len(norms) == 32 + 2 + 1
    calls: list[nn.Module] = []
    for norm in norms:
        norm.register_forward_hook(lambda module, *_: calls.append(module))
    model(torch.randn(1, 3, 17, 3))
    assert len(calls) == 49
    assert calls.count(model.spatial_norm) == calls.count(model.temporal_norm) == 8


class TestWhoSeesWhom:
    def test_the_spatial_block_stays_in_its_frame(self) -> None:
        model = MixSTE(SMALL)
        outputs: list[torch.Tensor] = []
        model.spatial[0].register_forward_hook(lambda *args: outputs.append(args[-1]))
        x = torch.randn(1, 3, 17, 3, requires_grad=True)
        model(x)
        outputs[0][0, 1, 4].sum().backward()
        assert x.grad[0, 1].ne(0).all()
        assert not x.grad[0, [0, 2]].any()

    def test_the_temporal_block_stays_with_its_joint(self) -> None:
        model = MixSTE(SMALL)
        calls: list[tuple[torch.Tensor, torch.Tensor]] = []
        model.temporal[0].register_forward_hook(
            lambda _, inputs, out: calls.append((inputs[0], out))
        )
        model(torch.randn(1, 3, 17, 3))
        ((given, made),) = calls
        (grad,) = torch.autograd.grad(made[0, 4, 1].square().sum(), given)
        assert grad.shape == (1, 17, 3, 16)
        assert (grad[0, 4].abs().sum(-1) > 0).all()
        assert not grad[0, [j for j in range(17) if j != 4]].any()

    def test_positions_alone_tell_joints_and_frames_apart(self) -> None:
        """They start at zero; then joints may be permuted, and frames around the middle."""
        torch.manual_seed(0)
        model = MixSTE(replace(SMALL, frames=5)).eval()
        x = torch.randn(2, 5, 17, 3)
        joints, frames = torch.randperm(17), torch.tensor([4, 3, 2, 0, 1])
        torch.testing.assert_close(model(x[:, :, joints]), model(x)[:, joints])
        torch.testing.assert_close(model(x[:, frames]), model(x))
        assert not torch.allclose(model(x[:, [0, 1, 3, 2, 4]]), model(x), atol=1e-3)
        with torch.no_grad():
            model.joint_positions[3].normal_()
            assert not torch.allclose(model(x[:, :, joints]), model(x)[:, joints], atol=1e-3)
            model.frame_positions[0].normal_()
            assert not torch.allclose(model(x[:, frames]), model(x), atol=1e-3)

    def test_frame_positions_join_once(self) -> None:
        """Before the first temporal block only: adding to them is adding to its input."""
        model = MixSTE(SMALL)
        given: list[torch.Tensor] = []
        for block in model.temporal:
            block.register_forward_hook(lambda _, inputs, __: given.append(inputs[0]))
        x = torch.randn(1, 3, 17, 3)
        norms: list[torch.Tensor] = []
        model.spatial_norm.register_forward_hook(lambda *args: norms.append(args[-1]))
        with torch.no_grad():
            model.frame_positions.normal_()
            model(x)
        shift = [t - n.transpose(1, 2) for t, n in zip(given, norms, strict=True)]
        torch.testing.assert_close(shift[0], model.frame_positions.expand(1, 17, 3, 16))
        assert not shift[1].any()


def test_attention_is_torchs() -> None:
    q, k, v = torch.randn(3, 2, 5, 7, 4, 6)  # (B, T, N, heads, d) each
    q, k, v = (part[:, :3] for part in (q, k, v))
    fused = nn.functional.scaled_dot_product_attention(
        *(part.transpose(2, 3) for part in (q, k, v))
    )
    torch.testing.assert_close(attend(q, k, v), fused.transpose(2, 3).flatten(-2))


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_a_block_is_torchs_encoder_layer(activation: str) -> None:
    kind = {"gelu": nn.GELU, "relu": nn.ReLU}[activation]
    block = TransformerBlock(8, 2, 16, activation=kind).eval()
    torchs = nn.TransformerEncoderLayer(
        8, 2, 16, 0.0, activation, layer_norm_eps=1e-6, batch_first=True, norm_first=True
    ).eval()
    pairs = (
        (torchs.norm1, block.norm1),
        (torchs.norm2, block.norm2),
        (torchs.self_attn.out_proj, block.attention.project),
        (torchs.linear1, block.mlp[0]),
        (torchs.linear2, block.mlp[3]),
    )
    for theirs, ours in pairs:
        nn.init.normal_(ours.bias)
        theirs.load_state_dict(ours.state_dict())
    with torch.no_grad():
        torchs.self_attn.in_proj_weight.copy_(block.attention.qkv.weight)
        torchs.self_attn.in_proj_bias.copy_(block.attention.qkv.bias)
        x = torch.randn(2, 5, 8)
        torch.testing.assert_close(block(x), torchs(x))


class TestDropPath:
    def test_leaves_out_all_tokens_or_none_and_keeps_the_mean(self) -> None:
        torch.manual_seed(0)
        out = DropPath(0.25)(torch.ones(200, 20, 3, 2))
        kept = out[..., 0, 0] > 0
        assert torch.equal(out, (kept / 0.75)[..., None, None].expand_as(out))
        assert kept.float().mean().item() == pytest.approx(0.75, abs=0.03)

    def test_evaluation_leaves_nothing_out(self) -> None:
        x = torch.randn(50, 3, 2)
        assert torch.equal(DropPath(0.9).eval()(x), x)

    def test_rates_rise_with_depth(self) -> None:
        model = MixSTE(MixSTEConfig(depth=3, width=16, drop_path=0.2))
        rates = [block.drop_path.rate for block in model.temporal]
        assert rates == [block.drop_path.rate for block in model.spatial] == [0, 0.1, 0.2]
        assert rising(0.2, 1) == [0]

    @pytest.mark.parametrize("rate", [-0.1, 1.0])
    def test_refuses_what_is_no_rate(self, rate: float) -> None:
        with pytest.raises(ValueError, match="drop_path must be at least 0 and below 1"):
            DropPath(rate)


def test_the_packages_own_count_sees_every_linear_map() -> None:
    counted = cost(MixSTE(SMALL))
    c, joints, frames = 16, 17, 3
    blocks = 2 * SMALL.depth * frames * joints * 8 * c**2
    assert counted.linear_macs == blocks + frames * joints * 3 * c + joints * 3 * c

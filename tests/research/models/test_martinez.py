from __future__ import annotations

import torch

from ampose.research.models.cost import cost
from ampose.research.models.martinez import Martinez, MartinezConfig
from tests.research.models.contract import LifterContract
from tests.research.models.written_out import at_random, dropouts

SMALL = MartinezConfig(width=32, channels=3)


class TestMartinez(LifterContract):
    config = SMALL
    impossible = (
        ({"width": 1}, "width must be at least 2"),
        ({"blocks": -1}, "blocks must be at least 0"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
    )


def test_parameters() -> None:
    # 34 -> 1024, four 1024 -> 1024, 1024 -> 51, all with bias; a norm's pair of 1024 after five.
    expected = (34 + 1) * 1024 + 4 * (1024 + 1) * 1024 + (1024 + 1) * 51 + 5 * 2 * 1024
    assert cost(Martinez(MartinezConfig())).parameters == expected == 4_296_755
    # 16 joints in, all but the nose, and 16 out, all but the root: the authors' count is the same.
    assert cost(Martinez(MartinezConfig(skeleton="h36m_16"))).parameters == 4_291_632


def test_written_out() -> None:
    model = at_random(Martinez(SMALL))

    def layer(z: torch.Tensor, module: torch.nn.Sequential) -> torch.Tensor:
        linear, norm, _, _ = module
        return torch.relu(norm(linear(z)))

    x = torch.randn(2, 1, 17, 3)
    z = layer(x.reshape(2, 51), model.start)
    for first, second in model.blocks:
        z = z + layer(layer(z, first), second)
    torch.testing.assert_close(model(x), model.head(z).reshape(2, 17, 3))


def test_dropout_follows_every_layer_but_the_last() -> None:
    assert dropouts(Martinez(MartinezConfig())) == [0.5] * 5

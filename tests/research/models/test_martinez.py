from __future__ import annotations

from ampose.research.models.cost import cost
from ampose.research.models.martinez import Martinez, MartinezConfig
from tests.research.models.contract import LifterContract


class TestMartinez(LifterContract):
    config = MartinezConfig(width=32, channels=3)
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

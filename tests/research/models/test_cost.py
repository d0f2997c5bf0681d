"""Counts that can be made by hand. Every network's own test has more."""

from __future__ import annotations

import pytest

from ampose.research.models.ampose import AMPose, AMPoseConfig
from ampose.research.models.cost import cost
from ampose.research.models.graphmlp import GraphMLP, GraphMLPConfig
from ampose.research.models.p_stmo import PSTMO, PSTMOConfig
from ampose.research.models.refiner import Refined, RefinedConfig
from ampose.research.models.weight_sharing import WeightSharing, WeightSharingConfig


@pytest.mark.parametrize(
    ("config", "joints", "groups", "graph_layers"),
    [
        (AMPoseConfig(), 17, 3, 2),
        (AMPoseConfig(depth=1, width=24, skeleton="h36m_16", heads=1, frames=9), 16, 3, 2),
        (AMPoseConfig(depth=2, width=16, block="transformer", groups="all"), 17, 1, 1),
        (AMPoseConfig(depth=2, width=16, block="convnext"), 17, 3, 1),
        (AMPoseConfig(depth=1, width=16, channels=4, toes=True), 17, 3, 2),
    ],
    ids=["thesis", "temporal", "transformer", "convnext", "toes"],
)
def test_products_of_ampose(
    config: AMPoseConfig, joints: int, groups: int, graph_layers: int
) -> None:
    """Queries with keys, weights with values; each joint with the groups' maps of every joint."""
    counted = cost(AMPose(config))
    attention, adjacency = 2 * joints**2, graph_layers * groups * joints**2
    products = config.depth * config.width * (attention + adjacency)
    assert counted.product_macs == products
    assert counted.all_macs == counted.linear_macs + products
    biases = config.depth * graph_layers * joints * groups * config.width
    assert counted.thop_macs == counted.linear_macs + biases


def test_graph_maps_of_others_are_counted_as_ampose_s() -> None:
    counted = cost(GraphMLP(GraphMLPConfig(depth=2, width=16)))
    assert counted.graph_bias_additions == 2 * 2 * 17 * 4 * 16


def test_convolutions() -> None:
    """Each strided layer leaves a third of 9 frames, by 3 taps from 16 to 8 channels."""
    model = PSTMO(PSTMOConfig(depth=1, width=8, hidden=16, heads=1, frames=9))
    counted = cost(model)
    convolutions = (3 + 1) * 3 * 16 * 8
    # An MLP to twice the width, two layers of it, and one back.
    spatial = 9 * (34 * 16 + 2 * 16 * 16 + 16 * 8)
    tokens = 9 * (4 * 8 * 8 + 2 * 8 * 16)  # qkv and projection, MLP
    strided = (9 + 3) * (4 * 8 * 8 + 8 * 16)
    assert counted.linear_macs == convolutions + spatial + tokens + strided + 8 * 51
    assert counted.product_macs == 2 * 8 * (9**2 + 9**2 + 3**2)
    maps = 34 * 16 + 2 * 16 * 16 + 16 * 8 + 3 * (4 * 8 * 8) + 2 * 8 * 16 + 2 * 8 * 16 + 8 * 51
    biases = 16 + 2 * 16 + 8 + 3 * (3 * 8 + 8) + (16 + 8) + 2 * 16 + 51
    assert counted.linear_parameters == maps + biases + 2 * (3 * 16 * 8 + 8)


def test_maps_that_are_no_layer() -> None:
    """Two maps for each of 17 joints and a product with the affinity, in ten convolutions."""
    counted = cost(WeightSharing(WeightSharingConfig()))
    assert (counted.linear_macs, counted.linear_parameters) == (0, 0)
    maps = 2 * 17 * (2 * 128 + 8 * 128**2 + 128 * 3)
    assert counted.all_macs == maps + 17**2 * (9 * 128 + 3)


def test_what_is_not_called_costs_nothing() -> None:
    base = AMPoseConfig(depth=1, width=16)
    counted, alone = cost(Refined(RefinedConfig(base, hidden=8))), cost(AMPose(base))
    assert counted.all_macs == alone.all_macs
    assert counted.parameters - alone.parameters == 6 * 17 * 8 + 8 + 8 * 34 + 34

"""What a lifter costs: parameters and multiply-accumulates, counted by one stated rule.

A multiply-accumulate (MAC) is one product and one sum; papers print MACs as "FLOPs", and some
print twice as many. Counted are all matrix products and convolutions, and those of linear layers
and convolutions alone, because the counter behind the thesis's figures (thop 0.0.31) leaves out
attention and adjacency products. It also counts the bias additions of AMPose's graph maps, which
are 1x1 convolutions there, but no LayerNorm and no bare parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ampose.research.models.ampose import GraphLayer
from ampose.research.models.zoo import ModelConfig
from ampose.skeletons import get_skeleton


@dataclass(frozen=True)
class Cost:
    """Cost of lifting one pose.

    Attributes:
        parameters: all trainable numbers.
        linear_parameters: those of linear layers and convolutions, biases included.
        linear_macs: multiply-accumulates of linear layers and convolutions.
        graph_bias_additions: bias additions of AMPose's graph maps, which thop adds to its figure.
        all_macs: multiply-accumulates of all matrix products and convolutions.
    """

    parameters: int
    linear_parameters: int
    linear_macs: int
    graph_bias_additions: int
    all_macs: int

    @property
    def thop_macs(self) -> int:
        """The figure that thop 0.0.31 prints for AMPose.

        It is a little higher for networks with BatchNorm or with biases in convolutions.
        """
        return self.linear_macs + self.graph_bias_additions

    @property
    def product_macs(self) -> int:
        """What is in no linear layer or convolution: attention, adjacency, maps by joint."""
        return self.all_macs - self.linear_macs


def count_parameters(model: nn.Module) -> int:
    """Trainable numbers, biases and norms included."""
    return sum(parameter.numel() for parameter in model.parameters())


def cost(model: nn.Module) -> Cost:
    """Counts while one pose passes through a lifter."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model.eval()(torch.zeros(1, *input_shape(model)))
    operations = counter.get_flop_counts()  # by module, two for each multiply-accumulate
    linear_parameters = linear = biases = 0
    for name, module in model.named_modules(prefix=type(model).__name__):
        if isinstance(module, nn.Linear | nn.Conv1d):
            linear_parameters += count_parameters(module)
            linear += sum(operations.get(name, {}).values())  # not there if it was not called
        elif isinstance(module, GraphLayer):
            biases += len(module.adjacency) * module.project.out_features
    total = counter.get_total_flops()
    return Cost(count_parameters(model), linear_parameters, linear // 2, biases, total // 2)


def input_shape(model: nn.Module) -> tuple[int, int, int]:
    """(T, J, channels) that a lifter takes."""
    config: ModelConfig = model.config  # type: ignore[assignment]
    return config.frames, len(get_skeleton(config.skeleton)), config.channels

"""What a lifter costs: parameters and multiply-accumulates, counted by one stated rule.

A multiply-accumulate (MAC) is one product and one sum; papers print MACs as "FLOPs". Counted are
the products of all linear layers at every token. Attention and adjacency products are reported
apart, because the counter behind the thesis's figures (thop 0.0.31) leaves them out; it also
counts the bias additions of graph maps that are written as 1x1 convolutions, but no LayerNorm and
no bare parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ampose.research.models.ampose import GraphLayer, TransformerEncoder
from ampose.research.models.zoo import ModelConfig
from ampose.skeletons import get_skeleton


@dataclass(frozen=True)
class Cost:
    """Cost of lifting one pose.

    Attributes:
        parameters: all trainable numbers.
        linear_parameters: those of linear layers only, what thop counts.
        linear_macs: multiply-accumulates of linear layers.
        graph_bias_additions: bias additions of graph maps, which thop adds to its figure.
        product_macs: multiply-accumulates of attention and adjacency products.
    """

    parameters: int
    linear_parameters: int
    linear_macs: int
    graph_bias_additions: int
    product_macs: int

    @property
    def thop_macs(self) -> int:
        """The figure that thop 0.0.31 prints for graph maps written as convolutions."""
        return self.linear_macs + self.graph_bias_additions

    @property
    def all_macs(self) -> int:
        """Linear layers, attention and adjacency products."""
        return self.linear_macs + self.product_macs


def count_parameters(model: nn.Module) -> int:
    """Trainable numbers, biases and norms included."""
    return sum(parameter.numel() for parameter in model.parameters())


def cost(model: nn.Module) -> Cost:
    """Counts while one pose passes through a lifter."""
    linear = bias = products = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal linear, bias, products
        if isinstance(module, nn.Linear):
            linear += output.numel() * module.in_features
        elif isinstance(module, GraphLayer):
            joints, sources = module.adjacency.shape
            products += output.numel() * sources
            bias += joints * module.project.out_features
        elif isinstance(module, TransformerEncoder):
            joints = inputs[0].shape[-2]
            products += 2 * output.numel() * joints

    hooks = [module.register_forward_hook(count) for module in model.modules()]
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *input_shape(model)))
    finally:
        for hook in hooks:
            hook.remove()
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    linear_parameters = sum(count_parameters(module) for module in linears)
    return Cost(count_parameters(model), linear_parameters, linear, bias, products)


def input_shape(model: nn.Module) -> tuple[int, int, int]:
    """(T, J, channels) that a lifter takes."""
    config: ModelConfig = model.config  # type: ignore[assignment]
    return config.frames, len(get_skeleton(config.skeleton)), config.channels

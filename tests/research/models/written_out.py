"""For tests that write out what a network computes, part by part."""

from __future__ import annotations

import torch
from torch import nn

from ampose.research.models.cost import input_shape


def at_random(model: nn.Module) -> nn.Module:
    """The network in evaluation, every weight and running statistic drawn at random.

    No part is then the identity, as many are at the start, and the order of any two shows.
    """
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5, generator=generator)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.uniform_(-0.5, 0.5, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
    return model.eval()


def dropouts(model: nn.Module) -> list[float]:
    """Rates of the dropouts that a batch passes in training, in their order."""
    rates: list[float] = []
    for module in model.modules():
        if isinstance(module, nn.Dropout) and module.p:
            module.register_forward_hook(lambda dropout, *_: rates.append(dropout.p))
    model.train()(torch.randn(2, *input_shape(model)))
    return rates

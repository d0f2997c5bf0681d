"""A torch lifter as a function on arrays, the form in which every protocol takes one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from ampose.research.evaluation.open_protocol import LiftInputs, NetworkLifter
from ampose.research.evaluation.uncertainty import LiftWithSigma
from ampose.research.models.cost import input_shape
from ampose.research.models.uncertain import Uncertain


def torch_lifter(model: nn.Module, *, batch: int = 512, device: str = "cpu") -> LiftInputs:
    """`look_at_person` inputs (N, J, channels) to joints (N, J, 3), in evaluation mode.

    A network of several frames, or more than three channels, gives a `NetworkLifter`.
    """
    frames, _, channels = input_shape(model)

    @torch.no_grad()
    def lift(inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        model.eval()
        windows = torch.from_numpy(inputs).float()
        if frames == 1:
            windows = windows.unsqueeze(1)
        parts = torch.split(windows, batch)
        return torch.cat([model(part.to(device)).float().cpu() for part in parts]).numpy()

    return lift if (frames, channels) == (1, 3) else NetworkLifter(frames, lift, channels)


def torch_lifter_with_sigma(model: Uncertain, *, batch: int = 512) -> LiftWithSigma:
    """`look_at_person` inputs (N, J, channels) to joints and sigma (N, J, 3), on a CPU."""

    @torch.no_grad()
    def lift(
        inputs: np.ndarray[Any, Any],
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        model.eval()
        parts = torch.split(torch.from_numpy(inputs).float().unsqueeze(1), batch)
        answers = [model(part, with_sigma=True) for part in parts]
        pose, sigma = (torch.cat(each).numpy() for each in zip(*answers, strict=True))
        return pose, sigma

    return lift

"""One run on several processes, as ``torchrun`` starts them.

Every process makes the same batch and takes its share, so a recipe's batch size and its result do
not depend on the number of processes, up to the order of floating-point sums. (Dropout and batch
normalisation do: each process draws, and normalises, for its share.) The run folder must be on a
file system that all processes see; the first process alone writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class World:
    """The processes of a run, as one of them sees it.

    Attributes:
        rank: number of this process.
        size: number of processes.
        device: where this process computes.
    """

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def first(self) -> bool:
        """Whether this process writes and reports."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model as training calls it: gradients become the mean over the processes."""
        if self.size == 1:
            return model
        devices = [torch.device(self.device)] if self.device.startswith("cuda") else None
        return DistributedDataParallel(model, device_ids=devices)

    def summed(self, value: Tensor) -> Tensor:
        """The sum over the processes."""
        if self.size > 1:
            distributed.all_reduce(value)
        return value

    def wait(self) -> None:
        """Waits until all processes are here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def joined() -> Iterator[World]:
    """The world that ``torchrun`` describes in the environment; this process alone without it.

    Raises:
        ValueError: the environment describes a world, but not as ``torchrun`` does.
    """
    has_cuda = torch.cuda.is_available()
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(device="cuda" if has_cuda else "cpu")
        return
    if "LOCAL_RANK" not in os.environ:
        raise ValueError(f"WORLD_SIZE is {size} but LOCAL_RANK is not set; start with torchrun")
    local = int(os.environ["LOCAL_RANK"])
    distributed.init_process_group("nccl" if has_cuda else "gloo")
    if has_cuda:
        torch.cuda.set_device(local)
    try:
        yield World(distributed.get_rank(), size, f"cuda:{local}" if has_cuda else "cpu")
    finally:
        distributed.destroy_process_group()

"""Who gets how many threads."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ampose.errors import InputError


@dataclass(frozen=True)
class Threads:
    """How a total of threads is shared.

    Attributes:
        total: how many may be busy at once.
        detector: for each of the detector's networks.
        lifter: for the lifting network.
        codec: for decoding, and for encoding.
        places: how many threads may compute at once, see `ampose.flow.Stages`; None where the
            machine has no more processors than that, so that the system sees to it. A stage that
            waits for Python's lock keeps its place, which costs where every processor counts.
    """

    total: int
    detector: int
    lifter: int
    codec: int
    places: int | None = None

    @property
    def overlap(self) -> bool:
        """Whether there is a thread to spare for a second step."""
        return self.total > 1


def share_threads(total: int | None = None, *, live: bool = False) -> Threads:
    """Shares threads between steps that overlap.

    Live, people are found in one frame while another is lifted, drawn and shown, which takes about
    as long: a second thread for a network would only take from those steps. While people are found
    in a file, hardly anything else computes, and the networks get all threads.

    Args:
        total: threads in all; one per processor that this process may use if None.
        live: whether every frame goes the whole way before the next ones come.

    Raises:
        InputError: `total` is below 1.
    """
    if total is not None and total < 1:
        raise InputError(f"threads must be 1 or more, got {total}")
    most = processors()
    total = total or most
    return Threads(
        total,
        detector=max(1, total // 2) if live else total,
        lifter=1 if live else total,
        codec=max(1, total // 4),
        places=total if total < most else None,
    )


def processors() -> int:
    """How many processors this process may use; containers and batch systems often grant fewer."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1

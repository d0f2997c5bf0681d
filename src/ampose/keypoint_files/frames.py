"""Numbers of frames from the names of their files."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def frame_numbers(stems: Sequence[str]) -> NDArray[np.int64] | None:
    """The numbers at the end of names that otherwise agree; None for other names.

    ``["clip_0003", "clip_0007"]`` gives 3 and 7.
    """
    found = [re.fullmatch(r"(.*?)([0-9]+)", stem, re.DOTALL) for stem in stems]
    prefixes = {match and match[1] for match in found}
    digits = [match[2] for match in found if match]
    if len(prefixes) != 1 or not digits or max(map(len, digits)) > 18:  # 18 digits fit 64 bits
        return None
    numbers = [int(number) for number in digits]
    return np.array(numbers, np.int64) if len(set(numbers)) == len(stems) else None

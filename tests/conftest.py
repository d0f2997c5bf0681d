from __future__ import annotations

import signal

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

# The same examples on every run and machine: a red test is a change, never luck.
settings.register_profile("ampose", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("ampose")

# Shells start what they run in the background deaf to Ctrl-C, which some tests press.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def standing() -> NDArray[np.float64]:
    """(17, 3) metres, h36m_17, root at zero: an upright person facing the camera, one arm out."""
    return np.array(
        [
            (0.00, 0.00, 0.00),
            (-0.13, 0.00, 0.00),
            (-0.14, 0.44, -0.02),
            (-0.14, 0.88, 0.05),
            (0.13, 0.00, 0.00),
            (0.15, 0.43, -0.08),
            (0.16, 0.88, 0.00),
            (0.00, -0.24, 0.02),
            (0.00, -0.50, 0.00),
            (0.00, -0.61, -0.08),
            (0.00, -0.73, 0.00),
            (0.16, -0.46, 0.00),
            (0.44, -0.44, -0.03),
            (0.68, -0.46, -0.10),
            (-0.16, -0.46, 0.00),
            (-0.20, -0.18, 0.04),
            (-0.18, 0.06, -0.06),
        ]
    )

"""What the readers of text motion files share: numbered lines, numbers, Euler angles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ampose.geometry import rotation_about
from ampose.research.data.pose_set import DatasetError

Array = NDArray[np.floating]


def lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The words of every line that holds more than a comment, with the line's number from 1.

    Raises:
        DatasetError: the file cannot be read.
    """
    try:
        # Comments name files of the capturing computer, in whatever encoding that had.
        with path.open(encoding="latin-1") as file:
            for number, line in enumerate(file, 1):
                words = line.split()
                if words and not words[0].startswith("#"):
                    yield number, words
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from error


def wrong(path: Path, line: int, finding: str) -> DatasetError:
    """The error that names the file, the line and what is wrong there."""
    return DatasetError(f"{path}: line {line}: {finding}")


def brief(words: Sequence[str]) -> str:
    """What a message quotes of a line; of a file of another kind that may be the whole file."""
    text = " ".join(words[:4])[:40]
    return repr(text if text == " ".join(words) else f"{text}...")


def numbers(path: Path, line: int, words: Sequence[str]) -> list[float]:
    """The words as finite numbers.

    Raises:
        DatasetError: one of them is something else.
    """
    try:
        values = list(map(float, words))
    except ValueError:
        values = [np.nan]
    if not isfinite(sum(values)):
        raise wrong(path, line, f"finite numbers needed, got {brief(words)}")
    return values


def euler_rotations(axes: Sequence[int], degrees: Array) -> Array:
    """Rotation matrices (F, 3, 3), the product from left to right of turns about axes.

    Args:
        axes: K of 0, 1 and 2; the last one turns a column vector first.
        degrees: (F, K) angles.
    """
    angles = np.radians(degrees)
    turns = [rotation_about(axis, angles[:, k]) for k, axis in enumerate(axes)]
    return reduce(np.matmul, turns)

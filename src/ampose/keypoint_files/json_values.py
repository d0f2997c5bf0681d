"""Values out of a JSON document, checked: a wrong one is an InputError that says where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ampose.errors import InputError

Array = NDArray[np.floating]


def parse_json(text: str) -> Any:
    """The document in `text`."""
    try:
        return json.loads(text)
    except RecursionError:
        raise InputError("the JSON is nested too deeply") from None
    except ValueError as error:  # JSONDecodeError, or an integer with thousands of digits
        raise InputError(f"not valid JSON: {error}") from None


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without byte order mark; InputError for other files."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text (byte {error.start})") from None


def objects(value: Any, where: str) -> list[dict[str, Any]]:
    """A list of JSON objects."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError(f"{where} must be a list of objects")
    return value


def first_object(document: Any) -> dict[str, Any]:
    """The first item of a list where that is an object; else an empty object."""
    first = document[0] if isinstance(document, list) and document else None
    return first if isinstance(first, dict) else {}


def whole(value: Any, where: str) -> int:
    """A whole number that fits 64 bits."""
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) >= 2**63:
        raise InputError(f"{where} must be a whole number, got {str(value)[:40]!r}")
    return number


def triples(value: Any, where: str) -> Array:
    """A flat list x, y, score, x, y, score... as (J, 3) float64; null is NaN."""
    try:
        numbers = np.array(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where}: keypoints must be numbers") from None
    if numbers.ndim != 1 or len(numbers) % 3:
        raise InputError(
            f"{where}: keypoints must be one flat list of x, y, score triples, "
            f"got numbers of shape {numbers.shape}"
        )
    return numbers.reshape(-1, 3)

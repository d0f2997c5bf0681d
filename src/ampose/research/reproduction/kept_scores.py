"""Scores that are kept beside the weights which reached them.

``scores.json`` in a run folder: protocol and set to rows and their circumstances. As long as the
SHA-256 of the weights stays the same, a table that is made again uses these, so that making it
twice is not looking at a test set twice.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ampose.files import sha256_of, written_beside
from ampose.research.evaluation.provenance import circumstances
from ampose.research.reproduction.runs import read_object
from ampose.research.training.checkpoint import WEIGHTS

Row = dict[str, Any]
"""One row of a protocol: strings and numbers by name."""

FILE = "scores.json"


@dataclass(frozen=True)
class Scores:
    """What a run's weights scored on one set.

    Attributes:
        rows: of the protocol.
        sha256: of the weights.
        commit, hardware, day: of the measurement.
        of_data: SHA-256 of the file that the set was drawn from; empty where none is known.
    """

    rows: list[Row]
    sha256: str
    commit: str
    hardware: str
    day: str
    of_data: str = ""


def measured_now(run: Path, rows: list[Row], of_data: str = "") -> Scores:
    """Rows that the weights of a run have just reached, with their circumstances."""
    now = circumstances()
    return Scores(
        rows, sha256_of(run / WEIGHTS), now["commit"], now["hardware"], now["day"], of_data
    )


def kept_scores(run: Path, protocol: str, of_data: str = "") -> Scores | None:
    """What the weights of a finished run scored before; None if they or the data have changed.

    Args:
        run: its folder.
        protocol: names protocol and set.
        of_data: SHA-256 of the set's file; empty to take the scores whatever it was.

    Raises:
        ValueError: the file of scores is damaged.
    """
    path = run / FILE
    if not path.exists():
        return None
    held = read_object(path).get(protocol)
    if held is None:
        return None
    try:
        scores = Scores(**held)
    except TypeError as error:
        raise ValueError(f"{path}: holds no scores; remove it to measure anew") from error
    same = scores.sha256 == sha256_of(run / WEIGHTS) and of_data in ("", scores.of_data)
    return scores if same else None


def keep_scores(run: Path, protocol: str, scores: Scores) -> None:
    """Writes scores beside the weights, complete or not at all."""
    path = run / FILE
    held = read_object(path) if path.exists() else {}
    text = json.dumps(held | {protocol: asdict(scores)}, indent=1)
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8")

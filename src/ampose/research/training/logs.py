"""The log of a run: JSON lines, and TensorBoard where tensorboardX is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

try:
    from tensorboardX import SummaryWriter
except ModuleNotFoundError:  # a wish of the extra "train", not a need
    SummaryWriter = None


class RunLog:
    """Appends to ``log.jsonl`` and to the TensorBoard files in ``tensorboard/``.

    Args:
        folder: the run folder.
        records: how many lines to keep of an earlier start; the rest will come again.
        poses: seen at the last of them.
    """

    def __init__(self, folder: Path, records: int, poses: int) -> None:
        self._lines = (folder / "log.jsonl").open("a+", encoding="utf-8")
        self._lines.seek(0)
        for _ in range(records):
            self._lines.readline()
        self._lines.truncate(self._lines.tell())  # alone it cuts where reading ahead has come
        self._board = None
        if SummaryWriter is not None:
            # Points from here on are made anew; TensorBoard forgets those of the earlier start.
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=poses + 1)

    def write(self, poses: int, loss: float, scores: Mapping[str, float]) -> None:
        """One record: poses seen, mean loss since the last record, validation errors."""
        record = {"poses": poses, "loss": round(loss, 3), **scores}
        self._lines.write(json.dumps(record) + "\n")
        self._lines.flush()
        if self._board is not None:
            for name, value in record.items():
                if name != "poses":
                    self._board.add_scalar(name, value, poses)

    def close(self) -> None:
        """Ends both."""
        self._lines.close()
        if self._board is not None:
            self._board.close()

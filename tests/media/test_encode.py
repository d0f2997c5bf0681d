from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ampose.errors import InputError
from ampose.media import Video, VideoWriter, write_png

BLACK = np.zeros((48, 64, 3), np.uint8)


def test_a_video_begins_at_nought_whenever_its_first_picture_was(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", (64, 48), 25) as writer:
        for time in (12.5, 12.54, 12.7):
            writer.write(BLACK, time)
    with Video(tmp_path / "a.mp4") as video:
        assert video.duration == pytest.approx(0.24, abs=0.001)
        assert [frame.time for frame in video] == pytest.approx([0, 0.04, 0.2], abs=1e-4)


def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(InputError, match=r"a\.png cannot be written: Is a directory"):
        write_png(tmp_path / "a.png", BLACK)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]

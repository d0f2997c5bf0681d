from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog

from ampose.research.training import logs
from ampose.research.training.logs import RunLog
from tests.research.training.runs import names


def events(path: Path) -> list[Event]:
    """The records of a TensorBoard file: length, its checksum, the event, its checksum."""
    content, found = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        found.append(Event.FromString(content[12 : 12 + length]))
        content = content[12 + length + 4 :]
    return found


def points(folder: Path) -> list[tuple[int, str, float]]:
    """What a reader of all TensorBoard files of a run sees: a start forgets what follows it."""
    shown: list[tuple[int, str, float]] = []
    for path in sorted((folder / "tensorboard").iterdir()):
        for event in events(path):
            if event.session_log.status == SessionLog.START:
                shown = [point for point in shown if point[0] < event.step]
            shown += [(event.step, v.tag, v.simple_value) for v in event.summary.value]
    return shown


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run that wrote three records."""
    log = RunLog(tmp_path, 0, 0)
    log.write(400, 123.45678, {})
    log.write(800, 99.0, {"mpjpe": 88.5, "p_mpjpe": 60.25})
    log.write(960, 70.5, {"mpjpe": 77.0, "p_mpjpe": 50.0})
    log.close()
    for path in (tmp_path / "tensorboard").iterdir():  # whose name ends in seconds and the host
        path.rename(path.with_name("events.out.tfevents.0"))
    return tmp_path


def test_records_are_lines_of_json(folder: Path) -> None:
    assert lines(folder) == [
        {"poses": 400, "loss": 123.457},
        {"poses": 800, "loss": 99.0, "mpjpe": 88.5, "p_mpjpe": 60.25},
        {"poses": 960, "loss": 70.5, "mpjpe": 77.0, "p_mpjpe": 50.0},
    ]
    assert (folder / "log.jsonl").read_text().endswith("}\n")


def test_tensorboard_has_the_same_numbers(folder: Path) -> None:
    assert points(folder) == [
        (400, "loss", pytest.approx(123.457)),
        (800, "loss", 99.0),
        (800, "mpjpe", 88.5),
        (800, "p_mpjpe", 60.25),
        (960, "loss", 70.5),
        (960, "mpjpe", 77.0),
        (960, "p_mpjpe", 50.0),
    ]


def test_a_record_is_on_disk_when_it_is_written(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0, 0)
    log.write(8, 1.0, {})
    assert lines(tmp_path) == [{"poses": 8, "loss": 1.0}]
    log.close()


@pytest.mark.parametrize(("records", "poses"), [(0, 0), (1, 400), (2, 800), (3, 960)])
def test_what_comes_again_is_forgotten(folder: Path, records: int, poses: int) -> None:
    before, shown = lines(folder), points(folder)
    log = RunLog(folder, records, poses)
    assert lines(folder) == before[:records]
    log.write(999, 5.0, {})
    log.close()
    assert lines(folder) == [*before[:records], {"poses": 999, "loss": 5.0}]
    assert points(folder) == [*(p for p in shown if p[0] <= poses), (999, "loss", 5.0)]


def test_half_a_line_of_a_killed_process_is_cut(folder: Path) -> None:
    before = lines(folder)
    with (folder / "log.jsonl").open("a") as file:
        file.write('{"poses": 9')
    RunLog(folder, 3, 960).close()
    assert lines(folder) == before


def test_a_lost_log_does_not_stop_a_run(folder: Path) -> None:
    (folder / "log.jsonl").unlink()
    log = RunLog(folder, 2, 800)
    log.write(999, 5.0, {})
    log.close()
    assert lines(folder) == [{"poses": 999, "loss": 5.0}]


def test_without_tensorboardx_there_are_the_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SummaryWriter", None)
    log = RunLog(tmp_path, 0, 0)
    log.write(8, 1.0, {"mpjpe": 2.0})
    log.close()
    assert names(tmp_path) == ["log.jsonl"]
    assert lines(tmp_path) == [{"poses": 8, "loss": 1.0, "mpjpe": 2.0}]


def test_tensorboardx_need_not_be_installed() -> None:
    program = (
        "import sys; sys.modules['tensorboardX'] = None\n"
        "from ampose.research.training.logs import SummaryWriter\n"
        "assert SummaryWriter is None"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

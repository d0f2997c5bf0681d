"""Measures the whole way: frames per second of files and live, and CPU seconds by stage.

    python benchmarks/pipeline.py VIDEO [-o results/pipeline.csv] [--threads 2]
    python benchmarks/pipeline.py VIDEO --settings [-o results/pipeline_settings.csv]

VIDEO shows one person. From its first frames, played forwards and backwards, two clips of
1280 x 720 pixels and 30 frames per second are made: the person in the middle, and the person and
their mirror image side by side (no clip of two people is at hand). In every repeat, for each, and
for the one person with faces covered (``--blur-faces``):

* Stages alone: the file is processed with ``--threads 1``, where nothing overlaps, and the clock
  is the process's CPU time. ``sum`` adds the stages: decode (twice: to find people and to draw
  them), find, refine, motion (lifting and all repairs), draw, convert and encode; ``rest`` is what
  the process took beyond them, from the first frame to the results' being written.
* File: from the first frame until the results are written; loading the networks is left out.
  ``of ideal`` is its rate over threads / sum: 1 would be all threads at work all the time.
* Machine: rate of ``--threads`` detectors at once, each on a thread and a person of its own, over
  that many times the rate of one. Where processors share caches or cores, this is below 1, and no
  program's ``of ideal`` can exceed it.
* Live: the clip played as if live with one viewer of the page and no recording. Wall time by
  stage; delay from a frame's own time until it is handed to the viewer.

``--settings`` compares ways to use the threads on the file of one person: steps one after the
other or overlapping, threads per network of the detector, spinning, ONNX Runtime's execution mode.

Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest import mock

import numpy as np
import onnxruntime as ort
from PIL import Image

from ampose import Options, media, onnx_models, pipeline, running
from ampose.detection import load_detector
from ampose.errors import InputError
from ampose.flow import Stages, Threads, share_threads
from ampose.research.evaluation.provenance import circumstances, write_table

SIZE = (1280, 720)
FPS = 30
SOURCE_FRAMES = 60
"""Frames of VIDEO that are used: a second or two, held in memory once."""


@dataclass(frozen=True)
class Case:
    """What is measured: how many people are in the clip, and whether faces are covered."""

    people: int
    covered: bool = False

    def options(self, threads: int | None) -> Options:
        """Of the runs."""
        return Options(threads=threads, blur_faces=self.covered)


CASES = {
    "one person": Case(1),
    "two people": Case(2),
    "one person, faces covered": Case(1, covered=True),
}
BACKGROUND = 90
FOLLOWED = 40
"""Frames that each detector of the machine's row follows."""

VIEWER = "import sys, urllib.request as r; s = r.urlopen(sys.argv[1])\nwhile s.read(65536): pass"
"""A process of its own that reads the stream, so that it shares no lock with what is measured."""

Note = Callable[[str, str, str, float], None]
"""Takes a case, a quantity, its unit and one value."""


def compose(source: Path, out: Path, people: int, frames: int) -> Path:
    """Writes a clip of `SIZE` with the person of `source` once or, mirrored, twice.

    Raises:
        InputError: `source` is no video that can be read.
    """
    with media.Video(source) as video:
        pictures = [frame.image for frame in itertools.islice(video, SOURCE_FRAMES)]
    there_and_back = itertools.cycle([*pictures, *pictures[-2:0:-1]])
    width, height = SIZE[0] // people, SIZE[1]
    with media.VideoWriter(out, SIZE, FPS) as writer:
        for index, picture in enumerate(itertools.islice(there_and_back, frames)):
            scale = min(width / picture.shape[1], height / picture.shape[0])
            fitted = Image.fromarray(picture).resize(
                (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
            )
            canvas = Image.new("RGB", SIZE, (BACKGROUND,) * 3)
            top = (height - fitted.height) // 2
            for place in range(people):
                left = place * width + (width - fitted.width) // 2
                one = fitted.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if place else fitted
                canvas.paste(one, (left, top))
            writer.write(np.asarray(canvas), index / FPS)
    return out


class Clock(Stages):
    """Stages that note when the first one began.

    Args:
        places: as of `Stages`.
        clock: as of `Stages`.
        threads: as of `Stages`.
    """

    def __init__(
        self,
        places: int | None,
        clock: Callable[[], float],
        threads: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(places, clock, threads)
        self.now = clock
        self.began: float | None = None

    def __call__(self, stage: str) -> Any:
        """Surrounds what the stage computes."""
        self.began = self.now() if self.began is None else self.began
        return super().__call__(stage)


@contextmanager
def clocks(clock: Callable[[], float]) -> Iterator[list[Clock]]:
    """Collects the stages of all runs in the block, which use this clock."""
    made: list[Clock] = []

    def make(places: int | None = None, threads: Mapping[str, int] | None = None) -> Clock:
        made.append(Clock(places, clock, threads))
        return made[-1]

    with mock.patch.object(running, "Stages", make):
        yield made


@dataclass(frozen=True)
class FileRun:
    """A file processed.

    Attributes:
        frames: in it.
        seconds: of the clock, from the first frame to the end.
        stages: seconds of the clock per frame, by stage.
    """

    frames: int
    seconds: float
    stages: dict[str, float] = field(default_factory=dict)


def process(clip: Path, options: Options, clock: Callable[[], float]) -> FileRun:
    """Runs a file the whole way and clocks it."""
    with tempfile.TemporaryDirectory() as folder, clocks(clock) as made:
        result = pipeline.run(clip, Path(folder) / "out", options)
        end = clock()
    (stages,) = made
    frames = result.frame_count
    assert stages.began is not None
    return FileRun(
        frames,
        end - stages.began,
        {time.stage: time.calls * time.mean / frames for time in stages.times()},
    )


def measure_file(case: str, clip: Path, threads: int, note: Note) -> None:
    """Stages alone, then the file with everything at once."""
    alone = process(clip, CASES[case].options(1), process_time)
    for stage, seconds in alone.stages.items():
        note(case, f"alone: {stage}", "CPU ms/frame", 1000 * seconds)
    total = sum(alone.stages.values())
    note(case, "alone: sum", "CPU ms/frame", 1000 * total)
    note(case, "alone: rest", "CPU ms/frame", 1000 * (alone.seconds / alone.frames - total))
    together = process(clip, CASES[case].options(threads), perf_counter)
    rate = together.frames / together.seconds
    note(case, "file", "frames/s", rate)
    note(case, "file, of ideal", "share", rate * total / threads)


def measure_machine(clip: Path, threads: int, note: Note) -> None:
    """How much of its rate a network keeps while others run on the other processors."""
    with media.Video(clip) as video:
        image = next(iter(video)).image
    detectors = [load_detector(threads=1) for _ in range(threads)]
    people = [detector.detect(image)[0] for detector in detectors]

    def seconds(count: int) -> float:
        def follow(place: int) -> None:
            for _ in range(FOLLOWED):
                detectors[place].follow(image, people[place])

        start = perf_counter()
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(follow, range(count)))
        return perf_counter() - start

    note("machine", "detectors at once, of ideal", "share", seconds(1) / seconds(threads))


def measure_live(case: str, clip: Path, threads: int, note: Note) -> None:
    """The clip as if live, watched by one viewer."""
    viewers: list[subprocess.Popen[bytes]] = []

    def watch(report: pipeline.LiveReport) -> None:
        if not viewers:
            url = f"{report.url}overlay.mjpeg"
            viewers.append(subprocess.Popen([sys.executable, "-c", VIEWER, url]))

    report = pipeline.run_live(clip, options=CASES[case].options(threads), port=0, tell=watch)
    for viewer in viewers:
        viewer.wait()
    status = report.status
    note(case, "live", "frames/s", status.mean_rate)
    note(case, "live, median delay", "ms", 1000 * status.delay)
    note(case, "live, 95 % of delays", "ms", 1000 * status.high_delay)
    note(case, "live, dropped", "share", status.dropped / (status.shown + status.dropped))
    for stage in report.stages:
        note(case, f"live: {stage.stage}", "ms/call", 1000 * stage.mean)
        note(case, f"live: {stage.stage}, 95 %", "ms/call", 1000 * stage.high)


@dataclass(frozen=True)
class Setting:
    """A way to use the threads.

    Attributes:
        overlap: whether steps overlap.
        network: threads of each network of the detector; all if None.
        spinning: whether ONNX Runtime's idle threads spin.
        parallel: its execution mode.
        bounded: whether no more steps compute at once than there are threads.
    """

    overlap: bool = True
    network: int | None = None
    spinning: bool = False
    parallel: bool = False
    bounded: bool = False

    def __str__(self) -> str:
        threads = "all threads" if self.network is None else f"{self.network} thread"
        return ", ".join(
            (
                ("overlapping" if self.overlap else "one after the other")
                + (", bounded" if self.bounded else ""),
                f"{threads} per network",
                "spinning" if self.spinning else "no spinning",
                "parallel execution" if self.parallel else "sequential execution",
            )
        )

    @contextmanager
    def applied(self, total: int) -> Iterator[None]:
        """Runs in the block use the threads like this."""
        usual = share_threads(total)
        network = self.network or total
        share = Threads(
            total if self.overlap else 1,
            network,
            usual.lifter,
            usual.codec,
            total if self.bounded else None,
        )
        ordinary = onnx_models.session_options

        def options(threads: int | None) -> ort.SessionOptions:
            made = ordinary(threads)
            if self.parallel:
                made.execution_mode = ort.ExecutionMode.ORT_PARALLEL
                made.inter_op_num_threads = threads or 0
            return made

        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(running, "share_threads", return_value=share))
            stack.enter_context(mock.patch.object(onnx_models, "session_options", options))
            stack.enter_context(mock.patch.object(onnx_models, "SPINNING", self.spinning))
            yield


SETTINGS = (
    Setting(),
    Setting(network=1),
    Setting(bounded=True),
    Setting(spinning=True),
    Setting(parallel=True),
    Setting(overlap=False),
    Setting(overlap=False, network=1),
    Setting(overlap=False, spinning=True),
)


def measure_settings(clip: Path, threads: int, note: Note) -> None:
    """The file of one person in every setting."""
    for setting in SETTINGS:
        with setting.applied(threads):
            done = process(clip, Options(), perf_counter)
        note(str(setting), "file", "frames/s", done.frames / done.seconds)


def measure(
    source: Path, frames: int, threads: int, repeats: int, *, settings: bool
) -> list[dict[str, str]]:
    """The table.

    Raises:
        InputError: `source` is no video that can be read.
    """
    values: dict[tuple[str, str, str], list[float]] = defaultdict(list)

    def note(case: str, quantity: str, unit: str, value: float) -> None:
        values[case, quantity, unit].append(value)

    with tempfile.TemporaryDirectory() as folder:
        clips = {
            people: compose(source, Path(folder) / f"{people}.mp4", people, frames)
            for people in ((1,) if settings else (1, 2))
        }
        for done in range(1, repeats + 1):
            measure_machine(clips[1], threads, note)
            if settings:
                measure_settings(clips[1], threads, note)
            else:
                for name, case in CASES.items():
                    measure_file(name, clips[case.people], threads, note)
                    measure_live(name, clips[case.people], threads, note)
            print(f"repeat {done} of {repeats}", flush=True)
    return [
        dict(zip(("case", "quantity", "unit"), key, strict=True))
        | {
            "median": printed(statistics.median(found)),
            "lowest": printed(min(found)),
            "highest": printed(max(found)),
        }
        for key, found in values.items()
    ]


def printed(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def main() -> None:
    """Runs the benchmark and writes its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", type=Path, help="a clip of one person")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--settings", action="store_true", help="compare ways to use the threads")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frames", type=int, default=600, help="of each clip")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    if given.threads < 1 or given.frames < 2 or given.repeats < 1:
        parser.error("--threads and --repeats must be at least 1, --frames at least 2")
    out = given.out or Path(f"results/pipeline{'_settings' if given.settings else ''}.csv")
    rows = measure(
        given.video, given.frames, given.threads, given.repeats, settings=given.settings
    )
    for row in rows:
        print(*row.values())
    size = f"{SIZE[0]} x {SIZE[1]}"
    notes = {
        "what": "files and live, the whole way; median, lowest and highest of the repeats",
        "clips": f"made from {given.video.name}: {size}, {FPS} frames/s, {given.frames} frames; "
        "two people are the one and their mirror image side by side",
        "threads": str(given.threads),
        "repeats": str(given.repeats),
        "onnxruntime": ort.__version__,
        **circumstances(),
    }
    write_table(out, rows, notes)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))

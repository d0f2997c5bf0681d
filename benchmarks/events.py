"""Scores the rules of `ampose.analysis.events` on open motion.

    python benchmarks/events.py DATA [-o results/events.csv] [--sets cmu-val ...]

DATA holds the open-mocap packs, 25 frames/s: a frame is 40 ms. Every take (see `takes`) is looked
at three times: as the capture has it (true), and as the whole chain of `ampose.motion` has it from
one camera's exact and detector-like 2D, told the focal length and the height.

* walk: clips that are described as walking. The rule on true motion is compared with what it does
  not use: foot strikes with the end of the ankle's descent (which comes before the heel strikes)
  and with the moment in which the ankle rests (which comes after), toe-offs with the fastest rise
  of the ankle (as O'Connor et al., Gait & Posture 2007, for the middle of the foot). No force
  plate says when it was. Lifted motion is compared with the rule on true motion.
* blow: karate, punches and strokes with a sword, `AROUND` s before and after the fastest moment of
  a wrist, under the rules of the baseball pitch: a stand-in for fast hands, as the packs hold no
  golf swing, no pitch and no swing of a bat. Lifted motion is compared with true motion.
* squat: repetitions counted, against the number in the class's name (``squat1Reps``); other
  classes should have none. An event is here a clip, and found if its number is right.

Events: how many there should be. Found: percent of them with one of the same name within
`WITHIN` s. Extra: events in excess of that. Offset: mean, found less reference, in milliseconds;
spread: standard deviation; one frame: percent that are at most one frame off. Events in the first
and last `EDGE` s do not count: whether they are seen there is chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import takes
from motion import moved
from steady_bones import INPUTS, SEED

import ampose
from ampose.analysis import PRESETS, events_of
from ampose.analysis.cycles import peaks_of
from ampose.analysis.views import views_of
from ampose.errors import InputError
from ampose.motion.cleaning import Repairs
from ampose.motion.filters import butterworth
from ampose.poses import PoseSequence
from ampose.research.data.open_mocap import FRAMES_PER_SECOND
from ampose.skeletons import H36M_17

Array = np.ndarray[Any, Any]
Frames = dict[str, list[int]]
"""Frames of the events of each name."""
Compared = tuple[tuple[str, str, str, str, str], list[int], list[int]]
"""Movement, event, of what, against what and view; frames of the reference; frames found."""

WITHIN = EDGE = 0.2
"""Seconds."""

SHORTEST = 1.0
"""Seconds of a motion: HDM05's squats are cut out tightly."""

MIDDLE = round(SHORTEST * FRAMES_PER_SECOND) // 2
"""A frame that every motion has; it stands for the event where only the number counts."""

DESCENT = 0.2
"""Metres per second downward: below this a descent has ended."""

LIVELY = 0.4
"""Metres per second by which the ankle's vertical speed must rise and fall to be a swing's."""

REST = 0.5
"""Metres per second: an ankle that is slower rests."""

AROUND = 1.0
"""Seconds."""

UNTIMED = ("extra", "offset_ms", "spread_ms", "one_frame_percent")
"""Columns that say nothing where clips are counted."""

BLOWS = ("empi", "gedanbarai", "heiansyodan", "oiduki", "syutouuke", "punch", "sword", "boxing")


@dataclass
class Tally:
    """Events of one kind over many takes."""

    wanted: int = 0
    extra: int = 0
    offsets: list[int] = field(default_factory=list)

    def add(self, reference: Sequence[int], found: Sequence[int], length: int) -> None:
        """Counts the events of one take, frames of `length`."""
        edge, within = round(EDGE * FRAMES_PER_SECOND), round(WITHIN * FRAMES_PER_SECOND)
        inner = range(edge, length - edge)
        wanted = [frame for frame in reference if frame in inner]
        self.wanted += len(wanted)
        self.offsets += matched(wanted, found, within)
        there = [frame for frame in found if frame in inner]
        self.extra += len(there) - len(matched(there, reference, within))

    def row(self) -> dict[str, str]:
        """The columns of the result file."""
        off = 1000 / FRAMES_PER_SECOND * np.array(self.offsets)
        near = np.abs(self.offsets) <= 1
        return {
            "events": str(self.wanted),
            "found_percent": f"{100 * len(off) / self.wanted:.1f}" if self.wanted else "",
            "extra": str(self.extra),
            "offset_ms": f"{off.mean():.0f}" if len(off) else "",
            "spread_ms": f"{off.std():.0f}" if len(off) else "",
            "one_frame_percent": f"{100 * near.mean():.1f}" if len(off) else "",
        }


def matched(reference: Iterable[int], found: Sequence[int], within: int) -> list[int]:
    """Offsets in frames of what was found for each reference, each used once, nearest first."""
    pairs = sorted(
        (abs(frame - wanted), wanted, frame)
        for wanted in reference
        for frame in found
        if abs(frame - wanted) <= within
    )
    used: tuple[set[int], set[int]] = set(), set()
    offsets = []
    for _, wanted, frame in pairs:
        if wanted not in used[0] and frame not in used[1]:
            used[0].add(wanted)
            used[1].add(frame)
            offsets.append(frame - wanted)
    return offsets


def true_sequence(take: takes.Take) -> PoseSequence:
    """What a perfect answer to a take would be, without error bars."""
    joints = take.joints[:, None].astype(np.float32)
    shape = joints.shape[:3]
    return PoseSequence(
        joints - joints[:, :, :1],
        joints[:, :, 0],
        np.full((*shape, 3), np.nan, np.float32),
        take.keypoints[:, None].astype(np.float32),
        np.ones(shape, np.float32),
        np.ones(shape, bool),
        np.zeros(1, np.int64),
        take.motion.times,
        (take.camera,),
        world=take.motion.joints[:, None].astype(np.float32),
        world_frame={"tilt_sigma_degrees": 0.0, "rests_on": "the capture"},
    )


def frames_of(sequence: PoseSequence, preset: str) -> Frames:
    """Events of the one person of a sequence."""
    frames: Frames = {name: [] for name in PRESETS[preset].rules}
    for event in events_of(sequence, PRESETS[preset])[0]:
        frames[event.name].append(event.frame)
    return frames


def ankle_references(motion: takes.Motion) -> dict[str, Frames]:
    """What the ankles' heights and speeds over the ground say of walking, by its name.

    The rule looks at neither.
    """
    references: dict[str, Frames] = {"ankle's height": {}, "ankle at rest": {}}
    for side in ("left", "right"):
        ankle = motion.joints[:, H36M_17.index(f"{side}_ankle")]
        ankle = butterworth(ankle, motion.times, 10.0)[0]
        velocity = np.gradient(ankle, motion.times, axis=0)
        upward, speed = velocity[:, 1], np.linalg.norm(velocity, axis=-1)
        falls = [frame for frame in peaks_of(-upward, LIVELY) if -upward[frame] > LIVELY]
        ends = [frame + np.flatnonzero(upward[frame:] > -DESCENT)[:1] for frame in falls]
        rests = [frame + np.flatnonzero(speed[frame:] < REST)[:1] for frame in falls]
        rises = [frame for frame in peaks_of(upward, LIVELY) if upward[frame] > LIVELY]
        height, rest = references.values()
        height[f"foot_strike_{side[0]}"] = np.concatenate([[], *ends]).astype(int).tolist()
        height[f"toe_off_{side[0]}"] = rises
        rest[f"foot_strike_{side[0]}"] = np.concatenate([[], *rests]).astype(int).tolist()
    return references


def walked(take: takes.Take, seen: dict[str, PoseSequence]) -> Iterator[Compared]:
    """Strikes and toe-offs of a take, against the ankles and against the rule on true motion."""
    found = {kind: frames_of(sequence, "gait") for kind, sequence in seen.items()}
    for reference, frames in ankle_references(take.motion).items():
        for event, wanted in frames.items():
            yield ("walk", event[:-2], "true", reference, "all"), wanted, found["true"][event]
    up = take.camera.rotation[:, 1]
    (view,) = views_of(seen["true"].joints, seen["true"].root, up)
    for kind in INPUTS:
        for event, wanted in found["true"].items():
            for each in ("all", view.side):
                yield ("walk", event[:-2], kind, "true", each), wanted, found[kind][event]


def struck(seen: dict[str, PoseSequence]) -> Iterator[Compared]:
    """The fastest moment of a wrist and the end of its movement, against those of true motion."""
    found = {kind: frames_of(sequence, "baseball-pitch") for kind, sequence in seen.items()}
    for kind in INPUTS:
        for event in ("release", "finish"):
            yield ("blow", event, kind, "true", "all"), found["true"][event], found[kind][event]


def around_fastest(motion: takes.Motion) -> takes.Motion:
    """The part of a motion around the fastest moment of a wrist, relative to the pelvis."""
    wrists = motion.joints[:, H36M_17.indices(("left_wrist", "right_wrist"))]
    places = wrists - motion.joints[:, H36M_17.root, None]
    speed = np.linalg.norm(np.gradient(places, motion.times, axis=0), axis=-1).max(1)
    middle, wide = int(speed.argmax()), round(AROUND * FRAMES_PER_SECOND)
    return replace(motion, joints=motion.joints[max(0, middle - wide) : middle + wide + 1])


def counted(motion: takes.Motion, seen: dict[str, PoseSequence]) -> Iterator[Compared]:
    """Repetitions of squats, against the number in the name of the class.

    Where both agree the frames are given as the same, so that a clip counts as one event found.
    """
    wanted = re.match(r"squat(\d+)Reps", motion.description)
    for kind, sequence in seen.items():
        count = len(frames_of(sequence, "squat")["bottom"])
        event = "clips with as many as named" if wanted else "clips of other classes with none"
        right = count == (int(wanted[1]) if wanted else 0)
        yield ("squat", event, kind, "class", "all"), [MIDDLE], [MIDDLE] if right else []


def compared(
    take: takes.Take, rng: np.random.Generator, lifter: ampose.Lifter
) -> Iterator[Compared]:
    """Everything that a take is good for."""
    motion = take.motion
    squats = is_of_a_class(motion)
    if not (squats or is_walk(motion) or is_blow(motion)):
        return
    seen = {"true": true_sequence(take)}
    for kind in INPUTS:
        keypoints = take.keypoints if kind == "exact" else take.detected(rng)
        seen[kind] = moved(take, keypoints, lifter, Repairs())
    if squats:
        yield from counted(motion, seen)
    elif is_walk(motion):
        yield from walked(take, seen)
    else:
        yield from struck(seen)


def is_of_a_class(motion: takes.Motion) -> bool:
    """Whether its description is the name of one of HDM05's classes."""
    return motion.name.startswith("hdm05/")


def is_walk(motion: takes.Motion) -> bool:
    """Whether it is described as walking and as nothing else."""
    words = motion.description.lower()
    return "walk" in words and not any(word in words for word in ("run", "navigate", "uneven"))


def is_blow(motion: takes.Motion) -> bool:
    """Whether it is described as something with fast hands."""
    return any(word in motion.description.lower() for word in BLOWS)


def rows_of(name: str, data: Path, lifter: ampose.Lifter) -> Iterator[dict[str, str]]:
    """The rows of one set.

    Raises:
        InputError: the pack cannot be read, or holds nothing of that.
    """
    tallies: dict[tuple[str, ...], Tally] = {}
    for number, whole in enumerate(takes.motions(name, data, shortest=SHORTEST)):
        motion = around_fastest(whole) if is_blow(whole) else whole
        rng = np.random.default_rng((SEED, number))
        for key, wanted, found in compared(takes.filmed(motion, rng), rng, lifter):
            tallies.setdefault(key, Tally()).add(wanted, found, len(motion.joints))
        print(f"\r{name}: {number + 1} motions", end="", flush=True)
    print()
    if not tallies:
        raise InputError(f"{name}: no walking, no blows and no classes")
    columns = ("movement", "event", "of", "against", "view")
    for key, tally in sorted(tallies.items()):
        row = {"set": name, **dict(zip(columns, key, strict=True))} | tally.row()
        untimed = dict.fromkeys(UNTIMED, "") if row["movement"] == "squat" else {}
        yield row | untimed


def main() -> None:
    """Runs the benchmark and writes its table."""
    arguments = takes.arguments_of(__doc__ or "", Path("results/events.csv")).parse_args()
    lifter = ampose.Lifter()
    takes.write_results(
        arguments.out,
        *(rows_of(name, arguments.data, lifter) for name in arguments.sets),
        what="events by the rules of the presets, 25 frames/s; focal length and height known",
        seed=str(SEED),
        **lifter.provenance,
    )


if __name__ == "__main__":
    takes.run(main)

"""Movements that people film, and what to measure, to look for and to draw in each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ampose.analysis import gait, pitching, squats, swings
from ampose.analysis.moving import Found, Moving
from ampose.errors import InputError

SIDES = ("l", "r")


@dataclass(frozen=True)
class Preset:
    """What belongs to one movement.

    Attributes:
        name: as users type it.
        title: in words.
        angles: columns of `ampose.analysis.angles_of`, with side.
        plots: groups of `angles` that belong in one figure.
        rules: how each event is found, by its name, in the order in which they come.
        repetition: names of the events that begin, turn and end a repetition; for gait, a stride
            of each side.
        find: what finds the events.
        least_rate: frames per second below which events come with a warning.
        longest: seconds beyond which it is no repetition: an event in between was missed.
        limits: what a user should know of these events, sentences.
        needs_gravity: what rests on the vertical, a sentence; empty if nothing does.
        fast: whether filters along time change it.
        reference: event in which pelvis and shoulder-line rotation are zero, if any.
        handed: whether it makes a difference from which side somebody throws or swings.
    """

    name: str
    title: str
    angles: tuple[str, ...]
    plots: tuple[tuple[str, ...], ...]
    rules: Mapping[str, str]
    repetition: tuple[tuple[str, str, str], ...]
    find: Callable[[Moving], Found]
    least_rate: float
    longest: float = math.inf
    limits: tuple[str, ...] = ()
    needs_gravity: str = ""
    fast: bool = False
    reference: str | None = None
    handed: bool = False

    @property
    def events(self) -> tuple[str, ...]:
        """Names of the events, in the order in which they come."""
        return tuple(self.rules)


def preset_named(name: str) -> Preset:
    """The preset of that name.

    Raises:
        InputError: there is none; the message lists them.
    """
    if name not in PRESETS:
        raise InputError(f"unknown preset {name!r}; known are {', '.join(PRESETS)}")
    return PRESETS[name]


def _both(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}_{side}" for name in names for side in SIDES)


_LEGS = (_both("knee_flexion"), _both("trunk_thigh_angle"), ("trunk_lean_sagittal",))
_ROTATIONS = (
    ("pelvis_rotation", "shoulder_line_rotation"),
    ("x_factor_joint_angle",),
    ("trunk_lean_sagittal", "trunk_lean_lateral"),
)
_ALL = (
    Preset(
        name="squat",
        title="squat",
        angles=(*_both("knee_flexion", "trunk_thigh_angle"), "trunk_lean_sagittal"),
        plots=_LEGS,
        rules=squats.SQUAT_RULES,
        repetition=(("start", "bottom", "top"),),
        find=squats.squats,
        least_rate=15,
    ),
    Preset(
        name="sit-to-stand",
        title="sit-to-stand",
        angles=(*_both("knee_flexion", "trunk_thigh_angle"), "trunk_lean_sagittal"),
        plots=_LEGS,
        rules=squats.SIT_TO_STAND_RULES,
        repetition=(("start", "seat_off", "standing"),),
        find=squats.sit_to_stand,
        least_rate=15,
        limits=("The seat is not seen: seat-off is told by the knees.",),
    ),
    Preset(
        name="gait",
        title="gait",
        angles=(
            *_both("knee_flexion", "trunk_thigh_angle"),
            "trunk_lean_sagittal",
            "trunk_lean_lateral",
        ),
        plots=(
            _both("knee_flexion"),
            _both("trunk_thigh_angle"),
            ("trunk_lean_sagittal", "trunk_lean_lateral"),
        ),
        rules={f"{name}_{side}": rule for name, rule in gait.RULES.items() for side in SIDES},
        repetition=tuple(
            (f"foot_strike_{side}", f"toe_off_{side}", f"foot_strike_{side}") for side in SIDES
        ),
        find=gait.gait,
        least_rate=50,
        longest=gait.LONGEST_STRIDE,
        needs_gravity="The direction of walking rests on it, a little.",
    ),
    Preset(
        name="golf-swing",
        title="golf swing",
        angles=(*_both("elbow_flexion", "knee_flexion"), *sum(_ROTATIONS, ())),
        plots=(*_ROTATIONS, _both("elbow_flexion"), _both("knee_flexion")),
        rules=swings.GOLF_RULES,
        repetition=(("address", "top", "finish"),),
        find=swings.golf_swing,
        least_rate=60,
        reference="address",
        handed=True,
        fast=True,
        limits=("Impact is an estimate from the hands: club and ball are not seen.",),
    ),
    Preset(
        name="baseball-pitch",
        title="baseball pitch",
        angles=(
            *_both("elbow_flexion", "shoulder_elevation", "knee_flexion"),
            *sum(_ROTATIONS, ()),
        ),
        plots=(
            *_ROTATIONS,
            _both("elbow_flexion"),
            _both("shoulder_elevation"),
            _both("knee_flexion"),
        ),
        rules=pitching.RULES,
        repetition=(("leg_lift", "release", "finish"),),
        find=pitching.pitch,
        least_rate=120,
        handed=True,
        fast=True,
        limits=("Release is an estimate from the wrist: the ball is not seen.",),
    ),
    Preset(
        name="baseball-swing",
        title="baseball swing",
        angles=(*_both("elbow_flexion", "knee_flexion"), *sum(_ROTATIONS, ())),
        plots=(*_ROTATIONS, _both("elbow_flexion"), _both("knee_flexion")),
        rules=swings.BAT_RULES,
        repetition=(("load", "contact", "finish"),),
        find=swings.bat_swing,
        least_rate=120,
        handed=True,
        fast=True,
        limits=("Contact is an estimate from the hands: bat and ball are not seen.",),
    ),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}
"""Every preset, by name."""

"""What can be read from poses: angles with error bars, how far to trust them, and movements."""

from ampose.analysis.angles import NOTICE, Angles, angles_of
from ampose.analysis.events import EVENTS_NOTICE, Corrections, Event, events_of
from ampose.analysis.gait_times import Durations, GaitTimes, gait_times_of
from ampose.analysis.presets import PRESETS, Preset, preset_named
from ampose.analysis.registry import ANGLES, REFUSED, AngleDefinition, Column, columns_of
from ampose.analysis.repetitions import Repetition, repetitions_of
from ampose.analysis.velocities import Peaks, angular_velocities, peak_velocities
from ampose.analysis.views import View, views_of

__all__ = [
    "ANGLES",
    "EVENTS_NOTICE",
    "NOTICE",
    "PRESETS",
    "REFUSED",
    "AngleDefinition",
    "Angles",
    "Column",
    "Corrections",
    "Durations",
    "Event",
    "GaitTimes",
    "Peaks",
    "Preset",
    "Repetition",
    "View",
    "angles_of",
    "angular_velocities",
    "columns_of",
    "events_of",
    "gait_times_of",
    "peak_velocities",
    "preset_named",
    "repetitions_of",
    "views_of",
]

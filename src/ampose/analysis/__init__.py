"""What can be read from poses: angles with error bars, and how far to trust them."""

from ampose.analysis.angles import NOTICE, Angles, angles_of
from ampose.analysis.events import Event, events_of
from ampose.analysis.presets import PRESETS, Preset, preset_named
from ampose.analysis.registry import ANGLES, REFUSED, AngleDefinition, Column, columns_of
from ampose.analysis.repetitions import Repetition, repetitions_of
from ampose.analysis.velocities import Peaks, angular_velocities, peak_velocities
from ampose.analysis.views import View, views_of

__all__ = [
    "ANGLES",
    "NOTICE",
    "PRESETS",
    "REFUSED",
    "AngleDefinition",
    "Angles",
    "Column",
    "Event",
    "Peaks",
    "Preset",
    "Repetition",
    "View",
    "angles_of",
    "angular_velocities",
    "columns_of",
    "events_of",
    "peak_velocities",
    "preset_named",
    "repetitions_of",
    "views_of",
]

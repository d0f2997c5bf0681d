"""What can be read from poses: angles with error bars, and how far to trust them."""

from ampose.analysis.angles import NOTICE, Angles, angles_of
from ampose.analysis.registry import ANGLES, REFUSED, AngleDefinition, Column, columns_of
from ampose.analysis.velocities import Peaks, angular_velocities, peak_velocities
from ampose.analysis.views import View, views_of

__all__ = [
    "ANGLES",
    "NOTICE",
    "REFUSED",
    "AngleDefinition",
    "Angles",
    "Column",
    "Peaks",
    "View",
    "angles_of",
    "angular_velocities",
    "columns_of",
    "peak_velocities",
    "views_of",
]

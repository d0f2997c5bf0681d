"""What a person's motion says about gravity and the floor: footfalls, and the body's own up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ampose.motion.bones import ANKLE_SHARE, DEFAULT_STATURE, stature
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""Up in the picture."""

STILL = 0.4
"""Metres per second, of a body of default stature, across the ray; a swinging foot has 3."""

STILL_ALONG = 1.0
"""The same in space, where depth is noisy."""

STILL_SECONDS = 0.1
"""Before and after a moment: speed is measured over twice this, and a footfall lasts as long."""

LOW = 0.08
"""Metres, of a body of default stature: a foot that much higher than the other is in the air."""

STANDING = 0.8
"""Ankles to thorax over legs and trunk end to end; less is no standing."""

UPRIGHT_WITHIN = 50.0
"""Degrees from the picture's up: somebody who leans further lies, or the camera does."""

AGREEING_WITHIN = 25.0
"""Degrees from the clip's median: frames in which somebody bends down do not count."""

POSTURE_SECONDS = 1.0
"""How long a lean lasts: frames nearer in time than this say the same about a body's up."""

SEGMENTS = (
    *((f"{side}_hip", f"{side}_knee", 0.100, 0.433) for side in ("left", "right")),
    *((f"{side}_knee", f"{side}_ankle", 0.061, 0.606) for side in ("left", "right")),
    *((f"{side}_shoulder", f"{side}_elbow", 0.028, 0.436) for side in ("left", "right")),
    *((f"{side}_elbow", f"{side}_wrist", 0.022, 0.682) for side in ("left", "right")),
    ("pelvis", "thorax", 0.497, 0.5),
    ("neck_nose", "head_top", 0.081, 0.5),
)
"""From a joint to another: share of the body's mass, and where on the way its centre lies.
Dempster, as in Winter, Biomechanics and Motor Control of Human Movement, table 4.1: foot with
shank, hand with forearm; the trunk's and the head's centres are put in the middle of our bones."""

ANKLES = H36M_17.indices(("left_ankle", "right_ankle"))
_THORAX = H36M_17.index("thorax")


@dataclass(frozen=True, eq=False)
class Stance:
    """What one person's motion says about the floor, in camera axes.

    Attributes:
        footfalls: (F, 3) metres, mean place of an ankle that stays still and low.
        contacts: (T, 2) bool, left and right, frames of footfalls.
        up: (3,) unit vector, the body's mean up while it stands; None without standing.
        up_spread: degrees, standard error of that mean over the clip; how far people are from
            upright on average comes on top.
        lowest: (3,) metres: a low ankle, for where there are no footfalls; None without ankles.
        ankle_height: metres above the floor, of an ankle in contact.
    """

    footfalls: Array
    contacts: NDArray[np.bool_]
    up: Array | None
    up_spread: float
    lowest: Array | None
    ankle_height: float


def stance_of(joints: Array, root: Array, times: Array, lengths: Array) -> Stance:
    """Finds one person's footfalls and which way is up for the body.

    Args:
        joints: (T, 17, 3) metres, root-relative, camera axes; NaN where there are none.
        root: (T, 3) metres, camera axes.
        times: (T,) seconds, rising, in any spacing.
        lengths: (16,) metres, the person's bones.
    """
    places = joints + root[:, None]
    tall = stature(lengths)
    ankle_height = ANKLE_SHARE * tall
    contacts = np.zeros((len(times), 2), bool)
    known = np.flatnonzero(np.isfinite(places).all((-2, -1)))
    if not len(known):
        return Stance(np.empty((0, 3)), contacts, None, 0.0, None, ankle_height)
    places, times = places[known], times[known]
    ankles = places[:, ANKLES]
    up, spread = _body_up(places, times, lengths)
    height = ankles @ (CAMERA_UP if up is None else up)
    size = tall / DEFAULT_STATURE
    across, fully = _speeds(ankles, times)
    still = (across < STILL * size) & (fully < STILL_ALONG * size)
    low = height - height.min(1, keepdims=True) < LOW * size
    found, firm = _footfalls(ankles, times, still & low)
    contacts[known] = firm
    lower = height.argmin(1)
    median_low = np.argsort(height.min(1))[len(height) // 20]  # the 5 % below may be outliers
    return Stance(found, contacts, up, spread, ankles[median_low, lower[median_low]], ankle_height)


def centre_of_mass(joints: Array) -> Array:
    """(..., 3) of joints (..., 17, 3), by `SEGMENTS`."""
    masses = np.zeros(len(H36M_17))
    for start, end, mass, share in SEGMENTS:
        masses[H36M_17.index(start)] += mass * (1 - share)
        masses[H36M_17.index(end)] += mass * share
    return np.asarray(np.einsum("j,...jk->...k", masses / masses.sum(), joints))


def _body_up(places: Array, times: Array, lengths: Array) -> tuple[Array | None, float]:
    """The mean up (3,) of a body over the frames of standing, and its standard error in degrees.

    Two axes of a body are vertical on average: from the middle of the ankles to the thorax, if
    somebody walks or stands on both feet, and from the lower ankle to the centre of mass, if they
    balance on one. The one that keeps its direction better is taken, unless they contradict
    each other.
    """
    ankles = places[:, ANKLES]
    trunk = places[:, _THORAX] - ankles.mean(1)
    extent = np.linalg.norm(trunk, axis=-1)
    whole = sum(
        lengths[H36M_17.index(joint) - 1]
        for joint in ("left_knee", "left_ankle", "spine", "thorax")
    )
    upright = np.cos(np.radians(UPRIGHT_WITHIN))
    standing = (extent > STANDING * whole) & (trunk @ CAMERA_UP > upright * extent)
    if not standing.any():
        return None, 0.0
    trunk, ankles = trunk[standing], ankles[standing]
    up, spread = _mean_direction(trunk)
    lower = (ankles @ up).argmin(1)
    support = ankles[np.arange(len(ankles)), lower]
    other, its_spread = _mean_direction(centre_of_mass(places[standing]) - support)
    if its_spread < spread and up @ other > np.cos(np.radians(AGREEING_WITHIN)):
        up, spread = other, its_spread
    moments = len(np.unique(np.floor(times[standing] / POSTURE_SECONDS)))
    return up, float(np.degrees(spread) / np.sqrt(moments))


def _mean_direction(vectors: Array) -> tuple[Array, float]:
    """Mean (3,) of the directions of vectors (T, 3), and how far they spread, radians.

    Of those `AGREEING_WITHIN` of the median only; the spread is over all.
    """
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    middle = np.median(unit, axis=0)
    middle /= np.linalg.norm(middle)
    spread = float(np.sqrt(np.square(unit - middle).sum(-1).mean()))
    agreeing = unit @ middle > np.cos(np.radians(AGREEING_WITHIN))
    mean = unit[agreeing].mean(0) if agreeing.any() else middle
    return mean / np.linalg.norm(mean), spread


def _speeds(ankles: Array, times: Array) -> tuple[Array, Array]:
    """(T, 2) metres per second of the ankles (T, 2, 3), across the ray and in space.

    Over `STILL_SECONDS` before and after, or to the end of the clip; infinite where the person
    was not seen in between.
    """
    earlier = np.maximum(times - STILL_SECONDS, times[0])
    later = np.minimum(times + STILL_SECONDS, times[-1])
    flat = ankles.reshape(len(times), -1)
    moved = np.stack(
        [np.interp(later, times, column) - np.interp(earlier, times, column) for column in flat.T],
        axis=-1,
    ).reshape(ankles.shape)
    lasted = later - earlier
    ray = ankles / np.linalg.norm(ankles, axis=-1, keepdims=True)
    along = (moved * ray).sum(-1, keepdims=True) * ray
    near = np.searchsorted(times, later, "right") - np.searchsorted(times, earlier, "left")
    seen = (lasted > STILL_SECONDS / 2) & (near > 1) & (_longest_gap(times) <= STILL_SECONDS)
    lasted = np.where(seen, lasted, 1)[:, None]
    across, fully = (
        np.where(seen[:, None], np.linalg.norm(part, axis=-1) / lasted, np.inf)
        for part in (moved - along, moved)
    )
    return across, fully


def _longest_gap(times: Array) -> Array:
    """(T,) seconds to the neighbour that is farther away in time."""
    gap = np.diff(times)
    return np.asarray(np.maximum(np.r_[0, gap], np.r_[gap, 0]))


def _footfalls(
    ankles: Array, times: Array, still: NDArray[np.bool_]
) -> tuple[Array, NDArray[np.bool_]]:
    """Mean places (F, 3) of the ankles while they are still, and frames (T, 2) of those."""
    places = []
    firm = np.zeros_like(still)
    for side in (0, 1):
        edges = np.flatnonzero(np.diff(np.r_[False, still[:, side], False]))
        for start, end in edges.reshape(-1, 2):
            if times[end - 1] - times[start] >= STILL_SECONDS:
                firm[start:end, side] = True
                places.append(ankles[start:end, side].mean(0))
    return np.reshape(places, (-1, 3)), firm

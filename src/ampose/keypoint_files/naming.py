"""Which joint set a file holds: from a name or from joint names, never from a count."""

from __future__ import annotations

from collections.abc import Sequence

from ampose.errors import InputError
from ampose.skeletons import SKELETONS, Skeleton


def skeleton_of_count(count: int, asked: Skeleton | None) -> Skeleton:
    """The skeleton asked for, if it has `count` joints.

    Raises:
        InputError: nothing was asked for, or the counts differ.
    """
    if asked is not None:
        if len(asked) != count:
            raise InputError(f"the file has {count} joints, {asked.name} has {len(asked)}")
        return asked
    candidates = [name for name, skeleton in SKELETONS.items() if len(skeleton) == count]
    if not candidates:
        known = ", ".join(f"{name} ({len(skeleton)})" for name, skeleton in SKELETONS.items())
        raise InputError(f"{count} joints fit no known joint set; known are {known}")
    *others, last = candidates
    listed = f"{', '.join(others)} or {last}" if others else last
    raise InputError(f"{count} joints could be {listed}: name it with --skeleton")


def skeleton_of_joints(joints: Sequence[str], asked: Skeleton | None) -> Skeleton:
    """The skeleton asked for, or the only one that has all these joints.

    A skeleton with exactly these joints is preferred to larger ones. Order does not matter.

    Raises:
        InputError: a joint that the skeleton asked for lacks; no skeleton fits, or several do.
    """
    names = set(joints)
    if asked is not None:
        if strangers := sorted(names - set(asked.joints)):
            raise InputError(
                f"joint {brief(strangers)} is not in {asked.name}, "
                f"which has {', '.join(asked.joints)}"
            )
        return asked
    fits = [skeleton for skeleton in SKELETONS.values() if names <= set(skeleton.joints)]
    fits = [skeleton for skeleton in fits if len(skeleton) == len(names)] or fits
    if not fits:
        raise InputError(
            f"no known joint set has all of the joints {brief(joints)}; "
            f"known are {', '.join(SKELETONS)}"
        )
    if len(fits) > 1:
        raise InputError(
            f"joints {brief(joints)} fit {', '.join(s.name for s in fits)}: "
            "name one with --skeleton"
        )
    return fits[0]


def joint_name(text: str) -> str:
    """A joint name as our skeletons spell it: lower case, underscores."""
    return text.strip().lower().replace(" ", "_").replace("-", "_")


def brief(names: Sequence[str], limit: int = 6) -> str:
    """The first few names for an error line, quoted and cut so that they fit one."""
    shown = ", ".join(repr(str(name)[:40]) for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")

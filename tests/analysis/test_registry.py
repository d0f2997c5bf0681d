from __future__ import annotations

import re

import pytest

from ampose.analysis import ANGLES, REFUSED, columns_of
from ampose.analysis.registry import ALIASES
from ampose.errors import InputError


def names(*asked, **options) -> list[str]:
    return [column.name for column in columns_of(*asked, **options)]


def test_class_a_is_the_default_and_class_b_is_asked_for():
    default = columns_of()
    assert {column.angle.kind for column in default} == {"A"}
    assert names(class_b=True) == [*names(), *names(n for n in ANGLES if ANGLES[n].kind == "B")]
    assert names()[:2] == ["knee_flexion_l", "knee_flexion_r"]
    assert "trunk_lean" in names()


def test_names_as_people_write_them():
    assert names(["Knee-Flexion_L", " trunk_lean"]) == ["knee_flexion_l", "trunk_lean"]
    assert names(["x_factor"]) == ["x_factor_joint_angle"]
    assert names(["knee_flexion", "knee_flexion_r"]) == ["knee_flexion_l", "knee_flexion_r"]
    assert names(["elbow_flexion_l"], class_b=True)[:2] == ["elbow_flexion_l", "hip_abduction_l"]


@pytest.mark.parametrize("name", REFUSED)
def test_class_c_is_refused_with_its_reason(name):
    for asked in (name, f"{name}_l", name.replace("_", "-")):
        with pytest.raises(InputError, match=re.escape(f"{name} is refused: {REFUSED[name]}")):
            columns_of(["knee_flexion", asked])


@pytest.mark.parametrize("name", ["nosuch", "trunk_lean_l", "", "knee_flexion_left"])
def test_unknown_names(name):
    with pytest.raises(InputError, match=r"unknown angle .*; known are knee_flexion, elbow"):
        columns_of([name])


def test_no_angle_at_all():
    with pytest.raises(InputError, match="no angle is asked for"):
        columns_of([])


def test_no_name_means_two_things():
    assert not set(ANGLES) & set(REFUSED)
    assert not set(ALIASES) & (set(ANGLES) | set(REFUSED))
    assert set(ALIASES.values()) <= set(ANGLES)
    for name, angle in ANGLES.items():
        assert angle.name == name
        assert angle.has_sides == any("{side}" in joint for joint in angle.joints)

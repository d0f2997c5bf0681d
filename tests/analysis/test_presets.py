from __future__ import annotations

import pytest

from ampose.analysis import ANGLES, PRESETS, Preset, columns_of, preset_named
from ampose.errors import InputError


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_presets_name_what_there_is(preset: Preset):
    assert [column.name for column in columns_of(preset.angles)] == list(preset.angles)
    assert len(set(preset.angles)) == len(preset.angles)
    assert [name for plot in preset.plots for name in plot] != []
    assert {name for plot in preset.plots for name in plot} == set(preset.angles)
    assert all(rule and not rule.endswith(".") for rule in preset.rules.values())
    for names in preset.repetition:
        assert set(names) <= set(preset.rules)
    assert preset.reference is None or preset.reference in preset.rules
    assert all(limit.endswith(".") for limit in preset.limits)
    assert preset.events == tuple(preset.rules)


def test_turns_are_against_a_frame_where_one_is_natural():
    for preset in PRESETS.values():
        turning = any(ANGLES[name].towards_camera for name in preset.angles if name in ANGLES)
        assert turning == preset.handed
        assert preset.reference is None or turning


def test_a_preset_by_name():
    assert preset_named("gait") is PRESETS["gait"]
    with pytest.raises(InputError, match="unknown preset 'golf'; known are squat, sit-to-stand"):
        preset_named("golf")

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ampose.research.data.videopose3d import action_name, camera_pose

NUMBERS = st.floats(-1, 1)


@given(
    st.lists(NUMBERS, min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1),
    st.lists(NUMBERS, min_size=3, max_size=3),
)
def test_a_camera_sees_itself_at_zero_and_turns_as_scipy_says(orientation, position) -> None:
    rotation, translation = camera_pose(orientation, position)
    to_world = Rotation.from_quat(orientation, scalar_first=True)
    point = np.array([0.3, -0.2, 4.0])  # in camera axes
    world = to_world.apply(point) + position
    np.testing.assert_allclose(rotation @ world + translation, point, atol=1e-12)


def test_a_quarter_turn_about_the_vertical() -> None:
    # The camera looks along its z axis; turned by 90 degrees about world y, along world x.
    rotation, translation = camera_pose((np.sqrt(0.5), 0, np.sqrt(0.5), 0), (1, 2, 3))
    np.testing.assert_allclose(rotation @ [6, 2, 3] + translation, [0, 0, 5], atol=1e-12)


def test_names_of_actions() -> None:
    assert action_name("Walking 1 chunk12") == action_name("Walking 1") == "Walking"
    assert action_name("WalkTogether") == "WalkTogether"

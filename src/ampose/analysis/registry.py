"""Which angles there are, what each means, and which are refused and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ampose.analysis import formulas
from ampose.analysis.formulas import ARM_FROM_TRUNK, LEG_FROM_FORWARD, Array, Side
from ampose.errors import InputError
from ampose.skeletons import H36M_17

UNIT = "degrees"
SIDES: tuple[Side, ...] = ("left", "right")

_SPORTS2D = "segment angles as in Sports2D (Pagnon and Kim, JOSS 2024), but from the vertical"
_ISB_ARM = "ISB: Wu et al., J. Biomech. 2005"
_ISB_HIP = "ISB: Wu et al., J. Biomech. 2002"
_TWO_D = "the usual angle of three points, as in Sports2D (Pagnon and Kim, JOSS 2024)"
_BROWN = "Brown, Selbie and Wallace, J. Sports Sci. 2013"
_GROOD = "knee: Grood and Suntay, J. Biomech. Eng. 1983"


@dataclass(frozen=True)
class AngleDefinition:
    """One angle, as it stands in headers and in the documentation.

    Attributes:
        name: without side.
        kind: class: A is given by default, B if asked for.
        title: in words.
        definition: one sentence.
        sign: what zero and positive mean.
        source: where the definition comes from.
        limits: what makes it uncertain or wrong.
        joints: that it is made of; ``{side}`` stands for left or right.
        formula: takes joints (..., 17, 3), then `up` if it needs gravity, then a side if it has
            sides.
        needs_gravity: whether it is against the vertical.
        has_sides: whether there is one for each side.
        towards_camera: whether zero is where the camera is, so that a frame of reference can be
            given instead.
        meant: where it means something; takes what `formula` takes. Everywhere if None.
    """

    name: str
    kind: Literal["A", "B"]
    title: str
    definition: str
    sign: str
    source: str
    limits: str
    joints: tuple[str, ...]
    formula: Callable[..., Array]
    needs_gravity: bool = False
    has_sides: bool = False
    towards_camera: bool = False
    meant: Callable[..., NDArray[np.bool_]] | None = None


@dataclass(frozen=True)
class Column:
    """An angle of one side, or one without sides: what a column of a result holds."""

    angle: AngleDefinition
    side: Side | None = None

    @property
    def name(self) -> str:
        """Of the angle, with ``_l`` or ``_r`` where there are sides."""
        return f"{self.angle.name}_{self.side[0]}" if self.side else self.angle.name

    @property
    def title(self) -> str:
        """In words, such as ``knee flexion, left``; class B is marked."""
        side = f", {self.side}" if self.side else ""
        return f"{self.angle.title}{side}{' (B)' * (self.angle.kind == 'B')}"

    @property
    def joints(self) -> list[int]:
        """That move it, in `H36M_17`."""
        return H36M_17.indices(joint.format(side=self.side) for joint in self.angle.joints)

    def of(self, joints: Array, up: Array) -> Array:
        """Degrees (...) of joints (..., 17, 3), also where they mean nothing."""
        return self.angle.formula(*self._arguments(joints, up))

    def meant(self, joints: Array, up: Array) -> NDArray[np.bool_]:
        """Where `of` means something, (...)."""
        if self.angle.meant is None:
            return np.ones(joints.shape[:-2], bool)
        return self.angle.meant(*self._arguments(joints, up))

    def _arguments(self, joints: Array, up: Array) -> tuple[Array | Side, ...]:
        gravity = (up,) if self.angle.needs_gravity else ()
        return (joints, *gravity, *((self.side,) if self.side else ()))


def _inclination(
    segment: str, upper: str, lower: str, formula: Callable[..., Array]
) -> AngleDefinition:
    words = segment.replace("_", " ")
    return AngleDefinition(
        name=f"{segment}_inclination",
        kind="A",
        title=f"{words} inclination",
        definition=f"angle between the {words} ({lower} to {upper}) and the vertical",
        sign="0 vertical with the lower end down, 90 horizontal, 180 upside down; no direction",
        source=_SPORTS2D,
        limits="the camera's tilt, which counts in full",
        joints=(f"{{side}}_{lower}", f"{{side}}_{upper}"),
        formula=formula,
        needs_gravity=True,
        has_sides=True,
    )


_DEFINITIONS = (
    AngleDefinition(
        name="knee_flexion",
        kind="A",
        title="knee flexion",
        definition="180 degrees less the angle hip, knee, ankle",
        sign="0 straight, positive bent; an overextended knee reads as slightly bent",
        source=_TWO_D,
        limits="a leg that points at the camera; near straight it reads some degrees too much",
        joints=("{side}_hip", "{side}_knee", "{side}_ankle"),
        formula=formulas.knee_flexion,
        has_sides=True,
    ),
    AngleDefinition(
        name="elbow_flexion",
        kind="A",
        title="elbow flexion",
        definition="180 degrees less the angle shoulder, elbow, wrist",
        sign="0 straight, positive bent",
        source=_TWO_D,
        limits="short segments: the same error in millimetres is more degrees than at the knee",
        joints=("{side}_shoulder", "{side}_elbow", "{side}_wrist"),
        formula=formulas.elbow_flexion,
        has_sides=True,
    ),
    AngleDefinition(
        name="trunk_thigh_angle",
        kind="A",
        title="trunk-thigh angle",
        definition="angle between the thigh (hip to knee) and the line from thorax to pelvis",
        sign="0 standing straight, 90 sitting upright; a thigh behind the body reads as positive",
        source="the hip angle of Sports2D (Pagnon and Kim, JOSS 2024) by a truer name",
        limits="no hip flexion: how the pelvis tilts is not seen, and the spine's bend is in it",
        joints=("pelvis", "thorax", "{side}_hip", "{side}_knee"),
        formula=formulas.trunk_thigh_angle,
        has_sides=True,
    ),
    AngleDefinition(
        name="shoulder_elevation",
        kind="A",
        title="shoulder elevation",
        definition="angle between the upper arm (shoulder to elbow) and the line from thorax to "
        "pelvis, whichever way the arm is raised",
        sign="0 hanging, 90 horizontal, 180 overhead",
        source=f"{_ISB_ARM}: thoracohumeral elevation, with the trunk's axis for the thorax's",
        limits="the scapula's share is in it",
        joints=("pelvis", "thorax", "{side}_shoulder", "{side}_elbow"),
        formula=formulas.shoulder_elevation,
        has_sides=True,
    ),
    AngleDefinition(
        name="trunk_lean",
        kind="A",
        title="trunk lean",
        definition="angle between the line from pelvis to thorax and the vertical",
        sign="0 upright; no direction",
        source=_SPORTS2D,
        limits="the camera's tilt, which counts in full",
        joints=("pelvis", "thorax"),
        formula=formulas.trunk_lean,
        needs_gravity=True,
    ),
    AngleDefinition(
        name="trunk_lean_sagittal",
        kind="A",
        title="trunk lean, sagittal",
        definition="direction of the line from pelvis to thorax, projected on the vertical plane "
        "across the line of the hips, from the vertical",
        sign="positive forward",
        source=_SPORTS2D,
        limits="the camera's tilt, which counts in full where the person is seen from the side",
        joints=("pelvis", "thorax", "left_hip", "right_hip"),
        formula=formulas.trunk_lean_sagittal,
        needs_gravity=True,
    ),
    AngleDefinition(
        name="trunk_lean_lateral",
        kind="A",
        title="trunk lean, lateral",
        definition="direction of the line from pelvis to thorax, projected on the vertical plane "
        "through the line of the hips, from the vertical",
        sign="positive to the person's right",
        source=f"{_SPORTS2D}; sign of ISB's lateral bending (Wu et al., J. Biomech. 2002)",
        limits="the camera's tilt, which counts in full where the person is seen from the front",
        joints=("pelvis", "thorax", "left_hip", "right_hip"),
        formula=formulas.trunk_lean_lateral,
        needs_gravity=True,
    ),
    _inclination("thigh", "hip", "knee", formulas.thigh_inclination),
    _inclination("shank", "knee", "ankle", formulas.shank_inclination),
    _inclination("upper_arm", "shoulder", "elbow", formulas.upper_arm_inclination),
    _inclination("forearm", "elbow", "wrist", formulas.forearm_inclination),
    AngleDefinition(
        name="hip_abduction",
        kind="B",
        title="hip abduction",
        definition="angle of the thigh (hip to knee) out of the plane across the line of the hips",
        sign="0 across the line of the hips, positive away from the midline, negative across it",
        source=f"{_ISB_HIP}, and {_GROOD}: between the thigh's axis and the pelvis's "
        "mediolateral axis, less 90 degrees",
        limits="the line of the hips is short, 26 cm, and detectors put the hips in many places",
        joints=("left_hip", "right_hip", "{side}_knee"),
        formula=formulas.hip_abduction,
        has_sides=True,
    ),
    AngleDefinition(
        name="shoulder_plane_of_elevation",
        kind="B",
        title="shoulder plane of elevation (horizontal abduction)",
        definition="direction in which the upper arm is raised, about the trunk's axis, from the "
        "line of the shoulders",
        sign="0 sideways, 90 forward, negative backward (horizontal adduction is positive); "
        f"absent within {ARM_FROM_TRUNK:g} degrees of the trunk's axis, where there is no plane",
        source=_ISB_ARM,
        limits="the lower the arm, the less sure; the shoulder girdle moves the line itself",
        joints=("pelvis", "thorax", "left_shoulder", "right_shoulder", "{side}_elbow"),
        formula=formulas.shoulder_plane_of_elevation,
        has_sides=True,
        meant=formulas.arm_has_plane,
    ),
    AngleDefinition(
        name="pelvis_rotation",
        kind="B",
        title="pelvis rotation",
        definition="direction in which the line of the hips faces, about the vertical",
        sign="0 facing the camera, or as in the frame of reference; positive turned to the "
        "person's left",
        source=f"azimuth of a segment, as in {_BROWN}",
        limits="depth of the two hips; from the front it is what is seen worst",
        joints=("left_hip", "right_hip"),
        formula=formulas.pelvis_rotation,
        needs_gravity=True,
        towards_camera=True,
    ),
    AngleDefinition(
        name="shoulder_line_rotation",
        kind="B",
        title="shoulder-line rotation",
        definition="direction in which the line of the shoulders faces, about the vertical",
        sign="0 facing the camera, or as in the frame of reference; positive turned to the "
        "person's left",
        source=f"azimuth of a segment, as in {_BROWN}",
        limits="arms pull the shoulders along: the thorax itself is not seen",
        joints=("left_shoulder", "right_shoulder"),
        formula=formulas.shoulder_line_rotation,
        needs_gravity=True,
        towards_camera=True,
    ),
    AngleDefinition(
        name="x_factor_joint_angle",
        kind="B",
        title="X-factor, joint angle",
        definition="axial rotation of the thorax frame in the pelvis frame, last of the Cardan "
        "sequence flexion, lateral bending, axial rotation; each frame has x along its own line "
        "to the left, and the line from pelvis to thorax for its long axis",
        sign="0 shoulders as the hips, positive shoulders turned further to the person's left",
        source=f"{_BROWN} (their joint-angle method; the pelvis's tilt is not seen here)",
        limits="conventions differ by 16 degrees in golf (Smith, J. Appl. Biomech. 2016): compare "
        "only with the same one",
        joints=(
            "pelvis",
            "thorax",
            "left_hip",
            "right_hip",
            "left_shoulder",
            "right_shoulder",
        ),
        formula=formulas.x_factor_joint_angle,
    ),
    AngleDefinition(
        name="x_factor_transverse",
        kind="B",
        title="X-factor, transverse plane",
        definition="shoulder-line rotation less pelvis rotation, both about the vertical",
        sign="0 shoulders as the hips, positive shoulders turned further to the person's left",
        source=f"{_BROWN} (their transverse-plane method)",
        limits="as x_factor_joint_angle, and the more the trunk leans, the less it is about it",
        joints=("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
        formula=formulas.x_factor_transverse,
        needs_gravity=True,
    ),
    AngleDefinition(
        name="knee_fppa",
        kind="B",
        title="knee frontal-plane projection angle",
        definition="bend of hip, knee and ankle, projected on the vertical plane through the line "
        "of the hips",
        sign="0 in line, positive with the knee inward; absent where thigh or shank points within "
        f"{LEG_FROM_FORWARD:g} degrees of forward or backward",
        source="Willson and Davis, J. Orthop. Sports Phys. Ther. 2008, in 3D",
        limits="no valgus: a bent knee that turns inward reads the same; grows with flexion",
        joints=("left_hip", "right_hip", "{side}_knee", "{side}_ankle"),
        formula=formulas.knee_fppa,
        needs_gravity=True,
        has_sides=True,
        meant=formulas.leg_is_seen,
    ),
)

ANGLES: dict[str, AngleDefinition] = {angle.name: angle for angle in _DEFINITIONS}
"""Every angle that is given, by name, class A first."""

ALIASES = {"x_factor": "x_factor_joint_angle"}
"""Shorter names for what one most probably means; results say the longer."""

_UNSEEN = "Human3.6M's 17 joints hold"
_REASONS = {
    ("hip_flexion", "hip_extension"): "it is measured from the pelvis, whose tilt is not seen; "
    "trunk_thigh_angle is what can be measured",
    ("pelvic_tilt", "pelvis_tilt"): f"{_UNSEEN} no point of the pelvis but the hips (ASIS and "
    "PSIS are missing), so nothing shows how it tilts forward or backward",
    ("pelvic_obliquity", "pelvis_obliquity"): "the line of the hips drops by a few degrees, less "
    "than the error of the two hips",
    ("lumbar_flexion", "thoracic_flexion"): f"{_UNSEEN} one point between pelvis and thorax, "
    "which the lifter places from habit; trunk_lean is what can be measured",
    ("hip_rotation", "hip_internal_rotation", "hip_external_rotation"): f"{_UNSEEN} one point at "
    "the knee (no epicondyles), so nothing shows how the thigh turns about itself",
    ("tibial_rotation", "knee_rotation"): f"{_UNSEEN} one point at the ankle and none of the "
    "foot, so nothing shows how the shank turns about itself",
    ("knee_valgus", "knee_varus", "knee_abduction", "knee_adduction"): "out of the plane of "
    f"flexion the knee moves a few degrees, less than the error, and {_UNSEEN} no axis of the "
    "knee; knee_fppa is what can be measured, and is something else",
    ("knee_hyperextension", "knee_extension"): f"{_UNSEEN} no axis of the knee, so a knee bent "
    "forward looks like one bent backward; knee_flexion is how far",
    (
        "ankle_flexion",
        "ankle_dorsiflexion",
        "ankle_plantarflexion",
        "ankle_inversion",
        "ankle_eversion",
        "foot_progression",
    ): f"{_UNSEEN} no toe and no heel, so there is no foot",
    ("forearm_pronation", "forearm_supination"): f"{_UNSEEN} no hand, so nothing shows how the "
    "forearm turns about itself",
    ("wrist_flexion", "wrist_extension", "wrist_deviation"): f"{_UNSEEN} no hand",
    ("scapula_rotation", "scapular_rotation", "scapula_tilt", "scapula_protraction"): f"{_UNSEEN} "
    "no point of the scapula",
    (
        "shoulder_rotation",
        "shoulder_internal_rotation",
        "shoulder_external_rotation",
    ): "it follows from the forearm's direction alone, and only with a bent elbow: single cameras "
    "are 21 degrees off (pitchAI, Sports Biomech. 2022), too much to be of use",
}

REFUSED: dict[str, str] = {name: reason for names, reason in _REASONS.items() for name in names}
"""Class C: names that people ask for, and why there is no number."""


def columns_of(names: Iterable[str] | None = None, *, class_b: bool = False) -> tuple[Column, ...]:
    """The columns of some angles.

    Args:
        names: of angles, with or without side (``knee_flexion``, ``knee_flexion_l``); all of
            class A if None.
        class_b: also all of class B.

    Raises:
        InputError: an angle that is refused, with the reason, or that is not known.
    """
    asked = [name for name, angle in ANGLES.items() if names is None and angle.kind == "A"]
    asked += [name.strip().lower().replace("-", "_") for name in names or ()]
    asked += [name for name, angle in ANGLES.items() if class_b and angle.kind == "B"]
    if not asked:
        raise InputError("no angle is asked for")
    found = {column.name: column for name in asked for column in _columns(name)}
    return tuple(found.values())


def _columns(name: str) -> list[Column]:
    sides = [side for side in SIDES if name.endswith(f"_{side[0]}")]
    stem = name[:-2] if sides else name
    stem = ALIASES.get(stem, stem)
    if stem in REFUSED:
        raise InputError(f"{stem} is refused: {REFUSED[stem]}")
    angle = ANGLES.get(stem)
    if angle is None or (sides and not angle.has_sides):
        raise InputError(f"unknown angle {name!r}; known are {', '.join(ANGLES)}")
    if angle.has_sides:
        return [Column(angle, side) for side in sides or SIDES]
    return [Column(angle)]

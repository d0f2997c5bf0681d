"""Small ASF/AMC and BVH files of an invented person, in the structure of CMU's and HDM05's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

Motion = Mapping[str, np.ndarray]
"""Name to (F, channels), degrees; of the root, (F, 6) places and angles."""

# Name, parent, from beginning to end in units of 56.4 mm, axis, channels.
BONES: list[tuple[str, str, tuple[float, ...], tuple[float, ...], str]] = [
    ("lhipjoint", "root", (1.7, -1.6, 0.8), (0, 0, 0), ""),
    ("lfemur", "lhipjoint", (2.4, -6.6, 0), (0, 0, 20), "rx ry rz"),
    ("ltibia", "lfemur", (2.4, -6.6, 0), (0, 0, 20), "rx"),
    ("rhipjoint", "root", (-1.8, -1.6, 0.9), (0, 0, 0), ""),
    ("rfemur", "rhipjoint", (-2.5, -6.7, 0), (0, 0, -20), "rx ry rz"),
    ("rtibia", "rfemur", (-2.5, -6.7, 0), (0, 0, -20), "rx"),
    ("lowerback", "root", (0.1, 2, -0.1), (0, 0, 0), "rx ry rz"),
    ("upperback", "lowerback", (0, 2, 0), (0, 0, 0), "rx ry rz"),
    ("thorax", "upperback", (0, 2, 0), (0, 0, 0), "rx ry rz"),
    ("lowerneck", "thorax", (0, 1.6, 0.2), (0, 0, 0), "rx ry rz"),
    ("upperneck", "lowerneck", (0, 1.6, -0.1), (0, 0, 0), "rx ry rz"),
    ("head", "upperneck", (0, 1.7, 0), (0, 0, 0), "rx ry rz"),
    ("lclavicle", "thorax", (3.2, 1.3, 0.3), (0, 0, 0), "ry rz"),
    ("lhumerus", "lclavicle", (5, 0, 0), (180, -30, -90), "rx ry rz"),
    ("lradius", "lhumerus", (3.2, 0, 0), (180, -30, -90), "rx"),
    ("lwrist", "lradius", (1.6, 0, 0), (0, 90, 90), "ry"),
    ("rclavicle", "thorax", (-3.3, 1.4, 0.2), (0, 0, 0), "ry rz"),
    ("rhumerus", "rclavicle", (-4.9, 0, 0), (180, 30, 90), "rx ry rz"),
    ("rradius", "rhumerus", (-3.1, 0, 0), (180, 30, 90), "rx"),
    ("rwrist", "rradius", (-1.55, 0, 0), (0, -90, -90), "ry"),
]


def motion(frames: int, seed: int) -> dict[str, np.ndarray]:
    """The person walks along z, limbs at random."""
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 10, (frames, 6))
    root[:, :3] = np.array([3, 17, -20]) + np.arange(frames)[:, None] * (0, 0, 0.25)
    angles = {
        name: rng.normal(0, 20, (frames, len(dof.split()))) for name, *_, dof in BONES if dof
    }
    return {"root": root, **angles}


def asf_text(bones: list[tuple[str, str, tuple[float, ...], tuple[float, ...], str]]) -> str:
    """A skeleton with the order of sections, the indents and the limits of CMU's."""
    text = """# AST/ASF file generated using VICON BodyLanguage
:version 1.10
:name VICON
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
   generated from VICON data
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
"""
    for number, (name, _, vector, axis, dof) in enumerate(bones, 1):
        length = np.linalg.norm(vector)
        direction = " ".join(map(repr, (np.array(vector) / length).tolist()))
        text += f"  begin\n     id {number}\n     name {name}\n     direction {direction}\n"
        text += f"     length {float(length)!r}\n     axis {axis[0]} {axis[1]} {axis[2]}   XYZ\n"
        if dof:
            limits = "\n           ".join("(-160.0 20.0)" for _ in dof.split())
            text += f"    dof {dof}\n    limits {limits}\n"
        text += "  end\n"
    text += ":hierarchy\n  begin\n"
    for parent in dict.fromkeys(parent for _, parent, *_ in bones):
        children = " ".join(name for name, other, *_ in bones if other == parent)
        text += f"    {parent} {children}\n"
    return text + "  end\n"


def write_asf(path: Path) -> Path:
    path.write_text(asf_text(BONES))
    return path


def amc_text(moved: Motion) -> str:
    """A movement; its first comment is in no encoding that Python would guess."""
    text = "#!OML:ASF X:\\f\xfcr Bonn\\Tido.ASF\n:FULLY-SPECIFIED\n:DEGREES\n"
    for frame in range(len(moved["root"])):
        text += f"{frame + 1}\n"
        for name, values in moved.items():
            text += f"{name} {' '.join(repr(v) for v in values[frame].tolist())}\n"
    return text


def write_amc(path: Path, moved: Motion) -> Path:
    path.write_text(amc_text(moved), encoding="latin-1")
    return path


# Joint of cgspeed's BVH files, its parent, the bone that ends there and the bone that begins.
_BVH = [
    ("Hips", None, None, "root"),
    ("LHipJoint", "Hips", None, None),
    ("LeftUpLeg", "LHipJoint", "lhipjoint", "lfemur"),
    ("LeftLeg", "LeftUpLeg", "lfemur", "ltibia"),
    ("LeftFoot", "LeftLeg", "ltibia", None),
    ("RHipJoint", "Hips", None, None),
    ("RightUpLeg", "RHipJoint", "rhipjoint", "rfemur"),
    ("RightLeg", "RightUpLeg", "rfemur", "rtibia"),
    ("RightFoot", "RightLeg", "rtibia", None),
    ("LowerBack", "Hips", None, "lowerback"),
    ("Spine", "LowerBack", "lowerback", "upperback"),
    ("Spine1", "Spine", "upperback", "thorax"),
    ("Neck", "Spine1", None, "lowerneck"),
    ("Neck1", "Neck", "lowerneck", "upperneck"),
    ("Head", "Neck1", "upperneck", "head"),
    ("LeftShoulder", "Spine1", None, "lclavicle"),
    ("LeftArm", "LeftShoulder", "lclavicle", "lhumerus"),
    ("LeftForeArm", "LeftArm", "lhumerus", "lradius"),
    ("LeftHand", "LeftForeArm", "lradius", "lwrist"),
    ("RightShoulder", "Spine1", None, "rclavicle"),
    ("RightArm", "RightShoulder", "rclavicle", "rhumerus"),
    ("RightForeArm", "RightArm", "rhumerus", "rradius"),
    ("RightHand", "RightForeArm", "rradius", "rwrist"),
]
_ENDS = {"Head": "head", "LeftFoot": None, "RightFoot": None, "LeftHand": None, "RightHand": None}


def bvh_text(moved: Motion) -> str:
    """The same movement as cgspeed converts it: no thorax, no wrist, a pose before the first."""
    vectors = {name: vector for name, _, vector, *_ in BONES}
    children: dict[str | None, list[str]] = {}
    for name, parent, *_ in _BVH:
        children.setdefault(parent, []).append(name)
    bones = {name: (ends, begins) for name, _, ends, begins in _BVH}
    columns: list[np.ndarray] = []
    lines = ["HIERARCHY"]

    def joint(name: str, depth: int) -> None:
        indent = "\t" * depth
        ends, begins = bones[name]
        offset = vectors[ends] if ends else (0, 0, 0)
        place = "Xposition Yposition Zposition " if depth == 0 else ""
        count = 6 if place else 3
        lines.append(f"{indent}{'JOINT' if depth else 'ROOT'} {name}")
        lines.append(f"{indent}{{")
        lines.append(f"{indent}\tOFFSET {offset[0]} {offset[1]} {offset[2]}")
        lines.append(f"{indent}\tCHANNELS {count} {place}Zrotation Yrotation Xrotation")
        if place:
            columns.append(moved["root"][:, :3])
        columns.append(_zyx(begins, moved))
        for child in children.get(name, []):
            joint(child, depth + 1)
        if name in _ENDS:
            end = vectors[_ENDS[name]] if _ENDS[name] else (0, 0, 1)
            lines.extend([f"{indent}\tEnd Site", f"{indent}\t{{"])
            lines.append(f"{indent}\t\tOFFSET {end[0]} {end[1]} {end[2]}")
            lines.append(f"{indent}\t}}")
        lines.append(f"{indent}}}")

    joint("Hips", 0)
    rows = np.hstack(columns)
    added = np.zeros((1, rows.shape[1]))
    added[0, :3], added[0, 9] = rows[0, :3], -21
    rows = np.vstack([added, rows])
    lines += ["MOTION", f"Frames: {len(rows)}", "Frame Time: .0083333"]
    lines += [" ".join(map(repr, row)) for row in rows.tolist()]
    return "\n".join(lines) + "\n"


def _zyx(bone: str | None, moved: Motion) -> np.ndarray:
    """Angles (F, 3) about Z, Y and X of a bone's turn against its parent."""
    frames = len(moved["root"])
    if bone == "root":
        return moved["root"][:, :2:-1]
    if bone not in moved:
        return np.zeros((frames, 3))
    axis, dof = next((axis, dof) for name, *_, axis, dof in BONES if name == bone)
    own = Rotation.from_euler("xyz", axis, degrees=True)
    angles = np.zeros((frames, 3))
    for column, channel in enumerate(dof.split()):
        angles[:, "xyz".index(channel[1])] = moved[bone][:, column]
    turn = own * Rotation.from_euler("xyz", angles, degrees=True) * own.inv()
    return turn.as_euler("ZYX", degrees=True)


def write_bvh(path: Path, moved: Motion) -> Path:
    path.write_text(bvh_text(moved))
    return path

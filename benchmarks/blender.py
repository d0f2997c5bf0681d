"""BVH and GLB in Blender: joints against ``poses.npz``, and a picture of both.

Blender's own importers read the files; its joints are compared with those that were exported, in
every frame in which a person is there. Blender needs an environment of its own (about 1 GB):

    python -m venv /tmp/blender && /tmp/blender/bin/pip install "bpy==4.5.*" scipy
    ampose demo -o OUT && ampose export OUT -o FILES --format bvh,glb
    PYTHONPATH=src /tmp/blender/bin/python benchmarks/blender.py OUT/poses.npz FILES \
        -o results/blender.csv --picture PICTURE.png

FILES holds ``person_<id>.bvh`` and ``poses.glb``. The picture shows the middle frame, the GLB with
its sticks at the left, the bones of the BVH at the right.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from ampose.research.evaluation.provenance import circumstances, write_table

AT = {
    "Hips": "pelvis", "Spine1": "spine", "Neck": "thorax", "Head": "neck_nose",
    **{
        f"{side.capitalize()}{bone}": f"{side}_{joint}"
        for side in ("left", "right")
        for bone, joint in (
            ("UpLeg", "hip"), ("Leg", "knee"), ("Foot", "ankle"),
            ("Arm", "shoulder"), ("ForeArm", "elbow"), ("Hand", "wrist"),
        )
    },
}  # fmt: skip
"""Joints of the rig, and those of Human3.6M that they sit at. Blender has none for the crown."""


def main() -> None:
    """Compare, and draw if a picture is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("poses", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("results/blender.csv"))
    parser.add_argument("--picture", type=Path)
    told = parser.parse_args()
    with np.load(told.poses) as archive:
        poses = {key: archive[key] for key in archive}
    joints = json.loads(str(poses["skeleton"]))["joints"]
    columns = [joints.index(joint) for joint in AT.values()]
    places = poses["world"].astype(float)
    if not np.isfinite(places).any():
        places = (poses["joints"] + poses["root"][:, :, None]).astype(float) * [1, -1, -1]
    places, seconds = places[:, :, columns], poses["times"] - poses["times"][0]
    ids = poses["ids"].tolist()
    there = np.isfinite(places).all((-2, -1)).sum(0).tolist()
    rows = []

    def keep(path: Path, person: int, miss: float) -> None:
        rows.append(
            {
                "file": path.name,
                "person": ids[person],
                "frames": there[person],
                "within_mm": f"{1000 * miss:.4f}",
            }
        )
        print(*rows[-1].values())

    for person, identity in enumerate(ids):
        path = told.folder / f"person_{identity}.bvh"
        if path.exists():
            armature = import_bvh(path)
            # Blender's first frame is 1.
            keep(
                path,
                person,
                worst_miss(armature, places[:, person], 1.0 + np.arange(len(seconds))),
            )
    path = told.folder / "poses.glb"
    for armature in import_glb(path):
        person = ids.index(int(armature.name.split()[1]))
        rate = bpy.context.scene.render.fps / bpy.context.scene.render.fps_base
        keep(path, person, worst_miss(armature, places[:, person], seconds * rate))
    what = "Blender's joints against poses.npz, the greatest distance"
    blender = bpy.app.version_string
    write_table(told.out, rows, {"what": what, "blender": blender, **circumstances()})
    if told.picture:
        middle = len(seconds) // 2
        draw_both(told.folder, ids[0], middle, float(seconds[middle]), told.picture)


def import_bvh(path: Path) -> bpy.types.Object:
    """The armature in an otherwise empty scene, in metres, at the file's frame rate."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_anim.bvh(
        filepath=str(path),
        global_scale=0.01,
        axis_forward="-Z",
        axis_up="Y",
        update_scene_fps=True,
    )
    return armatures()[0]


def import_glb(path: Path) -> list[bpy.types.Object]:
    """The armatures in an otherwise empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    return armatures()


def armatures() -> list[bpy.types.Object]:
    """All that are in the scene."""
    return [each for each in bpy.data.objects if each.type == "ARMATURE"]


def show(frame: float) -> None:
    """Bring the scene to a frame, or between two."""
    whole = int(np.floor(frame))
    bpy.context.scene.frame_set(whole, subframe=frame - whole)


def worst_miss(armature: bpy.types.Object, places: np.ndarray, shown_at: np.ndarray) -> float:
    """Metres, over places (T, joints, 3) that are there; Blender shows them at frames (T,)."""
    worst = 0.0
    for frame in np.flatnonzero(np.isfinite(places).all((-2, -1))).tolist():
        show(shown_at[frame])
        heads = [armature.matrix_world @ armature.pose.bones[name].head for name in AT]
        found = np.array([(head.x, head.z, -head.y) for head in heads])  # z up to y up
        worst = max(worst, float(np.linalg.norm(found - places[frame], axis=-1).max()))
    return worst


def draw_both(folder: Path, identity: int, frame: int, second: float, picture: Path) -> None:
    """One person at one moment: their BVH's bones as rods beside their GLB."""
    armature = import_bvh(folder / f"person_{identity}.bvh")
    show(frame + 1.0)
    ends = [(bone.name, bone.head.copy(), bone.tail.copy()) for bone in armature.pose.bones]
    bones = [
        (armature.matrix_world @ head, armature.matrix_world @ tail)
        for name, head, tail in ends
        if name != "Hips" and not name.endswith(("Foot", "Hand"))
    ]
    hips = armature.matrix_world @ armature.pose.bones["Hips"].head
    import_glb(folder / "poses.glb")
    show(second * bpy.context.scene.render.fps / bpy.context.scene.render.fps_base)
    aside = Vector((1.5, 0, 0))
    dark = bpy.data.materials.new("dark")
    dark.use_nodes = True
    dark.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0, 0.08, 0.06, 1)
    for head, tail in bones:
        bpy.ops.mesh.primitive_cylinder_add(
            radius=0.015, depth=(tail - head).length, location=(head + tail) / 2 + aside
        )
        bpy.context.object.rotation_euler = (tail - head).to_track_quat("Z", "Y").to_euler()
        bpy.context.object.data.materials.append(dark)
    render(hips + aside / 2, picture)


def render(centre: Vector, picture: Path) -> None:
    """The scene with a floor, seen from the front."""
    scene = bpy.context.scene
    bpy.ops.mesh.primitive_plane_add(size=12, location=(centre.x, centre.y, 0))
    bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0.5))
    bpy.context.object.data.energy = 3
    bpy.ops.object.camera_add(location=centre + Vector((0, -4.2, 0.5)))
    camera = scene.camera = bpy.context.object
    camera.data.type, camera.data.ortho_scale = "ORTHO", 3.3
    camera.rotation_euler = (centre - camera.location).to_track_quat("-Z", "Y").to_euler()
    scene.world = bpy.data.worlds.new("sky")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs[0].default_value = (0.8, 0.85, 0.9, 1)
    # The one engine that needs no display.
    scene.render.engine, scene.cycles.samples = "CYCLES", 32
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.resolution_x, scene.render.resolution_y = 800, 500
    scene.render.filepath = str(picture.resolve())
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main()

"""Pose sequences to files, and back where nothing is lost."""

from ampose.export.bvh import write_bvh
from ampose.export.glb import write_glb
from ampose.export.poses_json import json_schema, write_json
from ampose.export.poses_npz import read_npz, write_npz

__all__ = ["json_schema", "read_npz", "write_bvh", "write_glb", "write_json", "write_npz"]

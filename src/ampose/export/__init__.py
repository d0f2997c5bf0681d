"""Pose sequences to files, and back where nothing is lost."""

from ampose.export.poses_json import json_schema, write_json
from ampose.export.poses_npz import read_npz, write_npz

__all__ = ["json_schema", "read_npz", "write_json", "write_npz"]

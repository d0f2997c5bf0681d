"""Pose sequences to files, and back where nothing is lost."""

from ampose.export.bvh import write_bvh
from ampose.export.c3d import write_c3d
from ampose.export.csv_tables import write_csv, write_wide_csv
from ampose.export.glb import write_glb
from ampose.export.mot import write_mot
from ampose.export.poses_json import json_schema, write_json
from ampose.export.poses_npz import read_npz, write_npz
from ampose.export.rrd import write_rrd
from ampose.export.trc import write_trc

__all__ = [
    "json_schema",
    "read_npz",
    "write_bvh",
    "write_c3d",
    "write_csv",
    "write_glb",
    "write_json",
    "write_mot",
    "write_npz",
    "write_rrd",
    "write_trc",
    "write_wide_csv",
]

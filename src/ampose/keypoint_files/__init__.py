"""2D keypoints that a user already has, from the files of common tools."""

from ampose.keypoint_files.contents import KeypointFile
from ampose.keypoint_files.load import DEFAULT_FPS, load_keypoints

__all__ = ["DEFAULT_FPS", "KeypointFile", "load_keypoints"]

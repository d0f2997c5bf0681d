"""Images to 2D poses: find people, refine each, follow them through a video."""

from ampose.detection.detector import MIN_SCORE, PoseDetector, load_detector
from ampose.detection.video import VideoDetector

__all__ = ["MIN_SCORE", "PoseDetector", "VideoDetector", "load_detector"]

"""Images to 2D poses: find people, refine each."""

from ampose.detection.detector import MIN_SCORE, PoseDetector, load_detector

__all__ = ["MIN_SCORE", "PoseDetector", "load_detector"]

"""3D human poses from photos, videos and 2D keypoints."""

from ampose._version import __version__

__all__ = ["__version__"]

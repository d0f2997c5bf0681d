"""Pictures of poses: the 2D skeleton on the frame, the 3D skeletons beside it."""

from ampose.render.overlay import OverlayRenderer

__all__ = ["OverlayRenderer"]

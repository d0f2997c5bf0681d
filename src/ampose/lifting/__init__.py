"""2D keypoints to 3D poses, with the weights in the package or a user's own ONNX."""

from ampose.lifting.caveats import caveats
from ampose.lifting.lifter import LiftedPeople, Lifter
from ampose.lifting.network import Network, load_network

__all__ = ["LiftedPeople", "Lifter", "Network", "caveats", "load_network"]

"""2D keypoints to 3D poses, with the weights in the package or a user's own ONNX."""

from ampose.lifting.lifter import LiftedPeople, Lifter
from ampose.lifting.network import Network, load_network
from ampose.lifting.sequence import lifted_sequence

__all__ = ["LiftedPeople", "Lifter", "Network", "lifted_sequence", "load_network"]

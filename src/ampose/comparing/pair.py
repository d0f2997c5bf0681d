"""What is compared: two recordings, one person each, and what they were made from."""

from __future__ import annotations

from dataclasses import dataclass

from ampose.analysis.comparison import Comparison
from ampose.comparing.footage import Footage
from ampose.poses import PoseSequence


@dataclass(frozen=True, eq=False)
class Recording:
    """One of the two.

    Attributes:
        name: as the user calls it.
        sequence: the poses of the one person who is compared.
        footage: pictures of its frames, if its source was found.
        mirrored: whether `sequence` is the mirror image of what was filmed.
    """

    name: str
    sequence: PoseSequence
    footage: Footage | None = None
    mirrored: bool = False


@dataclass(frozen=True, eq=False)
class Pair:
    """Two recordings and how they differ.

    Attributes:
        a: the first.
        b: the second.
        comparison: second less first.
        warnings: what a careful user should know.
        blurred: whether faces are covered in all pictures.
    """

    a: Recording
    b: Recording
    comparison: Comparison
    warnings: tuple[str, ...] = ()
    blurred: bool = False

    @property
    def recordings(self) -> tuple[Recording, Recording]:
        """Both."""
        return self.a, self.b

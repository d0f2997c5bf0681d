"""The lifting network: an ONNX graph whose metadata says what goes in, and the card beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ampose.errors import InputError
from ampose.files import sha256_of
from ampose.flow import processors
from ampose.onnx_models import open_session
from ampose.skeletons import H36M_17

Array = NDArray[np.floating]

DEFAULT_WEIGHTS = Path(__file__).parent / "weights" / "ampose-open-small.onnx"
"""The lifter in the package; its card is the ``.json`` beside it."""

NORMALISATION = "look_at_person"
"""`ampose.cameras.look_at_person`, the only input that pictures of unknown cameras allow."""

CHANNELS = ("3", "4")

BATCH = 32
"""Poses lifted in one go: more do not fit the processor's cache, fewer cost time in Python."""

_METADATA = ("skeleton", "frames", "channels", "normalisation", "missing", "card_sha256")


@dataclass(frozen=True)
class Network:
    """Weights ready to run.

    Attributes:
        name: file name without its ending.
        sha256: of the ONNX file.
        channels: of its input, see `look_at_person`.
        threads: how many batches are lifted at once.
        session: the graph, ``keypoints`` (B, 1, 17, channels) to ``joints`` (B, 17, 3) metres
            and, if it gives a standard deviation, ``sigma`` (B, 17, 3) metres.
    """

    name: str
    sha256: str
    channels: int
    threads: int
    session: onnxruntime.InferenceSession

    @property
    def gives_sigma(self) -> bool:
        """Whether the graph gives a standard deviation."""
        return len(self.session.get_outputs()) > 1

    def run(self, inputs: Array, *, batch: int = BATCH) -> tuple[Array, Array]:
        """Lifts in batches, several of them at once.

        Args:
            inputs: (N, 17, channels), of `look_at_person`.
            batch: poses at a time.

        Returns:
            joints: (N, 17, 3) metres.
            sigma: (N, 17, 3) metres, their standard deviation along the same axes; NaN from a
                graph without it.
        """
        names = [output.name for output in self.session.get_outputs()][:2]
        joints, sigma = np.full((2, *inputs.shape[:2], 3), np.nan, np.float32)

        def lift(start: int) -> None:
            part = slice(start, start + batch)
            answer = self.session.run(names, {"keypoints": inputs[part, None]})
            joints[part] = answer[0]
            if len(answer) > 1:
                sigma[part] = answer[1]

        starts = range(0, len(inputs), batch)
        if min(self.threads, len(starts)) < 2:
            for start in starts:
                lift(start)
            return joints, sigma
        with ThreadPoolExecutor(self.threads) as pool:
            for _ in pool.map(lift, starts):  # raises what a batch raised
                pass
        return joints, sigma


def load_network(path: Path | None = None, *, threads: int | None = None) -> Network:
    """Opens lifter weights.

    Args:
        path: an ONNX file exported by this package; the built-in weights if None.
        threads: how many batches may be lifted at once; one per processor if None.

    Raises:
        InputError: the file is missing, is not ONNX, or needs an input other than `NORMALISATION`
            gives, or `threads` is below 1.
    """
    path = path or DEFAULT_WEIGHTS
    threads = processors() if threads is None else threads
    if threads < 1:
        raise InputError(f"threads must be 1 or more, got {threads}")
    # The network is small: a second thread within a pose costs more than it gains.
    session = open_session(path, 1)
    metadata = session.get_modelmeta().custom_metadata_map
    if missing := [key for key in _METADATA if key not in metadata]:
        raise InputError(
            f"{path}: not weights of this package: its metadata lacks {', '.join(missing)}"
        )
    names = [value.name for value in (*session.get_inputs(), *session.get_outputs())]
    if names not in (["keypoints", "joints"], ["keypoints", "joints", "sigma"]):
        raise InputError(
            f"{path}: has {', '.join(names)}; weights map keypoints to joints, and maybe to sigma"
        )
    found = (metadata["skeleton"], metadata["frames"], metadata["normalisation"])
    channels = metadata["channels"]
    if found != (H36M_17.name, "1", NORMALISATION) or channels not in CHANNELS:
        raise InputError(
            f"{path}: takes {found[0]}, {found[1]} frame(s), {channels} channels, {found[2]}; "
            f"pictures and keypoint files need {H36M_17.name}, 1 frame, "
            f"{' or '.join(CHANNELS)} channels, {NORMALISATION}"
        )
    return Network(path.stem, sha256_of(path), int(channels), threads, session)

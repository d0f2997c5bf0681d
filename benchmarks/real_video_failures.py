"""Pictures of where lifters fail on the clips of ``real_video.py``: one sheet for each lifter.

    python benchmarks/real_video_failures.py MEDIA [--weights FILE.onnx ...] [-o docs/images]

Of each view whose P-MPJPE is above the mean of the views, the frame with the largest error and the
one with the median error. A row is the picture with the detections that were lifted, then the
lifted pose and the reference, about the middle of the hips and of one size but not rotated, as
the camera sees them and from the side. Nobody picks a frame by hand.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from real_video import VIEWS, Array, Comparison, Recording, arguments_of, lifters_from, name_of

import ampose
from ampose import media
from ampose.errors import InputError
from ampose.render.canvas import Canvas, draw_line, draw_text, text_width
from ampose.render.skeleton2d import draw_skeleton_2d
from ampose.render.skeleton3d import CAMERA_VIEW, SIDE_VIEW, Scale, draw_people, empty_panel
from ampose.render.style import BACKGROUND, PANEL, TEXT, person_colour
from ampose.skeletons import H36M_17

LIFTED, REFERENCE = 0, 1
"""Identities that give the colours."""
SIDE = 300
"""Pixels of a panel."""
GAP, LINE = 8, 28
AROUND = 0.12
"""Of the person's size, left around it in the picture."""
QUALITY = 85


@dataclass(frozen=True)
class Failure:
    """One frame to show.

    Attributes:
        view: the clip.
        row: of the comparison's arrays.
        kind: why this one.
    """

    view: str
    row: int
    kind: str


def chosen(compared: dict[str, Comparison]) -> list[Failure]:
    """The worst and the median frame of each view whose error is not below the mean."""
    errors = {view: each.aligned_errors.mean(1) for view, each in compared.items()}
    mean = np.mean([error.mean() for error in errors.values()])
    return [
        Failure(view, int(np.argsort(error, kind="stable")[place]), kind)
        for view, error in errors.items()
        if error.mean() >= mean
        for kind, place in (("worst", -1), ("median", len(error) // 2))
    ]


def caption(failure: Failure, compared: Comparison) -> str:
    """View, frame and errors."""
    aligned = compared.aligned_errors[failure.row].mean()
    scaled = compared.bone_scaled_errors[failure.row].mean()
    flips = int(compared.depth_flips[failure.row].sum())
    return (
        f"{failure.view}, frame {compared.frames[failure.row]}, {failure.kind} of "
        f"{len(compared.frames)}: P-MPJPE {aligned:.0f} mm, bone-scaled {scaled:.0f} mm, "
        f"depth flips {flips} of {compared.depth_flips.shape[1]}"
    )


def picture(image: Canvas, keypoints: Array) -> Canvas:
    """The person cut out of a frame, (SIDE, SIDE, 3), with the keypoints (17, 2) drawn on."""
    seen = keypoints[np.isfinite(keypoints).all(-1)]
    low, high = seen.min(0), seen.max(0)
    around = AROUND * (high - low).max()
    height, width = image.shape[:2]
    left, top = (max(0, int(edge)) for edge in low - around)
    right, bottom = (int(edge) for edge in np.minimum(high + around, (width, height)))
    part = Image.fromarray(image).crop((left, top, right, bottom))
    zoom = SIDE / max(part.size)
    part = part.resize((max(1, round(part.width * zoom)), max(1, round(part.height * zoom))))
    panel = np.full((SIDE, SIDE, 3), PANEL, np.uint8)
    x, y = (SIDE - part.width) // 2, (SIDE - part.height) // 2
    inner = panel[y : y + part.height, x : x + part.width]
    inner[...] = np.asarray(part)
    draw_skeleton_2d(inner, (keypoints - (left, top)) * zoom, H36M_17, LIFTED)
    return panel


def skeletons(compared: Comparison, row: int, span: float) -> list[Canvas]:
    """Lifted pose and reference in two panels."""
    placed = np.stack([joints[row] for joints in compared.superposed])
    panels = []
    for view in (CAMERA_VIEW, SIDE_VIEW):
        panel = empty_panel(SIDE, view, span)
        seen = np.ones(placed.shape[:2], bool)
        draw_people(panel, view, span, placed, seen, H36M_17, (LIFTED, REFERENCE))
        panels.append(panel)
    return panels


def sheet(
    title: str,
    failures: list[Failure],
    compared: dict[str, Comparison],
    images: list[Canvas],
    keypoints: list[Array],
) -> Canvas:
    """All failures of one lifter; `images` and `keypoints` (17, 2) are those of their frames."""
    step = LINE + SIDE + GAP
    canvas = np.full((LINE + step * len(failures), 3 * SIDE + 4 * GAP, 3), BACKGROUND, np.uint8)
    left = GAP
    for text, identity in (
        (f"lifted by {title}", LIFTED),
        ("triangulated from the other views", REFERENCE),
        ("(right limbs lighter and thinner)", None),
    ):
        if identity is not None:
            colour = person_colour(identity)
            draw_line(canvas, (left + 4, LINE / 2), (left + 22, LINE / 2), 6, colour)
            left += 31
        draw_text(canvas, (left, LINE // 2 - 5), text, TEXT)
        left += text_width(text) + 20
    scale = Scale()
    for failure in failures:
        scale.grow(np.stack([each[failure.row] for each in compared[failure.view].superposed]))
    for number, (failure, image, places) in enumerate(
        zip(failures, images, keypoints, strict=True)
    ):
        top = LINE + step * number
        each = compared[failure.view]
        draw_text(canvas, (GAP, top + LINE // 2 - 5), caption(failure, each), TEXT)
        panels = [picture(image, places), *skeletons(each, failure.row, scale.span)]
        for column, panel in enumerate(panels):
            x, y = GAP + column * (SIDE + GAP), top + LINE
            canvas[y : y + SIDE, x : x + SIDE] = panel
    return canvas


def frame_of(clip: Path, number: int) -> media.Frame:
    """One frame of a video."""
    with media.Video(clip) as video:
        return next(frame for frame in video if frame.index == number)


def draw(recording: Recording, clips: Path, lifter: ampose.Lifter) -> Canvas:
    """The sheet of one lifter."""
    compared = {view: recording.compare(view, lifter) for view in VIEWS}
    failures = chosen(compared)
    images, keypoints = [], []
    for failure in failures:
        number = int(compared[failure.view].frames[failure.row])
        frame = frame_of(clips / f"{failure.view}.mp4", number)
        height, width = frame.image.shape[:2]
        images.append(frame.image)
        keypoints.append(
            recording.keypoints[failure.view][number] * (np.array([width, height]) / frame.size)
        )
    return sheet(name_of(lifter), failures, compared, images, keypoints)


def write_jpeg(path: Path, image: Canvas) -> None:
    """Writes a picture, complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    Image.fromarray(image).save(beside, format="JPEG", quality=QUALITY, optimize=True)
    beside.replace(path)


def main() -> None:
    """Draws every lifter's sheet."""
    arguments = arguments_of(__doc__ or "", Path("docs/images"))
    lifters = lifters_from(arguments.weights)
    recording = Recording.detected(arguments.media)
    for lifter in lifters:
        path = arguments.out / f"failures_{name_of(lifter)}.jpg"
        write_jpeg(path, draw(recording, arguments.media, lifter))
        print(path)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))

"""`--blur-faces` in every picture that any command leaves or shows."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ampose
from ampose import Options, media, pipeline, running
from ampose.comparing import footage
from ampose.export import read_npz
from ampose.live import Page
from ampose.poses import Pose2D
from ampose.render.pair import SIDE, Window
from ampose.skeletons import COCO_17
from tests.cli.clips import SIZE, clip, nobody, photo
from tests.render.upright import points
from tests.research.training.commands import Command, command
from tests.test_pipeline import Fixed

HEAD = (136, 150, 24)  # x, y, radius: within the circle that is covered


def striped() -> np.ndarray:
    """A grey picture, with stripes where somebody's head is."""
    image = nobody().copy()
    x, y, radius = HEAD
    image[y - radius : y + radius, x - radius : x + radius] = 0
    for left in range(x - radius, x + radius, 8):
        image[y - radius : y + radius, left : left + 4] = 255
    return image


def upright(x: float, y: float, size: float) -> Pose2D:
    """Somebody whose head is there."""
    keypoints = ((points() - np.array([300, 82])) * size + (x, y)).astype(np.float32)
    box = np.concatenate([keypoints.min(0), keypoints.max(0)])
    return Pose2D(keypoints, np.full(17, 0.9, np.float32), box, COCO_17)


@pytest.fixture
def ampose_command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """The command, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return command(monkeypatch, capfd)


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the detector by one that knows where the head is."""
    people = [upright(*HEAD[:2], 0.75), upright(40, 400, 0.2)]

    class Known(Fixed):
        def detect(self, image: np.ndarray) -> list[Pose2D]:
            return people if image.shape[:2] == SIZE[::-1] else []  # none in a tile

    for module in (running, footage):
        monkeypatch.setattr(module, "load_detector", lambda *_, **__: Known())


def stripes(picture: np.ndarray) -> float:
    """The share of black and white in the place of the head, in a frame or its overlay."""
    x, y, radius = HEAD
    if picture.shape[:2] != SIZE[::-1]:  # see `ampose.render.overlay`
        zoom, margin = 920 / SIZE[1], 12
        x, y, radius = round(x * zoom + margin), round(y * zoom + margin), round(radius * zoom)
    grey = picture[y - radius : y + radius, x - radius : x + radius].mean(-1)
    return float(((grey < 60) | (grey > 195)).mean())


def is_blurred(picture: np.ndarray) -> bool:
    """Stripes that are averaged are grey; a few lines of the skeleton cross the place."""
    share = stripes(picture)
    assert share > 0.6 or share < 0.3
    return share < 0.3


def pictures_in(folder: Path) -> Iterator[np.ndarray]:
    """Every picture in a folder and every frame of every video."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert {path.suffix for path in files} <= {".png", ".mp4", ".npz", ".json"}
    for path in files:
        if path.suffix == ".png":
            yield np.asarray(Image.open(path).convert("RGB"))
        elif path.suffix == ".mp4":
            yield from (frame.image for frame in media.Video(path))


def sources(kind: str) -> Path:
    match kind:
        case "photo":
            return photo(Path("a.png"), striped())
        case "folder":
            photo(Path("in/1.png"), striped())
            return photo(Path("in/2.png"), striped()).parent
    return clip(Path("a.mp4"), [striped()] * 4)


PATHS: dict[str, tuple[str, tuple[object, ...]]] = {
    "a photo": ("photo", ("run", "SOURCE", "-o", "out")),
    "a folder": ("folder", ("run", "SOURCE", "-o", "out")),
    "a sequence": ("folder", ("run", "SOURCE", "-o", "out", "--sequence", "--fps", 5)),
    "a video": ("video", ("run", "SOURCE", "-o", "out")),
    "frame by frame": ("video", ("run", "SOURCE", "-o", "out", "--frame-by-frame")),
    "not who is meant": ("video", ("run", "SOURCE", "-o", "out", "--person", "40,420")),
    "nor in a photo": ("photo", ("run", "SOURCE", "-o", "out", "--person", "40,420")),
    "recorded live": ("video", ("run", "SOURCE", "-o", "out", "--realtime", "--port", 0)),
    "the demo": ("video", ("demo", "-o", "out")),
}


@pytest.mark.parametrize("path", PATHS)
def test_every_file_of_every_command(
    path: str, ampose_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, words = PATHS[path]
    source = sources(kind)
    monkeypatch.setattr("ampose.data.DEMO_CLIP", source)
    words = tuple(source if word == "SOURCE" else word for word in words)
    assert ampose_command(*words).code == 0
    bare = list(pictures_in(Path("out")))
    assert bare
    assert not any(map(is_blurred, bare))
    said = ampose_command(*words, "--blur-faces", "--force")
    assert said.code == 0
    assert "whom the detector missed is not blurred" in said.out
    blurred = list(pictures_in(Path("out")))
    assert blurred
    assert all(map(is_blurred, blurred))
    told = json.loads(Path("out/poses.json").read_text())
    assert told["provenance"]["options"]["blur_faces"] is True
    assert any("whom the detector missed is not blurred" in line for line in told["warnings"])


@pytest.mark.parametrize("words", [(), ("--mirror",), ("--align", "linear")])
def test_comparisons(ampose_command: Command, words: tuple[str, ...]) -> None:
    ampose.run(sources("video"), "a")
    keypoints = read_npz(Path("a/poses.npz")).keypoints[:, 0]
    window = Window.around(keypoints, SIZE)
    zoom = SIDE / (window.side * SIZE[0])
    x, y, radius = (round(v) for v in (np.array(HEAD) - (*_corner(window), 0)) * zoom)
    command = ("compare", "a", "a", "--person-a", "0", "--person-b", "0", *words)
    assert ampose_command(*command, "-o", "bare").code == 0
    assert ampose_command(*command, "-o", "blurred", "--blur-faces").code == 0
    for out in ("bare", "blurred"):
        pictures = list(media.Video(Path(out, "compare.mp4")))
        assert pictures
        for frame in pictures:
            for left in (12, 24 + SIDE):
                across = SIDE - x if words == ("--mirror",) and left > 12 else x
                panel = frame.image[42 : 42 + SIDE, left : left + SIDE]
                grey = panel[y - radius : y + radius, across - radius : across + radius].mean(-1)
                share = float(((grey < 60) | (grey > 195)).mean())
                assert share < 0.35 if out == "blurred" else share > 0.6
    told = json.loads(Path("blurred/compare.json").read_text())
    assert told["faces_blurred"] is True
    assert any("whom the detector missed is not blurred" in line for line in told["warnings"])
    page = Path("blurred/compare.html").read_text()
    assert page.count("data:") == 1
    video = base64.b64encode(Path("blurred/compare.mp4").read_bytes()).decode()
    assert video in page


def _corner(window: Window) -> tuple[float, float]:
    return window.left * SIZE[0], window.top * SIZE[0]


@pytest.mark.parametrize("blur", [False, True])
def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blur: bool) -> None:
    shown: list[np.ndarray] = []
    monkeypatch.setattr(Page, "show", lambda _, picture: shown.append(picture))
    source = clip(tmp_path / "a.mp4", [striped()] * 4)
    pipeline.run_live(source, options=Options(blur_faces=blur), port=0)
    assert shown
    for picture in shown:
        assert is_blurred(picture) == blur


@pytest.mark.parametrize("kind", ["photo", "folder", "video"])
@pytest.mark.parametrize("blur", [False, True])
def test_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, blur: bool) -> None:
    monkeypatch.chdir(tmp_path)
    for frame in ampose.stream(sources(kind), Options(blur_faces=blur)):
        assert is_blurred(frame.image) == blur


def test_from_the_configuration(ampose_command: Command) -> None:
    Path("c.toml").write_text("blur-faces = true\n")
    assert ampose_command("run", sources("photo"), "-o", "out", "--config", "c.toml").code == 0
    assert all(map(is_blurred, pictures_in(Path("out"))))


def test_poses_are_the_same(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", [striped()] * 4)
    bare, blurred = (
        ampose.run(source, tmp_path / f"{blur}", Options(blur_faces=blur)) for blur in (0, 1)
    )
    for name in ("joints", "root", "sigma", "keypoints", "ids", "times", "world"):
        np.testing.assert_array_equal(getattr(bare, name), getattr(blurred, name))


def test_large_photos_are_reduced_and_still_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keypoints are in the pixels of the original, pictures in fewer."""
    from ampose.media import frames

    monkeypatch.setattr(frames, "MAX_SIDE", 480, raising=True)
    large = np.kron(striped(), np.ones((2, 2, 1), np.uint8))
    source = photo(tmp_path / "a.png", large)
    for frame in ampose.stream(source, Options(blur_faces=True)):
        assert frame.image.shape[:2] == SIZE[::-1]
        assert frame.camera.size == (2 * SIZE[0], 2 * SIZE[1])
        assert is_blurred(frame.image)


def test_old_pictures_beside_new_ones_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ampose.run(sources("video"), "out")
    ampose.run(sources("folder"), "out", force=True)
    Path("out/overlay/0007_old.png").touch()
    blurred = ampose.run("a.mp4", "out", Options(blur_faces=True), force=True)
    assert any("still holds 3 picture(s) or video(s)" in line for line in blurred.warnings)
    plain = ampose.run("a.mp4", "out", force=True)
    assert not any("still holds" in line for line in plain.warnings)
    fresh = ampose.run("a.mp4", "fresh", Options(blur_faces=True))
    assert not any("still holds" in line for line in fresh.warnings)


def test_without_pictures_there_is_nothing_to_blur(tmp_path: Path) -> None:
    said: Any = ampose.run(clip(tmp_path / "a.mp4"), options=Options(blur_faces=True))
    assert "blur_faces" not in {k for k, v in said.provenance["options"].items() if v}
    assert not any("blurred" in line for line in said.warnings)

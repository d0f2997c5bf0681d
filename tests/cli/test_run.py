from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from ampose.detection import detector
from ampose.export import read_npz
from ampose.lifting.network import DEFAULT_WEIGHTS
from ampose.media import media_kind
from tests.cli.clips import clip, nobody, person, photo, song
from tests.research.training.commands import Command, assert_one_line


def names(folder: Path | str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_a_photo(ampose: Command, ending: str) -> None:
    said = ampose("run", photo(Path(f"a.{ending}")), "-o", "out")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "1 frame(s), 1 person"
    assert lines[-2:] == [
        "Results in out: poses.npz, poses.json",
        "Open out/overlay.png to look at them.",
    ]
    assert all(line.startswith("note: ") for line in lines[1:-2])
    assert names("out") == ["overlay.png", "poses.json", "poses.npz"]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_a_video(ampose: Command, ending: str) -> None:
    said = ampose("run", clip(Path(f"a.{ending}"), person()[:2]), "-o", "deep/er/out")
    assert (said.code, said.err) == (0, "")
    assert "2 frame(s), 1 person\n" in said.out
    assert names("deep/er/out") == ["overlay.mp4", "poses.json", "poses.npz"]


def test_a_folder(ampose: Command) -> None:
    photo(Path("in/1.jpg"))
    photo(Path("in/2.png"), nobody((30, 20)))
    said = ampose("run", "in", "-o", "in/out")
    assert (said.code, said.err) == (0, "")
    assert "2 frame(s), 1 person\n" in said.out
    assert "note: 1 of 2 frames show nobody.\n" in said.out
    assert "Open in/out/overlay to look at them.\n" in said.out
    assert "overlay/0001_2.png" in names("in/out")
    said = ampose("run", "in", "-o", "out", "--sequence", "--fps", 5)
    assert_one_line(said, "in/2.png has 30 x 20 pixels, 1.jpg has 272 x 480")
    assert not Path("out").exists()


def test_spaces_and_unicode(ampose: Command) -> None:
    source = clip(Path("Ärger mit Leer 日本.mp4").absolute(), person()[:1])
    assert ampose("run", source, "-o", "mit Leer 日本/").code == 0
    assert json.loads(Path("mit Leer 日本/poses.json").read_text("utf-8"))


@pytest.mark.parametrize("name", ["a.png", "a.mp4"])
def test_nobody(ampose: Command, name: str) -> None:
    grey = nobody((64, 48))
    source = clip(Path(name), [grey] * 2) if name == "a.mp4" else photo(Path(name), grey)
    said = ampose("run", source, "-o", "out")
    assert (said.code, said.err) == (0, "")
    assert " 0 people\n" in said.out
    assert "note: No person was found.\n" in said.out
    assert read_npz(Path("out/poses.npz")).person_count == 0


def test_an_animation_of_which_one_picture_is_read(ampose: Command) -> None:
    pictures = [Image.fromarray(nobody((64, 48))), Image.fromarray(nobody((64, 48)) // 2)]
    pictures[0].save("a.webp", save_all=True, append_images=pictures[1:], duration=40)
    if media_kind("a.webp") == "video":
        pytest.skip("this FFmpeg reads animated WebP")
    told = "note: a.webp is an animation that cannot be read as a video; only its first picture"
    assert told in ampose("run", "a.webp", "-o", "out").out
    photo(Path("still.webp"), nobody((64, 48)))
    assert "animation" not in ampose("run", "still.webp", "-o", "still").out


def test_half_a_person(ampose: Command) -> None:
    said = ampose("run", photo(Path("a.png"), person()[0][:240]), "-o", "out")
    assert said.code == 0
    assert "joints were not seen; they are guessed" in said.out


def test_a_video_that_breaks_off(ampose: Command) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (24, 48, 64, 3), np.uint8)
    whole = clip(Path("a.mkv"), list(noise), times=range(0, 2400, 100)).read_bytes()
    Path("a.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    said = ampose("run", "a.mkv", "-o", "out")
    assert (said.code, said.err) == (0, "")
    assert "note: a.mkv is damaged or cut off: " in said.out
    assert 0 < read_npz(Path("out/poses.npz")).frame_count < 24


def test_start_and_end(ampose: Command) -> None:
    clip(Path("a.mp4"))
    assert ampose("run", "a.mp4", "-o", "out", "--start", 0.04, "--end", 0.08).code == 0
    assert read_npz(Path("out/poses.npz")).times.tolist() == pytest.approx([0.04])
    for words, complaint in (
        (("--start", 9), "a.mp4 has no frame from 9 s on; its last frame read is at 0.08 s"),
        (("--start", 0.05, "--end", 0.06), "no frame from 0.05 s to 0.06 s"),
        (("--start", -1), "start -1 s given; start must be 0 or more and before end"),
        (("--start", 2, "--end", 1), "start must be 0 or more and before end"),
        (("--end", 0), "start must be 0 or more and before end"),
        (("--start", "nan"), "start must be"),
    ):
        assert_one_line(ampose("run", "a.mp4", "-o", "none", *words), complaint)
    assert names(".") == sorted(["a.mp4", "out", *(f"out/{name}" for name in names("out"))])


def bad_file(kind: str) -> Path:
    path = Path(kind)
    match kind:
        case "text.jpg":
            path.write_text("hello")
        case "empty.mp4":
            path.touch()
        case "cut.jpg":
            path.write_bytes(photo(path).read_bytes()[:2000])
        case "cut.mp4":  # its index is at the end
            path.write_bytes(clip(path).read_bytes()[:-2000])
        case "random.mp4":
            path.write_bytes(np.random.default_rng(0).bytes(9000))
        case "song.m4a":
            song(path)
        case "folder":
            path.mkdir()
    return path


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("text.jpg", "text.jpg is neither a photo nor a video"),
        ("empty.mp4", "empty.mp4 is empty"),
        ("cut.jpg", "cut.jpg cannot be read, it may be damaged"),
        ("cut.mp4", "cut.mp4 is neither a photo nor a video"),
        ("random.mp4", "random.mp4 is neither a photo nor a video"),
        ("song.m4a", "song.m4a is neither a photo nor a video"),
        ("folder", "folder folder holds no photo"),
        ("missing.mp4", "missing.mp4 does not exist"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_bad_sources(ampose: Command, kind: str, complaint: str) -> None:
    source = bad_file(kind)
    before = names(".")
    assert_one_line(ampose("run", source, "-o", "x/out"), complaint)
    assert names(".") == before


def test_one_broken_photo_among_good_ones(ampose: Command) -> None:
    photo(Path("in/1.png"))
    Path("in/2.jpg").write_text("no photo")
    assert_one_line(ampose("run", "in", "-o", "out"), "in/2.jpg is not a photo")
    assert names(".") == ["in", "in/1.png", "in/2.jpg"]


def test_an_existing_result(ampose: Command) -> None:
    photo(Path("a.png"))
    Path("out/overlay").mkdir(parents=True)
    for name in ("poses.json", "overlay.mp4", "mine.txt"):
        (Path("out") / name).write_text("old")
    assert_one_line(ampose("run", "a.png", "-o", "out"), "out holds files already", "--force")
    assert Path("out/poses.json").read_text() == "old"
    said = ampose("run", "a.png", "-o", "out", "--force")
    assert said.code == 0
    assert "Open out/overlay.png" in said.out  # not the old video
    assert json.loads(Path("out/poses.json").read_text())
    assert Path("out/mine.txt").read_text() == Path("out/overlay.mp4").read_text() == "old"


def test_the_source_is_never_replaced(ampose: Command) -> None:
    """Not even with ``--force``, which is about results."""
    source = clip(Path("here") / "overlay.mp4")
    before = source.read_bytes()
    Path("link.mp4").symlink_to(source)
    for name in (source, "link.mp4"):
        said = ampose("run", name, "-o", "here", "--force")
        assert_one_line(said, "would be replaced by its own result; take another -o")
    assert source.read_bytes() == before
    assert list(Path("here").iterdir()) == [source]


def test_places_that_cannot_be_written(ampose: Command) -> None:
    photo(Path("a.png"))
    Path("file").write_text("mine")
    assert_one_line(ampose("run", "a.png", "-o", "file", "--force"), "file is a file")
    assert_one_line(ampose("run", "a.png", "-o", "file/out"), "cannot write file/out")
    if Path("/proc/self").exists():
        assert_one_line(ampose("run", "a.png", "-o", "/proc/out"), "cannot write /proc/out")
        assert_one_line(ampose("run", "a.png", "-o", "/proc", "--force"), "cannot write /proc")
    assert names(".") == ["a.png", "file"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--threads", 0), "--threads must be 1 to 256, got 0"),
        (("--fov", 60, "--focal", 500), "give --fov or --focal, not both"),
        (("--focal", -3), "--focal must be"),
        (("--focal", 2), "pixels, not millimetres"),
        (("--mapping", "best"), "'best' is not one of 'hybrid', 'plain'"),
        (("--min-score", 7), "--min-score must be 0 to 1"),
        (("--capture-fps", 0), "--capture-fps must be"),
        (("--detector-skeleton", "halpe_26"), "the built-in detector gives coco_17"),
        (("--detector", "nowhere.onnx"), "no model file nowhere.onnx"),
        (("--detector", "random.onnx"), "random.onnx is not an ONNX model"),
        (("--detector", "x" * 300), "cannot be read: File name too long"),
        (("--detector", detector._THUNDER), "does not say which joints it gives"),
        (("--detector", DEFAULT_WEIGHTS, "--detector-skeleton", "coco_17"), "RTMPose's layout"),
        (("--weights", "random.onnx"), "random.onnx is not an ONNX model"),
        (("--weights", detector._THUNDER), "not weights of this package"),
    ],
)
def test_bad_options(ampose: Command, words: tuple[object, ...], complaint: str) -> None:
    photo(Path("a.png"), nobody((64, 48)))
    Path("random.onnx").write_bytes(np.random.default_rng(0).bytes(999))
    assert_one_line(ampose("run", "a.png", "-o", "out", *words), complaint)
    assert names(".") == ["a.png", "random.onnx"]


def test_the_cameras_field_of_view(ampose: Command) -> None:
    photo(Path("a.png"))
    assert ampose("run", "a.png", "-o", "fov", "--fov", 90).code == 0
    said = ampose("run", "a.png", "-o", "focal", "--focal", 136)
    assert "field of view is not known" not in said.out
    by_fov, by_focal = (read_npz(Path(name) / "poses.npz") for name in ("fov", "focal"))
    np.testing.assert_array_equal(by_fov.joints, by_focal.joints)
    assert by_fov.cameras[0].focal == pytest.approx((136, 136))


def rtmpose(path: Path) -> Path:
    """A Halpe-26 network of RTMPose's layout that sees every joint in the crop's upper left."""
    bins = np.zeros((1, 26, 128), np.float32)
    bins[:, np.arange(26), np.arange(26) + 5] = 1
    outputs = {"simcc_x": bins, "simcc_y": np.repeat(bins, 2, -1)}
    graph = helper.make_graph(
        [
            helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
            for name, value in outputs.items()
        ],
        "constant",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 128, 64])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 26, None])
            for name in outputs
        ],
    )
    opset = helper.make_opsetid("", 13)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path


def test_a_detector_of_ones_own(ampose: Command) -> None:
    photo(Path("a.png"))
    words = ("run", "a.png", "--detector", rtmpose(Path("my.onnx")), "--detector-skeleton")
    assert ampose(*words, "halpe-26", "-o", "out").code == 0
    result = read_npz(Path("out/poses.npz"))
    assert result.provenance["refiner"] == "my.onnx"
    assert result.provenance["options"]["detector_skeleton"] == "halpe-26"
    assert result.person_count == 1
    said = ampose(*words, "coco_17", "-o", "none")
    assert_one_line(said, "my.onnx gives 26 joints but coco_17 has 17")

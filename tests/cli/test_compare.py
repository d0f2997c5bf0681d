from __future__ import annotations

import csv
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from ampose import media
from ampose.analysis import NOTICE, PRESETS, columns_of
from ampose.comparing.run import FILES
from ampose.comparing.tables import COLUMNS, CURVE_COLUMNS
from ampose.export import write_npz
from ampose.render.pair import PairRenderer
from tests.analysis.test_alignment import moving, wave
from tests.cli.clips import photo
from tests.comparing.recordings import recording, result
from tests.research.training.commands import Command, assert_one_line

KNEES = ("--angles", "knee_flexion")


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Results of a shallow squat and of a deep one that lags."""
    shallow = recording(10, depth=50, sigma=0.005, provenance={"source": "a.mp4"})
    deep = recording(10, pace=wave, sigma=0.005, provenance={"source": "b.mp4"})
    return result(tmp_path / "one", shallow), result(tmp_path / "two", deep)


def table(out: str = "out", name: str = "compare.csv") -> list[dict[str, str]]:
    with Path(out, name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def header(out: str = "out") -> dict[str, object]:
    told: dict[str, object] = json.loads(Path(out, "compare.json").read_text("utf-8"))
    return told


def test_everything_that_is_written(ampose: Command, two: tuple[Path, Path]) -> None:
    said = ampose("compare", *two, "-o", "out", *KNEES, "--names", "before, after")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith("2 angles at 41 moments; 2 of 2 differ on average by more")
    assert lines[0].endswith("error bars: knee_flexion_l, knee_flexion_r")
    assert lines[-3:] == [
        NOTICE,
        f"Results in out: {', '.join(FILES)}",
        "Open out/compare.html to look at them.",
    ]
    assert {path.name for path in Path("out").iterdir()} == set(FILES)
    rows = table()
    assert tuple(rows[0]) == COLUMNS
    assert [row["angle"] for row in rows] == ["knee_flexion_l", "knee_flexion_r"]
    assert float(rows[0]["max_difference"]) == pytest.approx(40, abs=3)
    assert rows[0]["max_distinguishable"] == rows[0]["range_distinguishable"] == "yes"
    curves = table(name="compare_curves.csv")
    assert tuple(curves[0]) == CURVE_COLUMNS
    assert len(curves) == 2 * 41
    told = header()
    assert told["notice"] == NOTICE
    assert told["a"]["name"] == "before"
    assert told["b"]["pictures"] is True
    assert told["faces_blurred"] is False
    assert [f"note: {line}" for line in told["warnings"]] == lines[1:-3]
    times = [np.array(told["alignment"][f"times_{side}"]) for side in "ab"]
    error = (wave(times[1]) - times[0])[moving(times[0])]
    assert np.abs(error).max() < 0.2


def test_names_in_any_script(ampose: Command, two: tuple[Path, Path]) -> None:
    said = ampose("compare", *two, "-o", "out", *KNEES, "--names", "前\udcff,<b>\u202e")
    assert (said.code, said.err) == (0, "")
    assert header()["a"]["name"] == "前<U+DCFF>"
    page = Path("out/compare.html").read_text("utf-8")
    assert "<h1>前&lt;U+DCFF&gt; and &lt;b&gt;&lt;U+202E&gt;</h1>" in page


def test_the_pictures(ampose: Command, two: tuple[Path, Path]) -> None:
    assert ampose("compare", *two, "-o", "out", *KNEES, "--align", "none").code == 0
    frames = list(media.Video(Path("out/compare.mp4")))
    assert len(frames) == 41
    assert frames[0].size == PairRenderer.size
    for number in (4, 30):  # grey values tell the frames of the sources
        for left in (22, 514):
            corner = frames[number].image[60:90, left : left + 20]
            assert float(np.median(corner)) == pytest.approx(5 * number, abs=3)
    ElementTree.parse("out/compare.svg")
    with Image.open("out/compare.png") as picture:
        assert picture.width > 800
    page = Path("out/compare.html").read_text("utf-8")
    assert "data:video/mp4;base64," in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "")
    assert "src=" not in page.replace('src="data:', "")
    assert NOTICE in page


@pytest.mark.parametrize("names", ["$a$b^{,_x", "vorher,術後", "<b>&,a\\"])
def test_names_are_text(ampose: Command, two: tuple[Path, Path], names: str) -> None:
    said = ampose("compare", *two, "-o", "out", *KNEES, "--names", names)
    assert (said.code, said.err) == (0, "")
    assert [header()[side]["name"] for side in "ab"] == names.split(",")
    assert "<b>&" not in Path("out/compare.html").read_text("utf-8")
    ElementTree.parse("out/compare.svg")


def test_files_are_the_same_each_time(ampose: Command, two: tuple[Path, Path]) -> None:
    for out in ("x", "y"):
        assert ampose("compare", *two, "-o", out, *KNEES).code == 0
    for name in FILES:
        if name.endswith((".svg", ".png", ".csv")):
            assert Path("x", name).read_bytes() == Path("y", name).read_bytes(), name


def test_a_clip_against_itself(ampose: Command, two: tuple[Path, Path]) -> None:
    said = ampose("compare", two[0], two[0], "-o", "out")
    assert said.code == 0
    assert "0 of 19 differ on average" in said.out
    rows = table()
    assert [row["angle"] for row in rows] == [column.name for column in columns_of()]
    for row in rows:
        assert {row[f"{kind}_difference"] for kind in ("range", "mean", "max")} == {"0.0"}
        assert {row[f"{kind}_distinguishable"] for kind in ("range", "mean", "max")} == {"no"}
    told = header()
    assert told["alignment"]["times_a"] == told["alignment"]["times_b"]
    assert {told[side]["name"] for side in "ab"} == {"one (A)", "one (B)"}


def test_without_pictures_the_skeletons_alone(ampose: Command, tmp_path: Path) -> None:
    folder = result(tmp_path / "deep" / "er" / "one", video=False)
    said = ampose("compare", folder, folder / "poses.npz", "-o", "out", *KNEES)
    assert said.code == 0
    assert "was not found beside it, so the skeleton alone is shown" in said.out
    assert header()["a"]["pictures"] is False
    assert len(list(media.Video(Path("out/compare.mp4")))) == 41


def test_keypoints_are_no_pictures(ampose: Command, tmp_path: Path) -> None:
    """Of ``ampose lift``: what it came from is there, but shows nothing."""
    points = recording(provenance={"source": "points.npz"})
    folder = result(tmp_path / "one", points, video=False)
    Path("points.npz").write_bytes(b"PK")
    said = ampose("compare", folder, folder, "-o", "out", *KNEES).out
    assert "the recording itself was not found beside it, so the skeleton alone" in said
    assert "neither a photo" not in said


def test_another_video_of_the_same_name(ampose: Command, tmp_path: Path) -> None:
    folder = result(tmp_path / "one", recording(10))
    other = result(tmp_path / "two" / "three", recording(5, provenance={"source": "a.mp4"}))
    wrong = other.parent / "a.mp4"
    wrong.replace(tmp_path / "a.mp4")
    said = ampose("compare", folder, folder, "-o", "out", *KNEES)
    assert said.code == 2  # found where it breaks off, and nothing is left
    assert "is not what the recording was made from: it has no frame at" in said.err
    assert not Path("out").exists()
    assert_one_line(
        ampose("compare", folder, folder, "-o", "out", "--video-a", "no.mp4"), "no.mp4"
    )


def test_a_preset(ampose: Command, two: tuple[Path, Path]) -> None:
    assert ampose("compare", *two, "-o", "out", "--preset", "squat").code == 0
    assert tuple(row["angle"] for row in table()) == PRESETS["squat"].angles
    said = ampose("compare", *two, "-o", "golf", "--preset", "golf-swing")
    assert said.code == 0
    assert "rotations" in said.out
    assert_one_line(ampose("compare", *two, "-o", "x", "--preset", "yoga"), "unknown preset")


def test_people(ampose: Command, tmp_path: Path) -> None:
    first = recording(10)
    both = {
        name: np.concatenate([getattr(first, name)] * 2, axis=1)
        for name in (
            *("joints", "root", "sigma", "keypoints", "scores", "valid", "world"),
            *("filled", "repaired", "corrected"),
        )
    }
    both["keypoints"][:, 1, :, 0] += 20
    pair = replace(first, ids=np.array([3, 8]), **both)
    pair.valid[:10, 0] = False
    pair.joints[:10, 0] = np.nan
    folder = result(tmp_path / "one", pair, video=False)
    said = ampose("compare", folder, folder, "-o", "out", *KNEES)
    assert "shows 2 people; person" in said.out
    chosen = ampose("compare", folder, folder, "-o", "x", "--person-a", 8, "--person-b", 3, *KNEES)
    assert "shows 2 people" not in chosen.out
    told = header("x")
    assert (told["a"]["person"], told["b"]["person"]) == (8, 3)
    for words, complaint in (
        (("--person-a", 5), "there is no person 5; ids are 3, 8"),
        (("--person-b", "all"), "one person of each is compared"),
        (("--person-a", "me"), "--person must be"),
    ):
        assert_one_line(ampose("compare", folder, folder, "-o", "y", *words), complaint)


def test_the_mirror_image(ampose: Command, two: tuple[Path, Path]) -> None:
    words = ("--angles", "pelvis_rotation,trunk_lean_lateral", "--align", "none", "--mirror")
    assert ampose("compare", two[0], two[0], "-o", "out", *words).code == 0
    assert header()["b"]["mirrored"] is True
    assert header()["a"]["mirrored"] is False


def test_paths_that_are_no_unicode(ampose: Command, tmp_path: Path) -> None:
    """Linux allows any bytes; a warning of the page names the path."""
    folder = tmp_path / os.fsdecode(b"d\xff")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system has Unicode only")
    result(folder / "one", video=False)
    photo(folder / "a.mp4" / "1.png")
    said = ampose("compare", folder / "one", folder / "one", "-o", folder / "out", *KNEES)
    assert (said.code, said.err) == (0, "")
    assert "it holds 1 photos, not 41" in (folder / "out/compare.html").read_text("utf-8")


def test_a_recording_over_before_the_other_s_second_frame(ampose: Command, tmp_path: Path) -> None:
    """Frames half a second apart, and a squat of 0.09 s: only their first frames are together."""
    slow = result(tmp_path / "slow", recording(2), video=False)
    brief = recording(10)
    brief = replace(brief, times=brief.times * 0.09 / 4)
    brief = result(tmp_path / "brief", brief, video=False)
    said = ampose("compare", slow, brief, "-o", "out", *KNEES, "--align", "none")
    assert_one_line(said, "the second recording ends before the second frame of the first")
    assert not Path("out").exists()
    for words in (("--align", "linear"), ("--align", "dtw")):
        assert ampose("compare", slow, brief, "-o", words[1], *KNEES, *words).code == 0
    assert ampose("compare", brief, slow, "-o", "none", *KNEES, "--align", "none").code == 0


def test_bad_input(ampose: Command, two: tuple[Path, Path], tmp_path: Path) -> None:
    nobody = recording(10).only([])
    write_npz(nobody, tmp_path / "nobody.npz")
    photos = replace(recording(10), times=np.zeros(41))
    write_npz(photos, tmp_path / "photos.npz")
    Path("text.npz").write_text("hello")
    for words, complaint in (
        ((two[0], "missing"), "missing"),
        ((two[0], "text.npz"), "text.npz"),
        ((two[0], "nobody.npz"), "nobody.npz shows nobody"),
        ((two[0], "photos.npz"), "the times of the second recording do not rise"),
        ((*two, "--angles", "wrist_flexion"), "wrist_flexion is refused"),
        ((*two, "--names", "one"), "--names takes two names and a comma"),
        ((*two, "--names", "one,"), "--names takes two names and a comma"),
        ((*two, "--align", "magic"), "magic"),
        ((*two, "--video-a", two[0] / "poses.npz"), "poses.npz"),
    ):
        assert_one_line(ampose("compare", *words, "-o", "x/out"), complaint)
        assert not Path("x").exists()
    Path("full").mkdir()
    Path("full/file").touch()
    assert_one_line(ampose("compare", *two, "-o", "full"), "holds files already")


@pytest.mark.parametrize("missing", ["matplotlib", "dtaidistance"])
def test_what_is_not_installed(
    ampose: Command, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    said = ampose("compare", *two, "-o", "x/out")
    assert_one_line(said, missing, 'pip install "ampose[compare]"')
    assert not Path("x").exists()

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from ampose.analysis import NOTICE
from ampose.export import write_npz
from tests.cli.clips import SIZE, clip
from tests.report.pages import Page, paper
from tests.report.recordings import bending, photos
from tests.research.training.commands import Command, assert_one_line, without_torch

WORDS = ("--angles", "knee_flexion")


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """A folder as ``ampose run`` leaves it."""
    folder = tmp_path / "result"
    folder.mkdir()
    recording = bending(9, 2, provenance={"source": "clip.mp4"})
    write_npz(recording, folder / "poses.npz")
    return folder


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_beside_the_poses(ampose: Command, result: Path) -> None:
    said = ampose("report", result, *WORDS)
    assert (said.code, said.err) == (0, "")
    assert files(result) == {"poses.npz", "report.html", "report.pdf"}
    lines = said.out.splitlines()
    assert lines[0] == "0.32 s, 9 frames, 25 frames/s, 2 people"
    assert "note: careful" in lines
    assert lines[-2:] == [NOTICE, f"Results in {result}: report.html, report.pdf"]
    page = Page(result / "report.html")
    assert hashlib.sha256((result / "poses.npz").read_bytes()).hexdigest() in page.text
    assert "angles=knee_flexion, person=all" in page.text


def test_an_earlier_report_is_kept_unless_forced(ampose: Command, result: Path) -> None:
    (result / "report.pdf").write_text("mine")
    assert_one_line(ampose("report", result, *WORDS), "report.pdf is there already", "--force")
    assert (result / "report.pdf").read_text() == "mine"
    assert files(result) == {"poses.npz", "report.pdf"}
    assert ampose("report", result, *WORDS, "--format", "html").code == 0
    assert (result / "report.pdf").read_text() == "mine"
    assert ampose("report", result, *WORDS, "--force").code == 0
    assert paper(result / "report.pdf")


def test_elsewhere_of_one_person_and_kind(ampose: Command, result: Path) -> None:
    words = (*WORDS, "-o", "out", "--person", 1, "--format", "html")
    assert ampose("report", result / "poses.npz", *words).code == 0
    assert files(Path("out")) == {"report.html"}
    text = Page(Path("out/report.html")).text
    assert "Person 1 View" in text
    assert "Person 0" not in text
    assert_one_line(ampose("report", result, *words), "out holds files already")


def test_pictures_of_the_video_beside_it_or_named(ampose: Command, result: Path) -> None:
    red = np.broadcast_to(np.uint8([220, 30, 30]), (SIZE[1], SIZE[0], 3))
    clip(result.parent / "clip.mp4", [red] * 9)
    assert "Pictures are from clip.mp4." in ampose("report", result, *WORDS).out
    (result.parent / "clip.mp4").rename("other.mp4")
    said = ampose("report", result, *WORDS, "--force", "--format", "html")
    assert "was not found beside the result" in said.out
    assert "--video says where the recording is" in said.out
    said = ampose("report", result, *WORDS, "--force", "--format", "html", "--video", "other.mp4")
    assert "Pictures are from other.mp4." in said.out
    assert "--video says" not in said.out
    clip(Path("short.mp4"), [red] * 3)
    said = ampose("report", result, *WORDS, "--force", "--video", "short.mp4")
    assert_one_line(said, "short.mp4", ": it is not what the result came from")


def test_keypoints_are_no_pictures(ampose: Command, tmp_path: Path) -> None:
    """Of ``ampose lift``: what it came from is there, but shows nothing."""
    for name in ("points.npz", "points"):
        (tmp_path / name).mkdir() if name == "points" else (tmp_path / name).write_bytes(b"PK")
        write_npz(bending(provenance={"source": name}), tmp_path / "poses.npz")
        said = ampose("report", "poses.npz", *WORDS, "--format", "html", "--force").out
        assert "the recording itself was not found beside the result" in said
        assert "not what the result came from" not in said
        said = ampose("report", "poses.npz", *WORDS, "--force", "--video", name)
        assert_one_line(said, name, ": it is not what the result came from")


def test_covered_faces(ampose: Command, result: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
    clip(result.parent / "clip.mp4", [noise] * 9)
    pictures = []
    for words in ((), ("--blur-faces",)):
        said = ampose("report", result, *WORDS, "--force", "--format", "html", *words)
        assert ("Faces are blurred where somebody was found" in said.out) == bool(words)
        pictures.append(Page(result / "report.html").of("img")[0]["src"])
    assert pictures[0] != pictures[1]


def test_a_preset_and_corrected_events(ampose: Command, result: Path) -> None:
    Path("events.csv").write_text("name,person,frame\nstart,0,0\nbottom,0,4\ntop,0,8\n")
    words = ("--preset", "squat", "--events", "events.csv", "--person", "0", "--format", "html")
    assert ampose("report", result, *words).code == 0
    page = Page(result / "report.html")
    assert [event["label"] for event in page.motion["events"]] == ["start", "bottom", "top"]
    assert "1: knee flexion, left" in page.text
    assert "preset=squat, person=0, events=events.csv" in page.text
    Path("r.toml").write_text('preset = "squat"\nperson = "0"\nevents = "events.csv"')
    words = ("--format", "html", "--config", "r.toml", "-o", "by-file")
    assert ampose("report", result, *words).code == 0
    assert Page(Path("by-file/report.html")).text == page.text


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--format", "docx"), ("unknown format 'docx'; a report is html or pdf",)),
        (("--format", ""), ("unknown format ''",)),
        (("--preset", "yoga"), ("unknown preset 'yoga'", "squat")),
        (("--events", "events.csv"), ("--events needs --preset",)),
        (("--preset", "squat", "--events", "nosuch.csv"), ("nosuch.csv",)),
        (("--angles", "pelvic_tilt"), ("pelvic_tilt is refused: ",)),
        (("--person", "7"), ("there is no person 7",)),
        (("--person", "me"), ("--person must be",)),
        (("--video", "nosuch.mp4"), ("nosuch.mp4 does not exist",)),
    ],
)
def test_what_cannot_be_asked(
    ampose: Command, result: Path, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    assert_one_line(ampose("report", result, "-o", "out", *words), *parts)
    assert not Path("out").exists()
    assert files(result) == {"poses.npz"}


def test_what_is_no_result(ampose: Command, tmp_path: Path) -> None:
    Path("poses.npz").write_bytes(b"no archive")
    Path("empty").mkdir()
    for name in ("poses.npz", "nosuch", "empty"):
        assert_one_line(ampose("report", name), name)
    assert files(tmp_path) == {"poses.npz", "empty"}


def test_photos_have_no_movement(ampose: Command, tmp_path: Path) -> None:
    write_npz(photos(3), tmp_path / "poses.npz")
    assert_one_line(ampose("report", "poses.npz", "--preset", "squat"), "times")
    assert ampose("report", "poses.npz", *WORDS, "--format", "html").code == 0
    assert json.loads(Page(tmp_path / "report.html").scripts["application/json"])["times"] is None


def test_without_matplotlib(result: Path) -> None:
    said = without_torch("report", result, missing="matplotlib")
    assert_one_line(said, "a report needs matplotlib", 'pip install "ampose[report]"')
    assert files(result) == {"poses.npz"}

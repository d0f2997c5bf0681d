from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader

from ampose.analysis import NOTICE, PRESETS, Corrections, Event, Preset
from ampose.errors import InputError
from ampose.poses import PoseSequence
from ampose.render.style import person_colour
from ampose.report import Report, report_of
from ampose.report.assembly import MOST_PEOPLE, MOST_PHOTOS
from ampose.report.curves import BUCKETS
from ampose.report.files import write_report
from tests.report.pages import Page, paper
from tests.report.recordings import bending, photos

KINDS = ("html", "pdf")


def written(report: Report, folder: Path) -> tuple[Page, str]:
    write_report(report, str(folder), KINDS)
    return Page(folder / "report.html"), " ".join(paper(folder / "report.pdf"))


KNEES = ("knee_flexion",)


def told(
    sequence: PoseSequence,
    folder: Path,
    *,
    angles: tuple[str, ...] | None = KNEES,
    preset: Preset | None = None,
    corrections: Corrections | None = None,
) -> tuple[Page, str]:
    made = {"made from": "poses.npz"}
    report = report_of(
        sequence,
        title="clip.mp4",
        angles=angles,
        preset=preset,
        corrections=corrections,
        made=made,
    )
    return written(report, folder)


def test_both_say_what_there_is(tmp_path: Path) -> None:
    recording = bending(warnings=("One view does not show it.",), provenance={"ampose": "0.1.0"})
    page, text = told(recording, tmp_path, angles=None)
    for said in (page.text, text):
        for part in (
            "clip.mp4",
            "0.32 s, 9 frames, 25 frames/s, 1 person",
            NOTICE,
            "Person 0",
            "View: frontal",
            "Range of motion",
            "knee flexion, left",
            "Data quality",
            "valid frames",
            "9 of 9 (100 %)",
            "One view does not show it.",
            "Up is estimated from foot contacts.",
            "What the angles are",
            "180 degrees less the angle hip, knee, ankle",
            "Provenance",
            "poses.npz",
            "± one standard deviation",
        ):
            assert part in said
    (range_,) = re.findall(r"knee flexion, left ([\d± ]+?) 0\.00 ([\d± ]+?) 0\.16 ([\d± ]+)", text)
    assert [part.split(" ± ")[0] for part in range_] == ["0", "80", "80"]


def test_a_page_needs_nothing_else(tmp_path: Path) -> None:
    page, _ = told(bending(), tmp_path)
    (policy,) = (each["content"] for each in page.of("meta") if "http-equiv" in each)
    assert "default-src 'none'" in policy
    assert not re.findall(r"(?:https?:)?//[\w.-]+\.\w", page.source)
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert not {"link", "iframe", "object", "base", "form"} & {tag for tag, _ in page.tags}
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", page.source)


def test_ids_in_a_page_are_unique(tmp_path: Path) -> None:
    page, _ = told(bending(9, 2), tmp_path)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = re.findall(r"url\(#([\w-]+)\)", page.source)
    assert used
    assert set(used) <= set(ids)


def test_curves_have_sides_in_colour_and_line_style(tmp_path: Path) -> None:
    page, _ = told(bending(), tmp_path)
    (plot,) = (each for each in page.of("svg"))
    assert plot["aria-label"].startswith("knee flexion")
    styles = [each.get("style", "") for each in page.of("path") if "clip-path" in each]
    lines = [style for style in styles if "fill: none" in style and "var(--line)" not in style]
    left, right = lines
    assert "var(--c0)" in left
    assert "dasharray" not in left
    assert "var(--c1)" in right
    assert "dasharray" in right
    assert len(bands(page)) == 2


def bands(page: Page) -> list[str]:
    styles = [attributes.get("style", "") for _, attributes in page.tags]
    return [style for style in styles if "fill-opacity" in style]


def test_without_sigma_there_are_no_bands(tmp_path: Path) -> None:
    page, text = told(bending(sigma=np.nan), tmp_path)
    assert "gives no standard deviations" in text
    assert not bands(page)
    assert "knee flexion, left 0 0.00 80 0.16 80" in page.text


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    both = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        told(bending(), tmp_path / name)
        both.append([(tmp_path / name / f"report.{kind}").read_bytes() for kind in KINDS])
    assert both[0] == both[1]


EVIL = '</script><script>alert(1)</script><img src=x onerror=alert(2)> & "quoted" $a_b$'


def test_text_from_files_is_text(tmp_path: Path) -> None:
    recording = bending(warnings=(EVIL,), provenance={"source": EVIL, EVIL: EVIL})
    told_quality = {"people": [{"id": 0, "reprojection_pixels": 1.0}]}
    recording = replace(recording, quality=told_quality)
    event = Event(EVIL, 0, 4, 0.16, EVIL)
    page, text = written(report_with_event(recording, event), tmp_path)
    assert page.text.count("alert(1)") >= 5
    assert len(page.of("script")) == 2
    assert not [img for img in page.of("img") if "onerror" in img]
    assert page.motion["events"][0]["label"] == EVIL.replace("_", " ")
    assert '& "quoted" $a_b$' in text


def report_with_event(recording: PoseSequence, event: Event) -> Report:
    squat = PRESETS["squat"]
    odd = replace(squat, rules={**squat.rules, event.name: event.rule})
    corrections = Corrections((event,), frozenset({(0, name) for name in odd.rules}))
    return report_of(recording, title=EVIL, angles=KNEES, preset=odd, corrections=corrections)


def test_names_in_any_writing(tmp_path: Path) -> None:
    name = "試験 видео \u202egpm.exe \ud800\x07"
    report = report_of(bending(warnings=(name,)), title=name, angles=KNEES)
    page, text = written(report, tmp_path)
    assert "試験 видео <U+202E>gpm.exe <U+D800>" in page.text
    # where no font of this machine has Chinese letters, their code points
    assert re.search(r"(試験|<U\+8A66><U\+9A13>) видео <U\+202E>gpm\.exe <U\+D800>", text)


def test_a_preset_marks_events_and_lists_repetitions(tmp_path: Path) -> None:
    squat = PRESETS["squat"]
    names = ("start", "bottom", "top")
    events = tuple(
        Event(n, 0, f, f / 25, "set by hand") for n, f in zip(names, (0, 4, 8), strict=True)
    )
    corrections = Corrections(events, frozenset((0, name) for name in squat.rules))
    page, text = told(bending(), tmp_path, angles=None, preset=squat, corrections=corrections)
    for said in (page.text, text):
        assert "bottom, 0.16 s" in said
        assert "Each repetition" in said
        assert "1: knee flexion, left" in said
        assert "set by hand" in said
        assert "squat" in said
    assert [event["label"] for event in page.motion["events"]] == list(names)
    jumps = [b["data-frame"] for b in page.of("button") if "data-frame" in b]
    assert jumps == ["0", "4", "8", "0", "4", "8"]  # key frames, then events


def test_long_recordings_are_thinned_and_say_so(tmp_path: Path) -> None:
    frames = 20 * BUCKETS
    page, text = told(bending(frames), tmp_path)
    assert "tables are computed from every frame" in text
    assert len(page.source) < 1_500_000
    page, text = told(bending(50), tmp_path)
    assert "tables are computed" not in text


def test_a_crowd(tmp_path: Path) -> None:
    crowd = bending(9, 25)
    crowd.valid[:5, :3] = False
    page, text = told(crowd, tmp_path)
    assert f"Of 25 people the {MOST_PEOPLE} are shown who are there in the most frames" in text
    assert "Person 3 View" in page.text
    assert "Person 2 View" not in page.text
    assert page.motion["shape"][1] == 25


def test_people_have_the_same_colours_on_paper(tmp_path: Path) -> None:
    """As in the pictures and in the 3D view, which go by the id and not by the place."""
    told(replace(bending(9, 2), ids=np.array([3, 5])), tmp_path)
    pages = PdfReader(tmp_path / "report.pdf").pages
    drawn = b"".join(page.get_contents().get_data() for page in pages)
    strokes = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) RG", drawn)
    colours = {tuple(round(255 * float(part)) for part in stroke) for stroke in strokes}
    assert {person_colour(3), person_colour(5)} <= colours
    assert not {person_colour(0), person_colour(1)} & colours


@pytest.mark.parametrize("count", [1, 3, MOST_PHOTOS + 2])
def test_photos(tmp_path: Path, count: int) -> None:
    page, text = told(photos(count, 2), tmp_path)
    assert not page.of("svg")
    assert "knee flexion, left 0 0" in text
    assert ("ampose angles writes all" in text) == (count > MOST_PHOTOS)
    assert "seconds" not in text
    assert page.motion["times"] is None


def test_nobody(tmp_path: Path) -> None:
    nobody = bending().only([])
    absent = bending()
    absent.valid[:] = False
    for sequence in (nobody, absent, photos(1).only([])):
        page, text = told(sequence, tmp_path)
        for said in (page.text, text):
            assert "Nobody was found, so there are no angles." in said
            assert "Range of motion" not in said
        assert "application/json" not in page.scripts


def test_who_is_there_in_one_frame_only(tmp_path: Path) -> None:
    recording = bending()
    recording.valid[1:] = False
    _, text = told(recording, tmp_path)
    assert "1 of 9 (11 %)" in text


def test_no_place_and_no_world(tmp_path: Path) -> None:
    recording = bending()
    nowhere = np.full_like(recording.world, np.nan)
    recording = replace(
        recording, world=nowhere, world_frame={}, root=np.full_like(recording.root, np.nan)
    )
    _, text = told(recording, tmp_path)
    assert "the camera is assumed to be held level" in text


def test_another_joint_set_and_photos_with_a_preset() -> None:
    with pytest.raises(InputError, match="times"):
        report_of(photos(3), title="", preset=PRESETS["squat"])
    with pytest.raises(InputError, match="unknown angle"):
        report_of(bending(), title="", angles=["knees"])


def test_the_users_settings_of_matplotlib_do_not_matter(tmp_path: Path) -> None:
    import matplotlib as mpl

    told(bending(), tmp_path)
    before = (tmp_path / "report.html").read_bytes()
    with mpl.rc_context({"font.size": 30, "axes.spines.left": False}):
        told(bending(), tmp_path)
        assert mpl.rcParams["font.size"] == 30
    assert (tmp_path / "report.html").read_bytes() == before


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    report = report_of(bending(), title="clip.mp4", angles=KNEES)
    for kind in KINDS:
        place = tmp_path / kind
        (place / f"report.{kind}").mkdir(parents=True)  # in the way
        with pytest.raises(InputError, match=f"cannot write .*report.{kind}"):
            write_report(report, place, [kind])
        assert [path.name for path in place.iterdir()] == [f"report.{kind}"]

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ampose.research.data import inventory, open_mocap_clips
from ampose.research.data.open_mocap_clips import Key, KnownClip, digest
from tests.research.human36m_files import write_human36m
from tests.research.mpi_inf_3dhp_files import write_npz_test
from tests.research.packs import write_data, write_pack


def parts(folder: Path) -> dict[str, inventory.Part]:
    return {part.name: part for part in inventory.inspect(folder)}


def test_an_empty_folder_lacks_everything(tmp_path: Path) -> None:
    found = parts(tmp_path)
    assert not any(part.usable or part.official for part in found.values())
    assert "data_3d_h36m.npz: no such file" in found[inventory.HUMAN36M_GT].finding
    assert "3dhp" in found[inventory.MPI_TEST].finding
    assert "cmu.npz: no such file" in found[inventory.OPEN_CMU].finding
    assert "hdm05.npz: no such file" in found[inventory.OPEN_HDM05].finding


def test_generated_files_are_usable_and_not_official(tmp_path: Path) -> None:
    write_human36m(tmp_path, frames=1, keypoints=("gt", "sh_ft_h36m"))
    write_npz_test(tmp_path)
    write_data(tmp_path)
    found = parts(tmp_path)
    usable = {name for name, part in found.items() if part.usable}
    assert usable == {
        inventory.HUMAN36M_GT,
        "Human3.6M, keypoints sh_ft_h36m",  # found by its name, 16 joints
        inventory.MPI_TEST,
        *(inventory.OPEN_CMU, inventory.OPEN_MESH2MOTION, inventory.OPEN_HDM05),
    }
    finding = found[inventory.HUMAN36M_GT].finding
    assert "not known as the frame counts of the published data" in finding
    assert not found[inventory.HUMAN36M_GT].official
    assert not any(found[name].official for name in usable)
    assert found[inventory.OPEN_MESH2MOTION].finding == "200 frames; for training only"


class TestOpenPacks:
    """Whether scores on a pack compare with ours, which here have its three clips alone."""

    @pytest.fixture
    def ours(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Key, KnownClip]:
        subjects = ("1", "8", "2", "5")
        own = {"subject": np.array(subjects), "skeleton": np.array(["asf-own"] * 4)}
        with np.load(write_pack(tmp_path / "cmu.npz", **own)) as file:
            clips = file["positions"][80:].reshape(3, 40, 17, 3)
        table = {
            ("cmu", subject, "1"): KnownClip("asf-own", "", 40, digest(clip), (0,) * 8)
            for subject, clip in zip(subjects[1:], clips, strict=True)
        }
        monkeypatch.setattr(open_mocap_clips, "known_clips", lambda: table)
        return table

    def test_as_ours(self, tmp_path: Path, ours: dict[Key, KnownClip]) -> None:
        part = parts(tmp_path)[inventory.OPEN_CMU]
        assert part.finding == (
            "200 frames; validation and test clips: 3 the same as ours; "
            "scores compare with results/"
        )
        assert part.usable
        assert part.official

    def test_not_as_ours(self, tmp_path: Path, ours: dict[Key, KnownClip]) -> None:
        ours["cmu", "5", "1"] = replace(ours["cmu", "5", "1"], frames=41)
        ours["cmu", "8", "2"] = ours["cmu", "127", "3"] = ours.pop(("cmu", "2", "1"))
        part = parts(tmp_path)[inventory.OPEN_CMU]
        assert part.finding == (
            "200 frames; validation and test clips: 1 the same as ours, 1 differ, 2 missing, "
            "1 new; scores do not compare with results/"
        )
        assert part.usable
        assert not part.official

    def test_in_another_order(self, tmp_path: Path, ours: dict[Key, KnownClip]) -> None:
        ours["cmu", "2", "1"] = ours.pop(("cmu", "2", "1"))
        assert parts(tmp_path)[inventory.OPEN_CMU].finding.endswith(
            "3 the same as ours, in another order; scores do not compare with results/"
        )


def test_every_table_needs_parts_that_are_inspected(tmp_path: Path) -> None:
    assert list(inventory.NEEDS) == [f"4.{k}" for k in range(1, 10)]
    assert {name for needed in inventory.NEEDS.values() for name in needed} <= parts(
        tmp_path
    ).keys()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere: no such folder"):
        parts(tmp_path / "nowhere")

from __future__ import annotations

from pathlib import Path

import pytest

from ampose.research.data import inventory
from tests.research.human36m_files import write_human36m
from tests.research.mpi_inf_3dhp_files import write_npz_test
from tests.research.packs import write_data


def parts(folder: Path) -> dict[str, inventory.Part]:
    return {part.name: part for part in inventory.inspect(folder)}


def test_an_empty_folder_lacks_everything(tmp_path: Path) -> None:
    found = parts(tmp_path)
    assert not any(part.usable or part.official for part in found.values())
    assert "data_3d_h36m.npz: no such file" in found[inventory.HUMAN36M_GT].finding
    assert "3dhp" in found[inventory.MPI_TEST].finding
    assert "cmu.npz: no such file" in found[inventory.OPEN].finding


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
        inventory.OPEN,
    }
    finding = found[inventory.HUMAN36M_GT].finding
    assert "not known as the frame counts of the published data" in finding
    assert not found[inventory.HUMAN36M_GT].official
    assert found[inventory.OPEN].finding == "600 frames"


def test_every_table_needs_parts_that_are_inspected(tmp_path: Path) -> None:
    assert list(inventory.NEEDS) == [f"4.{k}" for k in range(1, 10)]
    assert {name for needed in inventory.NEEDS.values() for name in needed} <= parts(
        tmp_path
    ).keys()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere: no such folder"):
        parts(tmp_path / "nowhere")

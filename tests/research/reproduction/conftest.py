from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.lcn import LCNConfig
from ampose.research.models.mhformer import MHFormerConfig
from ampose.research.models.refiner import RefinedConfig
from ampose.research.recipes import RECIPES, Licensed
from ampose.research.reproduction.laboratory import Laboratory
from ampose.research.reproduction.runs import Training
from tests.research.human36m_files import write_human36m
from tests.research.mpi_inf_3dhp_files import write_npz_test, write_npz_train
from tests.research.reproduction.runs import silent


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of temporary folders."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return folder


SMALL: dict[type, dict[str, int]] = {
    AMPoseConfig: {"depth": 1, "width": 16},
    LCNConfig: {"blocks": 1, "width": 8},
    MHFormerConfig: {"generation_depth": 1, "width": 16, "hidden": 32},
}
"""The networks that tests train; of the others no test needs a run."""


@pytest.fixture
def small_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Licensed recipes of these networks are done in a second."""

    def small(model: object) -> object:
        if isinstance(model, RefinedConfig):
            return replace(model, base=small(model.base), hidden=8)
        return replace(model, **SMALL[type(model)])

    for name, recipe in RECIPES.items():
        trained = type(recipe.model) in (*SMALL, RefinedConfig)
        if trained and isinstance(recipe.data, Licensed) and name.startswith(("h36m", "3dhp")):
            changed = replace(recipe, model=small(recipe.model), epochs=2, batch=512)
            monkeypatch.setitem(RECIPES, name, changed)


@pytest.fixture(scope="session")
def licensed_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated files of Human3.6M and MPI-INF-3DHP in one folder."""
    folder = tmp_path_factory.mktemp("licensed")
    write_human36m(folder, frames=1)
    write_npz_train(folder)
    write_npz_test(folder)
    return folder


@pytest.fixture
def laboratory(tmp_path: Path, licensed_data: Path, small_recipes: None) -> Laboratory:
    """Everything at hand, but not the published data."""
    return Laboratory(tmp_path / "runs", licensed_data, Training(licensed_data, silent, 1))

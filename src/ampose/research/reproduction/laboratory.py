"""Where the thesis's rows are measured: licensed data, runs, and what counts as a measurement.

Only weights trained on the complete published data, with the recipe as it is, scored on the
complete published test set, are a measurement. Anything else is a trial: generated or partial
data, or other epochs. A trial's runs and results go into a temporary folder and nowhere else.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from ampose.research.data.pose_set import DatasetError, PoseSet
from ampose.research.evaluation import licensed
from ampose.research.recipes import RECIPES, Licensed, Recipe
from ampose.research.reproduction.runs import (
    NOT_RUN,
    Training,
    device,
    first_of,
    is_finished,
    require_official,
    run_folder,
)
from ampose.research.training.checkpoint import WEIGHTS, load_weights

DATASETS = {
    "human3.6m": "Human3.6M",
    "mpi-inf-3dhp": "MPI-INF-3DHP",
    "humaneva": "HumanEva-I",
}
"""Names of the datasets as tables show them."""


class NotMeasuredError(ValueError):
    """A cell stays without a number; the message is what it says instead.

    Attributes:
        reason: the line of the loader that did not find its files, or empty.
    """

    def __init__(self, cell: str, reason: str = "") -> None:
        super().__init__(cell)
        self.reason = reason


@dataclass(frozen=True)
class Specimen:
    """A finished run and the test set that it is to be scored on.

    Attributes:
        run: its folder.
        options: how the set is seen.
        poses: the test set.
        is_trial: whether its scores are no measurement.
    """

    run: Path
    options: Licensed
    poses: PoseSet
    is_trial: bool

    def predict(self, poses: PoseSet) -> licensed.Array:
        """The run's predictions for poses: (N, J, 3) metres, camera axes, root-relative."""
        model = load_weights(self.run / WEIGHTS).to(device())
        mirror = self.options.mirror_test
        return licensed.predict(model, poses, mirror=mirror, device=device())


@dataclass(frozen=True)
class Laboratory:
    """Where licensed data and runs lie, and whether to train.

    Attributes:
        runs: folder of run folders.
        data: folder of the datasets' files; None where there is none.
        training: how to train what is missing; None does not.
        epochs: instead of the recipes', which makes everything a trial.
    """

    runs: Path
    data: Path | None = None
    training: Training | None = None
    epochs: int | None = None

    @cached_property
    def trial(self) -> Path:
        """Folder of everything that is no measurement, made when it is first asked for."""
        return Path(tempfile.mkdtemp(prefix="ampose-trial-"))

    def recipe(self, name: str) -> Recipe:
        """A recipe with the epochs asked for."""
        recipe = RECIPES[name]
        return recipe if self.epochs is None else replace(recipe, epochs=self.epochs)

    def finished(self, recipe: Recipe) -> Path | None:
        """The folder of a run whose weights may be measured, if there is one.

        Raises:
            ValueError: the folder holds a run of another recipe or of other data.
        """
        folder = run_folder(self.runs, recipe)
        if self.epochs is not None or not is_finished(folder, recipe):
            return None
        require_official(folder, recipe)
        return folder

    def outlook(self, recipe: Recipe, dataset: str) -> str:
        """What `specimen` would do; trains nothing."""
        try:
            run = self.finished(recipe)
            test, train = self._parts(recipe, dataset, run)
        except NotMeasuredError as error:
            return str(error)
        if not self._official(test, train):
            return "can be tried, not measured"
        return "can be measured" if run else "can be trained and measured"

    def specimen(self, recipe: Recipe, dataset: str) -> Specimen:
        """A recipe's run, trained if it is missing, and the test set of a dataset.

        Raises:
            NotMeasuredError: data is not at hand, or the run is missing and may not be trained.
            ValueError: the folder of the run holds another one.
            KeyboardInterrupt: after saving, so that the same call goes on.
        """
        run = self.finished(recipe)
        test, train = self._parts(recipe, dataset, run)
        if run is None:
            if self.training is None:
                raise NotMeasuredError(NOT_RUN)
            is_trial = not self._official(train)
            if recipe.start_from is not None and not is_trial:
                self.finished(first_of(recipe))  # refuses to start from weights of a trial
            run = self.training(recipe, self.trial / "runs" if is_trial else self.runs)
        is_trial = not self._official(test, train)
        return Specimen(run, options_on(recipe, dataset), test, is_trial)

    def _official(self, *parts: PoseSet | None) -> bool:
        return self.epochs is None and all(part is None or part.official for part in parts)

    def _parts(
        self, recipe: Recipe, dataset: str, run: Path | None
    ) -> tuple[PoseSet, PoseSet | None]:
        """The test set, and the training set where there is no run yet."""
        lacking: dict[str, str] = {}

        def load(options: Licensed, part: Literal["train", "test"]) -> PoseSet | None:
            try:
                if self.data is None:
                    raise DatasetError("no data was given; --data says in which folder it is")
                return licensed.load_part(options, recipe.model, self.data, part)
            except DatasetError as error:
                lacking[DATASETS[options.dataset]] = str(error)
                return None

        assert isinstance(recipe.data, Licensed)
        train = load(recipe.data, "train") if run is None else None
        test = load(options_on(recipe, dataset), "test")
        if test is None or lacking:
            reasons = dict.fromkeys(lacking.values())
            raise NotMeasuredError(f"needs {' and '.join(lacking)}", "; ".join(reasons))
        return test, train


def options_on(recipe: Recipe, dataset: str) -> Licensed:
    """How a recipe's lifter sees the test set of a dataset: true 2D where it is another one."""
    assert isinstance(recipe.data, Licensed)
    if recipe.data.dataset == dataset:
        return recipe.data
    return replace(recipe.data, dataset=dataset, keypoints="gt")  # type: ignore[arg-type]


def protocol_name(options: Licensed, convention: str) -> str:
    """The key under which scores are kept."""
    mirror = "mirrored too" if options.mirror_test else "not mirrored"
    return f"{options.dataset} test, {options.keypoints}, {mirror}, {convention}"

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ampose.research.data.batches import mirrored
from ampose.research.data.pose_set import DatasetError, PoseSet
from ampose.research.evaluation import licensed
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.refiner import RefinedConfig
from ampose.research.models.zoo import build
from ampose.research.recipes import RECIPES, Licensed
from tests.research.human36m_files import write_human36m
from tests.research.humaneva_files import write_humaneva
from tests.research.mpi_inf_3dhp_files import write_npz_test, write_npz_train
from tests.research.training.runs import camera_clips


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder with every dataset, as a user would have it."""
    folder = tmp_path_factory.mktemp("data")
    write_human36m(folder, frames=1)
    write_humaneva(folder)
    write_npz_train(folder)
    write_npz_test(folder)
    return folder


class Copy(nn.Module):
    """Answers with the input of its middle frame, depth 0."""

    def __init__(self, **changes: object) -> None:
        super().__init__()
        self.config = AMPoseConfig(depth=1, width=16, **changes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(x[:, x.shape[1] // 2], (0, 1))


class TestPredict:
    poses: PoseSet = camera_clips()

    def test_the_predicted_root_is_subtracted(self) -> None:
        out = licensed.predict(Copy(frames=3), self.poses, mirror=False)
        inputs = self.poses.inputs
        assert (out.shape, out.dtype) == ((23, 17, 3), np.float32)
        np.testing.assert_allclose(out[..., :2], inputs - inputs[:, :1], atol=1e-6)
        assert not out[..., 2].any()

    def test_batches_do_not_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        torch.manual_seed(0)
        model = build(AMPoseConfig(depth=1, width=16, frames=3)).eval()
        whole = licensed.predict(model, self.poses, mirror=True)
        monkeypatch.setattr(licensed, "BATCH", 5)
        np.testing.assert_allclose(
            licensed.predict(model, self.poses, mirror=True), whole, atol=1e-6
        )

    def test_mirroring_makes_the_answer_symmetric(self) -> None:
        torch.manual_seed(0)
        model = build(AMPoseConfig(depth=1, width=16)).eval()
        order = self.poses.joints.mirror
        one = licensed.predict(model, self.poses, mirror=False)
        with torch.no_grad():
            flipped = torch.from_numpy(mirrored(self.poses.inputs, order))[:, None]
            other = mirrored(model(flipped).numpy(), order)
        expected = (one + other - other[:, :1]) / 2
        both = licensed.predict(model, self.poses, mirror=True)
        np.testing.assert_allclose(both, expected, atol=1e-6)
        assert np.abs(both - one).max() > 1e-3

    @pytest.mark.parametrize("mirror", [False, True])
    def test_a_refined_model_answers_with_its_refined_pose(self, mirror: bool) -> None:
        """With the weights of x and y at 0, they come from rays and depth alone."""
        torch.manual_seed(0)
        model = build(RefinedConfig(AMPoseConfig(depth=1, width=16), hidden=8)).eval()
        with torch.no_grad():
            model.refiner[3].weight.zero_()
            model.refiner[3].bias.fill_(-100)
        out = licensed.predict(model, self.poses, mirror=mirror)
        depth = out[..., 2] + self.poses.root_depth[:, None]
        points = self.poses.rays * depth[..., None]
        if mirror:  # the mean of two depths, so of two points on one ray
            np.testing.assert_allclose(
                out[..., :2], points - points[:, :1], atol=2e-2 * np.abs(points).max()
            )
        else:
            np.testing.assert_allclose(out[..., :2], points - points[:, :1], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "part", "subjects", "joints"),
    [
        ("h36m-cpn-17", "train", {"S1", "S5", "S6", "S7", "S8"}, "h36m_17"),
        ("h36m-gt-16", "test", {"S9", "S11"}, "h36m_16"),
        ("h36m-cpn-16-toes", "test", {"S9", "S11"}, "h36m_16"),
        ("3dhp-9", "test", {f"TS{k}" for k in range(1, 7)}, "mpi_3dhp_17"),
        ("humaneva-gt", "train", {"S1", "S2", "S3"}, "humaneva_15"),
    ],
)
def test_every_recipe_finds_its_part(
    data: Path, name: str, part: str, subjects: set[str], joints: str
) -> None:
    recipe = RECIPES[name]
    poses = licensed.load_part(recipe.data, recipe.model, data, part)
    assert set(poses.subjects) == subjects
    assert poses.skeleton == joints
    assert poses.inputs.shape[-1] == recipe.model.channels
    assert not poses.official


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    recipe = RECIPES["h36m-cpn-17"]
    with pytest.raises(DatasetError, match=r"data_3d_h36m.npz: no such file"):
        licensed.load_part(recipe.data, recipe.model, tmp_path, "test")


def test_humaneva_in_another_joint_set_is_refused(data: Path) -> None:
    with pytest.raises(ValueError, match="has the joints humaneva_15, not h36m_17"):
        licensed.load_part(Licensed("humaneva"), AMPoseConfig(), data, "train")


@pytest.mark.parametrize(
    ("dataset", "last"),
    [("human3.6m", "average"), ("mpi-inf-3dhp", "all"), ("humaneva", "average")],
)
def test_a_perfect_lifter_makes_no_errors(data: Path, dataset: str, last: str) -> None:
    joints = {"mpi-inf-3dhp": "mpi_3dhp_17", "humaneva": "humaneva_15"}.get(dataset, "h36m_17")
    poses = licensed.load_part(Licensed(dataset), AMPoseConfig(skeleton=joints), data, "test")
    rows = licensed.score(dataset, poses.targets, poses)
    assert last in rows[-1].values()
    assert {row["mpjpe"] for row in rows} == {0.0}
    assert licensed.conventions(dataset)

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ampose.research.data.batches import windows
from ampose.research.evaluation import licensed
from ampose.research.evaluation.open_protocol import load_set
from ampose.research.recipes import RECIPES
from ampose.research.reproduction.laboratory import Laboratory, NotMeasuredError
from ampose.research.reproduction.samples import (
    FIGURES,
    alone,
    licensed_samples,
    open_samples,
    spaced,
)
from tests.research.packs import write_data, write_pack
from tests.research.training.runs import camera_clips


@pytest.mark.parametrize(
    ("count", "expected"),
    [(10, [1, 3, 5, 7, 9]), (5, [0, 1, 2, 3, 4]), (3, [0, 1, 2]), (1, [0])],
)
def test_frames_are_evenly_spaced(count: int, expected: list[int]) -> None:
    frames = np.arange(count) * 10
    assert spaced(frames).tolist() == [10 * place for place in expected]


def test_frames_alone_are_the_same_frames() -> None:
    poses = camera_clips()
    frames = np.array([0, len(poses) - 1, 3])
    chosen = alone(poses, frames)
    assert chosen.clip_count == len(chosen) == 3
    np.testing.assert_array_equal(chosen.targets, poses.targets[frames])
    np.testing.assert_array_equal(chosen.inputs, poses.inputs[frames])
    np.testing.assert_array_equal(windows(chosen, np.arange(3), 1)[:, 0], poses.inputs[frames])
    assert chosen.cameras.tolist() == poses.per_frame(poses.cameras)[frames].tolist()
    assert chosen.actions.tolist() == poses.per_frame(poses.actions)[frames].tolist()
    assert chosen.official == poses.official


class TestLicensed:
    @pytest.mark.parametrize("number", FIGURES)
    def test_generated_data_is_a_trial(self, laboratory: Laboratory, number: str) -> None:
        samples = licensed_samples(FIGURES[number], laboratory)
        assert samples.is_trial
        joints = len(samples.skeleton)
        assert joints == {"4.3": 17, "4.4": 16, "4.5": 16}[number]
        assert samples.keypoints.shape == (5 if number != "4.5" else 3, joints, 2)
        assert samples.predicted.shape == samples.target.shape == (len(samples.titles), joints, 3)
        assert not samples.predicted[:, 0].any()
        assert not laboratory.runs.exists()

    def test_scenes(self, laboratory: Laboratory) -> None:
        indoors = licensed_samples(FIGURES["4.4"], laboratory)
        outdoors = licensed_samples(FIGURES["4.5"], laboratory)
        assert {title.split(",")[0] for title in indoors.titles} <= {"TS1", "TS2", "TS3", "TS4"}
        # TS5 has two valid frames and TS6 one.
        assert [title.split(",")[0] for title in outdoors.titles] == ["TS5", "TS5", "TS6"]

    def test_predictions_belong_to_their_frames(
        self, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def predict(model: object, poses: object, **options: object) -> np.ndarray:
            return np.array(poses.targets) + 0.001

        monkeypatch.setattr(licensed, "predict", predict)
        samples = licensed_samples(FIGURES["4.3"], laboratory)
        np.testing.assert_allclose(samples.predicted - samples.target, 0.001, atol=1e-6)
        assert samples.titles[0].startswith("S9, Eating 1, camera ")
        assert samples.titles[-1].startswith("S11, ")

    def test_without_data_there_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(NotMeasuredError, match=r"needs Human3\.6M"):
            licensed_samples(FIGURES["4.3"], Laboratory(tmp_path))

    def test_figures_show_lifters_of_one_frame(self) -> None:
        assert {RECIPES[shown.recipe].model.frames for shown in FIGURES.values()} == {1}


class TestOpen:
    def test_are_the_protocols_frames_by_class(self, tmp_path: Path) -> None:
        data = write_data(tmp_path / "data")
        write_pack(
            data / "hdm05.npz",
            split=np.array(["test"] * 4),
            skeleton=np.array(["fbx"] * 4),
            description=np.array(["c", "a", "b", "a"]),
        )
        seen: list[int] = []

        def lift(inputs: np.ndarray) -> np.ndarray:
            seen.append(len(inputs))
            return np.ones_like(inputs)

        samples = open_samples(data, lift, "mine")
        assert seen == [5]  # only those shown are predicted
        assert not samples.predicted.any()  # the root is subtracted
        # 80 frames of class c, 40 + 40 of a and 40 of b: places 20, 60, 100, 140, 180.
        assert samples.titles == ["a", "a", "b", "c", "c"]
        chosen = load_set("hdm05", data)
        for pose, keypoints in zip(samples.target, samples.keypoints, strict=True):
            place = np.flatnonzero((chosen.joints["template"] == pose).all((1, 2)))
            np.testing.assert_array_equal(
                chosen.pixels["template", "detector"][place[0]], keypoints
            )
        assert "mine" in samples.caption

    def test_a_known_focal_length_is_that_of_the_frame(self, tmp_path: Path) -> None:
        """A lifter that answers with its rays tells which focal length was used."""
        data = write_data(tmp_path / "data")
        lift = lambda inputs: inputs  # noqa: E731
        one = open_samples(data, lift, "mine")
        chosen = load_set("hdm05", data)
        sameless = replace(chosen, focal=chosen.focal * 2)
        from ampose.research.evaluation.open_protocol import predict
        from ampose.research.reproduction.samples import spaced as places

        frames = places(np.argsort(chosen.classes, kind="stable"))
        pixels = chosen.pixels["template", "detector"]
        whole = predict(lift, chosen, pixels, focal="known")[frames]
        np.testing.assert_allclose(one.predicted, whole)
        other = predict(lift, sameless, pixels, focal="known")[frames]
        assert np.abs(other - whole).max() > 1e-3

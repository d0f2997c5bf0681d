"""Figures: what is drawn can be read back from the figure itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib import colors
from PIL import Image

from ampose.research.reproduction.figures import COLOURS, draw, lift_figure, save_figure
from ampose.research.reproduction.samples import Samples
from ampose.skeletons import H36M_16, H36M_17, MPI_3DHP_17, Skeleton
from tests.research.packs import poses


def samples(count: int, skeleton: Skeleton = H36M_17) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    target = poses(count, 3)[:, : len(skeleton)]
    return target[..., :2] * 300, target + rng.normal(0, 0.03, target.shape), target


def titles(count: int) -> list[str]:
    return [f"sample {number}" for number in range(count)]


@pytest.mark.parametrize("skeleton", [H36M_17, H36M_16, MPI_3DHP_17], ids=lambda s: s.name)
def test_three_panels_per_sample_and_every_bone_in_each(skeleton: Skeleton) -> None:
    figure = lift_figure(*samples(2, skeleton), skeleton, titles(2))
    assert len(figure.axes) == 6
    for axes in figure.axes:
        lines = [line for line in axes.lines if len(line.get_xdata()) == 2]
        assert len(lines) == len(skeleton.edges)
        for line, (_, child) in zip(lines, skeleton.edges, strict=True):
            assert line.get_color() == COLOURS[skeleton.side(child)]
            assert (line.get_linestyle() == "-") == (skeleton.side(child) != "right")


def test_panels_hold_their_joints() -> None:
    keypoints, predicted, target = samples(1)
    flat, left, right = lift_figure(keypoints, predicted, target, H36M_17, ["a"]).axes
    (dots,) = (line for line in flat.lines if len(line.get_xdata()) == 17)
    np.testing.assert_allclose(np.stack(dots.get_data(), axis=-1), keypoints[0])
    for axes, pose in ((left, predicted[0]), (right, target[0])):
        (dots,) = (line for line in axes.lines if len(line.get_xdata()) == 17)
        across, away, up = dots.get_data_3d()
        np.testing.assert_allclose(np.stack([across, -np.asarray(up), away], axis=-1), pose)


def test_the_picture_is_upright_and_left_stays_left() -> None:
    keypoints, predicted, target = samples(1)
    flat = lift_figure(keypoints, predicted, target, H36M_17, ["a"]).axes[0]
    assert flat.yaxis_inverted()
    assert not flat.xaxis_inverted()
    assert flat.get_aspect() == 1


def test_every_pose_has_one_view_and_one_scale() -> None:
    keypoints, predicted, target = samples(3)
    predicted[1] *= 1.7
    figure = lift_figure(keypoints, predicted, target, H36M_17, titles(3))
    solid = [axes for axes in figure.axes if hasattr(axes, "get_zlim")]
    assert len(solid) == 6
    reach = max(np.abs(predicted).max(), np.abs(target).max())
    limits = {(*axes.get_xlim(), *axes.get_ylim(), *axes.get_zlim()) for axes in solid}
    assert len(limits) == 1
    (limit,) = limits
    np.testing.assert_allclose(np.abs(limit), np.ceil(reach * 10) / 10)
    assert len({(axes.elev, axes.azim) for axes in solid}) == 1


def test_errors_and_titles_are_printed() -> None:
    keypoints, _, target = samples(2)
    predicted = target.copy()
    predicted[1, :, 2] += 0.085
    figure = lift_figure(keypoints, predicted, target, H36M_17, ["one", "two"], caption="where")
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert [word for word in words if word] == ["MPJPE 0 mm", "MPJPE 85 mm"]
    assert [axes.get_xlabel() for axes in figure.axes[::3]] == ["one", "two"]
    around = [text.get_text() for text in figure.texts]
    assert {"input 2D", "predicted 3D", "true 3D"} < set(around)
    assert around[-1].startswith("where\n")


def test_missing_keypoints_are_left_out() -> None:
    keypoints, predicted, target = samples(1)
    keypoints[0, 13] = np.nan
    figure = lift_figure(keypoints, predicted, target, H36M_17, ["a"])
    drawn = [line for line in figure.axes[0].lines if np.isfinite(np.stack(line.get_data())).all()]
    assert len(drawn) == 15  # of 16 bones and the dots: one bone and, in the dots, one joint


def test_sides_can_be_told_apart_without_colour() -> None:
    grey = [
        0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(colors.to_rgb, COLOURS.values())
    ]
    assert len(set(grey)) == 3


@pytest.mark.parametrize(
    "broken",
    [
        {"titles": []},
        {"titles": ["a"]},
        {"keypoints": np.zeros((2, 17, 3))},
        {"predicted": np.zeros((2, 16, 3))},
        {"target": np.zeros((1, 17, 3))},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_what_does_not_fit_is_refused(broken: dict[str, object]) -> None:
    keypoints, predicted, target = samples(2)
    given = {"keypoints": keypoints, "predicted": predicted, "target": target}
    given |= {"skeleton": H36M_17, "titles": ["a", "b"], **broken}
    with pytest.raises(ValueError, match="titles and 17 joints need"):
        lift_figure(**given)


class TestFiles:
    def test_png_and_pdf_complete_and_the_same_every_time(self, tmp_path: Path) -> None:
        for folder in ("one", "two"):
            figure = lift_figure(*samples(1), H36M_17, ["a"])
            png, pdf = save_figure(figure, tmp_path / folder, "figure_x")
        assert sorted(path.name for path in png.parent.iterdir()) == [pdf.name, png.name]
        for path in (png, pdf):
            assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes()
        assert pdf.read_bytes().startswith(b"%PDF-")
        with Image.open(png) as image:
            assert image.size == (1125, 600)
            colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20)}
        for colour in COLOURS.values():
            assert tuple(round(255 * part) for part in colors.to_rgb(colour)) in colours

    @pytest.mark.parametrize("is_trial", [False, True])
    def test_a_trial_says_so(
        self, tmp_path: Path, is_trial: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[str] = []

        def remember(figure: object, folder: Path, stem: str) -> tuple[Path, Path]:
            seen.append(figure.texts[-1].get_text())
            return folder / stem, folder / stem

        monkeypatch.setattr("ampose.research.reproduction.figures.save_figure", remember)
        draw(Samples(*samples(1), H36M_17, ["a"], "caption", is_trial), tmp_path, "x")
        assert ("TRIAL" in seen[0]) == is_trial
        assert "caption" in seen[0]

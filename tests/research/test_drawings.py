"""The figures that scripts/drawings makes from the networks."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ampose.research.models.ampose import (
    AMPose,
    AMPoseConfig,
    GCNBlock,
    GraphLayer,
    TransformerEncoder,
)
from ampose.research.models.cost import count_parameters

_PATH = Path(__file__).parents[2] / "scripts" / "drawings"
_LOADER = SourceFileLoader("drawings", str(_PATH))
_SPEC = importlib.util.spec_from_loader("drawings", _LOADER)
assert _SPEC is not None
drawings = importlib.util.module_from_spec(_SPEC)
sys.modules["drawings"] = drawings  # dataclasses look their module up
_LOADER.exec_module(drawings)

TIMES = "\N{MULTIPLICATION SIGN}"
SMALL = AMPoseConfig(depth=2, width=64)
GRAPH = ["Linear C → 3C", "adjacency · (B, 3J, C)"]
LAYER = [*GRAPH, "LayerNorm", "GELU"]
MLP = ["Linear C → C", "GELU", "Linear C → C"]


def figure(number: str, config: AMPoseConfig = SMALL):
    (found,) = (each for each in drawings.figures(config) if each.number == number)
    return found


def skips(drawing) -> list[tuple[int, int]]:
    """Arrows that pass boxes by: the residuals of a GCN block."""
    return [(a.start, a.end) for a in drawing.arrows if a.end > a.start + 1]


class TestGCNBlocks:
    """Figure 4.2, read from the thesis."""

    @pytest.mark.parametrize(
        ("title", "inside", "residuals"),
        [
            ("ours", [*LAYER, *LAYER, "+"], [(0, 9)]),
            ("two residuals", [*LAYER, "+", *LAYER, "+"], [(0, 5), (5, 10)]),
            (
                "transformer-like",
                ["LayerNorm", *GRAPH, "+", "LayerNorm", *MLP, "+"],
                [(0, 4), (4, 9)],
            ),
            ("ConvNeXt-like", [*GRAPH, "LayerNorm", *MLP, "+"], [(0, 7)]),
        ],
    )
    def test_design(self, title: str, inside: list[str], residuals: list[tuple[int, int]]) -> None:
        (block,) = (each for each in figure("4.2").drawings if each.title == title)
        assert [box.what for box in block.boxes] == ["input", *inside, "output"]
        assert skips(block) == residuals
        steps = {(arrow.start, arrow.end) for arrow in block.arrows} - set(residuals)
        assert steps == {(n, n + 1) for n in range(len(inside) + 1)}

    def test_all_four_differ(self) -> None:
        blocks = figure("4.2").drawings
        assert len({tuple(block.lines())[1:] for block in blocks}) == 4

    def test_frames_are_the_modules(self) -> None:
        ours, _, transformer, _ = figure("4.2").drawings
        assert [box.frame for box in ours.boxes] == ["", *["first"] * 4, *["second"] * 4, "", ""]
        assert ours.frames == {"first": "GraphLayer", "second": "GraphLayer"}
        assert transformer.frames == {"graph": "GraphLayer", "mlp": "mlp"}


def test_transformer_encoder_is_equations_3_1_to_3_7() -> None:
    encoder, _ = figure("4.1").drawings
    assert [(box.what, box.shape) for box in encoder.boxes] == [
        ("input", "(B, J, C)"),
        ("+ position (J, C)", "(B, J, C)"),
        ("LayerNorm", "(B, J, C)"),
        ("Linear C → 3C", "(B, J, 3C)"),
        ("q · kᵀ", "(B, h, J, J)"),
        (f"{TIMES} 0.2500", "(B, h, J, J)"),  # 64 channels in 4 heads: 16 ** -0.5
        ("softmax", "(B, h, J, J)"),
        ("softmax · v", "(B, h, J, C/h)"),
        ("Linear C → C", "(B, J, C)"),
        ("+", "(B, J, C)"),
        ("LayerNorm", "(B, J, C)"),
        ("Linear C → 2C", "(B, J, 2C)"),
        ("GELU", "(B, J, 2C)"),
        ("Linear 2C → C", "(B, J, C)"),
        ("+", "(B, J, C)"),
        ("output", "(B, J, C)"),
    ]
    assert skips(encoder) == [(3, 7), (1, 9), (9, 14)]
    assert [a.part for a in encoder.arrows if a.start == 3] == ["q", "kᵀ", "v"]


def test_overall_process_repeats_the_pair_as_often_as_it_is_deep() -> None:
    (network,) = figure("3.1", replace(SMALL, depth=3)).drawings
    kinds = ["input", "Linear 2 → C", "TransformerEncoder", "GCNBlock", "LayerNorm"]
    assert [box.what for box in network.boxes] == [*kinds, "Linear C → 3", "output"]
    assert [bool(box.frame) for box in network.boxes] == [0, 0, 1, 1, 0, 0, 0]
    assert list(network.frames.values()) == [f"3 {TIMES}"]
    assert (network.boxes[0].shape, network.boxes[-1].shape) == ("(B, T, J, 2)", "(B, J, 3)")


def test_order_of_layers_is_drawn() -> None:
    (network,) = figure("3.1", replace(SMALL, order="all_gcns_then_transformers")).drawings
    assert [box.what for box in network.boxes][2:4] == ["GCNBlock", "TransformerEncoder"]
    assert list(network.frames.values()) == [f"2 {TIMES}", f"2 {TIMES}"]
    (network,) = figure("3.1", replace(SMALL, depth=1)).drawings
    assert network.frames == {}


@pytest.mark.parametrize(
    ("things", "expected"),
    [("a", (1, 1)), ("ab", (1, 1)), ("aab", (1, 2)), ("abababc", (2, 3)), ("abaab", (1, 1))],
)
def test_repetition_at_the_beginning(things: str, expected: tuple[int, int]) -> None:
    assert drawings.repetition(things) == expected


def test_every_parameter_is_in_a_box() -> None:
    """So no module that learns is left out; J C + 4 C + (3 + 1 + 2 + 2) C^2 + 7 C by hand."""
    for each in (*figure("4.1").drawings, *figure("4.2").drawings):
        assert sum(box.parameters for box in each.boxes) == each.parameters
    encoder, _ = figure("4.1").drawings
    assert encoder.parameters == 17 * 64 + 4 * 64 + 8 * 64**2 + (3 + 1 + 2 + 1) * 64
    (network,) = figure("3.1").drawings
    drawn = sum(box.parameters * (2 if box.frame else 1) for box in network.boxes)
    assert drawn == network.parameters == count_parameters(AMPose(SMALL))


def test_neighbours_of_the_thorax() -> None:
    """Normalised by the degrees with self-loops: thorax 5, spine and shoulders and neck 3."""
    shown = figure("4.1").neighbours
    assert [(group, joint) for group, joint, _ in shown] == [
        ("centre", "thorax"),
        ("closer", "spine"),
        ("farther", "neck_nose"),
        ("farther", "left_shoulder"),
        ("farther", "right_shoulder"),
    ]
    assert [weight for *_, weight in shown] == pytest.approx([1 / 5, *[15**-0.5] * 4])


CHANGES = (
    {},
    {"depth": 3},
    {"width": 128},
    {"frames": 3},
    {"channels": 3},
    {"skeleton": "h36m_16"},
    {"groups": "all"},
    {"groups": "centre|closer+farther+symmetry"},
    {"order": "gcn_first"},
    {"heads": 2},
    {"dropout": 0.1},
    {"activation": "relu"},
    {"graph_order": "activation_norm"},
    {"literal_scale": True},
    {"literal_adjacency": True},
)


def test_every_option_changes_the_description() -> None:
    described = {
        "\n".join(each.description for each in drawings.figures(replace(SMALL, **change)))
        for change in CHANGES
    }
    assert len(described) == len(CHANGES)


class TestChangedCode:
    def test_a_residual_that_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert skips(drawings.part("block", GCNBlock, SMALL)) == [(0, 9)]
        monkeypatch.setattr(GCNBlock, "forward", lambda self, x: self.second(self.first(x)))
        assert skips(drawings.part("block", GCNBlock, SMALL)) == []

    def test_modules_in_another_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def post_norm(self: TransformerEncoder, x: Tensor) -> Tensor:
            x = x + self.position
            x = self.norm1(x + self.attention(x))
            return self.norm2(x + self.mlp(x))

        monkeypatch.setattr(TransformerEncoder, "forward", post_norm)
        encoder = drawings.part("encoder", TransformerEncoder, SMALL)
        assert [box.what for box in encoder.boxes][-3:] == ["+", "LayerNorm", "output"]
        assert skips(encoder) == [(2, 6), (1, 8), (9, 13)]

    def test_a_graph_layer_that_multiplies_from_the_right(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def from_the_right(self: GraphLayer, x: Tensor) -> Tensor:
            stacked = self.project(x).reshape(x.shape[0], -1, x.shape[-1]).transpose(1, 2)
            adjacency = self.adjacency.to(stacked.dtype).transpose(0, 1)
            return self.after((stacked @ adjacency).transpose(1, 2))

        monkeypatch.setattr(GraphLayer, "forward", from_the_right)
        block = drawings.part("block", GCNBlock, SMALL)
        assert block.boxes[2].what == "(B, C, 3J) · adjacency"

    def test_an_operation_without_a_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(GCNBlock, "forward", lambda self, x: torch.sigmoid(self.first(x)))
        with pytest.raises(ValueError, match=r"GCNBlock: no name for call_function .*sigmoid"):
            drawings.part("block", GCNBlock, SMALL)

    def test_a_second_path(self) -> None:
        with_toes = replace(SMALL, channels=4, toes=True)
        with pytest.raises(ValueError, match="AMPose is no chain of boxes"):
            drawings.figures(with_toes)
        with pytest.raises(ValueError, match="box 2 does not follow box 1"):
            drawings.lanes(drawings.whole(with_toes))


def test_paths_around_boxes_do_not_cross() -> None:
    encoder, _ = figure("4.1").drawings
    lanes = {(arrow.start, arrow.end): lane for arrow, lane in drawings.lanes(encoder).items()}
    assert lanes == {(3, 7): 0, (1, 9): 1, (9, 14): 0}


class TestFiles:
    @pytest.fixture(autouse=True)
    def _elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drawings, "FOLDER", tmp_path)
        monkeypatch.setattr(drawings, "AMPoseConfig", lambda: SMALL)

    def _run(self, monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
        monkeypatch.setattr(sys, "argv", ["drawings", *options])
        drawings.main()

    def test_what_is_written_passes_the_check_until_a_network_changes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("matplotlib")
        self._run(monkeypatch)
        names = ["figure_3_1.svg", "figure_4_1.svg", "figure_4_2.svg"]
        assert sorted(path.name for path in tmp_path.iterdir()) == names
        before = [(tmp_path / name).read_bytes() for name in names]
        assert not any(b"<dc:date>" in content for content in before)
        self._run(monkeypatch, "--check")
        self._run(monkeypatch, "--preview", str(tmp_path))
        assert [(tmp_path / name).read_bytes() for name in names] == before
        assert (tmp_path / "figure_4_2.png").read_bytes().startswith(b"\x89PNG")
        monkeypatch.setattr(GCNBlock, "forward", lambda self, x: x + self.dropout(x))
        with pytest.raises(SystemExit, match=r"figure_4_1.svg, figure_4_2.svg; run"):
            self._run(monkeypatch, "--check")  # 3.1 does not look into the blocks

    def test_check_of_missing_and_damaged_files(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "figure_3_1.svg").write_text("<svg")
        (tmp_path / "figure_4_1.svg").write_text("<svg/>")
        with pytest.raises(SystemExit, match=r"3_1.svg, figure_4_1.svg, figure_4_2.svg; run"):
            self._run(monkeypatch, "--check")

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace

import pytest
import torch

from ampose.research.data.batches import Plan
from ampose.research.data.sampling import Augmentation
from ampose.research.evaluation.open_protocol import SETS
from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.cost import cost, count_parameters, input_shape
from ampose.research.models.martinez import MartinezConfig
from ampose.research.models.on_base import OnBaseConfig
from ampose.research.models.refiner import RefinedConfig
from ampose.research.models.zoo import ModelConfig, build
from ampose.research.recipes import (
    ABLATIONS,
    BENCHMARK,
    COMPARATORS,
    EXTRAS,
    RECIPES,
    WAYS,
    WIDE_BENCHMARK,
    Licensed,
    OpenMotion,
    Recipe,
)
from ampose.research.recipes.improvements import BODIES, CHANGES, changes_of, improved
from ampose.research.training.optimisers import parameter_groups
from ampose.skeletons import get_skeleton

EVERY = pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))

OPEN = {name: recipe for name, recipe in RECIPES.items() if isinstance(recipe.data, OpenMotion)}
LICENSED = {name: recipe for name, recipe in RECIPES.items() if isinstance(recipe.data, Licensed)}

THESIS_17 = AMPoseConfig(
    depth=5,
    width=512,
    frames=1,
    channels=2,
    skeleton="h36m_17",
    groups="centre|closer|farther",
    order="transformer_first",
    block="plain",
)
THESIS_16 = replace(THESIS_17, skeleton="h36m_16")
CPN, GT = "cpn_ft_h36m_dbb", "gt"

ROWS: dict[str, tuple[AMPoseConfig, str]] = {
    # Tables 4.1 to 4.3, 17 and 16 joints.
    "h36m-cpn-17": (THESIS_17, CPN),
    "h36m-gt-17": (THESIS_17, GT),
    "h36m-cpn-16": (THESIS_16, CPN),
    "h36m-gt-16": (THESIS_16, GT),
    # Table 4.6, 17 joints.
    "h36m-cpn-17-block-two-residual": (replace(THESIS_17, block="two_residual"), CPN),
    "h36m-cpn-17-block-transformer": (replace(THESIS_17, block="transformer"), CPN),
    "h36m-cpn-17-block-convnext": (replace(THESIS_17, block="convnext"), CPN),
    # Table 4.7.
    "h36m-cpn-16-order-gcn-first": (replace(THESIS_16, order="gcn_first"), CPN),
    "h36m-cpn-16-order-transformers-then-gcns": (
        replace(THESIS_16, order="all_transformers_then_gcns"),
        CPN,
    ),
    "h36m-cpn-16-order-gcns-then-transformers": (
        replace(THESIS_16, order="all_gcns_then_transformers"),
        CPN,
    ),
    # Table 4.8.
    "h36m-cpn-16-groups-4": (replace(THESIS_16, groups="centre|closer|farther|symmetry"), CPN),
    "h36m-cpn-16-groups-3-symmetry": (
        replace(THESIS_16, groups="centre|closer+farther|symmetry"),
        CPN,
    ),
    "h36m-cpn-16-groups-2-symmetry": (
        replace(THESIS_16, groups="centre|closer+farther+symmetry"),
        CPN,
    ),
    "h36m-cpn-16-groups-1": (replace(THESIS_16, groups="all"), CPN),
    "h36m-cpn-16-groups-2": (replace(THESIS_16, groups="centre|closer+farther"), CPN),
    # Table 4.9; 5/512 is h36m-cpn-16.
    "h36m-cpn-16-4x108": (replace(THESIS_16, depth=4, width=108), CPN),
    "h36m-cpn-16-4x128": (replace(THESIS_16, depth=4, width=128), CPN),
    "h36m-cpn-16-5x128": (replace(THESIS_16, depth=5, width=128), CPN),
    "h36m-cpn-16-4x256": (replace(THESIS_16, depth=4, width=256), CPN),
    "h36m-cpn-16-4x384": (replace(THESIS_16, depth=4, width=384), CPN),
    "h36m-cpn-16-6x512": (replace(THESIS_16, depth=6, width=512), CPN),
    # Section 4.5.
    "h36m-cpn-16-toes": (replace(THESIS_16, channels=4, toes=True), CPN),
    # Table 4.5.
    "3dhp-1": (replace(THESIS_17, skeleton="mpi_3dhp_17", frames=1), GT),
    "3dhp-9": (replace(THESIS_17, skeleton="mpi_3dhp_17", frames=9), GT),
    "3dhp-27": (replace(THESIS_17, skeleton="mpi_3dhp_17", frames=27), GT),
}
"""The thesis's rows: the network and the 2D. The one that is refined stands apart."""


def on_paper(config: ModelConfig) -> torch.nn.Module:
    """The network; those of the thesis, which are large, without their numbers."""
    with torch.device("meta" if isinstance(config, AMPoseConfig | OnBaseConfig) else "cpu"):
        return build(config)


class TestAll:
    def test_names(self) -> None:
        assert all(name == recipe.name for name, recipe in RECIPES.items())
        # Names are folders: safe everywhere, also where case does not count.
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in RECIPES)
        # A dictionary hides a name that comes twice; a network and its data come once each.
        runs = [replace(recipe, name="") for recipe in RECIPES.values()]
        assert len(set(runs)) == len(RECIPES)
        open_rows = [f"open-{row}" for rows in ABLATIONS.values() for row in rows]
        assert set(RECIPES) == {
            *("open-small", "open-small-sigma", "open-large", "martinez"),
            *ROWS,
            *("h36m-cpn-17-refined", "humaneva-gt"),
            *(recipe.name for recipe in COMPARATORS),
            *("open", *(name for name in open_rows if name != "open-5x128")),  # which is "open"
            *(recipe.name for recipe in (*BENCHMARK, *EXTRAS, *WIDE_BENCHMARK)),
            *(step.recipe.name for way in WAYS for step in way),
        }

    @EVERY
    def test_survives_json(self, recipe: Recipe) -> None:
        text = json.dumps(asdict(recipe))
        read = json.loads(text)
        assert json.dumps(read) == text
        assert type(recipe.model)(**read["model"]) == recipe.model
        training = read["data"]
        if isinstance(recipe.data, OpenMotion):
            assert tuple(training["packs"]) == recipe.data.packs
        else:
            assert Licensed(**training) == recipe.data

    @EVERY
    def test_can_be_built(self, recipe: Recipe) -> None:
        model = on_paper(recipe.model).eval()
        device = next(model.parameters()).device
        out = model(torch.zeros(1, *input_shape(model), device=device))
        assert out.shape == (1, len(get_skeleton(recipe.model.skeleton)), 3)

    @pytest.mark.parametrize("given", [{}, {"poses": 5, "epochs": 5}])
    def test_counts_poses_or_epochs(self, given: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="r: give either poses or epochs"):
            Recipe("r", THESIS_17, **given)

    @pytest.mark.parametrize(("poses", "steps"), [(1, 1), (256, 1), (257, 2), (5_000_000, 19_532)])
    def test_plan_of_poses(self, poses: int, steps: int) -> None:
        """Whole batches; the training set is gone through as often or as little as it takes."""
        plan = Recipe("r", RECIPES["martinez"].model, poses=poses).plan(999)
        assert plan == Plan(steps * 256, 1, 256)
        assert (plan.steps, plan.seen(plan.steps)) == (steps, steps * 256)

    def test_an_exponential_schedule_needs_epochs(self) -> None:
        with pytest.raises(ValueError, match="an exponential schedule goes by epochs"):
            Recipe("r", THESIS_17, poses=5, schedule="exponential")

    def test_plan_of_epochs(self) -> None:
        plan = Recipe("r", THESIS_17, epochs=3, batch=100).plan(250)
        assert plan == Plan(250, 3, 100)
        assert (plan.steps, plan.seen(plan.steps)) == (9, 750)


class TestOpen:
    @pytest.mark.parametrize("recipe", OPEN.values(), ids=list(OPEN))
    def test_fits_the_data_and_the_product(self, recipe: Recipe) -> None:
        frames, *rest = input_shape(on_paper(recipe.model))
        assert rest in ([17, 3], [17, 4])
        assert frames == 1 or recipe in (*BENCHMARK, *WIDE_BENCHMARK)  # the product takes one
        assert recipe.model.skeleton == "h36m_17"
        assert recipe.poses > 0
        assert recipe.data.packs[0] == SETS["cmu-val"][0]

    def test_shipped(self) -> None:
        small = RECIPES["open-small"]
        plain = Recipe("plain", AMPoseConfig(depth=4, width=128, channels=3), poses=1)
        # All changes, and bodies that differ more; only the batch is a power of two.
        bodies = OpenMotion(augmentation=Augmentation(bone_spread_log=0.8))
        chosen = {"name": "open-small", "data": bodies, "poses": small.poses, "batch": 128}
        assert replace(improved(plain), **chosen) == small
        assert RECIPES["open-large"] == replace(
            small, name="open-large", model=replace(small.model, width=208)
        )
        assert RECIPES["martinez"].model == MartinezConfig(channels=3, dropout=0.0)
        assert RECIPES["martinez"].poses == small.poses

    @pytest.mark.parametrize("table", ABLATIONS)
    def test_ablations_change_the_model_only(self, table: str) -> None:
        base = RECIPES["open"]
        assert base.model == AMPoseConfig(depth=5, width=128, channels=3)
        for row, changes in ABLATIONS[table].items():
            recipe = RECIPES["open" if row == "5x128" else f"open-{row}"]
            assert recipe.model == replace(base.model, **changes)
            assert replace(recipe, name="open", model=base.model) == base


class TestBenchmark:
    def test_lifters_differ_in_network_and_learning_rate_only(self) -> None:
        first = BENCHMARK[0]
        for recipe in BENCHMARK:
            same = {"name": first.name, "model": first.model, "learning_rate": 1.0}
            assert replace(recipe, **same) == replace(first, learning_rate=1.0)

    def test_several_frames_are_in_the_name(self) -> None:
        several = {r.name: r.model.frames for r in BENCHMARK if r.model.frames > 1}
        assert several == {
            f"benchmark-{name}-{frames}": frames
            for name, frames in (
                *(("ampose", 9), ("ampose", 27), ("videopose3d", 27)),
                *(("poseformer", 9), ("mhformer", 9), ("p-stmo", 81), ("mixste", 27)),
            )
        }

    @pytest.mark.parametrize("recipe", BENCHMARK, ids=[recipe.name for recipe in BENCHMARK])
    def test_has_its_published_width_or_at_most_a_million_parameters(self, recipe: Recipe) -> None:
        published = type(recipe.model)()
        assert (
            recipe.model.width == published.width
            or count_parameters(on_paper(recipe.model)) <= 1_000_000
        )

    @pytest.mark.parametrize("recipe", BENCHMARK, ids=[recipe.name for recipe in BENCHMARK])
    def test_nothing_is_random_in_training(self, recipe: Recipe) -> None:
        model = build(recipe.model).train()
        inputs = torch.randn(4, *input_shape(model))
        torch.manual_seed(0)
        first = model(inputs)
        torch.manual_seed(1)
        assert torch.equal(model(inputs), first)

    def test_the_wide_tier_differs_in_size_and_poses_only(self) -> None:
        for small, wide in zip(BENCHMARK, WIDE_BENCHMARK, strict=True):
            assert wide.name == small.name.replace("benchmark-", "benchmark-wide-")
            same = {"name": small.name, "model": small.model, "poses": small.poses}
            assert replace(wide, **same) == small
            assert wide.poses == 20_000_000
            assert type(wide.model) is type(small.model)
            assert input_shape(on_paper(wide.model)) == input_shape(on_paper(small.model))

    @pytest.mark.parametrize(
        ("name", "changes"),
        [
            ("ampose", {"depth": 5, "width": 512}),
            ("graphmlp", {"width": 512, "spatial_hidden": 256, "channel_hidden": 1024}),
            ("mixste", {"width": 512}),
            ("lcn", {}),
        ],
    )
    def test_the_wide_tier_has_published_widths(self, name: str, changes: dict[str, int]) -> None:
        small = RECIPES[f"benchmark-{name}"].model
        assert RECIPES[f"benchmark-wide-{name}"].model == replace(small, **changes)


class TestImprovements:
    def test_every_step_makes_one_change(self) -> None:
        for number, way in enumerate(WAYS):
            first = way[0].recipe
            changes = [*changes_of(first), *([BODIES] if number == 0 else [])]
            assert len(way) == 1 + len(changes)
            for (before, _), change, (after, title) in zip(way, changes, way[1:], strict=False):
                assert replace(change.made_to(before), name=after.name) == after != before
                assert after.name == f"{first.name}-{change.name}"
                assert title == change.title

    def test_the_last_step_of_ours_is_what_ships(self) -> None:
        last, small = WAYS[0][-1].recipe, RECIPES["open-small"]
        assert small.model == last.model
        assert small.data == replace(last.data, held_out=None)
        assert (small.optimiser, small.learning_rate) == (last.optimiser, last.learning_rate)

    def test_a_way_begins_with_the_benchmarks_recipe(self) -> None:
        for (first, _), *_ in WAYS:
            plain = RECIPES[first.name.replace("gain", "benchmark")]
            assert first.data == replace(plain.data, held_out="fold")
            same = {"name": plain.name, "data": plain.data, "poses": plain.poses}
            assert replace(first, **same) == plain

    def test_others_get_all_that_is_not_our_own_structure(self) -> None:
        assert [change.name for change in CHANGES if change.own] == ["adjacency", "depth"]
        ours, graformer, hourglass = (changes_of(way[0].recipe) for way in WAYS)
        assert ours == CHANGES
        assert graformer == CHANGES[2:]
        # Muon takes matrices, and the hourglass has hardly any.
        assert [change.name for change in hourglass] == ["size", "batch"]
        (_, _, (start, *_)) = WAYS
        model = build(start.recipe.model)
        (matrices, _) = parameter_groups(model, 0.1)
        share = sum(p.numel() for p in matrices["params"]) / count_parameters(model)
        assert share < 0.01

    def test_extras_differ_from_the_benchmark_by_all_changes(self) -> None:
        for recipe, way in zip(EXTRAS, WAYS, strict=True):
            plain = RECIPES[recipe.name.replace("extras", "benchmark")]
            same = {"name": recipe.name, "learning_rate": recipe.learning_rate}
            assert recipe == replace(improved(plain), **same)
            last = way[len(changes_of(way[0].recipe))].recipe
            same = {"name": last.name, "data": last.data, "poses": last.poses}
            same["learning_rate"] = last.learning_rate
            assert replace(recipe, **same) == last


class TestThesis:
    @pytest.mark.parametrize("name", ROWS)
    def test_every_row(self, name: str) -> None:
        model, keypoints = ROWS[name]
        recipe = RECIPES[name]
        assert recipe.model == model
        assert recipe.data.keypoints == keypoints
        assert recipe.data.toes == model.toes
        assert recipe.data.dataset == ("mpi-inf-3dhp" if "3dhp" in name else "human3.6m")

    @pytest.mark.parametrize("name", [*ROWS, "humaneva-gt"])
    def test_settings_are_those_of_section_4_3(self, name: str) -> None:
        recipe = RECIPES[name]
        assert (recipe.poses, recipe.epochs, recipe.batch) == (None, 60, 128)
        assert (recipe.learning_rate, recipe.schedule, recipe.decay) == (
            2.5e-5,
            "exponential",
            0.98,
        )
        assert recipe.loss == "mse"
        assert (recipe.clip_norm, recipe.average, recipe.start_from) == (None, 0.0, None)
        assert recipe.precision == "float32"
        assert recipe.data.mirror_training
        assert recipe.data.mirror_test
        assert recipe.data.held_out is None

    def test_rows_differ_from_the_thesis_model_in_model_and_data_only(self) -> None:
        base = RECIPES["h36m-cpn-17"]
        for name in ROWS:
            same = {"name": base.name, "model": base.model, "data": base.data}
            assert replace(RECIPES[name], **same) == base

    def test_no_row_has_the_model_and_data_of_another(self) -> None:
        assert len({(RECIPES[name].model, RECIPES[name].data) for name in ROWS}) == len(ROWS)

    @pytest.mark.parametrize(
        ("name", "count"),
        [
            ("h36m-cpn-16-4x108", 670_035),
            ("h36m-cpn-16-4x128", 937_475),
            ("h36m-cpn-16-5x128", 1_171_587),
            ("h36m-cpn-16-4x256", 3_709_955),
            ("h36m-cpn-16-4x384", 8_317_443),
            ("h36m-cpn-16", 18_448_899),
            ("h36m-cpn-16-6x512", 22_137_859),
        ],
    )
    def test_sizes_of_table_4_9(self, name: str, count: int) -> None:
        assert count_parameters(on_paper(RECIPES[name].model)) == count

    def test_the_size_that_the_thesis_prints_for_5_512(self) -> None:
        """18.38 M: linear layers only, as thop counts, and cut off."""
        assert cost(build(RECIPES["h36m-cpn-16"].model)).linear_parameters == 18_386_435

    def test_refined(self) -> None:
        recipe = RECIPES["h36m-cpn-17-refined"]
        base = RECIPES[recipe.start_from]
        assert recipe.model == RefinedConfig(base.model)
        assert base.model == THESIS_17
        assert recipe.data == base.data
        assert recipe.loss == "refined"


@pytest.mark.parametrize("recipe", LICENSED.values(), ids=list(LICENSED))
def test_networks_fit_their_datasets(recipe: Recipe) -> None:
    allowed = {
        "human3.6m": {"h36m_17", "h36m_16"},
        "mpi-inf-3dhp": {"mpi_3dhp_17"},
        "humaneva": {"humaneva_15"},
    }
    assert recipe.model.skeleton in allowed[recipe.data.dataset]
    assert recipe.model.channels == (4 if recipe.data.toes else 2)
    # Only what refines needs an oracle, and what needs it starts from a trained network.
    assert (recipe.loss == "refined") == isinstance(recipe.model, RefinedConfig)
    assert (recipe.start_from is None) == (recipe.loss != "refined")

"""What every lifter must do; each lifter's test class inherits this and gives `config`."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ampose.research.models.cost import input_shape
from ampose.research.models.zoo import ModelConfig, build
from ampose.research.training.checkpoint import load_weights, save_weights
from ampose.skeletons import get_skeleton


class LifterContract:
    config: ModelConfig
    """A small configuration, so that the suite is quick."""

    impossible: tuple[tuple[dict[str, object], str], ...] = ()
    """Changes of it that are refused, each with a pattern of the message; sizes of nothing and
    numbers of frames that no lifter takes need not be named."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each impossible configuration."""
        if "change" in metafunc.fixturenames:
            frames = [({"frames": each}, "frames") for each in (self.config.frames + 1, -1)]
            sizes = ("width", "channels", "depth", "heads", "hidden")
            empty = [
                ({each.name: 0}, f"^{each.name} must be at least [12], got 0")
                for each in fields(self.config)
                if each.name.endswith(sizes)
            ]
            metafunc.parametrize(("change", "message"), [*frames, *empty, *self.impossible])

    @pytest.fixture(params=["h36m_17", "h36m_16"])
    def model(self, request: pytest.FixtureRequest) -> torch.nn.Module:
        torch.manual_seed(0)
        return build(replace(self.config, skeleton=request.param)).eval()

    @pytest.fixture
    def inputs(self, model: torch.nn.Module) -> torch.Tensor:
        return torch.randn(5, *input_shape(model), generator=torch.Generator().manual_seed(1))

    def test_gives_three_coordinates_per_joint(self, model, inputs) -> None:
        out = model(inputs)
        assert out.shape == (5, inputs.shape[2], 3)
        assert torch.isfinite(out).all()

    def test_poses_of_a_batch_do_not_touch_each_other(self, model, inputs) -> None:
        together = model(inputs)
        for one, alone in zip(together, inputs, strict=True):
            torch.testing.assert_close(one, model(alone[None])[0], rtol=1e-4, atol=1e-5)

    def test_gradients_reach_every_parameter(self, model, inputs) -> None:
        model.train()
        model(inputs).square().sum().backward()
        silent = [
            name
            for name, parameter in model.named_parameters()
            if parameter.grad is None or not parameter.grad.any()
        ]
        assert not silent

    def test_every_input_number_matters(self, model, inputs) -> None:
        inputs.requires_grad_()
        weights = torch.randn(inputs.shape[2], 3, generator=torch.Generator().manual_seed(2))
        (model(inputs) * weights).sum().backward()
        assert (inputs.grad.abs().sum(0) > 0).all()

    def test_evaluation_is_deterministic(self, model, inputs) -> None:
        assert torch.equal(model(inputs), model(inputs))

    def test_weights_survive_a_file(self, model, inputs, tmp_path: Path) -> None:
        path = tmp_path / "model.safetensors"
        save_weights(model, path)
        loaded = load_weights(path)
        assert loaded.config == model.config
        assert torch.equal(loaded(inputs), model(inputs))

    def test_onnx_gives_the_same_numbers(self, model, inputs, tmp_path: Path) -> None:
        import onnxruntime

        from ampose.research.export import export_onnx

        frames, joints, channels = input_shape(model)
        card = {
            "input": {
                "skeleton": model.config.skeleton,
                "frames": frames,
                "channels": channels,
                "normalisation": "none",
                "missing": "none",
            }
        }
        path = tmp_path / "model.onnx"
        assert export_onnx(model, path, inputs=inputs.numpy(), card=card) < 1e-4
        session = onnxruntime.InferenceSession(path)
        for batch in (1, 3):  # any batch size, not only the exported one
            (out,) = session.run(None, {"keypoints": inputs[:batch].numpy()})
            assert out.shape == (batch, joints, 3)
            np.testing.assert_allclose(out, model(inputs[:batch]).detach(), atol=1e-4)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["model.json", "model.onnx"]

    def test_a_batch_may_be_empty(self) -> None:
        """As a process's share of the last batch of an epoch; its gradients join the others'."""
        model = build(self.config)
        out = model(torch.zeros(0, *input_shape(model)))
        assert out.shape == (0, len(get_skeleton(self.config.skeleton)), 3)
        out.sum().backward()
        assert all(parameter.grad.isfinite().all() for parameter in model.parameters())

    @pytest.mark.parametrize("skeleton", ["mpi_3dhp_17", "humaneva_15", "body_25"])
    def test_other_skeletons(self, skeleton: str) -> None:
        model = build(replace(self.config, skeleton=skeleton)).eval()
        joints = len(get_skeleton(skeleton))
        assert model(torch.randn(2, *input_shape(model))).shape == (2, joints, 3)

    def test_impossible_configurations_are_refused(self, change, message) -> None:
        with pytest.raises(ValueError, match=message):
            replace(self.config, **change)

"""What every lifter must do; each lifter's test class inherits this and gives `config`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ampose.research.models.cost import input_shape
from ampose.research.models.zoo import ModelConfig, build
from ampose.research.training.checkpoint import load_weights, save_weights


class LifterContract:
    config: ModelConfig
    """A small configuration, so that the suite is quick."""

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

from __future__ import annotations

import subprocess
import sys
import typing

import pytest

import ampose


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_is_instant() -> None:
    """Nothing heavy is imported, which bounds the time on any machine; the clock says the rest."""
    heavy = ["numpy", "onnxruntime", "av", "scipy", "PIL", "typer", "rich", "torch"]
    code = (
        "import sys, time; start = time.perf_counter(); import ampose; "
        "took = time.perf_counter() - start; ampose.__version__; ampose.InputError; "
        f"print(took < 0.3, [name for name in {heavy} if name in sys.modules])"
    )
    assert python(code) == "True []"


def test_the_commands_help_needs_none_of_it_either() -> None:
    code = (
        "import sys, ampose.cli.main; "
        "print([n for n in ('numpy', 'onnxruntime', 'av', 'scipy', 'torch') if n in sys.modules])"
    )
    assert python(code) == "[]"


@pytest.mark.parametrize("name", ampose.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(ampose, name) is not None


def test_only_public_names() -> None:
    assert set(ampose._HOMES) | {"InputError", "__version__"} == set(ampose.__all__)
    with pytest.raises(AttributeError, match="module 'ampose' has no attribute 'nosuch'"):
        _ = ampose.nosuch  # type: ignore[attr-defined]


def test_input_errors_are_value_errors() -> None:
    assert issubclass(ampose.InputError, ValueError)


def test_signatures_that_are_promised() -> None:
    lift = typing.get_type_hints(ampose.Lifter.lift)
    assert lift["return"] is ampose.PoseSequence
    assert list(lift) == ["xy", "image_size", "skeleton", "scores", "camera", "return"]

"""Whole files or none: write beside, then rename."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ampose.errors import InputError


class UnfitError(InputError):
    """A format cannot hold this sequence; others can."""


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[BinaryIO]:
    """A file to write that becomes `path` when the block ends well, and vanishes otherwise.

    Raises:
        InputError: the system refused, for instance a full disk or missing rights.
    """
    path = Path(path)
    partial = path.parent / f"{path.name}.partial"
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError) -> InputError:
    """What to raise where the system refuses to write `path`."""
    return InputError(f"cannot write {path}: {error.strerror or error}")

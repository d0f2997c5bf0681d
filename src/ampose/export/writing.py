"""Writes whole files or none, with messages for users where the system refuses."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from ampose.errors import InputError
from ampose.files import written_beside


class UnfitError(InputError):
    """The format cannot hold this sequence, but others can."""


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[BinaryIO]:
    """A file to write that becomes `path` when the block ends well, and vanishes otherwise.

    Raises:
        InputError: the system refused, for instance a full disk or missing rights.
    """
    path = Path(path)
    try:
        with written_beside(path) as partial, partial.open("wb") as file:
            yield file
    except OSError as error:
        raise unwritable(path, error) from error


def write_json_object(path: Path, values: Mapping[str, object]) -> None:
    """Writes a JSON object that people may read too.

    Raises:
        InputError: the file cannot be written. Nothing is left behind.
        ValueError: a number that is not finite, for which JSON has no word.
    """
    text = json.dumps(values, indent=1, allow_nan=False)
    with replacing(path) as file:
        file.write(f"{text}\n".encode())


def unwritable(path: Path, error: OSError) -> InputError:
    """What to raise where the system refuses to write `path`."""
    return InputError(f"cannot write {path}: {error.strerror or error}")

"""The check that every file passes before a decoder sees it."""

from __future__ import annotations

from pathlib import Path

from ampose.errors import InputError


def check_file(path: Path) -> None:
    """Raises InputError where `path` is missing, no file, unreadable or empty."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give a file")
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None

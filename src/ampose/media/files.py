"""The check that every file passes before a decoder sees it."""

from __future__ import annotations

from pathlib import Path

from ampose.errors import InputError


def check_file(path: Path) -> None:
    """Raises InputError where `path` is missing, no file, unreadable or empty.

    Pipes are refused unread: decoders open a file several times and go back in it.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give a file")
        if path.exists() and not path.is_file():
            raise InputError(
                f"{path} is a pipe or a device; save it to a file first (camera:0 is a camera)"
            )
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None

"""The one kind of error that users can mend themselves, and its one line."""

from __future__ import annotations


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one line: what came, what is allowed, what to do. The command line prints it and
    exits with code 2.
    """


def one_line(error: BaseException) -> str:
    """A library's message cut to fit one line; the name of its class where it has none."""
    return " ".join(str(error).split())[:300] or type(error).__name__

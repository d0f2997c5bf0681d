"""The one kind of error that is the user's to mend."""

from __future__ import annotations


class InputError(ValueError):
    """What the user gave cannot be used.

    The message is one line: what came, what is allowed, what to do. The command line prints it and
    exits with code 2.
    """

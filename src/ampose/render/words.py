"""Words from outside, such as file names: on one line, with nothing in them that is not seen."""

from __future__ import annotations


def visible(text: str) -> str:
    """Writes what cannot be seen, such as a change of writing direction, as its code point."""
    words = " ".join(text.split())
    return "".join(c if c == " " or c.isprintable() else code_point(c) for c in words)


def code_point(letter: str) -> str:
    """Such as ``<U+8A66>``."""
    return f"<U+{ord(letter):04X}>"

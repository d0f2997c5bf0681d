"""What a protocol found, as a row of its table."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Rounded:
    """Base of the dataclasses whose fields are the columns of a table."""

    def row(self) -> dict[str, str | int | float]:
        """Every field by name; errors and percentages rounded to one decimal."""
        return {
            name: round(value, 1) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }

from __future__ import annotations

from pathlib import Path

from ampose.research.reproduction.markdown import Section, markdown_table, write_markdown


def test_columns_are_aligned_and_numbers_stand_at_the_right() -> None:
    table = markdown_table(
        ["system", "error", "why"],
        [["a", "49.5", "3 groups"], ["a long one", "", ""], ["b|c", "+0.1", "1"]],
    )
    assert table.splitlines() == [
        "| system     | error | why      |",
        "| ---------- | ----: | -------- |",
        "| a          |  49.5 | 3 groups |",
        "| a long one |       |          |",
        "| b\\|c       |  +0.1 | 1        |",
    ]


def test_a_document(tmp_path: Path) -> None:
    path = tmp_path / "new" / "t.md"
    write_markdown(path, "Table 1", [Section("Errors", "| a |")], {"seed": "0", "day": "1"})
    assert path.read_text() == (
        "# Table 1\n\n## Errors\n\n| a |\n\n## Notes\n\n* seed: 0\n* day: 1\n"
    )
    assert [each.name for each in path.parent.iterdir()] == ["t.md"]

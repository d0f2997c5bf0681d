from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ampose.research.evaluation import provenance
from ampose.research.evaluation.open_protocol import PROTOCOL, Score
from ampose.research.evaluation.provenance import log_test, read_table, write_table

OTHERS = (9.96, 3.0, 98.0, 60.0)
"""Errors that the log does not hold."""

SCORES = [
    Score("hdm05", "all", "template", "exact", "known", 40, 51.04, 40.0, *OTHERS),
    Score("hdm05", "class walk", "template", "exact", "known", 20, 50.0, 40.0, *OTHERS),
    Score("hdm05", "all", "native", "exact", "known", 40, 61.0, 45.0, *OTHERS),
]


class TestTable:
    def test_notes_on_top_of_a_readable_csv(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "t.csv"
        rows = [score.row() for score in SCORES]
        write_table(path, rows, {"model": "a, b", "seed": "0"})
        lines = path.read_text().splitlines()
        assert lines[:2] == ["# model: a, b", "# seed: 0"]
        assert lines[2].startswith("set,group,bones,")
        read = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        assert read == [{key: str(value) for key, value in row.items()} for row in rows]
        assert [p.name for p in path.parent.iterdir()] == ["t.csv"]

    def test_what_is_written_can_be_read(self, tmp_path: Path) -> None:
        rows = [{"a": 'one, "two"', "b": 1.5}, {"a": "# three", "b": ""}]
        write_table(tmp_path / "t.csv", rows, {"note": "a: b, c", "empty": ""})
        assert read_table(tmp_path / "t.csv", ["b"]) == (
            {"note": "a: b, c", "empty": ""},
            [{"a": 'one, "two"', "b": "1.5"}, {"a": "# three", "b": ""}],
        )

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"a,b\n1,2\n", "has no column c, d"),
            (b"", "has no column c, d"),
            (b"\xff\xfe", "cannot be read"),
            (None, "cannot be read"),
        ],
    )
    def test_what_is_no_table(self, tmp_path: Path, content: bytes | None, message: str) -> None:
        path = tmp_path / "t.csv"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"t\.csv: {message}"):
            read_table(path, ["c", "d"])

    def test_a_failure_keeps_the_table_before(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        write_table(path, [{"a": 1}], {})
        with pytest.raises(ValueError, match="dict contains fields not in fieldnames"):
            write_table(path, [{"a": 2}, {"b": 3}], {})
        assert path.read_text() == "a\n1\n"


class TestLog:
    def test_main_rows_are_appended_under_one_header(self, tmp_path: Path) -> None:
        path = tmp_path / "results" / "log.csv"
        log_test(path, "one", "0123456789abcdef", SCORES)
        log_test(path, "two", "fedcba9876543210", iter(SCORES))
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert path.read_text().count("day,commit,protocol,model,sha256,set,") == 1
        assert [row["model"] for row in rows] == ["one", "one", "two", "two"]
        assert [row["bones"] for row in rows] == ["template", "native"] * 2
        assert {row["group"] for row in rows} == {"all"}
        assert (rows[0]["mpjpe"], rows[0]["sha256"]) == ("51.0", "0123456789ab")
        assert rows[0]["protocol"] == PROTOCOL
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", rows[0]["day"])

    def test_an_empty_file_gets_its_header(self, tmp_path: Path) -> None:
        (tmp_path / "log.csv").touch()
        log_test(tmp_path / "log.csv", "one", "0", SCORES)
        assert (tmp_path / "log.csv").read_text().startswith("day,commit,")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
class TestCommit:
    @pytest.fixture
    def checkout(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A repository with the module at the place it has in ours."""
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
        module = tmp_path / "src" / "package" / "deep" / "provenance.py"
        module.parent.mkdir(parents=True)
        module.write_text("pass\n")
        (tmp_path / "README.md").write_text("hello\n")
        monkeypatch.setattr(provenance, "__file__", str(module))
        return tmp_path

    def _git(self, folder: Path, *words: str) -> str:
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        done = subprocess.run(
            ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def _commit(self, folder: Path) -> str:
        self._git(folder, "init", "-q")
        self._git(folder, "add", "-A")
        self._git(folder, "commit", "-q", "-m", "one")
        return self._git(folder, "rev-parse", "HEAD")[:12]

    def test_of_a_clean_checkout(self, checkout: Path) -> None:
        head = self._commit(checkout)
        assert provenance.commit() == head
        (checkout / "README.md").write_text("files outside src do not matter\n")
        assert provenance.commit() == head

    @pytest.mark.parametrize("name", ["src/package/deep/provenance.py", "src/package/new.py"])
    def test_changes_of_the_source_are_marked(self, checkout: Path, name: str) -> None:
        head = self._commit(checkout)
        (checkout / name).write_text("changed = True\n")
        assert provenance.commit() == head + "+"

    def test_outside_git_is_unknown(self, checkout: Path) -> None:
        assert provenance.commit() == "unknown"

    def test_in_somebody_elses_repository_is_unknown(self, checkout: Path) -> None:
        (checkout / ".gitignore").write_text("src/\n")
        self._commit(checkout)
        assert provenance.commit() == "unknown"

    def test_without_git_is_unknown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        assert provenance.commit() == "unknown"


def test_circumstances() -> None:
    now = provenance.circumstances()
    assert now.keys() == {"ampose", "commit", "hardware", "day"}
    assert re.fullmatch(r".+, \d+ processors", now["hardware"])

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from ampose.errors import InputError
from ampose.export.folder import ResultFolder


def tree(folder: Path) -> dict[str, str]:
    """Every file below `folder`, hidden ones too, with its text; empty folders end in /."""
    return {
        str(path.relative_to(folder)) + ("/" if path.is_dir() else ""): (
            "" if path.is_dir() else path.read_text()
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() or not any(path.iterdir())
    }


def save(path: Path, text: str = "new", *, force: bool = False) -> None:
    with ResultFolder(path, force=force) as folder:
        (folder / "a").write_text(text)
        (folder / "overlay").mkdir()
        (folder / "overlay" / "b").write_text(text)


RESULT = {"out/a": "new", "out/overlay/b": "new"}


def test_a_new_folder(tmp_path: Path) -> None:
    save(tmp_path / "out")
    assert tree(tmp_path) == RESULT
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


def test_parents_are_made(tmp_path: Path) -> None:
    save(tmp_path / "x" / "y" / "out")
    assert tree(tmp_path / "x" / "y") == RESULT


def test_nothing_is_there_until_the_end(tmp_path: Path) -> None:
    with ResultFolder(tmp_path / "out") as folder:
        (folder / "a").write_text("new")
        assert not (tmp_path / "out").exists()
    assert tree(tmp_path) == {"out/a": "new"}


@pytest.mark.parametrize("name", ["out", "o u t", "Über 日本", "o" * 255])
def test_an_empty_folder_is_used(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    save(tmp_path / name)
    assert tree(tmp_path / name) == {"a": "new", "overlay/b": "new"}
    assert len(list(tmp_path.iterdir())) == 1


def test_an_existing_folder_needs_nothing_of_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a mount: other file system, closed parent."""
    out = tmp_path / "out"
    out.mkdir()
    with ResultFolder(out) as folder:
        assert folder.parent == out
        (folder / "a").write_text("new")
    assert tree(tmp_path) == {"out/a": "new"}


def test_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(Path())
    assert tree(tmp_path) == {"a": "new", "overlay/b": "new"}


def test_a_folder_with_files_is_refused_before_and_after(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("old")
    with pytest.raises(InputError, match="out holds files already; take another -o, or --force"):
        ResultFolder(out)
    (out / "mine").unlink()
    folder = ResultFolder(out)
    (folder.__enter__() / "a").write_text("new")
    (out / "other").write_text("of a faster run")
    with pytest.raises(InputError, match="holds files already"):
        folder.__exit__(None, None, None)
    assert tree(tmp_path) == {"out/other": "of a faster run"}


def test_two_runs_at_once(tmp_path: Path) -> None:
    for existing in (False, True):
        out = tmp_path / str(existing) / "out"
        out.parent.mkdir()
        if existing:
            out.mkdir()
        slow = ResultFolder(out)
        (slow.__enter__() / "a").write_text("slow")
        save(out)
        with pytest.raises(InputError, match="holds files already"):
            slow.__exit__(None, None, None)
        assert tree(out.parent) == RESULT


def test_force_replaces_files_of_the_same_name_only(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "overlay").mkdir(parents=True)
    for name in ("a", "mine", "overlay/b", "overlay/mine"):
        (out / name).write_text("old")
    save(out, force=True)
    assert tree(tmp_path) == RESULT | {"out/mine": "old", "out/overlay/mine": "old"}


@pytest.mark.parametrize(
    ("in_the_way", "complaint"),
    [("overlay", "overlay is a file, in the way"), ("a/mine", "a is a folder, in the way")],
)
def test_what_is_in_the_way_stops_it_before_anything_moves(
    tmp_path: Path, in_the_way: str, complaint: str
) -> None:
    path = tmp_path / "out" / in_the_way
    path.parent.mkdir(parents=True)
    path.write_text("old")
    before = tree(tmp_path)
    with pytest.raises(InputError, match=complaint):
        save(tmp_path / "out", force=True)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_no_folder(tmp_path: Path, force: bool) -> None:
    (tmp_path / "out").write_text("old")
    with pytest.raises(InputError, match="out is a file; -o takes a folder"):
        ResultFolder(tmp_path / "out", force=force)
    with pytest.raises(InputError, match=r"cannot write .*out/below: "):
        save(tmp_path / "out" / "below", force=force)
    assert tree(tmp_path) == {"out": "old"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("bug"), InputError("bad")])
@pytest.mark.parametrize("existing", [False, True])
def test_errors_leave_everything_as_it_was(
    tmp_path: Path, error: BaseException, existing: bool
) -> None:
    out = tmp_path / "x" / "y" / "out"
    if existing:
        out.mkdir(parents=True)
        (out / "a").write_text("old")
    before = tree(tmp_path)
    kind = error if isinstance(error, type) else type(error)

    def fail() -> None:
        with ResultFolder(out, force=True) as folder:
            (folder / "a").write_text("new")
            raise error

    with pytest.raises(kind):
        fail()
    assert tree(tmp_path) == before
    assert (tmp_path / "x").exists() == existing


def test_an_error_names_the_folder_that_the_user_knows(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=rf"^{tmp_path}/out/clip.mp4 cannot be written$"),
        ResultFolder(tmp_path / "out") as folder,
    ):
        raise InputError(f"{folder}/clip.mp4 cannot be written")


def test_a_full_disk_inside(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(InputError, match=r"^cannot write .*out: No space left on device$"),
        ResultFolder(tmp_path / "out"),
    ):
        raise full
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("existing", [False, True])
def test_a_disk_that_fails_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    out = tmp_path / "x" / "out"
    if existing:
        out.mkdir(parents=True)
    folder = ResultFolder(out)
    (folder.__enter__() / "a").write_text("new")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "rename", fail)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InputError, match=r"cannot write .*out: Input/output error"):
        folder.__exit__(None, None, None)
    assert tree(tmp_path) == ({"x/out/": ""} if existing else {})


def test_no_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("tempfile.mkdtemp", refuse)
        with pytest.raises(InputError, match=r"cannot write .*out: Permission denied"):
            save(tmp_path / "x" / "out")
    assert tree(tmp_path) == {}
    (tmp_path / "out").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refuse)
        with pytest.raises(InputError, match=r"cannot write .*out: Permission denied"):
            ResultFolder(tmp_path / "out")
    with pytest.raises(InputError, match="File name too long"):
        ResultFolder(tmp_path / ("x" * 300))


def test_left_overs_of_a_killed_run_are_no_results(tmp_path: Path) -> None:
    killed = ResultFolder(tmp_path / "out")
    (tmp_path / "out").mkdir()
    left = killed.__enter__()
    save(tmp_path / "out")
    shutil.rmtree(left)
    assert tree(tmp_path) == RESULT

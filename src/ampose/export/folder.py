"""A result folder that is either complete or absent."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from ampose.errors import InputError
from ampose.export.writing import unwritable

_PREFIX = ".ampose-partial-"


def poses_file(source: Path) -> Path:
    """The poses of a result folder, or the file itself."""
    return source / "poses.npz" if source.is_dir() else source


class ResultFolder:
    """Collects files in a hidden folder and moves them to the wanted one when all is well.

    As a context manager it gives the path to write into. On success the files move to `path`; on
    an exception, Ctrl-C included, they are removed and `path` and its parents stay as they were.

    Args:
        path: the wanted folder.
        force: replace files of the same names in a folder that holds some already; files of
            other names are never touched.

    Raises:
        InputError: `path` is a file, holds files already, or cannot be written.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = path
        self._force = force
        self._check()

    def _check(self) -> None:
        try:
            if self.path.exists() and not self.path.is_dir():
                raise InputError(f"{self.path} is a file; -o takes a folder")
            if not self._force and self.path.exists() and self._holds_files():
                raise InputError(
                    f"{self.path} holds files already; take another -o, or --force to replace"
                )
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _holds_files(self) -> bool:
        return not all(path.name.startswith(_PREFIX) for path in self.path.iterdir())

    def __enter__(self) -> Path:
        parents = self.path.parent, *self.path.parent.parents
        self._new_parents = [parent for parent in parents if not parent.exists()]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Inside a folder that is there: it may be a mount, or in a parent closed to us.
            place = self.path if self.path.exists() else self.path.parent
            self._partial = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
            self._partial.chmod(0o755)  # mkdtemp keeps others out; a result is an ordinary folder
        except OSError as error:
            self._remove_new_parents()
            raise unwritable(self.path, error) from error
        return self._partial

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._check()  # another run may have finished meanwhile
                self._move()
            elif isinstance(error, OSError):
                raise unwritable(self.path, error) from error
            elif isinstance(error, InputError):  # say the folder that the user knows
                told = str(error).replace(str(self._partial), str(self.path))
                raise InputError(told) from error
        except OSError as problem:
            raise unwritable(self.path, problem) from problem
        finally:
            shutil.rmtree(self._partial, ignore_errors=True)
            self._remove_new_parents()

    def _move(self) -> None:
        if not self.path.exists():
            self._partial.rename(self.path)
            return
        sources = sorted(self._partial.rglob("*"))
        moves = [(source, self.path / source.relative_to(self._partial)) for source in sources]
        for source, target in moves:
            if target.exists() and target.is_dir() != source.is_dir():
                what = "folder" if target.is_dir() else "file"
                raise InputError(f"{target} is a {what}, in the way of a result; move it away")
        for source, target in moves:
            if source.is_dir():
                target.mkdir(exist_ok=True)
            else:
                source.replace(target)

    def _remove_new_parents(self) -> None:
        """Removes the parent folders made here that are empty."""
        with contextlib.suppress(OSError):
            for parent in self._new_parents:
                parent.rmdir()

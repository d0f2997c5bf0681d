"""A result folder that is either complete or not there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from ampose.errors import InputError


class ResultFolder:
    """Collects files beside the wanted folder and moves them there when all is well.

    As a context manager it gives the path to write into. On success the files move to `path`; on
    an exception, Ctrl-C included, they are removed and `path` stays as it was.

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
            if not self._force and self.path.exists() and any(self.path.iterdir()):
                raise InputError(
                    f"{self.path} holds files already; take another -o, or --force to replace"
                )
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def __enter__(self) -> Path:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            prefix = f".{self.path.name}.partial-"
            self._beside = Path(tempfile.mkdtemp(prefix=prefix, dir=self.path.parent))
            self._beside.chmod(0o755)  # mkdtemp keeps others out; a result is an ordinary folder
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return self._beside

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
                raise _unwritable(self.path, error) from error
        except OSError as problem:
            raise _unwritable(self.path, problem) from problem
        finally:
            shutil.rmtree(self._beside, ignore_errors=True)

    def _move(self) -> None:
        if not self.path.exists():
            self._beside.rename(self.path)
            return
        for source in sorted(self._beside.rglob("*")):
            target = self.path / source.relative_to(self._beside)
            if source.is_dir():
                target.mkdir(exist_ok=True)
            else:
                source.replace(target)


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot write {path}: {error.strerror or error}")

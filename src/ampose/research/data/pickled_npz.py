"""``.npz`` files that hold pickled dictionaries, read without running what they say.

The VideoPose3D family of files stores nested dictionaries of arrays as pickled object arrays. A
pickle may name any function to call; here only those that rebuild NumPy arrays are allowed.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np

from ampose.errors import one_line
from ampose.research.data.pose_set import DatasetError

_ALLOWED = {
    (module, name)
    for package in ("numpy.core", "numpy._core")
    for module, name in (
        (f"{package}.multiarray", "_reconstruct"),
        (f"{package}.multiarray", "scalar"),
        (f"{package}.numeric", "_frombuffer"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
    )
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no array needs")
        return super().find_class(module, name)


def load_pickled(
    path: Path, keys: Collection[str], where: str, *, optional: Collection[str] = ()
) -> dict[str, Any]:
    """The named entries of a file, unpickled; of object arrays without dimensions, the content.

    Args:
        path: the ``.npz`` file.
        keys: what it must hold.
        where: where to get the file, for the error.
        optional: what is also read if the file holds it.

    Raises:
        DatasetError: the file is missing, damaged, holds something else, or a pickle in it names
            anything but NumPy arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            held = [name.removesuffix(".npy") for name in archive.namelist()]
            if missing := sorted(set(keys) - set(held)):
                raise DatasetError(
                    f"{path}: lacks {', '.join(missing)}; it holds {', '.join(held)}; {where}"
                )
            out = {}
            for key in (*keys, *(each for each in optional if each in held)):
                with archive.open(f"{key}.npy") as file:
                    out[key] = _read_array(file)
            return out
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file; {where}") from None
    except DatasetError:
        raise
    except Exception as error:  # a damaged pickle can raise anything
        raise DatasetError(
            f"{path}: not a readable .npz file ({one_line(error)}); {where}"
        ) from error


def _read_array(file: IO[bytes]) -> Any:
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, kind = read_header(file)
    if not kind.hasobject:
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    # Written by Python 2 in the original files: latin1 keeps their bytes.
    content = _ArraysOnly(file, encoding="latin1").load()
    return content.item() if shape == () else content

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from ampose.research.data.pickled_npz import load_pickled
from ampose.research.data.pose_set import DatasetError

NESTED = {
    "S1": {
        "Walking 1": [np.arange(12, dtype=np.float32).reshape(2, 3, 2), np.zeros((0, 3, 2))],
        "Eating": (np.array(["a", "b"]), None, True, 3, 2.5, np.float32(1.5), b"\x00\xff"),
    },
    "layout_name": "h36m",
    "pairs": [[1, 2], [3, 4]],
}


def write(path: Path, **entries: bytes) -> Path:
    """An ``.npz`` whose entries are zero-dimensional object arrays with these pickles."""
    with zipfile.ZipFile(path, "w") as archive:
        for key, content in entries.items():
            header = io.BytesIO()
            np.lib.format.write_array_header_1_0(
                header, {"shape": (), "fortran_order": False, "descr": "|O"}
            )
            archive.writestr(f"{key}.npy", header.getvalue() + content)
    return path


def refuse(path: Path, message: str, keys=("positions",)) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        load_pickled(path, keys, "get it there")
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert text.endswith("; get it there")
    assert "\n" not in text


class TestContent:
    @pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
    def test_is_what_numpy_reads(self, tmp_path: Path, save) -> None:
        path = tmp_path / "a.npz"
        plain = np.arange(6.0).reshape(2, 3)
        ragged = np.array([np.zeros(2), np.zeros((3, 1)), None], dtype=object)
        save(path, nested=np.array(NESTED), plain=plain, ragged=ragged)
        found = load_pickled(path, ["nested", "plain", "ragged"], "")
        with np.load(path, allow_pickle=True) as file:
            np.testing.assert_equal(found["nested"], file["nested"].item())
            np.testing.assert_equal(found["ragged"].tolist(), file["ragged"].tolist())
        np.testing.assert_array_equal(found["plain"], plain)
        assert found["nested"]["S1"]["Walking 1"][0].dtype == np.float32
        assert type(found["nested"]["S1"]["Eating"][5]) is np.float32

    def test_only_what_is_asked_for(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npz"
        np.savez(path, one=np.ones(1), two=np.ones(2), three=np.ones(3))
        assert load_pickled(path, ["one"], "").keys() == {"one"}
        found = load_pickled(path, ["one"], "", optional=["two", "four"])
        assert found.keys() == {"one", "two"}

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_every_pickle_protocol(self, tmp_path: Path, protocol: int) -> None:
        content = {"a": np.arange(3.0), "b": [np.int64(4)]}
        array = np.empty((), object)
        array[()] = content
        path = write(tmp_path / "a.npz", positions=pickle.dumps(array, protocol))
        np.testing.assert_equal(load_pickled(path, ["positions"], "")["positions"], content)

    def test_python_2(self, tmp_path: Path) -> None:
        """The published files are older than Python 3.8: module names and strings of that time."""
        array = np.empty((), object)
        array[()] = {"S1": [np.linspace(-1, 1, 50, dtype=np.float32).reshape(5, 5, 2)]}
        file = io.BytesIO()
        Python2Pickler(file, protocol=2).dump(array)
        content = file.getvalue().replace(b"numpy._core", b"numpy.core")
        assert b"latin1" not in content
        path = write(tmp_path / "a.npz", positions=content)
        np.testing.assert_equal(load_pickled(path, ["positions"], "")["positions"], array.item())


class Python2Pickler(pickle._Pickler):
    """Byte strings as they are, which is how Python 2 wrote text and the data of arrays."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_bytes(self, content: bytes) -> None:
        self.write(b"T" + struct.pack("<i", len(content)) + content)
        self.memoize(content)

    def save_text(self, content: str) -> None:
        self.save_bytes(content.encode("latin1"))

    dispatch[bytes] = save_bytes
    dispatch[str] = save_text


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


class TestHarm:
    def test_nothing_that_a_pickle_says_is_run(self, tmp_path: Path) -> None:
        made = tmp_path / "made"
        path = tmp_path / "a.npz"
        np.savez(path, positions=np.array({"S1": [Harmful(made)]}))
        name = os.mkdir.__module__
        refuse(path, rf"not a readable \.npz file \(it names {name}\.mkdir, which no array needs")
        assert not made.exists()
        with np.load(path, allow_pickle=True) as file:
            assert file["positions"].item() == {"S1": [None]}
        assert made.exists()  # so the file was harmful

    @pytest.mark.parametrize(
        ("module", "name"),
        [
            ("builtins", "eval"),
            ("builtins", "getattr"),
            ("os", "system"),
            ("numpy", "load"),
            ("numpy", "memmap"),
            ("numpy.lib", "format"),
            ("ampose.cameras", "Camera"),
            ("numpy._core.multiarray", "_reconstruct.__globals__"),
            ("collections", "OrderedDict"),
            ("several\nlines", "name"),
        ],
    )
    def test_other_names(self, tmp_path: Path, module: str, name: str) -> None:
        content = b"\x80\x04" + b"".join(
            b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)
        )
        path = write(tmp_path / "a.npz", positions=content + b"\x93.")
        refuse(path, "which no array needs")

    def test_other_entries_are_not_touched(self, tmp_path: Path) -> None:
        made = tmp_path / "made"
        path = tmp_path / "a.npz"
        np.savez(path, positions=np.array({"S1": 1}), evil=np.array(Harmful(made), object))
        assert load_pickled(path, ["positions"], "")["positions"] == {"S1": 1}
        assert not made.exists()


class TestWrongFiles:
    def test_missing(self, tmp_path: Path) -> None:
        refuse(tmp_path / "a.npz", "no such file")

    def test_a_folder(self, tmp_path: Path) -> None:
        refuse(tmp_path, "not a readable")

    def test_keys(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npz"
        np.savez(path, b=1, a=2)
        refuse(path, "lacks d, positions; it holds b, a;", keys=["positions", "a", "d"])

    @pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04cut", b"\x93NUMPY\x01\x00"])
    def test_no_archive(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "a.npz"
        path.write_bytes(content)
        refuse(path, "not a readable")

    @pytest.mark.parametrize(
        "content", [b"", b"no pickle", b"\x80\x04}", b"}.", b"\x80\x04K\x01\x85R."]
    )
    def test_damaged_pickles(self, tmp_path: Path, content: bytes) -> None:
        refuse(write(tmp_path / "a.npz", positions=content), "not a readable")

    def test_no_array(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("positions.npy", b"text\nof\nlines")
        refuse(path, "not a readable")

    def test_cut_short(self, tmp_path: Path) -> None:
        whole = tmp_path / "a.npz"
        np.savez_compressed(whole, positions=np.array(NESTED))
        content = whole.read_bytes()
        cut = tmp_path / "cut.npz"
        for size in (len(content) // 4, len(content) // 2, len(content) - 30):
            cut.write_bytes(content[:size])
            refuse(cut, "not a readable")

    def test_a_flipped_bit(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npz"
        np.savez(path, positions=np.array(NESTED))
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 1
        path.write_bytes(content)
        refuse(path, "not a readable")

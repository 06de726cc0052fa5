"""Closed triangle surfaces of a body, and reading them from GIFTI."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from zeromag.errors import InputError

DTYPES = {"NIFTI_TYPE_FLOAT32": "f4", "NIFTI_TYPE_FLOAT64": "f8", "NIFTI_TYPE_INT32": "i4"}


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A closed surface whose triangles run counter-clockwise seen from outside."""

    points: NDArray[np.float64]  # (n_points, 3) m
    triangles: NDArray[np.int64]  # (n_triangles, 3)

    def __post_init__(self) -> None:
        edges = np.concatenate([self.triangles[:, [0, 1]], self.triangles[:, [1, 2]], self.triangles[:, [2, 0]]])
        forth = edges[:, 0] * len(self.points) + edges[:, 1]
        back = edges[:, 1] * len(self.points) + edges[:, 0]
        if len(np.unique(forth)) != len(forth) or not np.array_equal(np.sort(forth), np.sort(back)):
            raise ValueError("a surface must be closed, every edge shared by two triangles of the same sense")

    @property
    def volume(self) -> float:
        """The volume inside (m³), negative when the triangles run clockwise."""
        a, b, c = (self.points[self.triangles[:, k]] for k in range(3))
        return float(np.sum(np.cross(a, b) * c) / 6)

    def outward(self) -> Mesh:
        """Return the surface with its triangles counter-clockwise seen from outside."""
        return self if self.volume > 0 else Mesh(self.points, self.triangles[:, ::-1].copy())

    def moved(self, shift: NDArray[np.float64], turn: NDArray[np.float64]) -> Mesh:
        """Return the surface turned (3, 3) and then shifted (3,) m."""
        return Mesh(self.points @ turn.T + shift, self.triangles)


def read_gifti(path: str | Path) -> Mesh:
    """Read a triangle surface in metres from a GIFTI file.

    Raises
    ------
    InputError
        If the file is not a GIFTI surface that is closed.
    """
    path = Path(path)
    try:
        if path.stat().st_size > 100_000_000:
            raise InputError(f"{path}: a body surface of more than 100 MB is not read; give a coarser one.")
        text = path.read_bytes()
        if b"<!ENTITY" in text:
            raise InputError(f"{path}: a GIFTI file with entities of its own is not read.")
        arrays = {array.get("Intent", ""): _array(array) for array in ET.fromstring(text).iter("DataArray")}
        points, triangles = arrays["NIFTI_INTENT_POINTSET"], arrays["NIFTI_INTENT_TRIANGLE"]
        return Mesh(points.astype(np.float64), triangles.astype(np.int64)).outward()
    except (OSError, ET.ParseError, KeyError, ValueError, binascii.Error, zlib.error) as error:
        raise InputError(f"{path}: not a closed GIFTI surface ({error}).") from error


def _array(array: ET.Element) -> NDArray[np.generic]:
    """Return the values of one data array of the file."""
    dtype = np.dtype(DTYPES[array.get("DataType", "")])
    shape = [int(array.get(f"Dim{k}", "1")) for k in range(int(array.get("Dimensionality", "1")))]
    text = array.findtext("Data") or ""
    encoding = array.get("Encoding", "")
    order: Literal["F", "C"] = "F" if array.get("ArrayIndexingOrder") == "ColumnMajorOrder" else "C"
    if encoding == "ASCII":
        return np.array(text.split(), dtype=dtype).reshape(shape, order=order)
    raw = base64.b64decode(text)
    if encoding == "GZipBase64Binary":
        raw = zlib.decompress(raw)
    stored = dtype.newbyteorder("<") if array.get("Endian") == "LittleEndian" else dtype.newbyteorder(">")
    return np.frombuffer(raw, dtype=stored).reshape(shape, order=order)

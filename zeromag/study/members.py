"""Which recordings a folder or a BIDS dataset holds, and what each is called."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zeromag.errors import InputError

SUFFIXES: Final = (".zm.h5", ".fif", ".fif.gz", ".cmeg", ".lvm", ".xdf", ".sqd", ".con", ".ds", ".kdf")
NOT_A_RECORDING: Final = re.compile(
    r"(-ave|-cov|-eve|-epo|-trans|-proj|-fwd|-src|-bem|-\d+)\.fif(\.gz)?$|_split-(0[2-9]|[1-9]\d)_", re.IGNORECASE
)
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One recording of a dataset."""

    name: str  # its path inside the dataset without the suffix, `/` between folders
    path: Path

    def digest(self) -> str:
        """Return the SHA-256 of its content, of every file when it is a folder.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        files = sorted(file for file in self.path.rglob("*") if file.is_file()) if self.path.is_dir() else [self.path]
        digest = hashlib.sha256()
        try:
            for file in files:
                digest.update(file.relative_to(self.path.parent).as_posix().encode())
                with file.open("rb") as content:
                    while piece := content.read(_PIECE):
                        digest.update(piece)
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}") from error
        return digest.hexdigest()


def members(dataset: Path, leave_out: Path) -> list[Member]:
    """Return every recording below `dataset` in order, nothing of `leave_out`, `derivatives` or hidden folders.

    Raises
    ------
    InputError
        If there is no such folder, or no recording in it.
    """
    if not dataset.is_dir():
        raise InputError(f"study takes a folder or a BIDS dataset, and there is none at {dataset}")
    found: dict[str, Member] = {}
    for path in sorted(_recordings(dataset, leave_out.resolve())):
        name = path.relative_to(dataset).as_posix()
        stem = name[: -len(_suffix(name))]
        name = stem if stem not in found else name  # the same scan in two formats: both, told apart
        found[name] = Member(name, path)
    if not found:
        raise InputError(f"{dataset} holds no recording ({', '.join(SUFFIXES)})")
    return list(found.values())


def _recordings(folder: Path, leave_out: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.resolve() == leave_out:
            continue
        if _suffix(path.name) and not NOT_A_RECORDING.search(path.name):
            yield path
        elif path.is_dir() and path.name not in {"derivatives", "sourcedata"}:
            yield from _recordings(path, leave_out)


def _suffix(name: str) -> str:
    return next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")

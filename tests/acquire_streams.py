"""A stream whose every value tells where it belongs, so that loss, repetition and reordering show."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.sensors import SensorArray

QUANTUM = 1e-14  # T per count
RATE = 1000.0


def array(n: int = 6, quantum: float = QUANTUM) -> SensorArray:
    """A row of sensors that give counts."""
    positions = np.stack([np.linspace(-0.1, 0.1, n), np.zeros(n), np.zeros(n)], axis=1)
    return SensorArray(
        names=tuple(f"S{c:02d}" for c in range(n)),
        positions=positions,
        axes=np.tile([0.0, 0.0, 1.0], (n, 1)),
        quantum=np.full(n, quantum),
        limit=np.full(n, 5e-9),
    )


def counted(first: int, stop: int, n: int) -> NDArray[np.float64]:
    """Return what the samples `first:stop` of the stream must be."""
    return (np.arange(first, stop)[:, None] * n + np.arange(n)) % 1_000_003 * QUANTUM


@dataclass(frozen=True)
class Counter:
    """Counts over time and channels; samples in `gaps` are missing."""

    samples: int
    block: int = 10
    n: int = 6
    gaps: Sequence[tuple[int, int]] = ()

    @property
    def sensors(self) -> SensorArray:
        return array(self.n)

    @property
    def rate(self) -> float:
        return RATE

    def blocks(self) -> Generator[Block, None, None]:
        sensors, at = self.sensors, 0
        for start, stop in [*self.gaps, (self.samples, self.samples)]:
            for first in range(at, start, self.block):
                end = min(first + self.block, start)
                yield Block(counted(first, end, self.n), first, RATE, sensors)
            at = stop


@dataclass(frozen=True)
class Given:
    """A source of given blocks."""

    given: list[Block]

    @property
    def sensors(self) -> SensorArray:
        return self.given[0].sensors

    @property
    def rate(self) -> float:
        return self.given[0].rate

    def blocks(self) -> Generator[Block, None, None]:
        yield from self.given


def joined(blocks: Sequence[Block]) -> NDArray[np.float64]:
    return np.concatenate([block.data for block in blocks])


def is_counted(blocks: Sequence[Block]) -> bool:
    """Return whether every block holds exactly what belongs at its place."""
    return all(np.array_equal(b.data, counted(b.first, b.stop, b.data.shape[1])) for b in blocks)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Give a disk of so many bytes; needs root."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    root = sys.platform == "linux" and os.geteuid() == 0
    if not root or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a disk that is full needs root and tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)

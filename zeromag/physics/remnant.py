"""What was left of the field at each sensor of a real array: readings from a file, one for each simulated sensor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zeromag.errors import InputError
from zeromag.physics.opm import across
from zeromag.physics.outside import FieldStream
from zeromag.physics.table import lines_of
from zeromag.sensors import SensorArray

PLACE = 1e-3  # m: channels on one such step of places are one sensor


@dataclass(frozen=True, slots=True, eq=False)
class Remnant:
    """A static field of its own at each channel.

    A reading stays with its sensor: it is what that sensor's own coils and neighbours leave as much as what the
    room does, so no gradient follows from it.
    """

    fields: NDArray[np.float64]  # (n_channels, 3) T in the array's coordinates

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        return "remnant"

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:  # noqa: ARG002
        """Return the static field at these sensors."""
        level = (self.fields * sensors.axes).sum(axis=1)

        def field(first: int, samples: int) -> NDArray[np.float64]:  # noqa: ARG001 - always the same
            return np.broadcast_to(level, (samples, len(level)))

        return field

    def vectors(self, away: NDArray[np.float64], seed: tuple[int, ...]) -> NDArray[np.float64]:  # noqa: ARG002
        """Return the field at each channel, wherever its sensor has moved: (n_channels, 3) T."""
        return self.fields


def remnant(readings: NDArray[np.float64], sensors: SensorArray, seed: tuple[int, ...]) -> Remnant:
    """Return an array whose sensors have these readings, in a shuffled order, round and round.

    `readings` (n, 3) T along X, Y, Z of each sensor: pump, probe, sensitive. Channels at one place are one
    sensor, which points along the last of them.
    """
    random = np.random.default_rng(np.random.SeedSequence(seed))
    order = random.permutation(len(readings))
    _, first, sensor = np.unique(np.rint(sensors.positions / PLACE), axis=0, return_index=True, return_inverse=True)
    turn = np.argsort(np.argsort(first))[sensor]  # sensors in the order of their first channels
    last = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(last, turn, np.arange(len(sensors)))
    along = sensors.axes[last[turn]]
    pump, probe = across(along)
    x, y, z = readings[order[turn % len(readings)]].T[..., None]
    return Remnant(x * pump + y * probe + z * along)


def read_remnant(path: str | Path) -> NDArray[np.float64]:
    """Return the fields (n, 3) T of a FieldLine chassis: lines `chassis:channel X Y Z Cal` in nT.

    Sensors that were not running (`nan`) are left out.

    Raises
    ------
    InputError
        If the file cannot be read, or a line is something else; the message says which one.
    """
    path = Path(path)
    readings = []
    for row, line in enumerate(lines_of(path, "table of remnant fields"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            x, y, z = (float(word) * 1e-9 for word in line.split()[1:4])
        except ValueError as error:
            raise InputError(f"{path}: line {row} must be a channel and X Y Z in nT, got {line[:60]!r}.") from error
        readings.append((x, y, z))
    fields = np.array(readings, dtype=np.float64).reshape(-1, 3)
    fields = fields[np.isfinite(fields).all(axis=1)]
    if not len(fields):
        raise InputError(f"{path}: no sensor was running, so there is no remnant field; choose another file.")
    return fields

"""The sensor array: names, places, sensitive axes and what each channel measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

Kind = Literal["mag", "ref", "ecg", "stim", "misc"]
KINDS: tuple[Kind, ...] = get_args(Kind)
UNITS: dict[Kind, str] = {"mag": "T", "ref": "T", "ecg": "V", "stim": "1", "misc": "1"}
POINT_MAGNETOMETER = 2000  # MNE's coil code of a sensor without size


@dataclass(frozen=True, slots=True, eq=False)
class SensorArray:
    """Frozen geometry of one array; a channel that has no place (an ECG lead) holds NaN there.

    Coordinates: x to the patient's left, y to the head, z out of the chest, metres. Column `c` of a
    block's data belongs to row `c` here. `status` is what is known before the first sample: `good`, or
    why a channel must not be used (`bad` from a file's own list, `dead`, …).
    """

    names: tuple[str, ...]
    positions: NDArray[np.float64]  # (n_channels, 3) m
    axes: NDArray[np.float64]  # (n_channels, 3) unit vectors, the direction of a positive reading
    kinds: tuple[Kind, ...] = ()
    status: tuple[str, ...] = ()
    quantum: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # (n_channels,) T per count, 0: floats
    limit: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # (n_channels,) T, the sensor's range
    coils: tuple[int, ...] = ()  # MNE's coil codes
    frame: str = "chest"  # or the name of another coordinate system the positions are in
    counted: bool = field(init=False)  # every channel has a quantum

    def __post_init__(self) -> None:
        n = len(self.names)
        fill: dict[str, object] = {
            "kinds": self.kinds or ("mag",) * n,
            "status": self.status or ("good",) * n,
            "coils": self.coils or (POINT_MAGNETOMETER,) * n,
            "positions": _frozen(self.positions),
            "axes": _frozen(self.axes),
            "quantum": _frozen(self.quantum if len(self.quantum) else np.zeros(n)),
            "limit": _frozen(self.limit if len(self.limit) else np.full(n, np.inf)),
        }
        for name, value in fill.items():
            object.__setattr__(self, name, value)
        self._check(n)
        object.__setattr__(self, "counted", bool(((self.quantum > 0) & np.isfinite(self.quantum)).all()))

    def _check(self, n: int) -> None:
        if n == 0:
            raise ValueError("a sensor array needs at least one channel, got none")
        if len(set(self.names)) != n:
            twice = sorted({name for name in self.names if self.names.count(name) > 1})
            raise ValueError(f"channel names must differ, got twice: {', '.join(twice)}")
        for name, shape in (("positions", (n, 3)), ("axes", (n, 3)), ("quantum", (n,)), ("limit", (n,))):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must be {shape} for {n} channels, got {getattr(self, name).shape}")
        for name in ("kinds", "status", "coils"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} must hold {n} entries, got {len(getattr(self, name))}")
        if unknown := set(self.kinds) - set(KINDS):
            raise ValueError(f"a channel is one of {', '.join(KINDS)}, got {', '.join(sorted(unknown))}")

    def __len__(self) -> int:
        return len(self.names)

    def of_kind(self, *kinds: Kind) -> NDArray[np.int64]:
        """Return the columns of these kinds, in order: (n,) int64."""
        return np.array([c for c, kind in enumerate(self.kinds) if kind in kinds], dtype=np.int64)

    def located(self) -> NDArray[np.bool_]:
        """Return which channels have a place and an axis: (n_channels,)."""
        finite = np.isfinite(self.positions).all(axis=1) & np.isfinite(self.axes).all(axis=1)
        known: NDArray[np.bool_] = finite & (np.abs(self.axes).sum(axis=1) > 0)
        return known

    def usable(self) -> NDArray[np.bool_]:
        """Return which channels were good before the first sample: (n_channels,)."""
        return np.array([status == "good" for status in self.status])

    def pick(self, columns: Sequence[int] | NDArray[np.int64]) -> Self:
        """Return the array of these columns only, in this order."""
        keep = np.asarray(columns, dtype=np.int64)
        rows = keep.tolist()
        return replace(
            self,
            names=tuple(self.names[c] for c in rows),
            positions=self.positions[keep],
            axes=self.axes[keep],
            kinds=tuple(self.kinds[c] for c in rows),
            status=tuple(self.status[c] for c in rows),
            quantum=self.quantum[keep],
            limit=self.limit[keep],
            coils=tuple(self.coils[c] for c in rows),
        )

    def same_as(self, other: SensorArray) -> bool:
        """Return whether two arrays describe the same channels, value by value."""
        if self is other:
            return True
        return all(
            getattr(self, name) == getattr(other, name) for name in ("names", "kinds", "status", "coils", "frame")
        ) and all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=True)
            for name in ("positions", "axes", "quantum", "limit")
        )


def _frozen(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a private, read-only float64 copy (the array itself when it is one already)."""
    array = np.asarray(values, dtype=np.float64)
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array

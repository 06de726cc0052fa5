"""What the parameters were over the last hours, for the trend; small, since it is kept that long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.viz.status import Figure


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """The parameters as they were; names and units are one object in all of them, since these are kept for hours."""

    seconds: float  # of the scan
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: NDArray[np.float64]  # (n, 3) value, low, high; an end that is not known is the value


def past_of(seconds: float, parameters: Mapping[str, Figure], last: Past | None) -> Past:
    """Return the parameters of a moment, sharing names and units with the moment before when they are the same."""
    names, units = tuple(parameters), tuple(figure.unit for figure in parameters.values())
    if last is not None and (last.names, last.units) == (names, units):
        names, units = last.names, last.units
    rows = [
        [figure.value, *(figure.value if end is None else end for end in (figure.low, figure.high))]
        for figure in parameters.values()
    ]
    return Past(seconds, names, units, np.array(rows))

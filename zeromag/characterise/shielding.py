"""How much quieter one recording is than another, by band: a room, a coil, a door that was closed."""

from __future__ import annotations

import numpy as np

from zeromag.characterise.measured import Measured, median_over, unknown
from zeromag.characterise.record import Record
from zeromag.characterise.spectrum import spectrum

BANDS = ((0.1, 1.0), (1.0, 10.0), (10.0, 40.0), (45.0, 55.0), (60.0, 120.0))  # Hz


def shielding(record: Record, against: Record) -> dict[str, Measured]:
    """Return 20 log10 of the amplitude in `against` over that in `record`, the median channel, by band.

    Channels are matched by name; bands that a record is too short or too slow for are left out.

    Raises
    ------
    ValueError
        If no good channel is in both.
    """
    names = dict(zip(against.sensors.names, range(len(against.sensors)), strict=True))
    good, other = record.good(), against.good()
    pairs = [(c, names[n]) for c, n in enumerate(record.sensors.names) if n in names and good[c] and other[names[n]]]
    if not pairs:
        raise ValueError("the two recordings share no good channel; shielding compares channels of the same name")
    here, there = (np.array(columns) for columns in zip(*pairs, strict=True))
    inside, outside = (
        spectrum(each.data[:, columns], each.rate) for each, columns in ((record, here), (against, there))
    )
    found: dict[str, Measured] = {}
    for low, high in BANDS:
        rows = [each.band(low, high) for each in (inside, outside)]
        if min(rows[0].sum(), rows[1].sum()) < 3:
            continue
        quiet, loud = (each.power[row].mean(axis=0) for each, row in zip((inside, outside), rows, strict=True))
        ratio = 10 * np.log10(loud / quiet)
        found[f"{low:g}-{high:g} Hz"] = (
            median_over(ratio, "dB") if len(ratio) >= 5 else unknown(float(np.median(ratio)), "dB")
        )
    return found

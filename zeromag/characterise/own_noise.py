"""What a sensor makes itself: its noise without the fields that reach the whole array."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.record import Record
from zeromag.characterise.spectrum import Spectrum, spectrum
from zeromag.physics.outside import outside_basis

FEWEST = 16  # channels: eight fields are fitted away, the rest must tell them from noise


def own_spectrum(
    record: Record, whole: Spectrum, gain: NDArray[np.float64] | None = None
) -> tuple[Spectrum, NDArray[np.bool_]]:
    """Return the spectra with uniform fields and gradients taken out, and the channels for which that was possible.

    What the fit of three uniform fields and five gradients leaves over, M y, holds noise of every channel:
    r = (M∘M) s for the powers s of independent channels. Solving for s is unbiased whatever each channel's
    level (Hartley, Rao & Kiefer 1969). It takes 16 located channels; fewer keep their whole spectrum, and so
    does a channel that the others cannot tell from the outside, such as a lone reference.
    Relative gains (n_channels,), where known, are evened out before: a gain 1 % off leaves 1 % of the outside.
    """
    told = np.zeros(len(record.sensors), dtype=np.bool_)
    rows = np.flatnonzero(record.sensors.located() & record.good())
    if len(rows) < FEWEST:
        return whole, told
    basis = outside_basis(record.sensors.pick(rows)) * [1, 1, 1, *[0.1] * 5]
    vectors, strengths, _ = np.linalg.svd(basis, full_matrices=False)
    kept = vectors[:, strengths > 1e-6 * strengths[0]]
    leftover = np.eye(len(rows)) - kept @ kept.T
    mixed = leftover**2
    solving = np.linalg.pinv(mixed, rcond=0.05)
    clear = (np.diag(solving @ mixed) > 0.98) & (np.linalg.norm(solving, axis=1) < 2)
    if clear.sum() < FEWEST:
        return whole, told
    told[rows[clear]] = True
    even = np.ones(len(rows)) if gain is None else np.where(np.isfinite(gain[rows]), gain[rows], 1.0)
    part = spectrum((record.data[:, rows] / even) @ leftover, record.rate)
    part = replace(part, power=part.power * even**2)
    solved = ((part.power / even**2) @ solving.T * even**2)[:, clear]
    power, averages = whole.power.copy(), whole.averages.copy()
    power[:, told] = np.maximum(solved, 0.05 * part.power[:, clear])  # so few windows can give less than nothing
    averages[told] = part.averages[clear]
    return replace(whole, power=power, averages=averages), told

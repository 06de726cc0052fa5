"""Blind separation of what overlaps in all channels: directions in which the signal is least like noise (ICA)."""

from __future__ import annotations

import numpy as np

from zeromag._jit import F64

STEPS = 150
ENOUGH = 250.0  # Hz, of bands that end at 60 Hz
STILL = 1e-8  # change of the directions that ends the search
LEAST = 1e-9  # of the largest power, below which a direction holds nothing


def unmix(wave: F64, most: int, rate: float = ENOUGH) -> F64:
    """Return unmixing rows, each of unit power in `wave` (n_samples, n_channels): (n_components, n_channels).

    The `most` strongest principal directions are whitened and turned by the symmetric fixed-point iteration with
    tanh (Hyvärinen 1999), from a fixed start, so that the same samples give the same rows; a row is signed so that
    its component's largest excursions point up. Of a `rate` above 250 Hz only every n-th sample is looked at.
    """
    wave = wave[:: max(1, int(rate / ENOUGH))]
    wave = wave - wave.mean(axis=0)
    power, directions = np.linalg.eigh(wave.T @ wave / len(wave))
    order = np.argsort(-power)[:most]
    order = order[power[order] > LEAST * power.max()]
    whitening = (directions[:, order] / np.sqrt(power[order])).T
    white = wave @ whitening.T
    turn = np.eye(len(order))
    for _ in range(STEPS):
        bent = np.tanh(white @ turn.T)
        fresh = bent.T @ white / len(white) - np.diag((1.0 - bent**2).mean(axis=0)) @ turn
        left, _, right = np.linalg.svd(fresh)
        fresh = left @ right
        moved = float(np.abs(np.abs(np.sum(fresh * turn, axis=1)) - 1.0).max())
        turn = fresh
        if moved < STILL:
            break
    rows: F64 = turn @ whitening
    skew = np.mean((wave @ rows.T) ** 3, axis=0)
    return np.ascontiguousarray(rows * np.where(skew < 0, -1.0, 1.0)[:, None])

"""Where R is in the field: the beat's largest field over the array, which a silent dipole does not move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR = 0.06  # s around the heart vector's peak in which the field's peak is looked for
WANDER = 0.01  # s that a single beat's peak may lie from the place of the mean beat's


def field_peaks(
    dipole: NDArray[np.float64], lead: NDArray[np.float64], peaks: NDArray[np.int64], rate: float
) -> NDArray[np.int64]:
    """Return the sample of each beat's largest rms field: (n_beats,).

    The heart vector's peak may stand where the vector points out of the chest and makes no field. The mean beat
    tells which peak of the field is R, so that all beats are marked on the same one.

    Parameters
    ----------
    dipole : (3, n_samples) A·m, of several dipoles (3 n_dipoles, n_samples)
    lead : (n_channels, 3) T/(A·m), of several (n_channels, 3 n_dipoles)
    peaks : (n_beats,) sample of the heart vector's peak
    """
    near, wander = round(NEAR * rate), round(WANDER * rate)
    whole = peaks[(peaks >= near) & (peaks + near < dipole.shape[1])]
    if not len(whole) or not lead.any():
        return peaks
    mean = np.mean([_rms(dipole[:, peak - near : peak + near + 1], lead) for peak in whole.tolist()], axis=0)
    offset = int(np.argmax(mean)) - near
    found = []
    for peak in (peaks + offset).tolist():
        start, stop = max(peak - wander, 0), min(peak + wander + 1, dipole.shape[1])
        part = _rms(dipole[:, start:stop], lead) if start < stop else np.zeros(0)
        found.append(start + int(np.argmax(part)) if part.size else peak)
    return np.array(found, dtype=np.int64)


def _rms(dipole: NDArray[np.float64], lead: NDArray[np.float64]) -> NDArray[np.float64]:
    rms: NDArray[np.float64] = np.sqrt(np.mean((lead @ dipole) ** 2, axis=0))
    return rms

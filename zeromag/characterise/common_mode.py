"""Gain spread and common-mode rejection, out of an interference that reaches the whole array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.characterise.measured import Measured, spread_over
from zeromag.characterise.record import Record
from zeromag.characterise.spectrum import window_samples
from zeromag.physics.outside import outside_basis

ROUNDS = 20


@dataclass(frozen=True, slots=True, eq=False)
class CommonMode:
    """Gains against the array's mean, and what two gains that differ leave of a common field."""

    frequencies: tuple[float, ...]  # Hz, the interference it was measured with
    gain: NDArray[np.float64]  # (n_channels,) relative to their mean, NaN where not measured
    error: NDArray[np.float64]  # (n_channels,)
    spread: Measured  # standard deviation of the gains, 1

    @property
    def rejection(self) -> Measured:
        """Return 20 log10(common / differential response) of the array: dB."""
        low, high = (float(-20 * np.log10(x)) if x > 0 else float("nan") for x in (self.spread.high, self.spread.low))
        return Measured(float(-20 * np.log10(self.spread.value)), low, high, "dB", self.spread.method)


def common_mode(record: Record, lines: list[float], noise: NDArray[np.float64]) -> CommonMode | None:
    """Return the gains of the `mag` channels from the strongest lines; None where no line is strong enough.

    The complex amplitudes y of each window of 10 s are those of three uniform fields and five gradients times
    the channels' gains, y = g∘(B c). Gains that change linearly over a flat array look like a gradient and
    cannot be told from one: they are left out, and the spread allows for the degrees of freedom that costs.
    `noise` (n_channels,) T/√Hz is the sensors' own near the lines; 40 dB above it counts as strong.
    """
    rows = record.sensors.of_kind("mag")
    rows = rows[(record.sensors.located() & record.good())[rows]]
    if len(rows) < 12 or not lines:
        return None
    size = window_samples(len(record.data), record.rate)
    seen = {line: _windows(record.data[:, rows], record.rate, line, size) for line in lines}
    limit = noise[rows] * np.sqrt(3 * record.rate / size)  # of one window's amplitude
    strong = {f: y for f, y in seen.items() if len(y) and np.median(np.abs(y) / limit) > 100}
    if not strong:
        return None
    amplitudes = np.concatenate(list(strong.values()))
    basis = outside_basis(record.sensors.pick(rows)) * [1, 1, 1, *[0.1] * 5]
    vectors, sizes, _ = np.linalg.svd(basis, full_matrices=False)
    kept = vectors[:, sizes > 1e-6 * sizes[0]]
    gain, error, lost = _gains(amplitudes, kept, limit)
    whole, errors = np.full((2, len(record.sensors)), np.nan)
    whole[rows], errors[rows] = gain, error
    return CommonMode(tuple(strong), whole, errors, spread_over(gain, "1", lost=max(lost, 1)))


def _windows(data: NDArray[np.float64], rate: float, line: float, size: int) -> NDArray[np.complex128]:
    """Return the amplitude at a line of each whole window: (n_windows, n_channels) T."""
    taper = np.hanning(size + 1)[:-1]
    wave = taper * np.exp(-2j * np.pi * line / rate * np.arange(size)) * 2 / taper.sum()
    found: list[NDArray[np.complex128]] = []
    for start in range(0, len(data) - size + 1, size):
        part = data[start : start + size]
        if np.isfinite(part).all():
            part = part - part.mean(axis=0)
            found.append(np.asarray(wave.real @ part + 1j * (wave.imag @ part), dtype=np.complex128))
    return np.array(found, dtype=np.complex128).reshape(-1, data.shape[1])


def _gains(
    seen: NDArray[np.complex128], basis: NDArray[np.float64], limit: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return gains of mean 1, their standard errors, and how many patterns of gain could not be seen.

    With y = (1 + δ)∘(B c), what is not in the span of B is (1 - P) y = (1 - P) diag(B c) δ: normal equations
    for δ, without the directions that the fields seen tell next to nothing about.
    """
    gain = np.ones(seen.shape[1])
    outside = np.eye(len(basis)) - basis @ basis.T
    normal = np.zeros((len(basis), len(basis)))
    told = np.zeros((len(basis), len(basis)))
    lost = len(basis)
    for _ in range(ROUNDS):
        equal = seen / gain
        model = (equal @ basis) @ basis.T
        normal = (model.conj().T @ model).real * outside
        sizes, ways = np.linalg.eigh(normal)
        use = sizes > 0.05 * sizes[-1]
        lost = int((~use).sum())
        told = ways[:, use] / sizes[use] @ ways[:, use].T
        step = told @ (model.conj() * (equal @ outside)).real.sum(axis=0)
        gain = gain * (1 + step)
        gain /= gain.mean()
        if np.abs(step).max() < 1e-9:
            break
    return gain, limit / np.sqrt(2) * np.sqrt(np.diag(told)), lost

"""The moving dipole in any conductor: loud moments projected out, trust-region search on the place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average
from zeromag.mapping.dipole import CHI2, Dipole
from zeromag.mapping.source_gain import SourceGain

STEP = 1e-5  # m, of the central differences
ASIDE = 1e-6  # m, of the differences that a search is led by
STARTS = 3  # best places of the grid that a search begins at; one, where it is known about where the dipole is


class AnyDipoleFitter:
    """Fits a dipole with every moment that the conductor lets out: two in half-space and sphere, three in a torso."""

    def __init__(self, gains: SourceGain, places: F64) -> None:
        """`places` (n, 3) m are where searches may begin; the fit stays within their box."""
        places = gains.inside(places)
        self._gains, self._places = gains, places
        self._box = places.min(axis=0) - 1e-6, places.max(axis=0) + 1e-6
        self._count = len(gains.positions)
        left, _, _ = np.linalg.svd(np.moveaxis(gains(places), 1, 0), full_matrices=False)
        self._bases = left[:, :, : gains.loud]

    def __call__(self, reading: F64, time: float = 0.0, near: tuple[float, float, float] | None = None) -> Dipole:
        """Return the dipole that explains one reading (n_channels,) T best; `near` m is where it was a moment ago."""
        from scipy.optimize import least_squares

        y = self._gains.white(reading)
        explained = np.sum(np.einsum("snk,n->sk", self._bases, y) ** 2, axis=1)
        starts = list(self._places[np.argsort(-explained)[: STARTS if near is None else 1]])
        if near is not None:
            starts.append(np.clip(near, *self._box))
        fits = [
            least_squares(
                self._rest, start, self._slopes, bounds=self._box, args=(y,), xtol=1e-6, ftol=1e-10, x_scale=0.01
            )
            for start in starts
        ]
        place = self._gains.within(np.asarray(min(fits, key=lambda fit: float(fit.cost)).x))
        return self._dipole(place, y, time)

    def moving(self, average: Average, rows: Sequence[int]) -> tuple[Dipole, ...]:
        """Return the dipoles of some rows of an averaged beat, each looked for where the last one was too."""
        found: list[Dipole] = []
        for row in rows:
            near = found[-1].position if found else None
            found.append(self(average.wave[row], float(average.time[row]), near))
        return tuple(found)

    def _rest(self, place: F64, y: F64) -> F64:
        return np.asarray(self._rests(place[None, :], y)[0], dtype=np.float64)

    def _slopes(self, place: F64, y: F64) -> F64:
        """Return how the rest changes with the place, the gain being asked once for all: (n, 3)."""
        rests = self._rests(np.concatenate([place[None, :], place + ASIDE * np.eye(3)]), y)
        return np.asarray((rests[1:] - rests[0]).T / ASIDE, dtype=np.float64)

    def _rests(self, places: F64, y: F64) -> F64:
        """Return what dipoles at some places leave of a reading: (n_places, n)."""
        gain = np.moveaxis(self._gains(self._gains.within(places)), 1, 0)
        basis = np.linalg.svd(gain, full_matrices=False)[0][:, :, : self._gains.loud]
        return np.asarray(y - np.einsum("pnk,pk->pn", basis, np.einsum("pnk,n->pk", basis, y)), dtype=np.float64)

    def _dipole(self, place: F64, y: F64, time: float) -> Dipole:
        gain = self._gains(place[None, :])[:, 0]
        left, sizes, right = np.linalg.svd(gain, full_matrices=False)
        k = self._gains.loud
        moment = right[:k].T @ ((left[:, :k].T @ y) / sizes[:k])
        rest = y - left[:, :k] @ (left[:, :k].T @ y)
        slope = np.stack([self._slope(place, axis, moment) for axis in np.eye(3)], axis=1)
        slope -= left[:, :k] @ (left[:, :k].T @ slope)
        fisher = slope.T @ slope  # Mosher 1993: noise is 1 in whitened readings
        sound = np.isfinite(fisher).all() and np.linalg.cond(fisher) < 1e14
        bound = np.linalg.inv(fisher) if sound else np.diag(np.full(3, np.inf))
        cost, power = float(rest @ rest), float(y @ y)
        chi2 = cost / (self._count - 3 - k)
        widened = CHI2 * bound * max(1.0, chi2)
        return Dipole(
            time=time,
            position=(float(place[0]), float(place[1]), float(place[2])),
            moment=(float(moment[0]), float(moment[1]), float(moment[2])),
            goodness=1.0 - cost / power if power > 0 else float("nan"),
            volume=float(4 / 3 * np.pi * np.sqrt(max(0.0, np.linalg.det(widened)))),
            bound=float(np.sqrt(np.trace(bound))),
            chi2=chi2,
        )

    def _slope(self, place: F64, axis: F64, moment: F64) -> F64:
        ends = np.stack([place + STEP * axis, place - STEP * axis])
        ahead, behind = np.moveaxis(self._gains(ends), 1, 0)
        return np.asarray((ahead - behind) @ moment / (2 * STEP), dtype=np.float64)

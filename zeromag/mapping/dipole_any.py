"""The moving dipole in any conductor: loud moments projected out, trust-region search on the place."""

from __future__ import annotations

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.dipole import CHI2, Dipole
from zeromag.mapping.source_gain import SourceGain

STEP = 1e-5  # m, of the central differences
STARTS = 3  # best places of the grid that a search begins at


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

    def __call__(self, reading: F64, time: float = 0.0) -> Dipole:
        """Return the dipole that explains one reading (n_channels,) T best."""
        from scipy.optimize import least_squares

        y = self._gains.white(reading)
        explained = np.sum(np.einsum("snk,n->sk", self._bases, y) ** 2, axis=1)
        starts = np.argsort(-explained)[:STARTS]
        fits = [
            least_squares(
                self._rest, self._places[k], bounds=self._box, args=(y,), xtol=1e-10, ftol=1e-12, x_scale=0.01
            )
            for k in starts.tolist()
        ]
        place = self._gains.within(np.asarray(min(fits, key=lambda fit: float(fit.cost)).x))
        return self._dipole(place, y, time)

    def _rest(self, place: F64, y: F64) -> F64:
        basis = self._loud(place)
        return np.asarray(y - basis @ (basis.T @ y), dtype=np.float64)

    def _loud(self, place: F64) -> F64:
        left, _, _ = np.linalg.svd(self._gains(self._gains.within(place[None, :]))[:, 0], full_matrices=False)
        return np.asarray(left[:, : self._gains.loud], dtype=np.float64)

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

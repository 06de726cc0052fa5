"""Distributed sources: minimum norm, sLORETA and LCMV as matrices from whitened readings to dipoles on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from zeromag._jit import F64

Method = Literal["minimum-norm", "sloreta", "lcmv"]


@dataclass(frozen=True, slots=True, eq=False)
class Inverse:
    """A linear inverse: moments = weights · readings; strength² = momentᵀ · scale · moment at each place."""

    weights: F64  # (n_sources, k, n_channels) A·m per noise unit
    scale: F64  # (n_sources, k, k)

    def moments(self, white: F64) -> F64:
        """Return the dipoles of whitened readings (n_times, n_channels): (n_times, n_sources, k) A·m."""
        moments: F64 = np.einsum("skc,tc->tsk", self.weights, white)
        return moments

    def strength(self, moments: F64) -> F64:
        """Return how strong each place is: (n_times, n_sources), in the method's own measure."""
        square: F64 = np.einsum("tsk,skj,tsj->ts", moments, self.scale, moments)
        return np.sqrt(np.maximum(square, 0.0))


def minimum_norm(gain: F64, *, snr: float = 3.0, depth: float = 0.8, standardised: bool = False) -> Inverse:
    """Return the minimum-norm inverse of a whitened gain (n_channels, n_sources, k).

    J = R Lᵀ (L R Lᵀ + λ² I)⁻¹ b with λ² = 1/SNR² (Hämäläinen and Ilmoniemi 1994); R weighs each place by the power
    of its lead field to −`depth` (Lin et al. 2006) and is scaled so that trace(L R Lᵀ) is the number of channels.
    `standardised` gives sLORETA (Pascual-Marqui 2002): strength² = jᵀ [R Lᵀ (L R Lᵀ + λ² I)⁻¹ L R]⁻¹ j at each
    place, which peaks at the right place for any single dipole without noise.
    """
    n, sources, k = gain.shape
    flat = gain.reshape(n, -1)
    prior = np.repeat(np.sum(gain**2, axis=(0, 2)) ** -depth, k)
    prior *= n / np.sum(flat**2 * prior)
    covariance = (flat * prior) @ flat.T + np.eye(n) / snr**2
    weights = np.linalg.solve(covariance, flat * prior).T.reshape(sources, k, n)
    if not standardised:
        return Inverse(weights, np.tile(np.eye(k), (sources, 1, 1)))
    spread = np.einsum("skc,csj->skj", weights, gain) * prior.reshape(sources, 1, k)
    return Inverse(weights, np.linalg.inv((spread + spread.transpose(0, 2, 1)) / 2))


def lcmv(gain: F64, white: F64, *, load: float = 0.05) -> Inverse:
    """Return the beamformer of a whitened gain (n_channels, n_sources, k) for readings (n_times, n_channels).

    W = (Lᵀ C⁻¹ L)⁻¹ Lᵀ C⁻¹ (Van Veen et al. 1997), C being the readings' covariance with `load` times its mean
    eigenvalue on the diagonal; strength is in units of the noise that W lets through. Places that are active
    together cancel each other: it is for what comes one after the other.
    """
    centred = white - white.mean(axis=0)
    covariance = centred.T @ centred / max(1, len(white) - 1)
    covariance += load * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    over = np.linalg.solve(covariance, gain.reshape(len(gain), -1)).reshape(gain.shape)
    power = np.einsum("csk,csj->skj", gain, over)
    weights = np.linalg.solve(power, over.transpose(1, 2, 0))
    noise = np.einsum("skc,sjc->skj", weights, weights)
    return Inverse(weights, np.linalg.inv((noise + noise.transpose(0, 2, 1)) / 2))


def inverse(method: Method, gain: F64, white: F64) -> Inverse:
    """Return the inverse of a method for these readings."""
    if method == "lcmv":
        return lcmv(gain, white)
    return minimum_norm(gain, standardised=method == "sloreta")

"""The vector heart loop: the moment of one dipole that stays where it explains the whole QRS best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import F64
from zeromag.mapping.average import Average
from zeromag.mapping.source_gain import SourceGain

QRS = 0.05  # s around R that the place is chosen by
FINE = 4  # times finer than the grid that the place is looked for around its best point


@dataclass(frozen=True, slots=True, eq=False)
class HeartLoop:
    """The heart vector over an averaged beat, in the array's own frame."""

    place: tuple[float, float, float]  # m
    time: F64  # (n_times,) s from R
    moment: F64  # (n_times, 3) A·m; 0 along a direction that makes no field there
    sd: F64  # (3,) A·m, of each component, from the average's noise
    explained: float  # share of the QRS's power, in noise units, that one place explains


def heart_loop(average: Average, gains: SourceGain, places: F64) -> HeartLoop:
    """Return the loop of an averaged beat; `places` (n, 3) m are the grid that its place is looked for on.

    At each place the moments are q(t) = L⁺ b(t) by least squares on whitened readings; the place is that which
    leaves least of the QRS.
    """
    white = gains.white(average.wave)
    qrs = white[np.abs(average.time) <= QRS]
    power, turned = np.linalg.eigh(qrs.T @ qrs)
    principal = turned * np.sqrt(np.maximum(power, 0.0))  # the QRS's power, in as many readings as channels
    places = gains.inside(places)
    best = _best(gains, places, principal)
    pitch = _pitch(places)
    near = np.linspace(-pitch, pitch, 2 * FINE + 1)
    around = best + np.stack(np.meshgrid(near, near, near, indexing="ij"), axis=-1).reshape(-1, 3)
    box = places.min(axis=0), places.max(axis=0)
    place = _best(gains, gains.inside(np.unique(np.clip(around, *box), axis=0)), principal)
    left, sizes, right = np.linalg.svd(gains(place[None, :])[:, 0], full_matrices=False)
    k = gains.loud
    back = (right[:k].T / sizes[:k]) @ left[:, :k].T  # (3, n)
    return HeartLoop(
        place=(float(place[0]), float(place[1]), float(place[2])),
        time=average.time,
        moment=white @ back.T,
        sd=np.sqrt(np.sum(back**2, axis=1)),
        explained=float(np.sum((left[:, :k].T @ principal) ** 2) / max(float(np.sum(principal**2)), 1e-300)),
    )


def _best(gains: SourceGain, places: F64, principal: F64) -> F64:
    left, _, _ = np.linalg.svd(np.moveaxis(gains(places), 1, 0), full_matrices=False)
    explained = np.sum(np.einsum("snk,np->skp", left[:, :, : gains.loud], principal) ** 2, axis=(1, 2))
    return np.asarray(places[int(np.argmax(explained))])


def _pitch(places: F64) -> float:
    apart = np.diff(np.unique(places[:, 0]))
    return float(apart.min()) if len(apart) else 0.01

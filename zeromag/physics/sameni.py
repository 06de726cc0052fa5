"""The published heart vectors: sums of Gaussians over the phase of the beat, adult and fetal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Frank axes (x left, y foot, z back) to the array's (x left, y head, z out of the chest)
FRANK_TO_CHEST = np.array([1.0, -1.0, -1.0])


@dataclass(frozen=True, slots=True, eq=False)
class HeartVector:
    """A heart vector over the phase θ of the beat: p_k(θ) = Σ α_i exp(-(wrap(θ - θ_i))² / 2 b_i²).

    Sameni et al. 2007 (Multichannel ECG and Noise Modeling, EURASIP J. Adv. Signal Process.), tables as in
    OSET, with the slow kernels its scripts add. R is at θ = 0; kernels below -0.3 rad are the P wave,
    those above 0.3 rad T and what follows. `rr` is the interval that the phases were published for.
    """

    axis: NDArray[np.int64]  # (n,) 0, 1, 2: Frank X, Y, Z
    phase: NDArray[np.float64]  # (n,) rad
    height: NDArray[np.float64]  # (n,) mV
    width: NDArray[np.float64]  # (n,) rad
    rr: float  # s

    @property
    def wave(self) -> NDArray[np.int64]:
        """Return which wave each kernel belongs to: -1 P, 0 QRS, 1 T: (n,)."""
        return (self.phase >= 0.3).astype(np.int64) - (self.phase <= -0.3).astype(np.int64)

    def at(self, phase: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the vector in Frank axes at these phases (rad): (n_phases, 3) mV."""
        away = np.asarray(phase)[:, None] - self.phase
        away = (away + np.pi) % (2 * np.pi) - np.pi
        each = self.height * np.exp(-(away**2) / (2 * self.width**2))
        return np.stack([each[:, self.axis == k].sum(axis=1) for k in range(3)], axis=1)


def _table(rr: float, *axes: tuple[str, str, str]) -> HeartVector:
    """Return a heart vector from the printed rows θ, α, b of each axis."""
    rows = [np.array([line.split() for line in axis], dtype=np.float64) for axis in axes]
    return HeartVector(
        axis=np.concatenate([np.full(row.shape[1], k) for k, row in enumerate(rows)]),
        phase=np.concatenate([row[0] for row in rows]),
        height=np.concatenate([row[1] for row in rows]),
        width=np.concatenate([row[2] for row in rows]),
        rr=rr,
    )


ADULT = _table(
    1.0,
    (
        "-1.09 -.83 -.19 -.07 0 .06 .22 1.2 1.42 1.68 2.9",
        ".03 .08 -.13 .85 1.11 .75 .06 .1 .17 .39 .03",
        ".0906 .1057 .0453 .0378 .0332 .0302 .0378 .604 .302 .1812 .5",
    ),
    (
        "-1.1 -.9 -.76 -.11 -.01 .065 .8 1.58 2.9",
        ".035 .015 -.019 .32 .51 -.32 .04 .08 .014",
        ".07 .07 .04 .055 .037 .0604 .45 .3 .5",
    ),
    (
        "-1.1 -.93 -.7 -.4 -.15 .095 1.05 1.25 1.55 2.8",
        "-.03 -.14 -.035 .045 -.4 .46 -.12 -.2 -.35 -.035",
        ".03 .12 .04 .4 .045 .05 .8 .4 .2 .4",
    ),
)

FETAL = _table(
    60 / 140,
    ("-.7 -.17 0 .18 1.4", ".07 -.11 1.3 .07 .275", ".1 .03 .045 .02 .3"),
    ("-.9 -.08 0 .05 1.3", ".04 .3 .45 -.35 .05", ".1 .05 .03 .04 .3"),
    ("-.8 -.3 -.1 .06 1.35", "-.14 .03 -.4 .46 -.1", ".1 .4 .03 .03 .3"),
)

# Not published: a wide QRS from another place and a T wave against it, as an extra beat from a ventricle
# shows; no P wave. Phases for 1 s like the adult's.
ECTOPIC = _table(
    1.0,
    ("-.1 .15 .28 1.3", "-.45 .9 .45 -.35", ".15 .16 .16 .35"),
    ("-.12 .1 .25 1.3", "-.5 -.95 -.3 .4", ".14 .17 .16 .35"),
    ("0 .2 1.35", ".55 -.35 -.3", ".16 .17 .35"),
)

"""A prolate spheroid about an array, and the fields of sources inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLAT = 0.05  # spread across an array, beside that along it, below which no spheroid can be fitted
STEP = 1e-3  # of the short radius, for the derivative along a sensor's axis


@dataclass(frozen=True, slots=True, eq=False)
class Spheroid:
    """A prolate spheroid: middle, unit axes in rows (the last is the long one), and half its focal distance."""

    middle: NDArray[np.float64]  # (3,) m
    axes: NDArray[np.float64]  # (3, 3)
    focus: float  # m
    short: float  # m, the short radius

    def inside_basis(
        self, positions: NDArray[np.float64], axes: NDArray[np.float64], order: int
    ) -> NDArray[np.float64]:
        """Return what sensors read of sources between the foci, columns of unit size: (n, order·(order + 2)).

        The derivative along each sensor's axis of V = Q_l^m(ξ) P_l^m(η) cos mφ, sin mφ (Tierney et al. 2024, with
        the whole of Q: published code leaves out the derivative of its hypergeometric part, and is off by 2° to 6°).
        """
        along = np.asarray(axes) @ self.axes.T
        about = (np.asarray(positions) - self.middle) @ self.axes.T
        h = STEP * self.short
        near = self._potentials(about + h * along, order) - self._potentials(about - h * along, order)
        far = self._potentials(about + 2 * h * along, order) - self._potentials(about - 2 * h * along, order)
        field = (8 * near - far) / (12 * h)  # fourth order: 1e-9 up to order 9
        unit: NDArray[np.float64] = field / np.linalg.norm(field, axis=0)
        return unit

    def _potentials(self, points: NDArray[np.float64], order: int) -> NDArray[np.float64]:
        """Return V of every degree and order at points (n, 3) in the spheroid's own axes: (n, order·(order + 2))."""
        from scipy.special import hyp2f1, lpmv

        c = self.focus
        foot = np.array([0.0, 0.0, c])
        one, two = np.linalg.norm(points + foot, axis=1), np.linalg.norm(points - foot, axis=1)
        xi, eta = (one + two) / (2 * c), (one - two) / (2 * c)
        turn = np.arctan2(points[:, 1], points[:, 0])
        columns = []
        for l in range(1, order + 1):  # noqa: E741 - the degree's name in every book
            for m in range(l + 1):
                series = hyp2f1((l + m + 2) / 2, (l + m + 1) / 2, l + 1.5, xi**-2.0)
                radial = (xi**2 - 1) ** (m / 2) * xi ** (-l - m - 1.0) * series
                value = radial * lpmv(m, l, np.clip(eta, -1, 1))
                columns.append(value * np.cos(m * turn))
                if m:
                    columns.append(value * np.sin(m * turn))
        return np.stack(columns, axis=1)


def spheroid_about(positions: NDArray[np.float64]) -> Spheroid:
    """Return the prolate spheroid that fits positions (n, 3) best, its long axis along one of their main axes.

    Least squares on A (x² + y²) + B z² + C x + D y + E z = 1 for each choice of the long axis z.

    Raises
    ------
    ValueError
        If the positions lie in a plane or fit no spheroid.
    """
    places = np.asarray(positions)
    middle = places.mean(axis=0)
    _, spread, main = np.linalg.svd(places - middle, full_matrices=False)
    if spread[2] < FLAT * spread[0]:
        raise ValueError("no spheroid fits a flat array: use the heart's own basis instead, basis='heart'")
    best: tuple[float, Spheroid] | None = None
    for long in range(3):
        axes = main[[(long + 1) % 3, (long + 2) % 3, long]]
        x, y, z = ((places - middle) @ axes.T).T
        design = np.stack([x * x + y * y, z * z, x, y, z], axis=1)
        (a, b, *tilt), *_ = np.linalg.lstsq(design, np.ones(len(places)), rcond=None)
        if not (a > 0 and b > 0):
            continue
        shift = -np.array(tilt) / (2 * np.array([a, a, b]))
        size = 1 + a * (shift[0] ** 2 + shift[1] ** 2) + b * shift[2] ** 2
        short, longer = float(np.sqrt(size / a)), float(np.sqrt(size / b))
        misfit = float(np.linalg.norm(design @ np.array([a, b, *tilt]) - 1) * (1 if longer >= short else 10))
        focus = float(np.sqrt(max(longer**2 - short**2, (0.05 * short) ** 2)))  # nearly a sphere: short foci
        if best is None or misfit < best[0]:
            best = misfit, Spheroid(middle + shift @ axes, axes, focus, short)
    if best is None:
        raise ValueError("no spheroid fits this array: use the heart's own basis instead, basis='heart'")
    return best[1]

"""The half-space conductor: everything below a plane conducts, in layers parallel to it or as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import MU0_4PI


@dataclass(frozen=True, slots=True)
class HalfSpace:
    """Any horizontally layered conductor below the sensors, `z` out of it.

    The field depends neither on the conductivities nor on where the surface lies, as long as it is
    between source and sensor; a dipole along z makes none (Sarvas 1987; Hämäläinen et al. 1993).
    """

    @property
    def silent(self) -> int:
        """The component along z makes no field."""
        return 1

    def field(self, sources: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return B per unit dipole moment.

        With a = r - r_Q, K = a (a + a·z):  B = µ0/(4πK²) [((Q×a)·z) ∇K - K z×Q],
        ∇K = (2 + a·z/a) a + a z.

        Parameters
        ----------
        sources : (n_sources, 3) m
        points : (n_points, 3) m, all above the sources

        Returns
        -------
        (n_points, n_sources, 3 field components, 3 moment components) T/(A·m)

        Raises
        ------
        ValueError
            If a point is not above a source.

        Examples
        --------
        1 µA·m along x, 10 cm deep, makes 3.849 pT at its pole, 70.7 mm beside it:

        >>> pole = np.array([[0.0, 0.1 / np.sqrt(2), 0.0]])
        >>> field = HalfSpace().field(np.array([[0.0, 0.0, -0.1]]), pole)[0, 0] @ [1e-6, 0.0, 0.0]
        >>> round(1e12 * float(field[2]), 3)
        3.849
        """
        away = np.asarray(points)[:, None, :] - np.asarray(sources)[None, :, :]
        height = away[..., 2]
        if not np.all(height > 0):
            raise ValueError(f"every sensor must lie above the sources, got one {-height.min() * 1e3:.1f} mm below")
        distance = np.linalg.norm(away, axis=-1)
        shape = distance * (distance + height)
        gradient = (2 + height / distance)[..., None] * away
        gradient[..., 2] += distance
        # (Q×a)·z = Qx ay - Qy ax for each unit Q; z×Q = (-Qy, Qx, 0)
        swirl = np.stack([away[..., 1], -away[..., 0], np.zeros_like(height)], axis=-1)
        turned = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # field row, moment column
        out: NDArray[np.float64] = gradient[..., :, None] * swirl[..., None, :] - shape[..., None, None] * turned
        out *= MU0_4PI / (shape**2)[..., None, None]
        return out

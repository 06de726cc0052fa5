"""The sphere conductor: homogeneous, or in concentric shells of any conductivities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import MU0_4PI


@dataclass(frozen=True, slots=True)
class Sphere:
    """A conductor that is symmetric about a centre; a dipole towards the centre makes no field.

    Sarvas 1987 (Basic mathematical and electromagnetic concepts of the biomagnetic inverse problem).
    """

    centre: tuple[float, float, float]  # m
    radius: float  # m

    @property
    def silent(self) -> int:
        """The radial component makes no field."""
        return 1

    def field(self, sources: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return B per unit dipole moment.

        With origin at the centre and a = r - r_Q:  B = µ0/(4πF²) [F Q×r_Q - (Q×r_Q·r) ∇F],
        F = a (r a + r² - r_Q·r),  ∇F = (a²/r + a·r/a + 2a + 2r) r - (a + 2r + a·r/a) r_Q.

        Parameters
        ----------
        sources : (n_sources, 3) m, inside
        points : (n_points, 3) m, outside

        Returns
        -------
        (n_points, n_sources, 3 field components, 3 moment components) T/(A·m)

        Raises
        ------
        ValueError
            If a source is not inside or a point not outside.
        """
        source = (np.asarray(sources) - self.centre)[None]
        point = (np.asarray(points) - self.centre)[:, None]
        far = np.linalg.norm(point, axis=-1)
        deep = np.linalg.norm(source, axis=-1)
        if deep.max() >= self.radius or far.min() <= self.radius:
            raise ValueError(
                f"sources must be inside and sensors outside of {self.radius:g} m, "
                f"got {deep.max():g} m and {far.min():g} m"
            )
        away = point - source
        a = np.linalg.norm(away, axis=-1)
        along = np.sum(away * point, axis=-1)
        f = a * (far * a + far**2 - np.sum(source * point, axis=-1))
        gradient = (a**2 / far + along / a + 2 * a + 2 * far)[..., None] * point
        gradient = gradient - (a + 2 * far + along / a)[..., None] * source
        # column j: e_j × r_Q
        turned = np.cross(np.eye(3), source[..., None, :]).swapaxes(-1, -2)
        swirl = np.sum(turned * point[..., :, None], axis=-2)
        out: NDArray[np.float64] = f[..., None, None] * turned - gradient[..., :, None] * swirl[..., None, :]
        out *= MU0_4PI / (f**2)[..., None, None]
        return out

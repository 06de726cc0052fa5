"""The heart moves in the body as the diaphragm goes down and up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.wander import Wander

NODES = 9  # places on the way at which the field is reckoned: a polynomial through them is right to 1e-5
# Shechter 2004 (ten patients, mean): 4.9 mm to the feet and 1.3 mm forward while breathing in, the cranial side
# turned 1.5° backward, the caudal one 1.2° to the right
WAY = np.array([0.0, -1.0, 1.3 / 4.9])  # m per metre to the feet
TURN = np.radians([-1.5, 0.0, -1.2]) / 4.9e-3  # rad per metre to the feet


@dataclass(frozen=True, slots=True, eq=False)
class Sway:
    """A heart on its straight way through the body.

    The field of a dipole along the way is a polynomial through `NODES` Chebyshev points; its moment turns with it.
    """

    breath: Wander  # one quantity of amplitude 1: breathing in is above zero
    amplitude: float  # m to the feet

    def shift(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far the heart has gone at these times (s): (n, 3) m."""
        shift: NDArray[np.float64] = self.amplitude * self.breath.at(time) * WAY
        return shift

    def places(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where dipoles (n, 3) m are at each node of the way: (NODES, n, 3) m."""
        places: NDArray[np.float64] = positions + (self._reach() * _nodes())[:, None, None] * WAY
        return places

    def weights(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each node's share in what the heart's field is at these times: (n, NODES), rows sum to one."""
        at = self.breath.at(time)[:, 0] * (self.amplitude / self._reach())
        order = np.arange(NODES)
        # discrete Chebyshev transform: the polynomial that has node values v is Σ_k c_k T_k, c = transform @ v
        transform = np.cos(order[:, None] * np.arccos(_nodes())) * (2 / NODES)
        transform[0] /= 2
        shares: NDArray[np.float64] = np.cos(order * np.arccos(at)[:, None]) @ transform
        return shares

    def turned(self, moments: NDArray[np.float64], time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return dipoles (n_dipoles, n, 3) A·m turned as the heart is at these times."""
        angle = self.amplitude * self.breath.at(time) * np.linalg.norm(TURN)
        axis = TURN / np.linalg.norm(TURN)
        along = (moments @ axis)[..., None] * axis
        turned: NDArray[np.float64] = (
            along + (moments - along) * np.cos(angle) + np.cross(axis, moments) * np.sin(angle)
        )
        return turned

    def _reach(self) -> float:
        """Return the farthest the heart can go: m."""
        return 1.001 * self.amplitude * float(np.abs(self.breath.heights).sum())


def _nodes() -> NDArray[np.float64]:
    """Return the Chebyshev points within ±1: (NODES,)."""
    nodes: NDArray[np.float64] = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    return nodes

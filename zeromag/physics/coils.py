"""Known coils driven at known frequencies: what an array is calibrated against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.magnetic_dipole import magnetic_dipole
from zeromag.physics.outside import FieldStream, middle
from zeromag.sensors import SensorArray

Kind = Literal["loop", "uniform", "onboard"]
SWEEP = (2.0, 5.0, 8.0, 44.3, 66.0, 88.0, 135.0, 165.0, 190.0, 225.0, 270.0, 330.0, 390.0, 460.0)  # Hz


@dataclass(frozen=True, slots=True)
class Drive:
    """One sine on one coil: `vector`·cos(2π·frequency·t + phase), t from the stream's first sample.

    A `loop` has a moment (A·m²) at `position`, and a radius (m; 0: a point); a `uniform` field (T) is made by
    large coils around everything; an `onboard` coil adds `vector[0]` (T) to the sensor named `sensor` alone.
    """

    name: str
    kind: Kind
    frequency: float  # Hz
    vector: tuple[float, float, float]
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)  # m
    radius: float = 0.0  # m
    phase: float = 0.0  # rad
    sensor: str = ""

    def field(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the amplitude of its field at points (n, 3) m: (n, 3) T; an onboard coil makes none elsewhere."""
        if self.kind == "uniform":
            return np.broadcast_to(np.array(self.vector), (len(points), 3))
        if self.kind == "onboard":
            return np.zeros((len(points), 3))
        if self.radius:
            return loop_field(np.array(self.vector), np.array(self.position), self.radius, points)
        return magnetic_dipole(np.array(self.vector), np.array(self.position), points)

    def pattern(self, sensors: SensorArray) -> NDArray[np.float64]:
        """Return what each sensor reads of it: (n_channels,) T."""
        if self.kind == "onboard":
            return np.where(np.array(sensors.names) == self.sensor, self.vector[0], 0.0)
        read: NDArray[np.float64] = (self.field(sensors.positions) * sensors.axes).sum(axis=1)
        return read


@dataclass(frozen=True, slots=True)
class Coils:
    """Coils that all play at once, each at a frequency of its own."""

    drives: tuple[Drive, ...]

    @property
    def name(self) -> str:
        """One word for the ground truth."""
        return "coils"

    def start(self, sensors: SensorArray, rate: float, seed: tuple[int, ...]) -> FieldStream:  # noqa: ARG002
        """Return the coils at these sensors."""
        heard = [drive for drive in self.drives if drive.frequency < rate / 2]
        patterns = np.array([drive.pattern(sensors) for drive in heard]).reshape(len(heard), len(sensors))
        turning = 2 * np.pi * np.array([drive.frequency for drive in heard])
        phases = np.array([drive.phase for drive in heard])

        def field(first: int, samples: int) -> NDArray[np.float64]:
            time = (first + np.arange(samples)) / rate
            out: NDArray[np.float64] = np.cos(time[:, None] * turning + phases) @ patterns
            return out

        return field


def calibration_coils(sensors: SensorArray, kinds: tuple[str, ...] = ("loop", "uniform", "onboard")) -> Coils:
    """Return twelve small loops below the array, a uniform sweep and a coil on every sensor.

    The loops (5 mm, about 100 pT at the nearest sensors) play from 10 to 37 Hz, the sweep of 20 pT a tone from
    2 to 460 Hz, the onboard coils of 100 pT from 101 Hz on, half a hertz apart.
    """
    centre = middle(sensors)
    drives: list[Drive] = []
    if "loop" in kinds:
        for k in range(12):
            row, column = divmod(k, 4)
            turn = 2.4 * k
            way = np.array([np.cos(turn), np.sin(turn), 0.8 * (-1) ** k])
            moment = 4e-7 * way / np.linalg.norm(way)
            place = centre + np.array([0.06 * (column - 1.5), 0.08 * (row - 1), -0.07 - 0.02 * (k % 3)])
            drives.append(
                Drive(
                    f"C{k + 1:02d}", "loop", 10.3 + 2.4 * k, _three(moment), _three(place), radius=5e-3, phase=0.3 * k
                )
            )
    if "uniform" in kinds:
        drives += [Drive(f"U{f:g}", "uniform", f, (10e-12, 10e-12, 14e-12), phase=f % 6.28) for f in SWEEP]
    if "onboard" in kinds:
        names = sensors.names[:58]  # the 59th would meet another tone
        drives += [
            Drive(f"O-{name}", "onboard", 101.05 + 0.5 * c, (100e-12, 0.0, 0.0), phase=0.1 * c, sensor=name)
            for c, name in enumerate(names)
        ]
    return Coils(tuple(drives))


def _three(vector: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(vector[0]), float(vector[1]), float(vector[2])


def loop_field(
    moment: NDArray[np.float64],
    position: NDArray[np.float64],
    radius: NDArray[np.float64] | float,
    points: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return B of round current loops, none of the points on a wire: (n, 3) T.

    The closed form with complete elliptic integrals (Simpson et al. 2001, Simple analytic expressions for the
    magnetic field of a circular current loop).

    Parameters
    ----------
    moment : (3,) or (n, 3) A·m²
    position : (3,) or (n, 3) m
    radius : m, one or (n,)
    points : (3,) or (n, 3) m
    """
    from scipy.special import ellipe, ellipkm1

    strength = np.linalg.norm(moment, axis=-1)
    axis = moment / strength[..., None]
    away = points - position
    z = (away * axis).sum(axis=-1)
    across = away - z[..., None] * axis
    rho = np.linalg.norm(across, axis=-1)
    far, square = radius**2 + rho**2 + z**2, 2 * radius * rho
    near2, far2 = far - square, far + square
    share = near2 / far2
    first, second = ellipkm1(share), ellipe(1 - share)
    scale = 4e-7 * strength / (np.pi * radius**2) / (2 * near2 * np.sqrt(far2))
    along = scale * ((radius**2 - rho**2 - z**2) * second + near2 * first)
    apart = rho > 1e-6 * radius
    outward = np.where(apart, scale * z * (far * second - near2 * first) / np.where(apart, rho**2, 1.0), 0.0)
    field: NDArray[np.float64] = along[..., None] * axis + outward[..., None] * across
    return field


def fields_at(drives: Sequence[Drive], point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the amplitude of each loop's field at one point (3,) m: (n_drives, 3) T."""
    moments = np.array([drive.vector for drive in drives])
    places = np.array([drive.position for drive in drives])
    radii = np.array([drive.radius for drive in drives])
    round_ones = radii > 0
    field = np.empty((len(drives), 3))
    field[round_ones] = loop_field(moments[round_ones], places[round_ones], radii[round_ones], point)
    field[~round_ones] = magnetic_dipole(moments[~round_ones], places[~round_ones], point[None])[:, 0]
    return field

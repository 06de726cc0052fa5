"""The zero-field magnetometer: what a residual field does to its gain and its axis, and how fast it follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.sensor_errors import RealArray

HERTZ_PER_TESLA = 7e9  # γ/2π of ⁸⁷Rb at low field; slower, by the slowing factor, in the SERF regime


@dataclass(frozen=True, slots=True)
class Opm:
    """A parametric zero-field magnetometer, open or closed loop.

    The steady state of dP/dt = γ P×B + R (P0 x - P), pumped along x, probed along y, sensitive along z, is
    P_y = -P0 (ΔB Bz - Bx By) / (ΔB² + |B|²) with ΔB = R/γ. Its bandwidth is R/2π, first order.
    `loop_gain` is the open-loop gain T of the field feedback: the atoms see B/(1 + T).
    """

    bandwidth: float = 135.0  # Hz
    width: float = 135.0 / HERTZ_PER_TESLA  # T, ΔB
    loop_gain: float = 0.0
    spread: float = 0.1  # relative standard deviation of the bandwidth from sensor to sensor

    def __post_init__(self) -> None:
        if not (self.bandwidth > 0 and self.width > 0 and self.loop_gain >= 0 and 0 <= self.spread <= 0.3):
            raise ValueError(f"an OPM needs bandwidth and width above 0, loop gain from 0, spread to 0.3, got {self}")

    def output(self, field: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the reading (T, right at zero field) in a static field (..., 3) T along pump, probe, sensitive.

        Examples
        --------
        >>> round(1e9 * float(Opm(bandwidth=135.0).output(np.array([0.0, 0.0, 5e-9]))), 3)
        4.685
        """
        x, y, z = np.moveaxis(np.asarray(field) / (1 + self.loop_gain), -1, 0)
        read: NDArray[np.float64] = self.width * (self.width * z - x * y) / (self.width**2 + x * x + y * y + z * z)
        return read * (1 + self.loop_gain)

    def sensitivity(self, bias: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the gradient of `output` at a bias field (n, 3) T: gain and direction of each sensor: (n, 3)."""
        x, y, z = np.moveaxis(np.asarray(bias) / (1 + self.loop_gain), -1, 0)
        width = self.width
        size = width**2 + x * x + y * y + z * z
        excess = 2 * (width * z - x * y) / size
        slope = np.stack([-y - excess * x, -x - excess * y, width - excess * z], axis=-1)
        gradient: NDArray[np.float64] = width * slope / size[..., None]
        return gradient

    def biased(self, array: RealArray, bias: NDArray[np.float64]) -> RealArray:
        """Return the array whose axes and gains a residual field (n_channels, 3) T in array coordinates has changed.

        Linear about that field, in which a sensor reads what it really would, not its slope times the field.
        """
        axes = array.sensors.axes
        pump, probe = across(axes)
        frames = np.stack([pump, probe, axes], axis=1)  # (n, local, world)
        local = (frames * bias[:, None]).sum(axis=2)
        sensitivity = self.sensitivity(local)
        directions = (frames * sensitivity[:, :, None]).sum(axis=1)
        gain = np.linalg.norm(directions, axis=1)
        sensors = replace(array.sensors, axes=directions / gain[:, None])
        offset = array.gain * (self.output(local) - (sensitivity * local).sum(axis=1))
        return RealArray(sensors, array.gain * gain, array.mixing, offset)

    def follow(
        self, channels: int, rate: float, seed: tuple[int, ...]
    ) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Return the first-order response of each channel, to be given chunk after chunk (samples, channels).

        Bilinear transform of 1/(1 + jf/f_c), right to 0.1 % below a thirtieth of the rate and 3 % at an eighth.
        """
        ratio = np.pi * self._corners(channels, seed) / rate
        into, keep = ratio / (1 + ratio), (1 - ratio) / (1 + ratio)
        last: list[NDArray[np.float64]] = []  # input and output of the sample before

        def lowpass(chunk: NDArray[np.float64]) -> NDArray[np.float64]:
            x, y = last or (chunk[0], chunk[0])
            drive = np.concatenate([x[None], chunk])
            drive = (drive[1:] + drive[:-1]) * into
            out = np.empty_like(chunk)
            for t in range(len(chunk)):
                y = np.add(keep * y, drive[t], out=out[t])
            last[:] = [chunk[-1].copy(), out[-1].copy()]
            return out

        return lowpass

    def response(
        self, frequency: NDArray[np.float64], channels: int, rate: float, seed: tuple[int, ...]
    ) -> NDArray[np.complex128]:
        """Return what `follow` does to each frequency in each channel: (n_frequencies, n_channels)."""
        ratio = np.pi * self._corners(channels, seed) / rate
        before = np.exp(-2j * np.pi * np.asarray(frequency)[:, None] / rate)
        out: NDArray[np.complex128] = ratio * (1 + before) / (1 + ratio - (1 - ratio) * before)
        return out

    def _corners(self, channels: int, seed: tuple[int, ...]) -> NDArray[np.float64]:
        """Return the bandwidth of each channel: (n_channels,) Hz."""
        random = np.random.default_rng(np.random.SeedSequence(seed))
        corners: NDArray[np.float64] = self.bandwidth * np.clip(
            1 + self.spread * random.standard_normal(channels), 0.5, 1.5
        )
        return corners


def across(axes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two directions across each axis, a right-handed frame: pump and probe, (n, 3) each."""
    away = np.where(np.abs(axes[:, [0]]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    pump = away - (away * axes).sum(axis=1, keepdims=True) * axes
    pump /= np.linalg.norm(pump, axis=1, keepdims=True)
    return pump, np.cross(axes, pump)

"""The field map: minimum norm from the sensors through the heart's lead field to a grid over the chest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap, Grid
from zeromag.mapping.map_grid import map_grid
from zeromag.physics.conductor import Conductor
from zeromag.physics.frame import Frame, array_frame
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.sensors import SensorArray

EXPECTED = 10e-12  # T, rms of a heart over the array when no data say better
WHITE = 0.3e-12  # T, noise of one live sample: 15 fT/√Hz over 100 Hz, and what cleaning leaves
TRUST = 0.003  # share of the field that gains and positions leave in doubt at best
STEP = 1e-7  # m, of the difference that gives the gradients: relative error 2e-6
CHUNK = 256  # pixels at once: four times faster than all, since the work stays in the cache


@dataclass(frozen=True, slots=True, eq=False)
class MapOperator:
    """The linear way from one pattern of good channels to the map; made once, applied to every sample."""

    grid: Grid
    columns: NDArray[np.int64]  # (n_good,) channels it reads
    bz: NDArray[np.float64]  # (n_good, n_pixels) T/T
    jx: NDArray[np.float64]  # (n_good, n_pixels) 1/m
    jy: NDArray[np.float64]  # (n_good, n_pixels) 1/m
    sd: NDArray[np.float64]  # (ny, nx) T
    hat: NDArray[np.float64]  # (n_good, n_good) from the sensors to themselves

    def __call__(self, time: NDArray[np.float64], values: NDArray[np.float64]) -> FieldMap:
        """Return the map of samples `values` (n_times, n_channels) T at `time` (n_times,) s."""
        read = values[:, self.columns]
        shape = (len(time), *self.grid.mask.shape)
        return FieldMap(
            grid=self.grid,
            time=time,
            bz=(read @ self.bz).reshape(shape),
            bz_sd=np.broadcast_to(self.sd, shape),
            jx=(read @ self.jx).reshape(shape),
            jy=(read @ self.jy).reshape(shape),
        )

    def left_out_error(self, values: NDArray[np.float64]) -> float:
        """Return how wrong each sensor of `values` (n_channels,) is foretold by the others: rms over rms."""
        read = values[self.columns]
        missed = (read - self.hat @ read) / (1 - np.diag(self.hat))
        return float(np.sqrt(np.sum(missed**2) / np.sum(read**2)))


@dataclass(frozen=True, slots=True)
class Mapper:
    """Minimum-norm map ŷ_g = L_g L_sᵀ (L_s L_sᵀ + C)⁻¹ y (Numminen et al. 1995): a Gaussian process of hearts.

    L: lead field of the heart volume, at the sensors (s) and on the grid (g); C: noise over expected signal power. The
    standard deviation is that process's posterior. Gradients come from the lead field too, so that the pseudo-current
    ∂Bz/∂y, −∂Bz/∂x (Hosaka & Cohen 1976) needs no differences between pixels.
    """

    pixels: int = 64
    conductor: Conductor = field(default_factory=HalfSpace)
    volume: HeartVolume = field(default_factory=HeartVolume)
    step: float = 0.002  # s between the maps of an averaged beat

    def __post_init__(self) -> None:
        if not 8 <= self.pixels <= 512:
            raise ValueError(f"a map has 8 to 512 pixels a side, got {self.pixels}")

    def start(self, head: Block) -> Callable[[Block], FieldMap]:
        """Return the live map: of a block's newest sample, on the channels that are good there."""
        known: dict[bytes, MapOperator] = {}
        noise = np.full(len(head.sensors), WHITE)
        begin = head.first

        def newest(block: Block) -> FieldMap:
            good = ~block.bad()[-1] & block.sensors.usable()
            key = good.tobytes()
            if key not in known:
                known[key] = self.operator(block.sensors, good, noise, EXPECTED**2)
            time = np.array([(block.stop - 1 - begin) / block.rate])
            return known[key](time, block.data[-1:])

        return newest

    def map_average(self, average: Average) -> FieldMap:
        """Return the maps over an averaged beat, every `step` seconds through R.

        Raises
        ------
        ValueError
            If the array carries no map; one sentence.
        """
        columns = average.sensors.of_kind("mag")
        columns = columns[average.good[columns]]
        power = float(np.mean(average.wave[:, columns] ** 2, axis=1).max()) if len(columns) else 0.0
        every = max(1, round(self.step / (average.time[1] - average.time[0])))
        r = int(np.argmin(np.abs(average.time)))
        rows = np.arange(r % every, len(average.time), every)
        operator = self.operator(average.sensors, average.good, average.noise, power)
        return operator(average.time[rows], average.wave[rows])

    def operator(
        self, sensors: SensorArray, good: NDArray[np.bool_], noise: NDArray[np.float64], power: float
    ) -> MapOperator:
        """Return the operator for `good` channels (n_channels,), their noise (n_channels,) T and signal power T²."""
        frame = array_frame(sensors)
        grid = map_grid(sensors, frame, good, self.pixels)
        columns = sensors.of_kind("mag")
        columns = columns[good[columns] & sensors.located()[columns]]
        heart = self._gains(frame, sensors.pick(columns))
        scale = power / np.mean(np.sum(heart**2, axis=1)) if power > 0 else 1.0
        doubt = np.diag(noise[columns] ** 2 + TRUST**2 * power)
        inverse = np.linalg.inv(scale * heart @ heart.T + doubt)
        on_grid, along_x, along_y = _on_grid(
            self.conductor, self.volume, tuple(grid.x.tolist()), tuple(grid.y.tolist())
        )
        weights = scale * inverse @ heart
        spread = scale * np.sum(on_grid**2, axis=1) - np.sum(
            (scale * on_grid @ heart.T) * (on_grid @ weights.T), axis=1
        )
        return MapOperator(
            grid=grid,
            columns=columns,
            bz=np.ascontiguousarray(weights @ on_grid.T),
            jx=np.ascontiguousarray(weights @ along_y.T),
            jy=np.ascontiguousarray(-weights @ along_x.T),
            sd=np.sqrt(np.maximum(spread, 0.0)).reshape(grid.mask.shape),
            hat=(weights @ heart.T).T,
        )

    def _gains(self, frame: Frame, sensors: SensorArray) -> NDArray[np.float64]:
        """Return what the channels read of the heart volume: (n_channels, n_dipoles)."""
        lead = self.volume.lead_field(self.conductor, sensors, frame)
        return lead[..., : 3 - self.conductor.silent].reshape(len(sensors), -1)


@lru_cache(maxsize=4)
def _on_grid(
    conductor: Conductor, volume: HeartVolume, x: tuple[float, ...], y: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the field out of the chest of the heart volume on the grid, and its slopes along x and y.

    Each is (n_pixels, n_dipoles); kept, because only the sensors' side changes when a channel fails.
    """
    across, up = np.meshgrid(x, y)
    points = np.stack([across.ravel(), up.ravel(), np.zeros(across.size)], axis=1)
    sources = volume.points()

    def out_of_chest(dx: float, dy: float) -> NDArray[np.float64]:
        shifted = points + np.array([dx, dy, 0.0])
        pieces = [conductor.field(sources, shifted[at : at + CHUNK])[:, :, 2] for at in range(0, len(points), CHUNK)]
        return np.concatenate(pieces)[..., : 3 - conductor.silent].reshape(len(points), -1)

    here = out_of_chest(0, 0)
    return here, (out_of_chest(STEP, 0) - here) / STEP, (out_of_chest(0, STEP) - here) / STEP

"""The matrix that turns what the sensors read into a map, its slopes and its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zeromag._jit import BOOL, F64, kernel
from zeromag._lanes import LANES, element, load, splat, store
from zeromag.mapping.field_map import FieldMap, Grid
from zeromag.mapping.live_weights import LiveWeights

FEW = 6  # readings from which on it pays to copy the weights of sixteen pixels together


@kernel
def _weigh_few(readings: F64, weights: F64, out: F64) -> None:
    """Sum each reading's channels into pixels, channel after channel: `out` (n_times, n_pixels) starts at zero.

    Four channels a round, since pixels are otherwise loaded and stored for each; all readings in it, since the weights
    of a thousand channels lie beyond every cache.
    """
    n = weights.shape[0]
    for c in range(0, n - 3, 4):
        for t in range(readings.shape[0]):
            one, two, three, four = readings[t, c], readings[t, c + 1], readings[t, c + 2], readings[t, c + 3]
            for p in range(weights.shape[1]):
                total = out[t, p] + one * weights[c, p]
                total += two * weights[c + 1, p]
                total += three * weights[c + 2, p]
                out[t, p] = total + four * weights[c + 3, p]
    for c in range(n // 4 * 4, n):
        for t in range(readings.shape[0]):
            value = readings[t, c]
            for p in range(weights.shape[1]):
                out[t, p] += value * weights[c, p]


@kernel
def _weigh_many(readings: F64, weights: F64, out: F64) -> None:
    """Do the same in the same order, sixteen pixels of two readings at a time."""
    (times, n), pixels = readings.shape, weights.shape[1]
    whole, beside = pixels // LANES * LANES, np.empty((n, LANES))
    for p in range(0, whole, LANES):
        for c in range(n):
            store(beside, c * LANES, load(weights, c * pixels + p))
        for t in range(0, times, 2):
            at, other = t * n, min(t + 1, times - 1) * n
            one, two = splat(0.0), splat(0.0)
            for c in range(n):
                some = load(beside, c * LANES)
                one = one + splat(element(readings, at + c)) * some
                two = two + splat(element(readings, other + c)) * some
            store(out, t * pixels + p, one)
            store(out, min(t + 1, times - 1) * pixels + p, two)
    for t in range(times):
        for p in range(whole, pixels):
            for c in range(n):
                out[t, p] += readings[t, c] * weights[c, p]


def _weighed(seen: F64, weights: F64) -> F64:
    """Weigh in a fixed order, that of the channels, however many readings come at once.

    Not BLAS, whose order depends on that, and of which two busy threads take ten times as long as one loop.
    """
    out = np.zeros((len(seen), weights.shape[1]))
    (_weigh_few if len(seen) < FEW else _weigh_many)(seen, weights, out)
    return out


@dataclass(frozen=True, eq=False)
class MapOperator:
    """Minimum norm through the lead field of the heart volume (Numminen 1995), for one set of good channels."""

    grid: Grid
    good: BOOL  # (n_channels,) the channels it takes
    value: F64  # (n_good, n_pixels); behind `moments`, (n_moments, n_pixels)
    dx: F64  # the same, 1/m
    dy: F64
    sd: F64  # (n_pixels,) T, one posterior standard deviation
    margin: float  # m, half a pitch: how far beyond the sensors the grid reaches
    inverse: F64  # (n_good, n_good) 1/T², of the readings' covariance
    moments: F64 | None = None  # (n_good, n_moments) A·m/T, which readings go through where these are fewer

    def __call__(self, time: F64, readings: F64) -> FieldMap:
        """Return the maps of readings (n_times, n_channels) T, one row after the other."""
        seen = self._seen(readings)
        return self._map(time, *(self._weighed(seen, weights) for weights in (self.value, self.dx, self.dy)))

    def live(self, time: F64, readings: F64) -> FieldMap:
        """Return the maps in single precision, for eyes: within 1e-5 of the field, in a fraction of the time."""
        value, along, across = self.light
        seen = value.taken(self._lit(readings))
        sd = self._deviation
        return FieldMap(
            grid=self.grid,
            time=time,
            bz=value(seen),
            bz_sd=sd if len(readings) == 1 else np.broadcast_to(sd, (len(readings), *self.grid.mask.shape)),
            jx=across(seen),
            jy=along(seen),
        )

    def live_field(self, readings: F64) -> tuple[F64, F64]:
        """Return field and deviation alone, as `live` does: (n_times, ny, nx) and (1, ny, nx) T.

        The deviation changes with the good channels and their noise, so it comes with the operator.
        """
        value = self.light[0]
        return value(value.taken(self._lit(readings))), self._deviation

    def make_light(self) -> None:
        """Make now what the first live frame would wait for."""
        _ = self.light

    @cached_property
    def light(self) -> tuple[LiveWeights, LiveWeights, LiveWeights]:
        """Field, −∂Bz/∂x and ∂Bz/∂y for live frames; made with the first one."""
        shape = (-1, *self.grid.mask.shape)
        columns = np.flatnonzero(self.good) if self.moments is None else np.arange(len(self.value))
        value, along, across = (LiveWeights.of(one.reshape(shape), columns) for one in (self.value, -self.dx, self.dy))
        return value, along, across

    @cached_property
    def _deviation(self) -> F64:
        return self.sd.reshape(1, *self.grid.mask.shape)

    def _map(self, time: F64, bz: F64, slope_x: F64, slope_y: F64) -> FieldMap:
        return FieldMap(
            grid=self.grid,
            time=np.asarray(time, dtype=np.float64),
            bz=bz,
            bz_sd=np.broadcast_to(self.sd.reshape(bz.shape[1:]), bz.shape),
            jx=slope_y,
            jy=-slope_x,
        )

    def bz(self, readings: F64) -> F64:
        """Return the field alone, for readings (n_times, n_channels) T: (n_times, ny, nx) T."""
        return self._weighed(self._seen(readings), self.value)

    def currents(self, readings: F64) -> tuple[F64, F64]:
        """Return the pseudo-current ∂Bz/∂y, −∂Bz/∂x alone, for readings (n_times, n_channels) T: T/m."""
        seen = self._seen(readings)
        return self._weighed(seen, self.dy), -self._weighed(seen, self.dx)

    def _seen(self, readings: F64) -> F64:
        """Return what the weights are of: the good channels, or the moments that these tell."""
        seen = np.ascontiguousarray(readings[:, self.good])
        return seen if self.moments is None else _weighed(seen, self.moments)

    def _lit(self, readings: F64) -> F64:
        """Return what the live weights take their columns from."""
        return readings if self.moments is None else self._seen(readings)

    def _weighed(self, seen: F64, weights: F64) -> F64:
        return _weighed(seen, weights).reshape(len(seen), *self.grid.mask.shape)

    def left_out(self, readings: F64) -> F64:
        """Return what each good channel reads beyond what the others foretell: (n_times, n_good) T.

        e = A⁻¹y / diag A⁻¹ with A the readings' covariance is the residual of a fit without that channel.
        """
        rest: F64 = readings[:, self.good] @ self.inverse / np.diag(self.inverse)
        return rest

    def left_out_error(self, reading: F64) -> float:
        """Return how wrong each channel of one reading (n_channels,) is foretold by the others: rms over rms."""
        missed = self.left_out(reading[None, :])
        return float(np.sqrt(np.sum(missed**2) / np.sum(reading[self.good] ** 2)))

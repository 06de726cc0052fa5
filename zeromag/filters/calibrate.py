"""Calibrate: readings to the field at the sensors as they are, by what known coils told of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zeromag._jit import BOOL, F64, I64, kernel
from zeromag.block import Block
from zeromag.calibration import Calibration
from zeromag.filters.bad_samples import bad_samples
from zeromag.filters.meter import HeartCost
from zeromag.filters.operator import Operator, Plan, SpatialStep, nothing
from zeromag.sensors import SensorArray
from zeromag.stage import Step


@kernel
def _respond(x: F64, bad: BOOL, rows: I64, own: F64, common: F64, last: F64, out: F64) -> None:
    """Write (1 + sτ)/(1 + sT) of the columns `rows`, bilinear; `last` is (2, row): input and output before.

    `own` and `common` are 2·rate·τ and 2·rate·T. A bad sample stays as it is and the next good one starts settled.
    """
    for t in range(x.shape[0]):
        for k in range(len(rows)):
            c = rows[k]
            value = x[t, c]
            if bad[t, c] or not np.isfinite(value):
                last[0, k] = np.nan
                continue
            if np.isnan(last[0, k]):
                last[0, k], last[1, k] = value, value
            y = (1 + own[k]) * value + (1 - own[k]) * last[0, k] - (1 - common[k]) * last[1, k]
            y /= 1 + common[k]
            last[0, k], last[1, k] = value, y
            out[t, c] = y


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Takes crosstalk and gain off, gives every channel the array's median response, and says where sensors are.

    Readings are K (g · n·B(r)), each late by a first-order time constant τ (`zeromag bench array`). The stage gives
    G⁻¹ K⁻¹ of them, filtered by (1 + sτ)/(1 + sT) with T the median of all τ, so that no channel is ahead of another
    and none is differentiated; the sensors of its output have the calibrated places and axes. What crosstalk a bad
    channel adds to its neighbours stays in them. Channels without a calibration pass as they are.
    """

    calibration: Calibration

    def array(self, sensors: SensorArray) -> SensorArray:
        """Return the sensors with the calibrated places and axes.

        Raises
        ------
        ValueError
            If the calibration is of none of these channels.
        """
        rows = self._rows(sensors)
        found = [self.calibration[sensors.names[c]] for c in rows.tolist()]
        positions, axes = sensors.positions.copy(), sensors.axes.copy()
        positions[rows] = [sensor.position_m for sensor in found]
        axes[rows] = [sensor.axis for sensor in found]
        return replace(sensors, positions=positions, axes=axes)

    def plan(self, sensors: SensorArray) -> Plan:
        """Return G⁻¹ K⁻¹ for any pattern of good channels, response aside."""
        every = self._rows(sensors)

        def planned(good: NDArray[np.bool_]) -> Operator:
            rows = every[good[every]]
            if len(rows) == 0:
                return nothing()
            return Operator(rows, rows, self._correction(sensors, rows), np.eye(len(rows)), keep=0.0)

        return planned

    def start(self, head: Block) -> Step:
        """Return the running correction."""
        return _Calibrating(self, head)

    def cost(self, sensors: SensorArray) -> HeartCost:
        """Return what it costs the heart: nothing but noise, since it only puts right what the sensors did."""
        mag = self._rows(sensors)
        mag = mag[np.isin(mag, sensors.of_kind("mag"))]
        if len(mag) == 0:
            return HeartCost(1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
        gain = float(np.sqrt((self._correction(sensors, mag) ** 2).sum() / len(mag)))
        return HeartCost(1.0, 1.0, gain, 0.0, 0.0, 0.0)

    def in_words(self, sensors: SensorArray) -> str:
        """Return what is put right, in one phrase."""
        rows = self._rows(sensors)
        found = [self.calibration[sensors.names[c]] for c in rows.tolist()]
        there = self.array(sensors)
        moved = 1e3 * np.linalg.norm(there.positions[rows] - sensors.positions[rows], axis=1)
        turned = np.degrees(np.arccos(np.clip((there.axes[rows] * sensors.axes[rows]).sum(axis=1), -1, 1)))
        gains = [sensor.gain for sensor in found]
        return (
            f"calibrated {len(rows)} of {len(sensors)} channels (gains {min(gains):.3f} to {max(gains):.3f}, "
            f"moved up to {np.nanmax(moved, initial=0.0):.1f} mm, turned up to {np.nanmax(turned, initial=0.0):.1f}°)"
        )

    def _rows(self, sensors: SensorArray) -> NDArray[np.int64]:
        rows = np.array([c for c, name in enumerate(sensors.names) if name in self.calibration], dtype=np.int64)
        if len(rows) == 0:
            raise ValueError(
                f"the calibration is of other sensors ({', '.join(list(self.calibration)[:3])}, …), "
                f"the source has {', '.join(sensors.names[:3])}, …"
            )
        return rows

    def _correction(self, sensors: SensorArray, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return G⁻¹ K⁻¹ of some channels: (n, n)."""
        names = [sensors.names[c] for c in rows.tolist()]
        found = [self.calibration[name] for name in names]
        mixing = np.array([[1.0 if a == b else one.reads_of.get(b, 0.0) for b in names]
                           for a, one in zip(names, found, strict=True)])  # fmt: skip
        correction: NDArray[np.float64] = np.linalg.inv(mixing) / np.array([[one.gain] for one in found])
        return correction


class _Calibrating:
    """Crosstalk and gain by the spatial step, then each channel's response."""

    def __init__(self, settings: Calibrate, head: Block) -> None:
        self._sensors = settings.array(head.sensors)
        self._spatial = SpatialStep(settings.plan(head.sensors), head)
        lag = np.array([
            settings.calibration[name].time_constant_s if name in settings.calibration else 0.0
            for name in head.sensors.names
        ])  # fmt: skip
        self._rows = np.flatnonzero(lag > 0)
        own = lag[self._rows]
        self._own = 2 * head.rate * own
        self._common = np.full(len(own), 2 * head.rate * float(np.median(own)) if len(own) else 0.0)
        self._last = np.full((2, len(own)), np.nan)

    def __call__(self, block: Block) -> Block:
        """Return the field, at the sensors as they are."""
        scaled = self._spatial(block)
        out = scaled.data.copy()
        _respond(scaled.data, bad_samples(block), self._rows, self._own, self._common, self._last, out)
        return replace(scaled, data=out, sensors=self._sensors)

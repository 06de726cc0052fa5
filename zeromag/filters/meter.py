"""The heart meter: what a stage or chain does to the heart, to white noise and to time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.filters.known_heart import KnownHeart, known_heart, random_lead_field
from zeromag.filters.operator import Plan
from zeromag.physics.conductor import Conductor
from zeromag.physics.frame import array_frame
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray
from zeromag.stage import Stage

KEEP = 0.9  # of the heart's power: what takes more is not offered by itself
SECONDS = 7.0  # of the known heart; the second half is measured
DIPOLES = 200  # of the heart volume, for a spatial stage
WHITE = 15e-15  # T/√Hz
LATEST_S = 0.2  # longest delay looked for, beyond what a stage says of itself
BLOCK = 100  # samples
MANY = 2e5  # samples a second, all channels together, above which a stage in time is measured on fewer channels
ENOUGH = 16  # of the `mag` channels then


@runtime_checkable
class Spatial(Protocol):
    """A stage that is one linear operator on channels."""

    def plan(self, sensors: SensorArray) -> Plan:
        """Return the operator for any pattern of good channels."""
        ...


@runtime_checkable
class Known(Protocol):
    """A stage that knows its cost, since a known heart cannot tell it."""

    def cost(self, sensors: SensorArray) -> HeartCost:
        """Return the cost on this array."""
        ...


@runtime_checkable
class Late(Protocol):
    """A stage that holds everything back on purpose."""

    delay: float  # s


@dataclass(frozen=True, slots=True)
class HeartCost:
    """What cleaning costs; all three figures or none (a strong filter that eats the heart is no filter)."""

    heart_kept: float  # power of the heart behind over before, median over the heart volume; NaN: no heart below
    map_correlation: float  # of the field maps before and behind, median; NaN: no heart below
    noise_gain: float  # rms of white sensor noise behind over before
    delay_s: float  # s, of the heart
    map_error: float = float("nan")  # relative error of the field maps, median; NaN: no heart below
    map_angle: float = float("nan")  # degrees that the maps' minus-to-plus direction turns, median; NaN: as above


def measure(
    stage: Stage,
    sensors: SensorArray,
    rate: float,
    *,
    conductor: Conductor | None = None,
    volume: HeartVolume | None = None,
) -> HeartCost:
    """Return what a stage or chain costs the heart on this array.

    A spatial stage is measured by its operator on the lead field of the heart volume; any other by a known heart
    that runs through it on top of noise, mains and drift.
    """
    if isinstance(stage, Known):
        return stage.cost(sensors)
    conductor, volume = conductor or HalfSpace(), volume or HeartVolume()
    if isinstance(stage, Spatial):
        return cost_of(stage.plan(sensors)(sensors.usable()).matrix(len(sensors)), sensors, conductor, volume)
    few = _fewer(sensors, rate)
    held = held_back(stage)
    return _by_stream(stage, few, rate, held, known_heart(few, rate, SECONDS + held, conductor, volume))


def held_back(stage: Stage) -> float:
    """Return by how many seconds a stage, or a chain's stages together, hold the stream back on purpose."""
    if isinstance(stage, Chain):
        return sum(held_back(part) for part in stage.stages)
    return stage.delay if isinstance(stage, Late) else 0.0


def _fewer(sensors: SensorArray, rate: float) -> SensorArray:
    """Return an array that can be simulated for seconds: 1,024 channels at 10 kHz would take gigabytes."""
    mag = sensors.of_kind("mag")
    if len(sensors) * rate <= MANY or len(mag) <= ENOUGH:
        return sensors
    some = mag[np.linspace(0, len(mag) - 1, ENOUGH).astype(np.int64)]
    return sensors.pick(np.sort(np.concatenate([some, sensors.of_kind("ref")])))


def cost_of(
    matrix: NDArray[np.float64],
    sensors: SensorArray,
    conductor: Conductor | None = None,
    volume: HeartVolume | None = None,
) -> HeartCost:
    """Return what one matrix on channels (n_channels, n_channels) costs the heart, by dipoles of the heart volume."""
    conductor, volume = conductor or HalfSpace(), volume or HeartVolume()
    mag = sensors.of_kind("mag")
    mag = mag[sensors.usable()[mag]]
    if len(mag) == 0:
        return HeartCost(float("nan"), float("nan"), float("nan"), 0.0)
    gain = float(np.sqrt((matrix[mag] ** 2).sum() / len(mag)))
    heart = random_lead_field(sensors, conductor, volume, DIPOLES)
    if heart is None:
        return HeartCost(float("nan"), float("nan"), gain, 0.0)
    after = (matrix @ heart)[mag]
    return cost_of_maps(heart[mag], after, sensors.pick(mag), gain)


def _by_stream(stage: Stage, sensors: SensorArray, rate: float, held: float, heart: KnownHeart) -> HeartCost:
    """Return the cost by a known heart that runs through a stage which holds back by `held` seconds."""
    mag = sensors.of_kind("mag")
    mag = mag[sensors.usable()[mag]]
    if len(mag) == 0:
        return HeartCost(float("nan"), float("nan"), float("nan"), 0.0)
    beating = heart.field
    noise, room = _noise(sensors, rate, len(beating)), _room(sensors, rate, len(beating))
    half = len(noise) // 2
    quiet = _run(stage, sensors, rate, noise)[:, mag]
    without = _run(stage, sensors, rate, noise + room)[:, mag]
    after = _run(stage, sensors, rate, noise + room + beating)[:, mag] - without
    before = beating[:, mag]
    delay = lag(before, after, round(held * rate), round(LATEST_S * rate))
    late = heart.r_peaks[(heart.r_peaks > half) & (heart.r_peaks + round((0.4 + LATEST_S + held) * rate) < len(before))]
    shift = round(delay)
    span = np.arange(-round(0.3 * rate), round(0.4 * rate))
    powers = [(after[r + shift + span] ** 2).sum() / (before[r + span] ** 2).sum() for r in late.tolist()]
    gain = float(np.std(quiet[half:]) / np.std(noise[half:][:, mag]))
    maps = cost_of_maps(before[late].T, after[late + shift].T, sensors.pick(mag), gain)
    return replace(maps, heart_kept=float(np.median(powers)), delay_s=delay / rate)


def cost_of_maps(
    before: NDArray[np.float64], after: NDArray[np.float64], sensors: SensorArray | None, gain: float
) -> HeartCost:
    """Return what maps (n_mag, n_maps) before and behind tell; without sensors nothing of their direction."""
    error = float(np.median(np.linalg.norm(after - before, axis=0) / np.linalg.norm(before, axis=0)))
    alike = correlation(before, after) if len(before) > 2 else float("nan")
    angle = turned(before, after, sensors) if sensors is not None else float("nan")
    return HeartCost(kept(before, after), alike, gain, 0.0, error, angle)


def _run(stage: Stage, sensors: SensorArray, rate: float, data: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = Block(data=data, first=0, rate=rate, sensors=sensors)
    step: Callable[[Block], Block] = stage.start(whole.part(0, BLOCK))
    parts = [step(whole.part(k, min(k + BLOCK, len(whole)))) for k in range(0, len(whole), BLOCK)]
    return np.concatenate([part.data for part in parts])


def _noise(sensors: SensorArray, rate: float, samples: int) -> NDArray[np.float64]:
    return np.random.default_rng(1).normal(scale=WHITE * np.sqrt(rate / 2), size=(samples, len(sensors)))


def _room(sensors: SensorArray, rate: float, samples: int) -> NDArray[np.float64]:
    """Return mains and a slow swing of a uniform field: what adaptive stages feed on."""
    time = np.arange(samples) / rate
    axes = np.where(sensors.located()[:, None], np.nan_to_num(sensors.axes), 1.0)
    along = axes @ np.array([0.5, -0.4, 0.77])
    swing = 20e-12 * np.cos(2 * np.pi * 50.02 * time) + 30e-12 * np.sin(2 * np.pi * 0.3 * time)
    field: NDArray[np.float64] = swing[:, None] * along
    field[:, sensors.of_kind("stim", "misc")] = 0.0
    return field


def lag(before: NDArray[np.float64], after: NDArray[np.float64], least: int, more: int) -> float:
    """Return by how many samples `after` lags, from the peak of their cross-correlation in [least, least + more)."""
    n = len(before) - least - more
    size = 1 << (n + more - 1).bit_length()  # by their spectra: at 10 kHz the sums themselves took 13 s
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex128)
    for one, other in zip(before[:n].T, after[least : least + n + more - 1].T, strict=True):
        spectrum += np.conj(np.fft.rfft(one, size)) * np.fft.rfft(other, size)
    likeness = np.fft.irfft(spectrum, size)[:more]
    best = int(np.argmax(likeness))
    if not 0 < best < more - 1:
        return float(least + best)
    left, top, right = likeness[best - 1 : best + 2]
    bend = left - 2 * top + right
    return float(least + best + (0.5 * (left - right) / bend if bend < 0 else 0.0))


def kept(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return the median over maps (columns) of their power behind over before."""
    return float(np.median((after**2).sum(axis=0) / (before**2).sum(axis=0)))


def correlation(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return the median over maps (columns) of the correlation before and behind, each about its mean."""
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return float(np.median(np.where(size > 0, (a * b).sum(axis=0) / np.where(size > 0, size, 1.0), 0.0)))


def turned(before: NDArray[np.float64], after: NDArray[np.float64], sensors: SensorArray) -> float:
    """Return by how many degrees the minus-to-plus direction of maps (columns) turns, median.

    The direction is the first moment of the field over the places of the channels that look out of the chest.
    """
    rows = np.flatnonzero(sensors.located())
    if len(rows) < 3:
        return float("nan")
    frame = array_frame(sensors.pick(rows))
    outward = frame.turned(sensors.axes[rows])[:, 2]
    rows, outward = rows[np.abs(outward) > 0.7], outward[np.abs(outward) > 0.7]
    if len(rows) < 3:
        return float("nan")
    places = frame.inside(sensors.positions[rows])[:, :2]
    places = (places - places.mean(axis=0)) * outward[:, None]
    one, two = places.T @ before[rows], places.T @ after[rows]
    size = np.linalg.norm(one, axis=0) * np.linalg.norm(two, axis=0)
    cosine = np.divide((one * two).sum(axis=0), size, out=np.ones(len(size)), where=size > 0)
    return float(np.degrees(np.median(np.arccos(np.clip(cosine, -1.0, 1.0)))))

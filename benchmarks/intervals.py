"""Intervals against known beginnings and ends, beside IEC 60601-2-25: `python -m benchmarks.intervals`.

The standard's artificial signals are not free, so two others stand for them, read in fields with noise. Waves with
edges: straight and half-sine waves of many lengths on patterns drawn anew, which begin and end at one instant by any
rule. Simulated hearts: the simulator's own marks (a wave alone above 5 % of its greatest |dipole|). Both are used
neither by the stream nor by `mapping/fiducials.py`. The tolerances are those recalled of the standard's artificial
signals (mean, standard deviation); for recordings read by cardiologists it allows more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.simulate import simulation
from zeromag.mapping.fiducials import Fiducials, wave_fiducials

LIMITS = {"P": (10.0, 8.0), "PQ": (10.0, 8.0), "QRS": (6.0, 5.0), "QT": (12.0, 10.0)}  # ms, mean and deviation
NOISE = 0.1e-12  # T, white, of an averaged beat's channel
NEXT = 0.15  # s before the next R at which an average ends
HEARTS = (
    "heart_rate=45", "heart_rate=60", "heart_rate=80", "heart_rate=110", "heart_rate=140", "qrs_stretch=1.5",
    "qrs_stretch=0.8", "pr_shift_ms=40", "pr_shift_ms=-20", "t_turn_deg=120", "st_level=0.1", "x=40&y=30",
    "x=-30&y=-40", "depth=70", "t_shift_ms=40",
)  # fmt: skip

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A beat without noise of which P on, P off, QRS on, QRS off and T end are known."""

    time: F64  # s from R
    wave: F64  # (n_times, n_channels) T
    truth: F64  # (5,) s from R
    rr: float  # s


def simulated(query: str) -> Known:
    """Return one beat of a simulated adult, as long as an average of it is."""
    source = simulation(f"sim:adult?seconds=4&variability=0&noise=0&{query}")
    beating, rate = source.beating()[0], round(source.rate)
    peaks = [peak for peak, _ in beating.peaks(1200, 4000)]
    rr = (peaks[1] - peaks[0]) / rate
    at = np.arange(-round(0.35 * rate), min(round(0.55 * rate), round((rr - NEXT) * rate)))
    clean = np.concatenate([chunk.clean for chunk in source.chunks()])[:, source.sensors.of_kind("mag")]
    marks = (beating.fiducials(1200, 4000)[0] - peaks[0]) / rate
    return Known(at / rate, clean[peaks[0] + at], marks[[0, 1, 2, 3, 5]], rr)


def edged(seed: int, channels: int = 36) -> Known:
    """Return waves that begin and end at one instant: P and T half-sines, T leaning, and a QRS of three triangles."""
    rng = np.random.default_rng(seed)
    time = np.arange(-350, 551) / 1000
    p, qrs, qt = rng.uniform(0.08, 0.13), rng.uniform(0.07, 0.12), rng.uniform(0.34, 0.42)
    on = -0.4 * qrs
    pr = p + rng.uniform(0.045, 0.08)
    along_p = np.clip((time - on + pr) / p, 0, 1)
    along_t = np.clip((time - on - qt) / 0.18 + 1, 0, 1)
    corner = on + np.array([0.0, 0.2, 0.4, 0.62, 0.8, 1.0]) * qrs
    waves = [
        0.1 * np.sin(np.pi * along_p),
        -0.25 * np.interp(time, corner[:3], [0, 1, 0]),
        np.interp(time, corner[[1, 2, 4]], [0, 1, 0]),
        -0.35 * np.interp(time, corner[3:], [0, 1, 0]),
        0.35 * np.sin(np.pi * along_t**1.3),
    ]
    patterns = rng.normal(size=(len(waves), 3)) @ rng.normal(size=(3, channels))
    patterns *= 40e-12 / np.abs(patterns).max(axis=1, keepdims=True)
    return Known(time, np.transpose(waves) @ patterns, np.array([on - pr, on - pr + p, on, on + qrs, on + qt]), 1.0)


def errors(known: Sequence[Known], noise: float = NOISE) -> F64:
    """Return how far P, PQ, QRS and QT lie from the truth: (n_beats, 4) ms."""
    off = []
    for seed, beat in enumerate(known):
        wave = beat.wave + np.random.default_rng(seed).normal(scale=noise, size=beat.wave.shape)
        _, _, directions = np.linalg.svd(wave - wave.mean(axis=0), full_matrices=False)
        found = wave_fiducials(beat.time, wave @ directions[:6].T, beat.rr)
        off.append(_intervals(_marks(found)) - _intervals(beat.truth))
    return 1e3 * np.array(off)


def _marks(found: Fiducials) -> F64:
    return np.array([found.p_onset, found.p_end, found.qrs_onset, found.qrs_end, found.t_end])


def _intervals(marks: F64) -> F64:
    p_on, p_off, on, off, t_end = marks
    return np.array([p_off - p_on, on - p_on, off - on, t_end - on])


def main() -> None:
    """Print mean and deviation of each interval's error beside its tolerance."""
    print("| beats | interval | mean ms | sd ms | largest ms | tolerance |\n|---|---|---|---|---|---|")
    for name, known in (
        ("edges", [edged(seed) for seed in range(40)]),
        ("simulated hearts", [simulated(query) for query in HEARTS]),
    ):
        off = errors(known)
        for (interval, (mean, deviation)), column in zip(LIMITS.items(), off.T, strict=True):
            told = f"{column.mean():+.1f} | {column.std():.1f} | {np.abs(column).max():.1f}"
            print(f"| {len(known)} {name} | {interval} | {told} | ±{mean:g}, {deviation:g} |")


if __name__ == "__main__":
    main()

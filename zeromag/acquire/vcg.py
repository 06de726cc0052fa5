"""A heart driven by a real vectorcardiogram: the three Frank leads of a WFDB record."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.vcg_waves import wave_marks
from zeromag.errors import InputError
from zeromag.physics.heart import Beating
from zeromag.physics.sameni import FRANK_TO_CHEST

LEADS = ("vx", "vy", "vz")
PASS, STOP = 100.0, 140.0  # Hz: the heart's band, and where electrode noise and mains harmonics are gone
PR_START, PR_STOP = -0.085, -0.055  # s from R, after P and before Q
REFRACTORY = 0.25  # s


@dataclass(frozen=True, slots=True, eq=False)
class RecordedHeart:
    """A dipole that follows a recorded heart vector, over and over.

    `vector` is in chest axes, its PR segments at zero; `peaks` are the R peaks in it, `marks` where the waves
    of those that are `alike` begin and end. After the last whole beat it jumps back to the same phase of the
    first one, `loop` samples earlier.
    """

    place: tuple[float, float, float]  # m
    vector: NDArray[np.float64]  # (samples, 3) A·m
    rate: float  # Hz
    peaks: NDArray[np.int64]  # samples
    marks: NDArray[np.float64]  # (6,) samples from R: P on, P off, QRS on, QRS off, T peak, T end
    alike: NDArray[np.bool_]  # (n_peaks,)
    turn_back: int  # sample at which it jumps
    loop: int  # samples it jumps back

    @property
    def positions(self) -> NDArray[np.float64]:
        """The dipole's place: (1, 3) m."""
        return np.array([self.place])

    def start(self, rate: float, seed: tuple[int, ...]) -> Beating:  # noqa: ARG002 - nothing is random here
        """Return the heart, beating."""
        if rate != self.rate:
            raise ValueError(f"the vectorcardiogram was prepared for {self.rate:g} Hz, got {rate:g}")
        return _Playing(self)


class _Playing:
    """The recorded heart, running."""

    def __init__(self, heart: RecordedHeart) -> None:
        self._heart = heart

    def moments(self, first: int, samples: int) -> NDArray[np.float64]:
        """Return the dipole: (1, samples, 3) A·m."""
        heart = self._heart
        at = first + np.arange(samples)
        past = at >= heart.turn_back
        at[past] = heart.turn_back - heart.loop + (at[past] - heart.turn_back) % heart.loop
        return heart.vector[None, at]

    def peaks(self, first: int, stop: int) -> list[tuple[int, str]]:
        """Return (sample, kind) of each R peak with first <= sample < stop."""
        return [(sample, "normal") for sample, _ in self._beats(first, stop)]

    def fiducials(self, first: int, stop: int) -> NDArray[np.float64]:
        """Return P on, P off, QRS on, QRS off, T peak, T end of each such beat: (n_beats, 6) samples, NaN unknown."""
        heart = self._heart
        nothing = np.full(6, np.nan)
        marks = [sample + heart.marks if heart.alike[k] else nothing for sample, k in self._beats(first, stop)]
        return np.array(marks).reshape(-1, 6)

    def _beats(self, first: int, stop: int) -> list[tuple[int, int]]:
        """Return the sample of each R peak with first <= sample < stop, and which of the record's it is."""
        heart = self._heart
        rows = np.flatnonzero(heart.peaks < heart.turn_back)
        again = rows[heart.peaks[rows] >= heart.turn_back - heart.loop]
        turns = max(0, -(-(stop - heart.turn_back) // heart.loop))
        begin = max(0, (first - heart.turn_back) // heart.loop)
        found = [(int(heart.peaks[k]), int(k)) for k in rows]
        for turn in range(begin + 1, turns + 1):
            found += [(int(heart.peaks[k]) + heart.loop * turn, int(k)) for k in again]
        return [(sample, k) for sample, k in found if first <= sample < stop]


def read_vcg(path: str | Path, rate: float, *, place: tuple[float, float, float], peak: float) -> RecordedHeart:
    """Read the Frank leads of a WFDB record as a heart whose median |dipole| at R is `peak` (A·m).

    The baseline is taken from each PR segment and laid straight between them, which moves no ST segment;
    100 to 140 Hz and above are removed without delay. The result is the truth of the simulation, whatever
    the electrodes added.

    Raises
    ------
    InputError
        If the record cannot be read, has no Frank leads or no heartbeat.
    """
    leads, own_rate = _read(Path(path))
    vector = _low_pass(leads, own_rate)
    if own_rate != rate:
        vector = _resample(vector, own_rate, rate)
    rough = _r_peaks(vector, rate, path)
    vector = vector - _baseline(vector, rough, rate)
    size = np.linalg.norm(vector, axis=1)
    near = round(0.04 * rate)
    peaks = np.array([max(0, r - near) + int(np.argmax(size[max(0, r - near) : r + near + 1])) for r in rough])
    marks, alike = wave_marks(vector, peaks, rate)
    vector *= FRANK_TO_CHEST * peak / np.median(size[peaks])
    usual = float(np.median(np.diff(peaks)))
    ends = peaks + round(0.7 * usual)  # in diastole: after T, before P
    turn_back = int(ends[ends <= len(vector)][-1])
    loop = turn_back - int(peaks[1] - round(0.3 * usual))
    return RecordedHeart(place, vector, rate, peaks, marks, alike, turn_back, loop)


def _read(path: Path) -> tuple[NDArray[np.float64], float]:
    """Return the Frank leads (samples, 3) mV and the record's rate."""
    path = path.with_suffix("") if path.suffix in {".hea", ".dat"} else path
    if not path.with_name(path.name + ".hea").is_file():
        raise InputError(f"{path}: no such record; give record=PATH of a WFDB record, without .hea.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wfdb 4.3 uses what pandas 3.1 deprecates; nothing a user can act on
        import wfdb
    try:
        record = wfdb.rdrecord(str(path))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise InputError(f"{path}: cannot be read as a WFDB record ({error}).") from error
    names = [name.lower() for name in record.sig_name]
    if missing := [lead for lead in LEADS if lead not in names]:
        raise InputError(f"{path}: a vectorcardiogram needs the Frank leads vx, vy, vz; no {', '.join(missing)}.")
    leads = np.asarray(record.p_signal, dtype=np.float64)[:, [names.index(lead) for lead in LEADS]]
    if len(leads) < 5 * record.fs or not np.isfinite(leads).all():
        raise InputError(f"{path}: a vectorcardiogram needs 5 s without missing samples, found {len(leads)} samples.")
    return leads, float(record.fs)


def _low_pass(leads: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Return the leads without what is above the heart's band, without delay."""
    n = len(leads)
    mirrored = np.concatenate([leads, leads[::-1]])  # periodic without a step
    frequency = np.fft.rfftfreq(2 * n, 1 / rate)
    keep = 0.5 + 0.5 * np.cos(np.pi * np.clip((frequency - PASS) / (STOP - PASS), 0, 1))
    passed: NDArray[np.float64] = np.fft.irfft(np.fft.rfft(mirrored, axis=0) * keep[:, None], n=2 * n, axis=0)[:n]
    return passed


def _resample(leads: NDArray[np.float64], own: float, rate: float) -> NDArray[np.float64]:
    """Return band-limited leads at another rate, exact to 1e-3 at the top of the heart's band."""
    n, factor = len(leads), max(1, int(np.ceil(8000 / own)))
    mirrored = np.concatenate([leads, leads[::-1]])
    fine = np.fft.irfft(np.fft.rfft(mirrored, axis=0), n=2 * n * factor, axis=0)[: n * factor] * factor
    at = np.arange(int((n - 1) / own * rate) + 1) / rate
    columns = [np.interp(at, np.arange(len(fine)) / (own * factor), lead) for lead in fine.T]
    return np.stack(columns, axis=1)


def _r_peaks(vector: NDArray[np.float64], rate: float, path: str | Path) -> NDArray[np.int64]:
    """Return about where R is: the largest spatial speed, smoothed over 40 ms, above a third of the usual."""
    speed = np.linalg.norm(np.gradient(vector, axis=0), axis=1)
    width = max(1, round(0.04 * rate))
    energy = np.convolve(speed, np.ones(width) / width, mode="same")
    windows = energy[: len(energy) // round(rate) * round(rate)].reshape(-1, round(rate)).max(axis=1)
    usual = float(np.median(windows))
    found: list[int] = []
    gap = round(REFRACTORY * rate)
    above = np.flatnonzero(energy > usual / 3)
    for run in np.split(above, np.flatnonzero(np.diff(above) > width) + 1):
        if len(run) == 0:
            continue
        best = int(run[np.argmax(energy[run])])
        if found and best - found[-1] < gap:
            if energy[best] > energy[found[-1]]:
                found[-1] = best
        else:
            found.append(best)
    if len(found) < 4 or usual <= 2 * float(np.median(energy)):
        raise InputError(f"{path}: no regular heartbeat found in the Frank leads; choose another record.")
    return np.array(found, dtype=np.int64)


def _baseline(vector: NDArray[np.float64], peaks: NDArray[np.int64], rate: float) -> NDArray[np.float64]:
    """Return the straight lines from PR segment to PR segment: (samples, 3)."""
    start, stop = round(PR_START * rate), round(PR_STOP * rate)
    whole = peaks[peaks + start >= 0]
    levels = np.array([np.median(vector[r + start : r + stop], axis=0) for r in whole])
    at = np.arange(len(vector))
    return np.stack([np.interp(at, whole + (start + stop) / 2, level) for level in levels.T], axis=1)

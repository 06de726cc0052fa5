"""Beats of annotated ECG records, without and with half a millivolt of noise: `python -m benchmarks.beats FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from zeromag._jit import F64, I64
from zeromag.block import Block
from zeromag.mapping.detect import Beats
from zeromag.sensors import SensorArray

ANNOTATED = set("NLRBAaJSVrFejnE/fQ?")  # the annotation codes that are beats
NOISE = 0.5e-3  # V
NEAR = 0.15  # s, within which a beat counts as found


def found(volts: F64, rate: float) -> F64:
    """Return the samples of the beats that are found in one lead (n_samples,) V."""
    nowhere = np.full((1, 3), np.nan)
    whole = Block(
        data=volts[:, None], first=0, rate=rate, sensors=SensorArray(("E",), nowhere, nowhere, kinds=("ecg",))
    )
    search = Beats().start(whole)
    return np.array([beat.sample for beat in [*search(whole), *search.finish()]])


def told(at: F64, truth: I64, reach: float) -> tuple[float, float]:
    """Return sensitivity and positive predictivity: each found beat counts for the annotation nearest to it, once."""
    if not len(at):
        return 0.0, 0.0
    nearest = np.abs(at[:, None] - truth[None, :]).argmin(axis=1)
    hits = np.unique(nearest[np.abs(at - truth[nearest]) <= reach])
    return len(hits) / len(truth), len(hits) / len(at)


def main() -> None:
    """Print one line a record and noise."""
    import wfdb

    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="with 100.dat, 100.atr, …")
    folder = asked.parse_args().folder
    for path in sorted(folder.glob("*.atr")):
        record, marks = wfdb.rdrecord(str(path.with_suffix(""))), wfdb.rdann(str(path.with_suffix("")), "atr")
        rate = float(record.fs)
        beats = [at for at, symbol in zip(marks.sample, marks.symbol, strict=True) if symbol in ANNOTATED]
        volts, truth = 1e-3 * record.p_signal[:, 0], np.array(beats)
        for noise, seed in ((0.0, 0), (NOISE, 1), (NOISE, 2)):
            noisy = volts + np.random.default_rng(seed).normal(scale=noise, size=len(volts))
            sensitivity, predictivity = told(found(noisy, rate), truth, NEAR * rate)
            print(f"{path.stem}  {1e3 * noise:.1f} mV  Se {sensitivity:.4f}  PPV {predictivity:.4f}")


if __name__ == "__main__":
    main()

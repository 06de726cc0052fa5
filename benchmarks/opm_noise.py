"""The 50 Hz of a real second of 128 OPM channels: what each honest combination leaves, MNE's beside ours.

    python benchmarks/opm_noise.py FOLDER    (with the recording and positions.tsv of the OPM noise data)

Amplitude is the median over channels of a Hann-weighted Fourier sum; shielding is judged on the second's last 0.4 s,
since `Mains` watches for half a second. Noise is the median density from 60 to 90 Hz, away from the line.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.source import open_source
from zeromag.block import Block
from zeromag.filters import HomogeneousField, Mains, Multipole, SignalSpaceProjection, Zapline
from zeromag.pipeline import Chain
from zeromag.stage import Stage

F64 = NDArray[np.float64]
LATE = 0.6  # s


def main(folder: Path) -> None:
    """Print the table."""
    blocks = list(open_source(str(next(folder.glob("*.cMEG"))), block=100).blocks())
    sensors = blocks[0].sensors
    rows = sensors.of_kind("mag")
    rows = rows[sensors.located()[rows]]
    data = np.concatenate([each.data for each in blocks])[:, rows]
    block = Block(data=np.ascontiguousarray(data), first=0, rate=blocks[0].rate, sensors=sensors.pick(rows))
    print(f"{len(rows)} channels, {len(block) / block.rate:g} s at {block.rate:g} Hz")
    print(f"{'':44}{'50 Hz, all':>12}{'50 Hz, late':>13}{'60-90 Hz':>12}")
    before = [measure(block.data, block.rate)]
    for name, clean in {**theirs(block), **ours(block)}.items():
        figures = measure(clean(), block.rate)
        decibels = [20 * np.log10(a / b) for a, b in zip(before[0], figures, strict=True)]
        print(f"{name:44}{decibels[0]:9.1f} dB{decibels[1]:10.1f} dB{decibels[2]:9.1f} dB")


def ours(block: Block) -> dict[str, Callable[[], F64]]:
    """Return our chains."""
    chains: dict[str, tuple[Stage, ...]] = {
        "zeromag, order 1": (HomogeneousField(1),),
        "zeromag, order 2": (HomogeneousField(2),),
        "zeromag, order 3": (HomogeneousField(3),),
        "zeromag, Mains": (Mains(50.0),),
        "zeromag, order 1, Mains": (HomogeneousField(1), Mains(50.0)),
        "zeromag, order 2, Mains": (HomogeneousField(2), Mains(50.0)),
        "zeromag, order 3, Mains": (HomogeneousField(3), Mains(50.0)),
        "zeromag, multipoles 5 and 2 (AMM)": (Multipole(5, 2),),
        "zeromag, multipoles 5 and 2, Mains": (Multipole(5, 2), Mains(50.0)),
        "zeromag, projection learned in 0.5 s, Mains": (SignalSpaceProjection(count=3, learn=0.5), Mains(50.0)),
        "zeromag, Zapline (learns for 1 s: nothing yet)": (Zapline(50.0),),
    }
    return {name: partial(run, stages, block) for name, stages in chains.items()}


def run(stages: tuple[Stage, ...], block: Block) -> F64:
    """Return what a chain makes of the second, in blocks of 10 samples as live."""
    step = Chain(stages).start(block)
    return np.concatenate([step(block.part(k, min(k + 10, len(block)))).data for k in range(0, len(block), 10)])


def theirs(block: Block) -> dict[str, Callable[[], F64]]:
    """Return what MNE offers, on the same channels as point magnetometers."""
    info = mne_info(block)

    def corrected(order: int, *, notch: bool = False) -> F64:
        raw = mne.io.RawArray(block.data.T.copy(), info.copy(), verbose=False)
        if order:
            projs = mne.preprocessing.compute_proj_hfc(raw.info, order=order, accuracy="point", verbose=False)
            raw.add_proj(projs, verbose=False).apply_proj(verbose=False)
        data = raw.get_data()
        if notch:  # zero phase, over the whole second at once
            lines = np.arange(50.0, 600.0, 50.0)
            data = mne.filter.notch_filter(data, block.rate, lines, method="spectrum_fit", verbose=False)
        return np.ascontiguousarray(data.T)

    return {
        "MNE, order 1": lambda: corrected(1),
        "MNE, order 2": lambda: corrected(2),
        "MNE, order 3": lambda: corrected(3),
        "MNE, order 1, spectrum fit (offline)": lambda: corrected(1, notch=True),
    }


def mne_info(block: Block) -> Any:
    """Return MNE's description of point magnetometers at these places."""
    sensors = block.sensors
    info = mne.create_info(list(sensors.names), block.rate, "mag", verbose=False)
    for c, channel in enumerate(info["chs"]):
        ez = sensors.axes[c]
        ex = np.cross(ez, [0.3, -0.5, 0.8])
        ex /= np.linalg.norm(ex)
        channel["loc"] = np.concatenate([sensors.positions[c], ex, np.cross(ez, ex), ez])
        channel["coil_type"] = mne.io.constants.FIFF.FIFFV_COIL_POINT_MAGNETOMETER
        channel["coord_frame"] = mne.io.constants.FIFF.FIFFV_COORD_DEVICE
    return info


def measure(data: F64, rate: float) -> tuple[float, float, float]:
    """Return the 50 Hz amplitude of all and of the late part, and the density between 60 and 90 Hz."""
    late = data[round(LATE * rate) :]
    return (
        tone(data, rate, 50.0),
        tone(late, rate, 50.0),
        float(np.median([tone(late, rate, f) for f in range(60, 91)])),
    )


def tone(data: F64, rate: float, frequency: float) -> float:
    """Return the median amplitude over channels, Hann-weighted."""
    window = np.hanning(len(data))
    turn = window * np.exp(-2j * np.pi * frequency * np.arange(len(data)) / rate)
    return float(np.median(np.abs(2 * (turn @ (data - data.mean(axis=0))) / window.sum())))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

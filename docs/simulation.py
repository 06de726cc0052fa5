"""Draw one picture of each simulated scene into docs/images: `python docs/simulation.py`."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from scipy.signal import welch

from zeromag.acquire.simulate import PRESETS, simulation

mpl.use("Agg")
HERE = Path(__file__).resolve().parent
RECORD = Path(os.environ.get("ZEROMAG_DATA", HERE.parents[1] / "shared" / "data")) / "vcg" / "s0010_re"


def draw(preset: str) -> None:
    """Draw four seconds, the amplitude density of a minute and the heart's field at R."""
    spec = f"sim:{preset}?seconds=60" + (f"&record={RECORD}" if preset == "vcg" else "")
    source = simulation(spec)
    chunks = list(source.chunks())
    data = np.concatenate([chunk.data for chunk in chunks])
    clean = np.concatenate([chunk.clean for chunk in chunks])
    heart = source.sensors.of_kind("mag")
    figure, (trace, density, field) = plt.subplots(
        1, 3, figsize=(11, 2.7), width_ratios=(2, 1.5, 1), layout="constrained"
    )
    time = np.arange(4000) / source.rate
    shown = data[4000:8000, heart] - data[4000:8000, heart].mean(axis=0)
    trace.plot(time, 1e12 * shown, lw=0.4, color="0.65")
    trace.plot(time, 1e12 * clean[4000:8000, heart[len(heart) // 3]], lw=1, color="tab:red", label="heart")
    trace.set(xlabel="time / s", ylabel="Bz / pT", title=f"sim:{preset}")
    frequency, power = welch(data[:, heart], source.rate, nperseg=8192, axis=0, detrend="linear")
    inside = slice(4, None)
    density.loglog(frequency[inside], 1e15 * np.sqrt(np.median(power, axis=1))[inside], lw=0.7, label="all, median")
    wanted = np.median(source.density(frequency[inside])[:, heart], axis=1)
    density.loglog(frequency[inside], 1e15 * wanted, lw=1, label="formula: sensors, background")
    density.set(xlabel="frequency / Hz", ylabel="fT/√Hz", xlim=(0.5, 500))
    density.legend(fontsize=7)
    if source.hearts:
        trace.legend(fontsize=7, loc="upper right")
        peak = source.beating()[0].peaks(4000, 8000)[0][0]
        places, values = 1e3 * source.sensors.positions[heart], 1e12 * clean[peak, heart]
        most = np.abs(values).max()
        picture = field.tricontourf(places[:, 0], places[:, 1], values, 21, cmap="RdBu_r", vmin=-most, vmax=most)
        field.plot(places[:, 0], places[:, 1], ".", ms=2, color="k")
        field.set(aspect="equal", xlabel="x / mm, to the patient's left", ylabel="y / mm", title="Bz at R / pT")
        figure.colorbar(picture, ax=field)
    else:
        field.axis("off")
    folder = HERE / "images"
    folder.mkdir(exist_ok=True)
    figure.savefig(folder / f"sim-{preset}.png", dpi=75)
    plt.close(figure)


if __name__ == "__main__":
    for preset in PRESETS:
        draw(preset)

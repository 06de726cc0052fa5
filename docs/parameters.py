"""Draw the picture of docs/parameters.md from one simulated scan: `python docs/parameters.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scans import Scene, planar
from zeromag.mapping.average import Average
from zeromag.mapping.fiducials import fiducials
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.measures import Measures
from zeromag.mapping.poles import currents, poles, poles_of_maps
from zeromag.mapping.t_motion import growth

OUT = Path(__file__).parent / "images" / "parameters.png"


def draw_map(axes: Axes, average: Average, measures: Measures) -> None:
    """Draw poles, the vector from plus to minus, the longest arrow and the total current at T."""
    operator, marks = measures.operator, measures.marks(average.wave)
    if operator is None:
        return
    reading = average.wave[average.at(marks.t_peak)][None, :]
    bz, (jx, jy) = operator.bz(reading)[0], operator.currents(reading)
    x, y, mask = operator.grid.x * 1e3, operator.grid.y * 1e3, operator.grid.mask
    shown = np.where(mask, bz, np.nan) * 1e12
    size = float(np.nanmax(np.abs(shown)))
    axes.pcolormesh(x, y, shown, cmap="RdBu_r", vmin=-size, vmax=size, shading="nearest")
    pair, current = poles(operator.grid, bz), currents(operator.grid, jx[0], jy[0])
    plus, minus = np.array(pair.plus) * 1e3, np.array(pair.minus) * 1e3
    axes.annotate("", minus, plus, arrowprops={"arrowstyle": "-|>", "lw": 2})
    axes.text(*plus, "⊕", ha="center", va="center", fontsize=14)
    axes.text(*minus, "⊖", ha="center", va="center", fontsize=14)
    for angle, colour, name in ((current.angle, "#116611", "longest arrow"), (current.total_angle, "#7a3db8", "total")):
        end = 45 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        axes.annotate("", end, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2})
        axes.plot([], [], color=colour, lw=2, label=f"{name}, {angle:.0f}°")
    axes.legend(title="current", fontsize=8, title_fontsize=8, loc="lower right")
    words = f"map_angle {pair.angle:.0f}°, pole_distance {1e3 * pair.distance:.0f} mm, pole_ratio {pair.ratio:.2f}"
    axes.set(title=f"at T: {words}", xlabel="mm, patient's left →", ylabel="mm, head ↑", aspect="equal")


def draw_wave(axes: Axes, average: Average) -> None:
    """Draw the fiducials on the averaged beat, and where T's growth is followed."""
    marks = fiducials(average)
    axes.plot(average.time * 1e3, average.wave * 1e12, color="#0b4f8a", lw=0.5, alpha=0.5)
    names = ("p_onset", "p_peak", "p_end", "qrs_onset", "r_peak", "qrs_end", "t_onset", "t_third", "t_peak", "t_end")
    top = float(average.wave.max()) * 1e12
    for k, name in enumerate(names):
        at = 1e3 * float(getattr(marks, name))
        axes.axvline(at, color="#888888", lw=0.6)
        axes.text(at, top * (1.0 - 0.09 * (k % 4)), name, fontsize=6, ha="center")
    axes.set(title="fiducials", xlabel="ms from R", ylabel="pT", xlim=(-300, 500))


def draw_growth(axes: Axes, average: Average, measures: Measures) -> None:
    """Draw angle and distance of the poles from Tmax/3 to Tmax."""
    grown = growth(average.time, average.wave, measures.marks(average.wave))
    if grown is None or measures.operator is None:
        return
    pairs = poles_of_maps(measures.operator.grid, measures.operator.bz(grown.readings))
    axes.plot(grown.time * 1e3, [pair.angle for pair in pairs], "o-", ms=3, color="#0b4f8a")
    axes.set(title="pole dynamics: Tmax/3 to Tmax", xlabel="ms from R")
    axes.set_ylabel("map angle, °", color="#0b4f8a")
    other = axes.twinx()
    other.plot(grown.time * 1e3, [1e3 * pair.distance for pair in pairs], "s-", ms=3, color="#b84a1b")
    other.set_ylabel("pole distance, mm", color="#b84a1b")


def draw_qt(axes: Axes, average: Average, measures: Measures) -> None:
    """Draw QT of each channel with a T wave of its own."""
    qt = measures.channels_qt(average.wave) * 1e3
    told = np.isfinite(qt)
    places = average.sensors.positions[:, :2] * 1e3
    axes.plot(*places[~told].T, "x", color="#999999", ms=4)
    dots = axes.scatter(*places[told].T, c=qt[told], s=120, cmap="viridis")
    axes.figure.colorbar(dots, ax=axes, label="QT, ms")
    axes.set(title=f"qt_dispersion {np.ptp(qt[told]):.0f} ms", xlabel="mm, patient's left →", aspect="equal")


def main() -> None:
    """Draw the four panels."""
    average, _ = Scene(planar()).scan(60, 1)
    measures = Measures(average, Mapper())
    figure = Figure(figsize=(11, 8.5), dpi=80)
    panels = figure.subplots(2, 2)
    draw_map(panels[0, 0], average, measures)
    draw_wave(panels[0, 1], average)
    draw_growth(panels[1, 0], average, measures)
    draw_qt(panels[1, 1], average, measures)
    figure.tight_layout()
    figure.savefig(OUT)


if __name__ == "__main__":
    main()

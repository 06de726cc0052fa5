"""Pictures of an array's characterisation: noise, channels, stability, response, crosstalk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zeromag.characterise.findings import Characterisation
from zeromag.viz.figures import INK, QUIET, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, RED = "#0b4f8a", "#b3261e"


def noise_figure(found: Characterisation) -> Figure | None:
    """Return the amplitude density of all channels, and the sensors' own."""
    if found.spectrum is None or found.own is None:
        return None
    figure = new_figure(7.2, 3.6)
    axes = figure.add_subplot()
    rows = found.record.good() & np.isfinite(found.spectrum.power).all(axis=0)
    frequency = found.spectrum.frequency
    if not rows.any():
        return None
    for power, colour, label in ((found.spectrum.power, QUIET, "as read"), (found.own.power, BLUE, "sensors' own")):
        density = np.sqrt(power[:, rows]) * 1e15
        low, middle, high = np.percentile(density, [10, 50, 90], axis=1)
        axes.fill_between(frequency, low, high, color=colour, alpha=0.2, lw=0)
        axes.plot(frequency, middle, color=colour, lw=0.9, label=f"{label}, median and 10–90 % of channels")
    for line, _ in found.lines:
        axes.axvline(line, color=RED, lw=0.4, alpha=0.5)
    axes.set(xscale="log", yscale="log", xlabel="frequency (Hz)", ylabel="fT/√Hz")
    axes.set_title("Noise density; lines in red", fontsize=10, color=INK)
    axes.legend(fontsize=7)
    return _finished(figure)


def channel_figure(found: Characterisation, name: str) -> Figure | None:
    """Return one figure of every channel with its interval; None where no channel has it."""
    names = [channel for channel in found.record.sensors.names if name in found.channels.get(channel, {})]
    if not names:
        return None
    figure = new_figure(7.2, 2.6)
    axes = figure.add_subplot()
    rows = [found.channels[channel][name] for channel in names]
    value = np.array([row.value for row in rows])
    low = np.array([row.low if np.isfinite(row.low) else row.value for row in rows])
    high = np.array([row.high if np.isfinite(row.high) else row.value for row in rows])
    axes.errorbar(
        np.arange(len(rows)), value, yerr=[np.maximum(value - low, 0), np.maximum(high - value, 0)],
        fmt="o", ms=3, lw=0.8, color=BLUE,
    )  # fmt: skip
    every = max(1, len(names) // 48)
    axes.set_xticks(range(0, len(names), every), names[::every], rotation=90, fontsize=6)
    axes.set(ylabel="" if rows[0].unit == "1" else rows[0].unit, xlim=(-1, len(names)))
    axes.set_title(f"{name.replace('_', ' ')}, 95 % intervals", fontsize=10, color=INK)
    axes.grid(color="#dde2e8", lw=0.5)
    return _finished(figure)


def allan_figure(found: Characterisation) -> Figure | None:
    """Return the Allan deviation over averaging time."""
    if found.allan is None or not len(found.allan.tau):
        return None
    whole = np.isfinite(found.allan.deviation).all(axis=0)
    if not whole.any():
        return None
    figure = new_figure(7.2, 3.0)
    axes = figure.add_subplot()
    each = found.allan.deviation[:, whole] * 1e15
    middle = np.median(each, axis=1)
    axes.plot(found.allan.tau, each, color=QUIET, lw=0.3, alpha=0.4)
    axes.fill_between(found.allan.tau, middle * found.allan.low, middle * found.allan.high, color=BLUE, alpha=0.2, lw=0)
    axes.plot(found.allan.tau, middle, color=BLUE, lw=1.2)
    axes.set(xscale="log", yscale="log", xlabel="averaging time (s)", ylabel="fT")
    axes.set_title("Allan deviation, median channel with its 95 % interval", fontsize=10, color=INK)
    return _finished(figure)


def response_figure(found: Characterisation) -> Figure | None:
    """Return amplitude over frequency of every channel."""
    if found.response is None:
        return None
    figure = new_figure(7.2, 3.0)
    axes = figure.add_subplot()
    axes.plot(found.response.frequency, 20 * np.log10(np.abs(found.response.factor)), color=BLUE, lw=0.6, alpha=0.6)
    axes.axhline(-3.01, color=RED, lw=0.7)
    axes.set(xscale="log", xlabel="frequency (Hz)", ylabel="dB")
    axes.set_title("Response of each channel; red: 3 dB down", fontsize=10, color=INK)
    return _finished(figure)


def crosstalk_figure(found: Characterisation) -> Figure | None:
    """Return the crosstalk matrix."""
    if found.crosstalk is None:
        return None
    figure = new_figure(5.2, 4.4)
    axes = figure.add_subplot()
    matrix = 100 * (found.crosstalk.mixing - np.eye(len(found.crosstalk.mixing)))
    most = max(float(np.abs(matrix).max()), 1e-6)
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-most, vmax=most)
    figure.colorbar(image, ax=axes, label="%")
    axes.set(xlabel="driven channel", ylabel="reading channel")
    axes.set_title("Crosstalk", fontsize=10, color=INK)
    return _finished(figure)


def _finished(figure: Figure) -> Figure:
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure

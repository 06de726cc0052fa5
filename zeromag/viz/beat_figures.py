"""The averaged beats and what each channel is worth, on paper; Matplotlib without a display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zeromag.mapping.average import Average
from zeromag.mapping.fiducials import fiducials
from zeromag.viz.figures import INK, QUIET, new_figure
from zeromag.viz.scale import round_up

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def butterfly_axes(axes: Axes, average: Average) -> None:
    """Draw every usable channel of an average over each other, pT against ms from R; P, QRS and T shaded."""
    wave = average.wave[:, average.good] * 1e12
    axes.plot(average.time * 1e3, wave, color="#0b4f8a", lw=0.6, alpha=0.7)
    axes.axvline(0, color=QUIET, lw=0.6)
    marks = fiducials(average)
    waves = ((marks.p_onset, marks.p_end), (marks.qrs_onset, marks.qrs_end), (marks.t_onset, marks.t_end))
    for name, ends in zip(("P", "QRS", "T"), waves, strict=True):
        if np.isfinite(ends).all():
            axes.axvspan(ends[0] * 1e3, ends[1] * 1e3, color=QUIET, alpha=0.1, lw=0)
            axes.text(ends[0] * 1e3 + 3, 0.04, name, transform=axes.get_xaxis_transform(), fontsize=7, color=QUIET)
    axes.set(xlabel="ms from R", ylabel="pT", xlim=(average.time[0] * 1e3, average.time[-1] * 1e3))
    noise = float(np.median(average.noise[average.good])) * 1e15
    axes.set_title(f"{average.kind}: {average.nave} beats, noise {noise:.0f} fT", fontsize=10, color=INK)
    axes.grid(color="#dde2e8", lw=0.5)


def butterfly_figure(averages: Sequence[Average]) -> Figure:
    """Return the averaged beats of every class that has one usable channel or more."""
    shown = [average for average in averages if average.good.any()]
    figure = new_figure(7.2, 2.6 * max(len(shown), 1) + 0.6)
    if not shown:
        figure.text(0.5, 0.5, "no averaged beat", ha="center", color=INK)
        return figure
    panels = figure.subplots(len(shown), 1, squeeze=False)
    for axes, average in zip(panels[:, 0], shown, strict=True):
        butterfly_axes(axes, average)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


def quality_figure(summary: Mapping[str, Any], average: Average | None) -> Figure:
    """Return each channel's noise in the averaged beat; channels that were not used are crossed, with the reason."""
    figure = new_figure(7.2, 3.4)
    axes = figure.add_subplot()
    channels: Mapping[str, Mapping[str, str]] = summary.get("channels") or {}
    names = list(channels)
    noise = dict(zip(average.sensors.names, average.noise.tolist(), strict=True)) if average is not None else {}
    values = np.array([noise.get(name, np.nan) for name in names]) * 1e15
    top = round_up(float(np.nanmax(values))) if np.isfinite(values).any() else 1.0
    good = np.array([channels[name].get("status") == "good" for name in names], dtype=np.bool_)
    told = np.flatnonzero(good & np.isfinite(values))
    axes.bar(told, values[told], color="#0b4f8a", width=0.7)
    for k, name in enumerate(names):
        if not good[k]:
            axes.plot(k, 0.03 * top, "x", color="#b3261e", ms=6)
            why = f"{channels[name].get('status')}: {channels[name].get('why', '')}".rstrip(": ")
            axes.text(k, 0.07 * top, why, rotation=90, ha="center", va="bottom", fontsize=6, color="#b3261e")
    axes.set(ylim=(0, 1.1 * top), xlim=(-0.8, max(len(names), 1) - 0.2), ylabel="noise of the averaged beat (fT)")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
    axes.set_title("Channels", fontsize=10, color=INK)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure

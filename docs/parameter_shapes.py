"""Draw the second picture of docs/parameters.md, what the first leaves out: `python docs/parameter_shapes.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scans import Scene, planar
from zeromag.mapping.average import Average
from zeromag.mapping.current_class import LARGE, USUAL
from zeromag.mapping.dipole import DipoleFit
from zeromag.mapping.fiducials import fiducials
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.measures import Measures
from zeromag.mapping.poles import currents
from zeromag.mapping.wave_shape import SMOOTH, ST
from zeromag.physics.conductor import lead_field
from zeromag.physics.halfspace import HalfSpace

OUT = Path(__file__).parent / "images" / "parameter_shapes.png"
INK, BLUE, RED, GREEN = "#15202b", "#0b4f8a", "#b84a1b", "#116611"


def draw_vectors(axes: Axes, average: Average, measures: Measures, found: dict[str, float]) -> None:
    """Draw the total current at R, a third of T, T's onset and T's peak, and the change between the last two."""
    operator, marks = measures.operator, measures.marks(average.wave)
    if operator is None:
        return
    ends = {}
    for name, at in (("R", marks.r_peak), ("T/3", marks.t_third), ("T onset", marks.t_onset), ("T", marks.t_peak)):
        jx, jy = operator.currents(average.wave[average.at(at)][None, :])
        ends[name] = 1e12 * np.array(currents(operator.grid, jx[0], jy[0]).vector)
    for (name, end), colour in zip(ends.items(), (INK, GREEN, BLUE, RED), strict=True):
        shown = end * (0.3 if name == "R" else 1.0)
        axes.annotate("", shown, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2})
        axes.text(*(1.1 * shown), f"{name} × 0.3" if name == "R" else name, color=colour, fontsize=8)
    axes.annotate("", ends["T"], ends["T onset"], arrowprops={"arrowstyle": "-|>", "color": "#7a3db8", "lw": 1.5})
    reach = 1.3 * max(float(np.abs(end).max()) * (0.3 if name == "R" else 1) for name, end in ends.items())
    words = (
        f"r_t_angle {found['r_t_angle']:.0f}°, total_current_turn_T {found['total_current_turn_T']:.0f}°\n"
        f"violet / R: tbeg_tmax_vector {found['tbeg_tmax_vector']:.2f}, tbeg_tmax_angle {found['tbeg_tmax_angle']:.0f}°"
    )
    axes.set(
        xlim=(-0.2 * reach, reach), ylim=(-reach, 0.2 * reach), aspect="equal", xlabel="total current, pT·m, left →"
    )
    axes.set_title(words, fontsize=9)


def draw_rest(axes: Axes, average: Average, found: dict[str, float]) -> None:
    """Draw each sensor's field at T beside that of the best dipole."""
    reading = average.wave[average.at(fiducials(average).t_peak)]
    fitted = DipoleFit().of(average.sensors, average.good, np.full(len(average.good), 1e-13))(reading)
    gain = lead_field(HalfSpace(), np.array([fitted.position]), average.sensors.positions, average.sensors.axes)[:, 0]
    model = gain @ np.array(fitted.moment)
    order = np.argsort(reading)
    axes.plot(1e12 * reading[order], "o", ms=4, color=BLUE, label="measured")
    axes.plot(1e12 * model[order], "-", color=RED, label="best dipole")
    axes.fill_between(
        np.arange(len(order)), 1e12 * reading[order], 1e12 * model[order], color=RED, alpha=0.25, label="left over"
    )
    axes.legend(fontsize=7)
    axes.set(xlabel="sensors in order of their field at T", ylabel="pT")
    axes.set_title(f"non_dipolarity_T {found['non_dipolarity_T']:.4f}: energy of what is left over", fontsize=9)


def draw_class(axes: Axes, average: Average, measures: Measures, found: dict[str, float]) -> None:
    """Draw the arrows above 80 % of the longest and the directions that count as usual."""
    operator, marks = measures.operator, measures.marks(average.wave)
    if operator is None:
        return
    jx, jy = operator.currents(average.wave[average.at(marks.t_peak)][None, :])
    part = (slice(None, None, 3),) * 2
    x, y = np.meshgrid(1e3 * operator.grid.x, 1e3 * operator.grid.y)
    length = np.where(operator.grid.mask, np.hypot(jx[0], jy[0]), 0.0)
    large = (length >= LARGE * length.max())[part]
    for which, colour in ((~large, "#bbbbbb"), (large, RED)):
        arrows = jx[0][part][which], jy[0][part][which]
        axes.quiver(x[part][which], y[part][which], *arrows, color=colour, scale=12 * length.max(), width=0.005)
    turned = np.radians(np.linspace(*USUAL, 60))
    axes.fill(np.r_[0, 25 * np.cos(turned)] - 80, np.r_[0, 25 * np.sin(turned)] - 80, color=GREEN, alpha=0.4)
    axes.set(aspect="equal", xlabel="mm, patient's left →", ylabel="mm, head ↑")
    axes.set_title(f"cdv_class {found['cdv_class']:.1f}: arrows ≥ 80 % (red), usual sector (green)", fontsize=9)


def draw_shape(qrs: Axes, st: Axes, average: Average, found: dict[str, float]) -> None:
    """Draw what of the QRS lies beyond three components, and how the ST segment strays from straight lines."""
    marks, time = fiducials(average), average.time
    rows = np.flatnonzero((time >= marks.qrs_onset) & (time <= marks.qrs_end))
    left, sizes, right = np.linalg.svd(average.wave[rows], full_matrices=False)
    rest = left[:, SMOOTH:] * sizes[SMOOTH:] @ right[SMOOTH:]
    qrs.plot(1e3 * time[rows], 1e12 * average.wave[rows], color=BLUE, lw=0.5, alpha=0.5)
    qrs.plot(1e3 * time[rows], 1e13 * rest, color=RED, lw=0.7)
    qrs.set(xlabel="ms from R", ylabel="pT; red: the rest × 10")
    qrs.set_title(f"qrs_fragmentation {found['qrs_fragmentation']:.5f}: energy of the red", fontsize=9)
    rows = np.flatnonzero((time >= marks.qrs_end + ST[0]) & (time <= marks.qrs_end + ST[1]))
    for channel in range(0, len(average.sensors), 3):
        line = np.polyval(np.polyfit(time[rows], average.wave[rows, channel], 1), time[rows])
        st.plot(1e3 * time[rows], 1e12 * average.wave[rows, channel], color=BLUE, lw=0.8)
        st.plot(1e3 * time[rows], 1e12 * line, color=RED, lw=0.8, ls="--")
    st.set(xlabel="ms from R", ylabel="pT")
    st.set_title(f"st_fluctuation {found['st_fluctuation']:.4f}: blue beside its straight lines, over R", fontsize=9)


def draw_intervals(axes: Axes, average: Average, found: dict[str, float]) -> None:
    """Draw from where to where each interval runs."""
    marks = fiducials(average)
    axes.plot(1e3 * average.time, 1e12 * average.rms(), color=BLUE)
    spans = {
        "p": (marks.p_onset, marks.p_end),
        "pr": (marks.p_onset, marks.qrs_onset),
        "qrs": (marks.qrs_onset, marks.qrs_end),
        "qt": (marks.qrs_onset, marks.t_end),
        "rt": (marks.r_peak, marks.t_peak),
        "tpeak_tend": (marks.t_peak, marks.t_end),
    }
    for k, (name, (begin, end)) in enumerate(spans.items()):
        level = -1.5 - 1.8 * k
        axes.annotate("", (1e3 * end, level), (1e3 * begin, level), arrowprops={"arrowstyle": "<->", "color": INK})
        axes.text(1e3 * end + 8, level, f"{name} {1e3 * found[name]:.0f} ms", fontsize=7, va="center")
    axes.set(xlabel="ms from R", ylabel="RMS, pT", xlim=(-300, 500), ylim=(-13, None))
    axes.set_title("intervals; qtc_bazett = qt/√RR, qtc_fridericia = qt/∛RR", fontsize=9)


def main() -> None:
    """Draw the six panels."""
    scene = Scene(planar())
    average, _ = scene.scan(60, 1)
    measures = Measures(average, Mapper())
    found = measures(average.wave, scene.rr)
    figure = Figure(figsize=(12.5, 8), dpi=80)
    panels = figure.subplots(2, 3)
    draw_intervals(panels[0, 0], average, found)
    draw_vectors(panels[0, 1], average, measures, found)
    draw_class(panels[0, 2], average, measures, found)
    draw_rest(panels[1, 0], average, found)
    draw_shape(panels[1, 1], panels[1, 2], average, found)
    figure.tight_layout()
    figure.savefig(OUT)


if __name__ == "__main__":
    main()

"""Maps on paper: one instant, or many small ones on one scale; Matplotlib without a display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap, Grid
from zeromag.viz.outline import outline
from zeromag.viz.palette import diverging
from zeromag.viz.places import edges, heart_places
from zeromag.viz.pole_marks import CLEAR, clear_poles
from zeromag.viz.scale import isoline_step, limit_above
from zeromag.viz.theme import INTO_CHEST, OUT_OF_CHEST, RESEARCH_USE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

ARROWS = 11  # along the longer side
UNSEEN = "#e3e7ec"
FAINT = 0.04  # of the scale: poles of a weaker map of a row are not marked
INK = "#15202b"
QUIET = "#4d5a68"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure (inches) that no window and no global state knows of, with the words every picture has."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.01, 0.01, RESEARCH_USE, fontsize=7, color=QUIET)
    return figure


def map_axes(axes: Axes, field_map: FieldMap, at: int, *, limit: float, average: Average | None = None) -> None:
    """Draw one instant: colours, isolines (− dashed, 0 thick), poles, sensors, pseudo-current; `limit` in T."""
    right, left, foot, head = (value * 1e3 for value in edges(field_map.grid))
    _field(axes, field_map, at, limit, width=0.6, ground=UNSEEN)
    axes.set(xlim=(right, left), ylim=(foot, head), xticks=[], yticks=[], facecolor=UNSEEN)
    _signs(axes, field_map, at, CLEAR * limit, size=13)
    _arrows(axes, field_map, at)
    if average is not None:
        _sensor_marks(axes, average)
    axes.text(-0.03, 0.5, "R", transform=axes.transAxes, ha="right", va="center", weight="bold", color=INK)
    axes.text(1.03, 0.5, "L", transform=axes.transAxes, ha="left", va="center", weight="bold", color=INK)


def _sensor_marks(axes: Axes, average: Average) -> None:
    """Mark the heart's channels: a ring where one is used, a cross where it is not."""
    usable = dict(zip(average.sensors.names, average.good.tolist(), strict=True))
    for used, mark, size in ((True, "o", 2.5), (False, "x", 6.0)):
        places = [(x * 1e3, y * 1e3) for name, x, y in heart_places(average.sensors) if usable.get(name, False) == used]
        if places:  # one line of marks: one for each sensor takes a tenth of the report's time
            axes.plot(*zip(*places, strict=True), mark, ms=size, mfc="none", color=INK, mew=0.6)


def _field(
    axes: Axes, field_map: FieldMap, at: int, limit: float, *, width: float, ground: str,
    shift: tuple[float, float] = (0.0, 0.0),
) -> None:  # fmt: skip
    """Draw colours and isolines, moved by `shift` (mm), and `ground` over what is not seen."""
    grid = field_map.grid
    everywhere = np.ma.masked_invalid(field_map.bz[at] * 1e12)
    bz = np.ma.masked_array(everywhere, mask=~_seen(field_map, at))
    right, left, foot, head = (value * 1e3 for value in edges(grid))
    extent = (right + shift[0], left + shift[0], foot + shift[1], head + shift[1])
    reach, step = limit * 1e12, isoline_step(limit) * 1e12
    axes.imshow(
        everywhere, origin="lower", extent=extent, cmap=_colours(), vmin=-reach, vmax=reach, interpolation="bilinear"
    )  # fmt: skip
    _cover_unseen(axes, grid, extent, shift, ground)
    levels = np.arange(-np.floor(reach / step), np.floor(reach / step) + 1) * step
    if bz.count() and min(bz.shape) > 1:
        axes.contour(
            grid.x * 1e3 + shift[0], grid.y * 1e3 + shift[1], bz, levels=levels, colors=INK,
            linewidths=[width * (3 if level == 0 else 1) for level in levels],
            linestyles=["dashed" if level < 0 else "solid" for level in levels],
        )  # fmt: skip


def _cover_unseen(
    axes: Axes, grid: Grid, extent: tuple[float, float, float, float], shift: tuple[float, float], ground: str
) -> None:
    """Lay `ground` over all of the picture that is not within the outline of what the array sees (mm)."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    right, left, foot, head = extent
    # A path fills what it winds around: the box the one way and the outline the other leave its inside out.
    box = np.array([[right, foot], [right, head], [left, head], [left, foot], [right, foot]])
    around = [Path(box, closed=True)] + [Path(line * 1e3 + np.array(shift), closed=True) for line in outline(grid)]
    # as an artist: a patch would have its curves measured for limits that are set anyway
    axes.add_artist(PathPatch(Path.make_compound_path(*around), facecolor=ground, edgecolor="none"))


def _seen(field_map: FieldMap, at: int) -> NDArray[np.bool_]:
    seen: NDArray[np.bool_] = field_map.grid.mask & np.isfinite(field_map.bz[at])
    return seen


def colour_bar(figure: Figure, box: tuple[float, float, float, float], limit: float) -> None:
    """Draw the bar that says which way the field goes into `box` (left, bottom, width, height of the figure)."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    reach = limit * 1e12
    axes = figure.add_axes(box)
    bar = figure.colorbar(ScalarMappable(Normalize(-reach, reach), _colours()), cax=axes)
    ticks = [-reach, -reach / 2, 0, reach / 2, reach]
    bar.set_ticks(ticks, labels=[f"{value:+g}".replace("-", "−") if value else "0" for value in ticks], fontsize=7)
    axes.text(0.5, 1.02, "pT", transform=axes.transAxes, ha="center", va="bottom", fontsize=7, color=INK)
    for text, y in ((OUT_OF_CHEST, 0.75), (INTO_CHEST, 0.25)):
        axes.text(-0.45, y, text, transform=axes.transAxes, rotation=90, ha="right", va="center", fontsize=7, color=INK)


def map_figure(field_map: FieldMap, at: int, title: str, average: Average | None = None) -> Figure:
    """Return the map at one of its rows, on its own symmetric scale."""
    limit = scale_of(field_map, np.array([at]))
    figure = new_figure(5.6, 5.0)
    axes = figure.add_axes((0.06, 0.08, 0.74, 0.83))
    map_axes(axes, field_map, at, limit=limit, average=average)
    figure.text(0.43, 0.955, f"{title} · R{after_r(field_map, at)}", color=INK, fontsize=11, ha="center")
    axes.text(0.5, 1.005, "head", transform=axes.transAxes, ha="center", va="bottom", fontsize=7, color=QUIET)
    axes.text(0.5, -0.01, "foot", transform=axes.transAxes, ha="center", va="top", fontsize=7, color=QUIET)
    colour_bar(figure, (0.885, 0.12, 0.03, 0.75), limit)
    step = isoline_step(limit) * 1e12
    figure.text(0.99, 0.01, f"lines every {step:g} pT · arrows: pseudo-current", fontsize=7, color=QUIET, ha="right")
    return figure


def sequence_axes(axes: Axes, field_map: FieldMap, rows: NDArray[np.int64], *, limit: float, across: int) -> None:
    """Draw small maps of these rows on one scale into one field, `across` in a line, each under its time."""
    right, left, foot, head = (value * 1e3 for value in edges(field_map.grid))
    wide, high = 1.06 * (left - right), 1.2 * (head - foot)
    for k, at in enumerate(rows.tolist()):
        shift = (k % across * wide, -(k // across) * high)
        _field(axes, field_map, at, limit, width=0.35, ground="white", shift=shift)
        _signs(axes, field_map, at, FAINT * limit, size=6, shift=shift)  # grey keeps the sign where no line is dashed
        middle = (right + left) / 2 + shift[0], head + shift[1] + 0.03 * high
        axes.text(*middle, after_r(field_map, at), fontsize=6.5, ha="center", va="bottom", color=INK)
    lines = -(-len(rows) // across)
    axes.set(
        xlim=(right, right + across * wide), ylim=(head - lines * high, head + 0.18 * (head - foot)), aspect="equal"
    )
    axes.set_axis_off()


def sequence_figure(field_map: FieldMap, rows: NDArray[np.int64], width: float = 7.4) -> Figure:
    """Return small maps of these rows on one scale, eight in a line."""
    high = -(-len(rows) // 8) * (width - 1.0) / 8 * 1.15 + 0.4
    figure = new_figure(width, high)
    limit = scale_of(field_map, rows)
    axes = figure.add_axes((0.01, 0.25 / high, 1 - 1.0 / width, 1 - 0.3 / high))
    sequence_axes(axes, field_map, rows, limit=limit, across=8)
    tall = min(0.7, 1.6 / high)
    colour_bar(figure, ((width - 0.48) / width, 0.5 - tall / 2, 0.12 / width, tall), limit)
    return figure


def after_r(field_map: FieldMap, at: int) -> str:
    """Return a row's time from R as words."""
    return f"{field_map.time[at] * 1e3:+.0f} ms".replace("-", "−")


def scale_of(field_map: FieldMap, rows: NDArray[np.int64]) -> float:
    """Return one symmetric colour limit (T) for these rows, rounded up."""
    seen = np.abs(field_map.bz[rows][:, field_map.grid.mask])
    return limit_above(float(np.nanmax(seen))) if np.isfinite(seen).any() else 1e-12


def _signs(
    axes: Axes, field_map: FieldMap, at: int, least: float, *, size: float, shift: tuple[float, float] = (0.0, 0.0)
) -> None:
    """Write + and − on the poles of a field of at least `least` (T), so that a grey print keeps the sign."""
    from matplotlib.patheffects import withStroke

    found = clear_poles(field_map.grid, field_map.bz[at], least)
    if found is None:
        return
    for sign, (x, y), field in (("+", found.plus, found.plus_field), ("−", found.minus, -found.minus_field)):
        if field > 0:
            axes.text(
                x * 1e3 + shift[0], y * 1e3 + shift[1], sign, color="white", fontsize=size, weight="bold", ha="center",
                va="center", path_effects=[withStroke(linewidth=size / 6, foreground=INK)], zorder=5,
            )  # fmt: skip


def _colours() -> ListedColormap:
    from matplotlib.colors import ListedColormap

    return ListedColormap(diverging() / 255.0)


def _arrows(axes: Axes, field_map: FieldMap, at: int) -> None:
    seen = _seen(field_map, at)
    every = max(1, max(seen.shape) // ARROWS)
    part = (slice(every // 2, None, every),) * 2
    x, y = np.meshgrid(field_map.grid.x[part[1]] * 1e3, field_map.grid.y[part[0]] * 1e3)
    jx, jy = (np.where(seen, np.nan_to_num(j[at]), 0.0)[part] for j in (field_map.jx, field_map.jy))
    size = np.hypot(jx, jy)
    strongest = float(size.max(initial=0.0))
    if strongest > 0:
        strong = size > 0.25 * strongest
        axes.quiver(
            x[strong], y[strong], jx[strong], jy[strong], pivot="mid", color="#0a0e12", width=0.006, headwidth=3.5,
            headlength=3.5, headaxislength=3.0, scale=strongest * ARROWS / 1.2, scale_units="width",
        )  # fmt: skip

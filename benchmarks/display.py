"""Frames per second of the window's pictures, beside plain pyqtgraph in the same run; all new in every frame.

    python benchmarks/display.py [--seconds 5] [--turns 5] [--channels 64 256]

Ours: traces of every channel over five seconds, a 128×128 map with isolines, sensors, poles and arrows, 1280×800.
Beside it: one PlotCurveItem a channel and an ImageItem, without isolines and arrows; and, where it is installed
(`pip install mne-qt-browser`), MNE's browser scrolling by 33 ms a frame, which has no map. Then the window's own
plots, which are PyQtGraph's: new data (a beat's average once a beat, a spectrum once a second), and the beat's
cursor moved.
Turns alternate, so that a busy machine troubles all alike; a frame's cost is the painting thread's own time, since
cores may be shared.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from zeromag.block import Block
from zeromag.mapping.average import Average
from zeromag.sensors import SensorArray
from zeromag.viz.beat_panel import BeatPanel
from zeromag.viz.feed import Feed
from zeromag.viz.field_map_panel import FieldMapPanel
from zeromag.viz.noise_panel import NoisePanel
from zeromag.viz.plot_panel import PlotPanel
from zeromag.viz.spectrum_panel import SpectrumPanel
from zeromag.viz.theme import DARK
from zeromag.viz.traces import Traces

SIZE = (1280, 800)
RATE = 1000.0
SHOWN = 5.0  # s
STEP = 33  # samples a frame
PLOT = (500, 280)  # px

Frame = Callable[[], None]


def array(channels: int) -> SensorArray:
    """Return a square array of so many sensors."""
    side = int(np.ceil(np.sqrt(channels)))
    line = (np.arange(side) - (side - 1) / 2) * 0.2 / max(side - 1, 1)
    places = np.array([[x, y, 0.0] for y in line[::-1] for x in line])[:channels]
    return SensorArray(tuple(f"S{k:03d}" for k in range(channels)), places, np.tile([0.0, 0.0, 1.0], (channels, 1)))


def ours(channels: int) -> Frame:
    """Return a function that feeds 33 ms and paints one frame."""
    rng, sensors = np.random.default_rng(0), array(channels)
    feed, root = Feed(), QWidget()
    traces, field = Traces(DARK, rows=channels), FieldMapPanel(DARK)
    box = QHBoxLayout(root)
    box.addWidget(traces, 1)
    box.addWidget(field, 1)
    root.resize(*SIZE)
    root.show()
    traces.speed = (SIZE[0] / 2 - 60) / traces.pixels_per_mm() / SHOWN
    signal = rng.normal(scale=1e-12, size=(20 * STEP, channels))
    x = np.linspace(-0.12, 0.12, 128)
    across, up = np.meshgrid(x, x)
    mask = np.hypot(across, up) < 0.13
    feed.describe(sensors, RATE)
    feed.result("grid", {}, {"x": x, "y": x, "mask": mask})
    slopes = [np.gradient(up * np.exp(-(across**2 + up**2) / 0.01), x, axis=axis) for axis in (0, 1)]
    count = 0

    def frame() -> None:
        nonlocal count
        at = count % 20 * STEP
        block = Block(data=signal[at : at + STEP].copy(), first=count * STEP, rate=RATE, sensors=sensors)
        feed.block(block)
        bz = 5e-10 * np.sin(0.2 * count) * up * np.exp(-(across**2 + up**2) / 0.01)
        arrays = {"bz": bz, "bz_sd": np.full_like(bz, 1e-13), "jx": slopes[0], "jy": -slopes[1]}
        feed.result("map", {"sample": block.stop}, {name: part.astype(np.float32) for name, part in arrays.items()})
        count += 1
        traces.refresh(feed)
        field.refresh(feed)
        root.render(image)

    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    for _ in range(int(SHOWN * RATE / STEP)):
        frame()
    return frame


def plain(channels: int) -> Frame:
    """Return the same with one pyqtgraph curve a channel, and an image."""
    import pyqtgraph as pg

    pg.setConfigOptions(imageAxisOrder="row-major")
    rng, view = np.random.default_rng(0), pg.GraphicsLayoutWidget()
    view.resize(*SIZE)
    plot, side = view.addPlot(), view.addPlot()
    curves = [plot.plot(pen=pg.mkPen("#8fd3ff")) for _ in range(channels)]
    picture = pg.ImageItem()
    side.addItem(picture)
    plot.setXRange(0, SHOWN)
    plot.setYRange(0, channels)
    view.show()
    samples = int(SHOWN * RATE)
    seconds = np.arange(samples) / RATE
    rows = rng.normal(scale=0.2, size=(samples, channels))
    field = rng.normal(size=(128, 128))
    count = 0

    def frame() -> None:
        nonlocal count
        count += 1
        moved = np.roll(rows, -STEP * count, axis=0)
        for k, curve in enumerate(curves):
            curve.setData(seconds, moved[:, k] + k)
        picture.setImage(field * np.sin(0.2 * count), levels=(-3, 3))
        QWidget.render(view, image)

    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    frame()
    return frame


def browser(channels: int) -> Frame | None:
    """Return MNE's browser over as many channels and seconds, scrolled by 33 ms a frame; None when not installed."""
    import mne

    try:
        mne.viz.set_browser_backend("qt", verbose="error")
    except ImportError:
        return None
    rows = np.random.default_rng(0).normal(scale=1e-12, size=(channels, round(4 * SHOWN * RATE)))
    info = mne.create_info([f"S{k:03d}" for k in range(channels)], RATE, "mag")
    raw = mne.io.RawArray(rows, info, verbose="error")
    shown = raw.plot(
        duration=SHOWN, n_channels=channels, precompute=False, show=False, block=False, verbose="error"
    )  # fmt: skip
    shown.resize(*SIZE)
    shown.show()
    count = 0

    def frame() -> None:
        nonlocal count
        count += 1
        first = count % 400 * STEP / RATE
        shown.mne.plt.setXRange(first, first + SHOWN, padding=0)
        QApplication.processEvents()
        shown.render(image)

    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    frame()
    return frame


def plots(channels: int) -> dict[str, Frame]:
    """Return functions that put new data into each plot of the window, or move the cursor, and paint it."""
    rng, sensors, feed = np.random.default_rng(0), array(channels), Feed()
    feed.describe(sensors, RATE)
    for first in range(0, 8000, 1000):
        feed.block(Block(data=rng.normal(scale=1e-12, size=(1000, channels)), first=first, rate=RATE, sensors=sensors))
    time_s = np.arange(-300, 500) / RATE
    wave = np.exp(-((time_s / 0.012) ** 2))[:, None] * rng.normal(scale=3e-11, size=channels)
    wave += rng.normal(scale=1e-13, size=wave.shape)
    good = np.ones(channels, dtype=np.bool_)
    feed.averages["normal"] = Average("normal", time_s, wave, np.full(channels, 1e-13), 60, sensors, good)
    beat = BeatPanel(DARK)
    panels: dict[str, PlotPanel] = {
        "beat, new average": beat, "spectrum, new": SpectrumPanel(DARK), "noise, new": NoisePanel(DARK)
    }  # fmt: skip
    image = QImage(*PLOT, QImage.Format.Format_RGB32)
    for panel in panels.values():
        panel.resize(*PLOT)
        panel.show()
        panel.refresh(feed)

    def renew(panel: PlotPanel) -> None:
        panel.show_data()
        panel.render(image)

    def move() -> None:
        beat.move_cursor(beat.cursor_s + 0.003 if beat.cursor_s < 0.49 else -0.3)
        beat.render(image)

    return {name: partial(renew, panel) for name, panel in panels.items()} | {"beat, cursor moved": move}


def turn(frame: Frame, seconds: float) -> list[float]:
    """Return the painting thread's time of each frame (s) over so many seconds, ten frames at least."""
    taken: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(taken) < 10:
        begin = time.thread_time()
        frame()
        taken.append(time.thread_time() - begin)
    return taken


def main() -> None:
    """Print one line a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each case")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--channels", type=int, nargs="+", default=[64, 256])
    options = parser.parse_args()
    app = QApplication([])
    print(f"{'channels':>8}  {'what':<24} {'p50 ms':>7} {'p99 ms':>7} {'fps':>6}")
    for channels in options.channels:
        cases = {"zeromag, all on the map": ours(channels), "pyqtgraph, plain": plain(channels), **plots(channels)}
        other = browser(channels)
        if other is not None:
            cases["mne-qt-browser, no map"] = other
        taken: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(options.turns):
            for name, frame in cases.items():
                taken[name] += turn(frame, options.seconds / options.turns)
        for name, values in taken.items():
            p50, p99 = np.percentile(np.array(values) * 1e3, [50, 99])
            print(f"{channels:>8}  {name:<24} {p50:>7.1f} {p99:>7.1f} {1e3 / p50:>6.0f}")
    app.closeAllWindows()


if __name__ == "__main__":
    main()

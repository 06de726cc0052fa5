"""Every action of the window with its key: what the help sheet lists and the keyboard reaches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from zeromag.viz.review import Review
from zeromag.viz.theme import DARK, LIGHT
from zeromag.viz.traces import SPEEDS

if TYPE_CHECKING:
    from zeromag.viz.window import Window
    from zeromag.viz.workflow_bar import WorkflowBar

Action = tuple[str, str, Callable[[], object]]  # key, what it does, the function


def looking(window: Window) -> list[Action]:
    """Return the actions that change how things look, which every window has."""
    beat, traces = window.beat, window.traces
    return [
        ("1", "layout Clinic", lambda: window.arrange("clinic")),
        ("2", "layout Research", lambda: window.arrange("research")),
        ("3", "layout Array", lambda: window.arrange("array")),
        ("L", "league of cleaning chains, or heart meter (Array)", window.toggle_league),
        ("Shift+L", "run the league anew", lambda: window.league.start(window.feed)),
        ("T", "dark or light", lambda: window.wear(LIGHT if window.theme is DARK else DARK)),
        ("P", "play the averaged beat (Research)", window.film.toggle_play),
        ("Left", "cursor 1 ms back", lambda: beat.move_cursor(beat.cursor_s - 0.001)),
        ("Right", "cursor 1 ms on", lambda: beat.move_cursor(beat.cursor_s + 0.001)),
        ("Shift+Left", "cursor 10 ms back", lambda: beat.move_cursor(beat.cursor_s - 0.01)),
        ("Shift+Right", "cursor 10 ms on", lambda: beat.move_cursor(beat.cursor_s + 0.01)),
        ("N", "next trend: heart rate, or a parameter (Research)", window.trend.show_next),
        ("C", "next class of beats", lambda: next_class(window)),
        ("+", "higher traces", lambda: traces.magnify(1.25)),
        ("-", "lower traces", lambda: traces.magnify(0.8)),
        ("0", "fit traces", traces.fit),
        ("B", "traces as butterfly or rows", lambda: flip_traces(window, "butterfly")),
        ("S", "sweep or scroll", lambda: flip_traces(window, "sweep")),
        ("V", "paper speed 12.5, 25, 50 mm/s", lambda: next_speed(window)),
        ("A", "arrows", lambda: flip_maps(window, "arrows")),
        ("I", "isolines", lambda: flip_maps(window, "lines")),
        ("M", "sensor marks", lambda: flip_maps(window, "marks")),
        ("O", "poles", lambda: flip_maps(window, "poles")),
        ("F11", "full screen", lambda: window.showNormal() if window.isFullScreen() else window.showFullScreen()),
        ("H", "these keys", window.help_sheet),
        ("Ctrl+Q", "close", window.close),
    ]


def pausing(window: Window) -> list[Action]:
    """Return what a running stream has beside."""
    return [("Space", "pause the picture, not the recording", window.toggle_pause)]


def recording(bar: WorkflowBar, settings: Callable[[], object]) -> list[Action]:
    """Return what a window that may control the acquisition has beside."""
    return [
        ("Return", "the big button: the next step of the scan", bar.enter),
        ("K", "mark this moment, in words", bar.ask_mark),
        ("J", "note on this scan", bar.ask_note),
        ("U", "undo the last order", bar.workflow.acquisition.undo),
        ("Backspace", "one step of the scan back", bar.workflow.back),
        ("G", "settings: change, save, load, compare", settings),
        ("Escape", "put the line away", bar.put_away),
    ]


def reviewing(review: Review) -> list[Action]:
    """Return what the review of a recording has beside."""
    return [
        ("Space", "play from here, or hold", lambda: review.toggle_play(time.monotonic_ns())),
        ("Ctrl+Left", "1 s back", lambda: review.step(-1.0)),
        ("Ctrl+Right", "1 s on", lambda: review.step(1.0)),
        ("PgUp", "10 s back", lambda: review.step(-10.0)),
        ("PgDown", "10 s on", lambda: review.step(10.0)),
        ("Home", "to the beginning", lambda: review.seek(review.timeline.first)),
        ("End", "to the end", lambda: review.seek(review.timeline.stop)),
        (",", "beat before", lambda: review.to_beat(-1)),
        (".", "next beat", lambda: review.to_beat(1)),
        ("[", "mark, gap or unusual beat before", lambda: review.to_event(-1)),
        ("]", "next mark, gap or unusual beat", lambda: review.to_event(1)),
    ]


def next_class(window: Window) -> None:
    """Show the next class of beats."""
    kinds = sorted(window.feed.averages, key=lambda kind: (kind != "normal", kind))
    if kinds:
        at = kinds.index(window.beat.kind) if window.beat.kind in kinds else -1
        window.beat.kind = kinds[(at + 1) % len(kinds)]


def next_speed(window: Window) -> None:
    """Let the traces run at the next paper speed."""
    at = SPEEDS.index(window.traces.speed) if window.traces.speed in SPEEDS else -1
    window.traces.speed = SPEEDS[(at + 1) % len(SPEEDS)]
    window.traces.update()


def flip_maps(window: Window, name: str) -> None:
    """Turn something on both maps on or off."""
    for panel in (window.map, window.film):
        setattr(panel, name, not getattr(panel, name))
        panel.update()


def flip_traces(window: Window, name: str) -> None:
    """Turn a way of drawing the traces on or off."""
    setattr(window.traces, name, not getattr(window.traces, name))
    if name == "butterfly":
        window.traces.fit()
    window.traces.update()

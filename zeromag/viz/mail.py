"""What one viewer of the page has not seen yet, in one frame a picture; nothing travels twice, nothing is packed twice.

A frame is messages, one after the other. A message is a 4-byte little-endian length, that many bytes of JSON (`kind`,
its fields, and under `arrays` each array's name, shape and type: `f4`, `i2` or `u1`), then the arrays, little-endian;
JSON and arrays each fill up to a multiple of four bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zeromag.mapping.average import Average
from zeromag.mapping.mapper import Mapper
from zeromag.viz.feed import Feed, LiveMap, Stream
from zeromag.viz.isolines import isolines
from zeromag.viz.outline import outline
from zeromag.viz.palette import colour_indices, diverging, on_screen, opacity
from zeromag.viz.places import edges, heart_places
from zeromag.viz.pole_marks import CLEAR, clear_poles, pole_words
from zeromag.viz.readings import Latency, parameter_rows, readings, source_words
from zeromag.viz.scale import arrow_sizes, isoline_step
from zeromag.viz.status import Status
from zeromag.viz.theme import INTO_CHEST, OUT_OF_CHEST, RESEARCH_USE

ROWS = 8  # traces on the page
BACKLOG = 10.0  # s of traces a newcomer gets
ARROWS = 11  # along the longer side
TYPES = {"f": "f4", "i": "i2", "u": "u1"}  # on the way, by the kind of number
LATENCY_EVERY = 0.5  # s between two words on a viewer's own latency
AHEAD = 6  # frames that may be on their way: 0.2 s, or a slow line would show the past and call it live


def pack(kind: str, fields: Mapping[str, object], arrays: Mapping[str, NDArray[np.generic]] | None = None) -> bytes:
    """Return one message."""
    parts = {name: array.astype("<" + TYPES[array.dtype.kind], order="C") for name, array in (arrays or {}).items()}
    told = [[name, list(part.shape), TYPES[part.dtype.kind]] for name, part in parts.items()]
    text = json.dumps({"kind": kind, **fields, "arrays": told}, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + b"".join(_filled(part.tobytes()) for part in parts.values())


def _filled(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)


class Mail:
    """The messages for one viewer."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self._sent = 0  # stream index after the newest sample sent
        self._map: LiveMap | None = None
        self._averages: dict[str, Average] = {}
        self._status: Status | None = None
        self._latency = Latency()
        self._told_ns = 0  # monotonic clock when the viewer was told its latency
        self._frames = self._arrived = 0

    def hear(self, text: str, now_ns: int) -> None:
        """Take a viewer's word: `=N`, N frames have arrived; N, the samples of this `t_ns` are drawn; else nothing."""
        number = text.removeprefix("=")
        if not (number.isascii() and number.isdigit() and len(number) < 20):
            return
        if number == text:
            self._latency.drawn(int(text), now_ns)
        else:
            self._arrived = min(max(self._arrived, int(number)), self._frames)

    def has_room(self) -> bool:
        """Return whether the viewer's line carries what it is sent; else it skips to now once it does."""
        return self._frames - self._arrived < AHEAD

    def hello(self) -> bytes:
        """Return the first frame, what never changes: the words and the colours."""
        self._frames += 1
        return pack(
            "hello",
            {"research_use": RESEARCH_USE, "out": OUT_OF_CHEST, "into": INTO_CHEST, "colours": diverging().tolist()},
        )

    def due(self, feed: Feed, now_ns: int) -> bytes:
        """Return the frame with what is new since the last call, the state always; `now_ns` is that of the picture."""
        self._frames += 1
        out: list[bytes] = []
        stream = feed.stream
        if stream is not None:
            if stream is not self._stream:
                self._stream, self._sent = stream, 0
                out.append(_description(stream))
            out += self._traces(stream, feed.t_ns)
        if feed.map is not None and feed.map is not self._map:
            self._map = feed.map
            out.append(_map(feed.map, feed.scale.limit or 1e-12))
        for kind, average in feed.averages.items():
            if average is not self._averages.get(kind):
                out.append(_average(average))
        self._averages = feed.averages
        if feed.status is not self._status:
            self._status = feed.status
            out.append(_status_of.packed(feed.status))
        out.append(_state(feed, now_ns))
        spread = self._latency.quantiles() if now_ns - self._told_ns > LATENCY_EVERY * 1e9 else None
        if spread is not None:
            self._told_ns = now_ns
            out.append(pack("latency", {"p50": spread[0], "p99": spread[1]}))
        return b"".join(out)

    def _traces(self, stream: Stream, t_ns: int) -> list[bytes]:
        stop = stream.values.stop
        wanted = min(stop - self._sent, round(BACKLOG * stream.rate), stream.values.length)
        if wanted <= 0:
            return []
        self._sent = stop
        return [_traces(stream, stop - wanted, stop, t_ns)]


@lru_cache(maxsize=8)
def _traces(stream: Stream, first: int, stop: int, t_ns: int) -> bytes:
    """Return the samples of a stretch; viewers that look at the same moment share it."""
    rows, begin = stream.values.newest(stream.values.stop - first, columns=_shown(stream))
    values = rows[: stop - begin] * 1e12
    return pack("traces", {"first": begin, "t_ns": str(t_ns)}, {"values": values})


def _shown(stream: Stream) -> list[int]:
    columns = stream.sensors.of_kind("mag").tolist() or list(range(len(stream.sensors)))
    if len(columns) <= ROWS:
        return columns
    return [columns[k] for k in np.linspace(0, len(columns) - 1, ROWS).round().astype(int)]


def _description(stream: Stream) -> bytes:
    names = [stream.sensors.names[c] for c in _shown(stream)]
    places = [[name, x, y] for name, x, y in heart_places(stream.sensors)]
    return pack(
        "description",
        {"rate": stream.rate, "names": names, "places": places, "no_map": Mapper().why_not(stream.sensors)},
    )


@lru_cache(maxsize=4)
def _map(shown: LiveMap, limit: float) -> bytes:
    """Return colours with how opaque they are, the seen part's outline, isolines, arrows and poles, for all viewers."""
    grid = shown.grid
    step = isoline_step(limit)
    lines = isolines(grid, shown.bz, limit, step)
    every = max(1, max(shown.bz.shape) // ARROWS)
    part = slice(every // 2, None, every)
    jx, jy = (np.where(grid.mask, j, 0.0)[part, part] for j in (shown.jx, shown.jy))
    jx, jy = arrow_sizes(jx, jy, limit)
    found, around = clear_poles(grid, shown.bz, CLEAR * limit), outline(grid)
    fields = {
        "limit": limit * 1e12,
        "poles": [*found.plus, *found.minus] if found else [],
        "pole_words": pole_words(found) if found else "",
        "around": [len(line) for line in around],
        "step": step * 1e12,
        "edges": list(edges(grid)),
        "levels": [round(line.level / step) for line in lines],
        "lengths": [len(line.points) for line in lines],
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "index": on_screen(colour_indices(shown.bz, limit)),
        "opacity": on_screen(opacity(shown.bz_sd, limit, np.isfinite(shown.bz))),
        "outline": np.concatenate(around) if around else np.zeros((0, 2)),
        "lines": np.concatenate([line.points for line in lines]) if lines else np.zeros((0, 2)),
        "arrow_x": grid.x[part],
        "arrow_y": grid.y[part],
        "jx": jx,
        "jy": jy,
    }
    return pack("map", fields, arrays)


@lru_cache(maxsize=16)
def _average(average: Average) -> bytes:
    wave = average.wave[:, average.good] * 1e12
    names = [name for name, good in zip(average.sensors.names, average.good.tolist(), strict=True) if good]
    return pack(
        "average", {"name": average.kind, "nave": average.nave, "names": names}, {"time": average.time, "wave": wave}
    )


class _Shared:
    """The newest status packed once for all viewers."""

    def __init__(self) -> None:
        self._of: tuple[Status | None, bytes] = (None, b"")

    def packed(self, status: Status) -> bytes:
        """Return the message."""
        if self._of[0] is not status:
            fields = {
                "source": source_words(status),
                "recording": status.recording,
                "parameters": parameter_rows(status.parameters),
                "reasons": [] if status.usable.answer == "yes" else status.usable.reasons,
                "channels": [[name, channel.status, channel.why] for name, channel in status.channels.items()],
            }
            self._of = (status, pack("status", fields))
        return self._of[1]


_status_of = _Shared()


@lru_cache(maxsize=4)
def _state(feed: Feed, now_ns: int) -> bytes:
    return pack(
        "state",
        {
            "state": feed.state(now_ns),
            "age": feed.age_ns(now_ns) / 1e9 if feed.arrived_ns else None,
            "late": feed.lateness.ns / 1e9,
            "reason": feed.ended or "",
            "message": feed.message,
            "readings": [[reading.name, reading.value, reading.tone] for reading in readings(feed)],
        },
    )

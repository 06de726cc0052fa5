"""The newest state of a stream, as every picture of it needs it: no Qt, one writer, any readers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.endpoint import is_local
from zeromag.acquire.message import Description, Message, Result
from zeromag.block import Block
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.field_map import FieldMap, Grid
from zeromag.ring import Ring
from zeromag.sensors import SensorArray
from zeromag.viz.lateness import Lateness
from zeromag.viz.past import Past, past_of
from zeromag.viz.scale import BeatScale
from zeromag.viz.status import Status, read_status

PAST_EVERY = 10.0  # s between two moments whose parameters are kept
MOST_BYTES = 1 << 30  # of traces: 20 s of 512 channels at 10 kHz, 13 s of 1,024
STALE_NS = 200_000_000  # a picture older than this is not live


@dataclass(frozen=True, slots=True, eq=False)
class LiveMap:
    """The field over the chest at one sample, on its grid."""

    grid: Grid
    sample: int
    t_ns: int  # monotonic clock when the sample had arrived; 0: not known
    bz: NDArray[np.float32]  # (ny, nx) T
    bz_sd: NDArray[np.float32]  # (ny, nx) T
    jx: NDArray[np.float32]  # (ny, nx) T/m
    jy: NDArray[np.float32]  # (ny, nx) T/m


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The traces since the array was described."""

    sensors: SensorArray
    rate: float  # Hz
    values: Ring  # T


class Feed:
    """Holds what arrived last; every attribute is replaced whole, so a reader in another thread sees no half."""

    def __init__(self, *, seconds: float = 20.0) -> None:
        self.stream: Stream | None = None
        self.session: Mapping[str, object] = {}
        self.map: LiveMap | None = None
        self.averages: dict[str, Average] = {}
        self.status = Status()
        self.beats: deque[Beat] = deque(maxlen=400)
        self.beats_seen = 0
        self.history: deque[Past] = deque(maxlen=1440)  # four hours of parameters
        self.scale = BeatScale()
        self.message = ""  # the last thing that went wrong, for people
        self.ended: str | None = None  # the reason, once the stream is over
        self.arrived_ns = 0  # monotonic clock at the newest block or map
        self.t_ns = 0  # the newest block's own time of arrival at the device; 0: not known
        self.here = False  # whether it comes from this machine
        self.lateness = Lateness()
        self.version = 0  # grows with every change
        self.mode = ""  # `REVIEW` or `REPLAY` when the samples are not of now; empty: they come as they are taken
        self._seconds = seconds
        self._grid: Grid | None = None

    def take(self, message: Message) -> None:
        """Take whatever a subscription gives."""
        if isinstance(message, Block):
            self.block(message)
        elif isinstance(message, Description):
            self.describe(message.sensors, message.rate, message.session)
        elif isinstance(message, Result):
            self.result(message.name, message.fields, message.arrays)
        else:
            self.end(message.reason)

    def describe(self, sensors: SensorArray, rate: float, session: Mapping[str, object] | None = None) -> None:
        """Start anew on this array."""
        if self.stream is None or self.stream.rate != rate or not self.stream.sensors.same_as(sensors):
            self._fresh(sensors, rate)
            self.averages = {}
            self.map = None
            self.history.clear()
        self.session = session or {}
        self.ended = None
        self.version += 1

    def block(self, block: Block) -> None:
        """Take cleaned samples; a stream that went back in time starts its traces anew."""
        stream = self.stream
        if stream is None or stream.rate != block.rate or not stream.sensors.same_as(block.sensors):
            self.describe(block.sensors, block.rate, self.session)
        elif block.first < stream.values.stop:
            self._fresh(block.sensors, block.rate)
        stream = self.stream
        if stream is None:
            return
        stream.values(block)
        self.t_ns = block.t_ns
        self.lateness.see(block.t_ns, time.monotonic_ns())
        self._alive()

    def result(self, name: str, fields: Mapping[str, object], arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Take one of the processing's results; a kind this version does not know is left alone."""
        take = {
            "grid": self._take_grid,
            "map": self._take_map,
            "beat": self._take_beat,
            "average": self._take_average,
            "status": self._take_status,
        }.get(name)
        if take is None:
            return
        try:
            take(fields, arrays)
        except (KeyError, TypeError, ValueError) as error:
            self.message = f"The stream's `{name}` does not hold what this version expects: {error}."
        self.version += 1

    def show_map(self, maps: FieldMap, sample: int) -> None:
        """Take the newest of some maps, made here of this sample."""
        parts = (np.asarray(values[-1], dtype=np.float32) for values in (maps.bz, maps.bz_sd, maps.jx, maps.jy))
        self._show(LiveMap(maps.grid, sample, 0, *parts))

    def show_beats(self, beats: Sequence[Beat]) -> None:
        """Take all beats up to now at once."""
        self.beats = deque(beats, maxlen=self.beats.maxlen)
        self.beats_seen = len(beats)

    def end(self, reason: str) -> None:
        """Take the end of the stream."""
        self.ended = reason
        self.version += 1

    def state(self, now_ns: int | None = None) -> str:
        """Return `WAITING`, `LIVE` (`REPLAY` when the samples come out of a file), `STALE`, `LATE` or `ENDED`.

        Stale: nothing comes. Late: it comes, but the processing is behind, and what it gives is the past.

        Somebody who looks at a recording gets `REVIEW`, or `REPLAY` while it plays.
        """
        if self.mode:
            return self.mode
        if self.ended is not None:
            return "ENDED"
        if self.arrived_ns == 0:
            return "WAITING"
        if self.age_ns(now_ns) > STALE_NS:
            return "STALE"
        if self.status.of_file:
            return "REPLAY"
        return "LATE" if self.lateness.late else "LIVE"

    def age_ns(self, now_ns: int | None = None) -> int:
        """Return how long ago the newest samples or map came."""
        return (time.monotonic_ns() if now_ns is None else now_ns) - self.arrived_ns

    def _fresh(self, sensors: SensorArray, rate: float) -> None:
        length = min(round(self._seconds * rate), MOST_BYTES // (8 * len(sensors)))
        self.stream = Stream(sensors, rate, Ring(max(1, length), len(sensors)))

    def _show(self, shown: LiveMap) -> None:
        self.map = shown
        seen = np.abs(shown.bz[shown.grid.mask])
        self.scale.see(float(np.nanmax(seen)) if np.isfinite(seen).any() else 0.0)
        self._alive()

    def _alive(self) -> None:
        self.arrived_ns = time.monotonic_ns()
        self.version += 1

    def _take_grid(self, _: Mapping[str, object], arrays: Mapping[str, NDArray[np.generic]]) -> None:
        x, y = (np.asarray(arrays[name], dtype=np.float64) for name in ("x", "y"))
        mask = np.asarray(arrays["mask"], dtype=np.bool_)
        if mask.shape != (len(y), len(x)):
            raise ValueError(f"mask must be {(len(y), len(x))}, got {mask.shape}")
        self._grid = Grid(x, y, mask)

    def _take_map(self, fields: Mapping[str, object], arrays: Mapping[str, NDArray[np.generic]]) -> None:
        grid = self._grid
        if grid is None:
            return  # joined between two maps: the grid comes again with the next description
        bz, bz_sd, jx, jy = (np.asarray(arrays[name], dtype=np.float32) for name in ("bz", "bz_sd", "jx", "jy"))
        if bz.shape != grid.mask.shape:
            raise ValueError(f"bz must be {grid.mask.shape}, got {bz.shape}")
        self._show(LiveMap(grid, _integer(fields["sample"]), _integer(fields.get("t_ns", 0)), bz, bz_sd, jx, jy))

    def _take_beat(self, fields: Mapping[str, object], _: Mapping[str, NDArray[np.generic]]) -> None:
        rr = fields.get("rr_s")
        self.beats.append(
            Beat(
                sample=_number(fields["sample"]),
                kind=str(fields.get("kind", "normal")),
                why=str(fields.get("why", "")),
                rr=_number(rr) if rr is not None else float("nan"),
            )
        )
        self.beats_seen += 1
        self.scale.beat()

    def _take_average(self, fields: Mapping[str, object], arrays: Mapping[str, NDArray[np.generic]]) -> None:
        stream = self.stream
        if stream is None:
            return
        time_s, wave, noise = (np.asarray(arrays[name], dtype=np.float64) for name in ("time", "wave", "noise"))
        good = np.asarray(arrays["good"], dtype=np.bool_)
        sensors = stream.sensors
        if wave.shape[1] != len(sensors):
            sensors = sensors.pick(sensors.of_kind("mag"))
        if wave.shape != (len(time_s), len(sensors)) or good.shape != noise.shape or len(good) != len(sensors):
            raise ValueError(f"wave must be {(len(time_s), len(sensors))}, got {wave.shape}")
        kind = str(fields["kind"])
        average = Average(kind, time_s, wave, noise, _integer(fields["nave"]), sensors, good)
        self.averages = {**self.averages, kind: average}

    def _take_status(self, fields: Mapping[str, object], _: Mapping[str, NDArray[np.generic]]) -> None:
        self.status = read_status(fields)
        self.lateness.same_clock = self.here and self.status.upstream != "" and is_local(self.status.upstream)
        parameters, seconds = self.status.parameters, self.status.seconds
        if parameters and (not self.history or seconds - self.history[-1].seconds >= PAST_EVERY):
            last = self.history[-1] if self.history else None
            self.history.append(past_of(seconds, parameters, last))


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"a number is wanted, got {type(value).__name__}")
    return float(value)


def _integer(value: object) -> int:
    return int(_number(value))

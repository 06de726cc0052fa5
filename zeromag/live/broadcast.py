"""What the processing tells its viewers besides the samples, and how often: maps, beats, averages, its own state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.endpoint import is_local
from zeromag.acquire.message import Result
from zeromag.block import Block
from zeromag.live.gate_watch import GateWatch
from zeromag.live.leisure import Leisure
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.field_map import FieldMap, Grid
from zeromag.mapping.gate import Usable
from zeromag.scan.outcome import Outcome
from zeromag.scan.scan import Scan, Scanned
from zeromag.sensors import SensorArray
from zeromag.session import Session


@dataclass(frozen=True, slots=True)
class Pace:
    """How often viewers are told what, in seconds of the stream."""

    maps: float = 1 / 30  # s; 0: none
    status: float = 0.5  # s
    average: float = 2.0  # s
    patient: bool = False  # wait for the gate each time: for those who look later and not now


class Listener(Protocol):
    """Who is told: a publisher, a timeline, a feed."""

    def __call__(self, block: Block) -> None:
        """Take cleaned samples."""
        ...

    def result(self, result: Result) -> None:
        """Take what was made of them."""
        ...

    def end(self, samples: int, reason: str = "") -> None:
        """Take that the stream is over."""
        ...


LIVE = Pace()


class Broadcast:
    """Callable with each piece the scan gives; cadences count samples, so a replay tells the same story.

    The samples themselves go to the listener from the scan, which has them before it has anything made of them.

    While the stream is behind, nothing is begun beside it, and the next average waits too: `leisure` knows.
    """

    def __init__(
        self,
        publisher: Listener,
        scan: Scan,
        session: Session,
        *,
        recording: bool,
        pace: Pace = LIVE,
        upstream: str = "",
    ) -> None:
        self._publisher = publisher
        self._scan = scan
        self._sensors = scan.sensors
        self._session = session
        self.recording = recording  # whether the acquisition keeps the stream
        self._pace = pace
        self._upstream = upstream  # where the samples are had as they come
        self._lost = 0  # frames that nobody had any more
        self._due = {"map": 0.0, "status": 0.0, "average": 0.0, "grid": 0.0}
        self.leisure = Leisure(same_clock=upstream != "" and is_local(upstream))
        self._begin = None if pace.patient else partial(self.leisure.begin, beside=True)  # weights of a map
        self._gate, self._settings = self._gate_of(scan), scan.session
        self._grid: Grid | None = None

    def __call__(self, scanned: Scanned, *, lost: int = 0) -> None:
        """Publish what was made of cleaned samples, when it is due."""
        block, self._lost = scanned.cleaned, lost
        if self._scan.session is not self._settings:  # the scan began anew, and so does the gate
            self._gate, self._settings = self._gate_of(self._scan), self._scan.session
        if not self._pace.patient:
            self.leisure.see(block.t_ns)
        for beat in scanned.beats:
            self._publisher.result(_of_beat(beat))
        maps = self._pace.maps > 0 and self._is_due("map", block, self._pace.maps)
        if maps and (field_map := self._scan.live_map(self._begin)) is not None:
            self._tell_map(field_map, block)
        if self.leisure.left and self._is_due("average", block, self._pace.average):
            self._gate.ask(self._tell_averages(), self._scan)
            if self._pace.patient:
                self.leisure.wait()
        if self._is_due("status", block, self._pace.status):
            self._publisher.result(Result("status", self._status()))

    @property
    def settled(self) -> bool:
        """Whether two looks in a row have called the scan usable."""
        return self._gate.usable_looks >= 2

    @property
    def usable(self) -> Usable:
        """The gate's newest answer."""
        return self._gate.usable

    def finish(self, outcome: Outcome, *, over: bool = True) -> None:
        """Publish the last averages and state, and that the stream is over unless another follows it."""
        self.leisure.close()
        self._tell_averages()
        status = self._status() | {
            "usable": outcome.usable,
            "heart_rate": outcome.heart_rate,
            "parameters": outcome.parameters,
            "cleaning": outcome.cleaning,
        }
        self._publisher.result(Result("status", status))
        if over:
            self._publisher.end(outcome.stop, "the stream ended")

    def _gate_of(self, scan: Scan) -> GateWatch:
        return GateWatch(scan.mapper, self.leisure, patient=self._pace.patient)

    def _is_due(self, name: str, block: Block, every: float) -> bool:
        if block.stop < self._due[name]:
            return False
        self._due[name] = block.stop + every * block.rate
        return True

    def _tell_map(self, field_map: FieldMap, block: Block) -> None:
        grid = field_map.grid
        if grid is not self._grid or self._is_due("grid", block, self._pace.average):  # again, for those who join later
            self._grid = grid
            self._publisher.result(Result("grid", {}, {"x": grid.x, "y": grid.y, "mask": grid.mask}))
        arrays = {
            name: np.ascontiguousarray(values[-1], dtype=np.float32)
            for name, values in (
                ("bz", field_map.bz),
                ("bz_sd", field_map.bz_sd),
                ("jx", field_map.jx),
                ("jy", field_map.jy),
            )
        }
        self._publisher.result(Result("map", {"sample": block.stop - 1, "t_ns": block.t_ns}, arrays))

    def _tell_averages(self) -> list[Average]:
        averages = self._scan.averages()
        for average in averages:
            arrays = {"time": average.time, **_on_all_channels(average, self._sensors)}
            self._publisher.result(Result("average", {"kind": average.kind, "nave": average.nave}, arrays))
        return averages

    def _status(self) -> dict[str, Any]:
        return self._scan.status() | {
            "lost": self._lost,
            "recording": self.recording,
            "source": self._session.source,
            "upstream": self._upstream,
            "simulated": self._session.source.startswith("sim:"),
            "usable": self._gate.usable,
            "parameters": self._gate.parameters,
        }


def _of_beat(beat: Beat) -> Result:
    fields = {"sample": beat.sample, "kind": beat.kind, "why": beat.why, "rr_s": None if np.isnan(beat.rr) else beat.rr}
    return Result("beat", fields)


def _on_all_channels(average: Average, sensors: SensorArray) -> dict[str, NDArray[Any]]:
    """Return wave, noise and good flags on every channel of the stream, as viewers know it; float32 is for eyes."""
    if average.sensors.names == sensors.names:
        return {"wave": average.wave.astype(np.float32), "noise": average.noise, "good": average.good}
    place = {name: column for column, name in enumerate(sensors.names)}
    columns = [place[name] for name in average.sensors.names]
    wave = np.full((len(average.time), len(sensors)), np.nan, dtype=np.float32)
    noise, good = np.full(len(sensors), np.nan), np.zeros(len(sensors), dtype=np.bool_)
    wave[:, columns], noise[columns], good[columns] = average.wave, average.noise, average.good
    return {"wave": wave, "noise": noise, "good": good}

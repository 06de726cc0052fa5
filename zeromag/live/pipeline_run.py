"""The pipeline run to be measured: acquisition and processing as in `live`, and when each block came out of them."""

from __future__ import annotations

import json
import queue
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from zeromag.acquire.frame import BLOCK, Header, read_header
from zeromag.acquire.link import Link
from zeromag.acquire.message import Description, Message, Result
from zeromag.acquire.wire import decode, events_of
from zeromag.errors import SourceLostError
from zeromag.live.child import Child
from zeromag.session import Session

SETTLE: Final = 2.0  # s of the stream that are not counted: processes start, kernels are loaded
PLACES: Final = ("published", "filtered", "mapped")
WAIT_SECONDS: Final = 60.0  # at most, where a machine is busy with other things
START_SECONDS: Final = 300.0  # for everything to run; kernels may have to be compiled


@dataclass(slots=True)
class PipelineRun:
    """What one run showed."""

    channels: int
    rate: float  # Hz
    block: int  # samples
    seconds: float  # that were counted
    latency: dict[str, list[float]] = field(default_factory=dict)  # place: s since the last sample existed
    told: float = float("inf")  # Hz; the processing tells so many cleaned samples a second
    lost: int = 0  # frames
    gaps: int = 0
    pictures: float = float("nan")  # that the window drew a second
    cpu: dict[str, float] = field(default_factory=dict)  # process: share of a core, NaN where nobody tells

    @property
    def misses(self) -> int:
        """Return how many filtered blocks came later than their own length after their last sample."""
        return int((np.array(self.latency["filtered"]) > self.block / self.rate).sum())

    @property
    def held(self) -> bool:
        """Return whether nothing was lost and the processing kept up: its last blocks as prompt as its first."""
        late = np.array(self.latency["filtered"])
        enough = len(late) > 0.9 * self.seconds * min(self.rate / self.block, self.told)
        return bool(enough and not self.lost and not self.gaps and np.median(late[-len(late) // 10 :]) < 0.1)


def run_pipeline(
    source: str, *, channels: int, rate: float, block: int, seconds: float, window: bool = False
) -> PipelineRun:
    """Run `source` through acquisition (with its journal), processing and perhaps a window, and return what was seen.

    Raises
    ------
    SourceLostError
        One of the processes ended before its time.
    """
    found = PipelineRun(channels, rate, block, seconds, {place: [] for place in PLACES})
    with tempfile.TemporaryDirectory(prefix="zeromag-bench-") as folder:
        session = Session().changed(**{"source": source, "acquire.block": block})
        _Run(session, Path(folder), found).follow(seconds, window=window)
    return found


class _Run:
    def __init__(self, session: Session, folder: Path, found: PipelineRun) -> None:
        self._session, self._folder, self._found = session, folder, found
        self._news: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def follow(self, seconds: float, *, window: bool) -> None:
        roles = ("process", "acquire", *(("view",) if window else ()))
        children = {role: Child(role, [role], lambda *news: self._news.put(news)) for role in roles}
        try:
            self._await("process", "warm")
            settings = self._session.as_dict()
            children["acquire"].tell(json.dumps({"session": settings, "record": str(self._folder), "seconds": None}))
            raw = self._await("acquire", "endpoint")
            children["process"].tell(json.dumps({"endpoint": raw, "session": settings, "out": None}))
            self._listen(raw, self._published)
            made = self._await("process", "endpoint")
            self._listen(made, self._processed)
            if window:
                children["view"].tell(json.dumps({"endpoint": made}))
                self._await("view", "drawing")
            time.sleep(SETTLE)
            before = {name: _cpu_seconds(child.pid) for name, child in children.items()}
            time.sleep(seconds)
            for name, child in children.items():
                self._found.cpu[name] = (_cpu_seconds(child.pid) - before[name]) / seconds
            patience = time.monotonic() + WAIT_SECONDS  # for a first block, on a machine that is far behind
            while not (self._found.latency["filtered"] and self._found.latency["published"]):
                if time.monotonic() > patience:
                    break
                time.sleep(0.05)
            if window:  # it tells of its newest pictures when it is let go
                children["view"].ended(patience=WAIT_SECONDS)
                self._take_pictures()
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()
            for path in self._folder.glob("*.zmj"):  # it has been written; no recording is made of it
                path.unlink()
            for child in children.values():
                child.let_go()
                child.ended(patience=10.0)

    def _await(self, who: str, what: str) -> str:
        deadline = time.monotonic() + START_SECONDS
        said = ""
        while time.monotonic() < deadline:
            try:
                name, news = self._news.get(timeout=1.0)
            except queue.Empty:
                continue
            said = str(news.get("say", said))
            if name == who and what in news:
                return str(news[what])
            if "ended" in news:
                raise SourceLostError(f"the {name} process ended before anything could be measured: {said}")
        raise SourceLostError(f"the {who} process was not ready within {START_SECONDS:g} s")

    def _take_pictures(self) -> None:
        self._found.latency["drawn"] = []
        while not self._news.empty():
            _, news = self._news.get()
            if "drawn_ms" in news:
                self._found.latency["drawn"] = [1e-3 * late for late in news["drawn_ms"]]
                self._found.pictures = float(news["pictures"])

    def _listen(self, endpoint: str, take: Callable[[Header, bytes, int], None]) -> None:
        """Look at the header of each frame that is published; who measures takes no core from what is measured."""

        def follow() -> None:
            begun = 0  # when the first block's last sample had arrived
            with closing(Link(endpoint)) as link:
                while not self._stop.is_set():
                    frame = link.frame(0.1)
                    now = time.monotonic_ns()
                    header = None if frame is None else read_header(frame)
                    if frame is None or header is None:
                        continue
                    if header.kind == BLOCK:
                        begun = begun or header.t_ns
                        if header.t_ns - begun < SETTLE * 1e9:
                            continue
                    take(header, frame, now)

        thread = threading.Thread(target=follow, name="listen", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _published(self, header: Header, frame: bytes, now: int) -> None:
        del frame
        if header.kind == BLOCK:
            self._found.latency["published"].append((now - header.t_ns) * 1e-9)

    def _processed(self, header: Header, frame: bytes, now: int) -> None:
        if header.kind == BLOCK:
            self._found.latency["filtered"].append((now - header.t_ns) * 1e-9)
            self._found.gaps += any(event.kind == "gap" for event in events_of(frame, header))
        else:
            self._told(decode(frame, None, header), now)

    def _told(self, message: Message, now: int) -> None:
        if isinstance(message, Description):
            self._found.told = message.rate
        if not isinstance(message, Result):
            return
        if message.name == "map":
            self._found.latency["mapped"].append((now - message.fields["t_ns"]) * 1e-9)
        elif message.name == "status":
            self._found.lost = max(self._found.lost, int(message.fields["lost"]))


def _cpu_seconds(pid: int) -> float:
    """Return what a process has used so far; NaN where the system does not tell it this way (not Linux)."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(after_name[11]) + int(after_name[12])) / 100.0  # user and system, in ticks of 10 ms

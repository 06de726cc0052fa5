"""The gate beside the stream: parameters and usability on a thread of their own, so that no block waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat
from zeromag.mapping.gate import Gate, Usable
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.parameters import Parameter, parameters

DRAWS = 50  # of the bootstrap: enough for a glance; the outcome takes more


class GateWatch:
    """`ask` with what the scan has now; `usable` and `parameters` are the newest answer."""

    def __init__(self, mapper: Mapper) -> None:
        self._mapper = mapper
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gate")
        self._running: Future[Any] | None = None
        self.usable: Usable = Usable(answer="not yet", reasons=["no heartbeat so far"], seconds_needed=0.0)
        self.parameters: dict[str, Parameter] = {}

    def ask(self, averages: Sequence[Average], beats: Sequence[Beat], seconds: float) -> None:
        """Look again, unless the last look is still under way."""
        if self._running is None or self._running.done():
            self._running = self._worker.submit(self._look, averages, tuple(beats), seconds)

    def _look(self, averages: Sequence[Average], beats: Sequence[Beat], seconds: float) -> None:
        normal = next((average for average in averages if average.main and average.nave > 1), None)
        self.parameters = parameters(normal, beats, self._mapper, draws=DRAWS) if normal is not None else {}
        self.usable = Gate()(averages, beats, self.parameters, seconds, self._mapper)

    def wait(self) -> None:
        """Stay until the look under way is done."""
        if self._running is not None:
            self._running.result()

    def close(self, *, wait: bool = True) -> None:
        """End the thread once the look under way is over."""
        self._worker.shutdown(wait=wait)

"""The gate beside the stream: parameters and usability while there is time for them, so that no block waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from zeromag.fault import fault
from zeromag.live.leisure import Leisure
from zeromag.mapping.average import Average
from zeromag.mapping.beat import Beat, own
from zeromag.mapping.gate import Gate, Usable
from zeromag.mapping.mapper import Mapper
from zeromag.mapping.parameters import Parameter, parameters
from zeromag.scan.scan import Scan

BRIEF = 0.5  # s of a core that a look may take as often as it is asked for
REST = 6.0  # times what a longer one took, until the next: of a thousand channels it takes seconds, and cores are few
BROKEN = 60.0  # s until the next after one that failed
SLACK = 2.5  # s that a beat may take to be decided, beyond which a stream without one is silent


class GateWatch:
    """`ask` with what the scan has now; `usable` and `parameters` are the newest answer.

    Somebody `patient` waits for each look, and gets one whenever it is asked for.
    """

    def __init__(self, mapper: Mapper, leisure: Leisure, *, patient: bool = False) -> None:
        self._mapper, self._leisure, self._patient = mapper, leisure, patient
        self._rested = 0.0  # monotonic clock, before which no other look begins
        self.usable: Usable = Usable(answer="not yet", reasons=["no heartbeat so far"], seconds_needed=0.0)
        self.usable_looks = 0  # looks in a row that said yes
        self.parameters: dict[str, Parameter] = {}

    def ask(self, averages: Sequence[Average], scan: Scan) -> None:
        """Look again, unless the last look was a long one and just now, or the stream leaves no time for it."""
        if time.monotonic() >= self._rested:
            now = own(scan.beats), scan.seconds, max(0.0, scan.silent - SLACK), scan.status()["channels"]
            self._leisure.begin(partial(self._tried, partial(self._look, averages, *now)))

    def _tried(self, look: Callable[[], None]) -> None:
        """Look; nobody waits for this thread, so that a failure which is not told here is never heard of."""
        try:
            look()
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream and its recording go on
            self._rested = time.monotonic() + BROKEN
            self.usable_looks, self.parameters = 0, {}
            self.usable = Usable(answer="not yet", reasons=[f"no gate: {fault(error)}"], seconds_needed=0.0)

    def _parameters(self, average: Average, beats: Sequence[Beat]) -> dict[str, Parameter]:
        return parameters(average, beats, self._mapper, between=self._leisure.give_way)

    def _look(
        self,
        averages: Sequence[Average],
        beats: Sequence[Beat],
        seconds: float,
        silent: float,
        channels: Mapping[str, Mapping[str, str]],
    ) -> None:
        began = time.thread_time()
        normal = next((average for average in averages if average.main and average.nave > 1), None)
        self.parameters = self._parameters(normal, beats) if normal is not None else {}
        gate = Gate()
        self.usable = gate(averages, beats, self.parameters, seconds, self._mapper, silent=silent, channels=channels)
        self.usable_looks = self.usable_looks + 1 if self.usable["answer"] == "yes" else 0
        took = time.thread_time() - began
        if took > BRIEF and not self._patient:
            self._rested = time.monotonic() + REST * took

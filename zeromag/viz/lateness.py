"""How long ago samples had been taken when they came, by the clock of this machine or of another one."""

from __future__ import annotations

LATE_NS = 500_000_000  # a picture of samples taken so long ago is not live, however lately they came
DRIFT = 1e-4  # of two machines' clocks, at most


class Lateness:
    """Of another machine's clock only the change is known: since the least that was seen, drift allowed for."""

    def __init__(self) -> None:
        self.ns = 0
        self.same_clock = False  # whether the samples are taken on this machine
        self._least: float | None = None  # ns between the two clocks, as far as is known
        self._before = 0

    def see(self, t_ns: int, now_ns: int) -> None:
        """Take when the newest samples were taken (0: not known), and when they came."""
        between, before = now_ns - t_ns, self._before
        self._before = t_ns
        if not t_ns:
            self.ns, self._least = 0, None
        elif self.same_clock:
            self.ns = between
        else:
            allowed = DRIFT * max(0, t_ns - before) if before else 0.0
            self._least = between if self._least is None else min(self._least + allowed, between)
            self.ns = round(between - self._least)

    @property
    def late(self) -> bool:
        """Whether what is shown is the past."""
        return self.ns > LATE_NS

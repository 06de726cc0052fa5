"""Which channels could be used, for how long, and why not: kept from the masks and events of a stream."""

from __future__ import annotations

import numpy as np

from zeromag.block import Block
from zeromag.sensors import SensorArray

MUCH = 0.1  # share of its samples that a channel may miss and still be called good


class ChannelLog:
    """Callable with each masked block; `report` tells each channel's status so far."""

    def __init__(self, sensors: SensorArray) -> None:
        self._sensors = sensors
        self._now = dict(zip(sensors.names, sensors.status, strict=True))
        self._why: dict[str, str] = {}
        self._worst: dict[str, str] = {}
        self._bad = np.zeros(len(sensors), dtype=np.int64)  # samples
        self._samples = 0

    def __call__(self, block: Block) -> None:
        """Take a block as the mask stage left it."""
        self._samples += len(block)
        if block.mask is not None:
            self._bad += block.mask.sum(axis=0)
        for event in block.events:
            if not event.kind.startswith("channel/"):
                continue
            status = event.kind.removeprefix("channel/")
            self._now[event.channel] = status
            if status != "good":
                self._worst[event.channel] = status
                self._why[event.channel] = event.why

    def now(self) -> dict[str, dict[str, str]]:
        """Return what each channel is at this moment: `{"S05": {"status": "jumping", "why": "…"}}`."""
        return {name: self._entry(name, self._now[name]) for name in self._sensors.names}

    def report(self) -> dict[str, dict[str, str]]:
        """Return what each channel was over the whole stream; one that failed for a moment is good and says so."""
        shares = self._bad / max(self._samples, 1)
        channels = {}
        for name, known, share in zip(self._sensors.names, self._sensors.status, shares.tolist(), strict=True):
            worst = self._worst.get(name, "missing" if share > 0 else "good")
            if known != "good":
                channels[name] = self._entry(name, known)
            elif share > MUCH or self._now[name] != "good":
                channels[name] = self._entry(name, worst)
            elif share > 0:
                seconds = f"{share:.1%} of the time {worst}"
                channels[name] = {"status": "good", "why": seconds}
            else:
                channels[name] = {"status": "good"}
        return channels

    def _entry(self, name: str, status: str) -> dict[str, str]:
        if status == "good":
            return {"status": status}
        return {"status": status, "why": self._why.get(name, "marked in the recording")}

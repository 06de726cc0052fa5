"""What each cleaning step does on this stream: shielding as measured, heart and noise as the meter says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

from zeromag.block import Block
from zeromag.filters.calibrate import Calibrate
from zeromag.filters.meter import HeartCost, measure
from zeromag.filters.shielding import Shielding
from zeromag.pipeline import Chain


class CleaningLog:
    """Callable with the taps of a chain (raw first); `report` is the `cleaning` of summary.json."""

    def __init__(self, chain: Chain, head: Block, line: float) -> None:
        self._chain = chain
        self._head = head
        self._shielding = Shielding(line)

    def __call__(self, taps: Sequence[Block]) -> None:
        """Compare each stage's output with its input."""
        self._shielding(*taps)

    def report_if_known(self) -> list[dict[str, Any]]:
        """Return the report once the costs have been asked for, and nothing before: for those who cannot wait."""
        return self.report() if "costs" in self.__dict__ else []

    @cached_property
    def costs(self) -> list[HeartCost]:
        """What each stage costs the heart; takes some tenths of a second, so it is asked for off the stream's path."""
        sensors, costs = self._head.sensors, []
        for stage in self._chain.stages:
            costs.append(measure(stage, sensors, self._head.rate))
            if isinstance(stage, Calibrate):  # from here on they are where they really are
                sensors = stage.array(sensors)
        return costs

    def report(self) -> list[dict[str, Any]]:
        """Return one entry a stage: name, `shielding_db`, `heart_kept`, `map_correlation`, `noise_gain`, `delay_s`."""
        return [
            {"stage": type(stage).__name__, "shielding_db": self._shielding.result(k, k + 1), **asdict(cost)}
            for k, (stage, cost) in enumerate(zip(self._chain.stages, self.costs, strict=True))
        ]

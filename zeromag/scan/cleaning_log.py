"""What each cleaning step does on this stream: shielding as measured, heart and noise as the meter says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

from zeromag.block import Block
from zeromag.filters.chain_cost import chain_cost, stage_costs
from zeromag.filters.injection import MOST, Injection
from zeromag.filters.meter import HeartCost
from zeromag.filters.shielding import Shielding
from zeromag.pipeline import Chain

INJECTED_S = 60.0  # of a stream that a known heart runs beside: afterwards the chain has settled and runs alone
WHOLE = "whole chain"


class CleaningLog:
    """Callable with the taps of a chain (raw first); `report` is the `cleaning` of summary.json."""

    def __init__(self, chain: Chain, head: Block, line: float) -> None:
        self._chain = chain
        self._head = head
        self._shielding = Shielding(line)
        cheap = len(head.sensors) * head.rate <= MOST
        self._injection = Injection(chain, head, INJECTED_S) if cheap else None

    def __call__(self, taps: Sequence[Block]) -> None:
        """Compare each stage's output with its input."""
        self._shielding(*taps)
        if self._injection is not None:
            self._injection(taps)

    def report_if_known(self) -> list[dict[str, Any]]:
        """Return the report once the costs have been asked for, and nothing before: for those who cannot wait."""
        return self.report(roughly=True) if "costs" in self.__dict__ else []

    @cached_property
    def costs(self) -> list[HeartCost]:
        """What each stage costs, and last the whole; takes some tenths of a second, so off the stream's path."""
        stages, sensors = self._chain.stages, self._head.sensors
        costs = stage_costs(stages, sensors, self._head.rate)
        return [*costs, chain_cost(stages, sensors, costs)]

    def report(self, *, roughly: bool = False) -> list[dict[str, Any]]:
        """Return one entry a stage and one for all of them, `whole chain`.

        Each has `stage`, `shielding_db` as measured on the stream, what the heart meter says of the lead field of
        the heart volume (`heart_kept`, `map_correlation`, `map_error`, `map_angle`, `noise_gain`, `delay_s`), and as
        `injected` the same of the heart for a known one that ran beside this very stream; None until there was one.
        `roughly` lets that be some seconds old.
        """
        stages = self._chain.stages
        parts = [(type(stage).__name__, (k, k + 1), k) for k, stage in enumerate(stages)]
        return [
            {
                "stage": name,
                "shielding_db": self._shielding.result(*span),
                **asdict(cost),
                "injected": self._left(k, roughly),
            }
            for (name, span, k), cost in zip([*parts, (WHOLE, (0, len(stages)), None)], self.costs, strict=True)
        ]

    def _left(self, stage: int | None, roughly: bool) -> dict[str, float] | None:
        """Return what was left of the injected heart behind one stage, or behind all."""
        if self._injection is None or (cost := self._injection.cost(stage, roughly=roughly)) is None:
            return None
        told = asdict(cost)
        del told["noise_gain"]
        return {**told, "beats": self._injection.beats}

"""The whole pipeline: a source's blocks through a chain of stages into sinks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from zeromag.block import Block
from zeromag.sensors import SensorArray
from zeromag.stage import Sink, Stage, Step

Tap = Sequence[Block]  # the raw block first, then each stage's output


@dataclass(frozen=True, slots=True)
class Chain:
    """Stages in a row, started anew whenever a block does not follow the last."""

    stages: tuple[Stage, ...] = ()

    def start(self, head: Block) -> Step:  # noqa: ARG002 - a chain is a stage, but every fresh block starts it anew
        """Return the step through all stages; a chain is a stage itself."""
        taps = self.tapped()
        return lambda block: taps(block)[-1]

    def tapped(self) -> Callable[[Block], Tap]:
        """Return a step that gives every stage's output, the raw block first."""
        return _Tapped(self.stages)

    def warm(self, sensors: SensorArray, rate: float, samples: int = 10) -> None:
        """Push synthetic blocks through and forget them, so that every kernel is compiled or loaded."""
        noise = np.random.default_rng(0).normal(scale=1e-12, size=(2 * samples, len(sensors)))
        mask = np.zeros(noise.shape, dtype=np.bool_)
        whole = Block(data=noise, first=0, rate=rate, sensors=sensors, mask=mask)
        step = self.start(whole.part(0, samples))
        step(whole.part(0, samples))
        step(whole.part(samples, 2 * samples))


class _Tapped:
    """The running chain: steps, and the last block to tell a gap by."""

    def __init__(self, stages: tuple[Stage, ...]) -> None:
        self._stages = stages
        self._steps: list[Step] = []
        self._last: Block | None = None

    def __call__(self, block: Block) -> Tap:
        fresh = not block.follows(self._last)
        if fresh:
            self._steps = []
        self._last = block
        out = [block]
        for k, stage in enumerate(self._stages):
            if fresh:
                self._steps.append(stage.start(out[-1]))
            out.append(self._steps[k](out[-1]))
        return out


def run(blocks: Iterable[Block], chain: Chain, sinks: Sequence[Sink]) -> None:
    """Carry every block through the chain to every sink, in order; sinks live through gaps."""
    step: Step | None = None
    for block in blocks:
        step = step or chain.start(block)
        cleaned = step(block)
        for sink in sinks:
            sink(cleaned)

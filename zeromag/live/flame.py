"""Where the time of the stream's own thread goes: its stack looked at every millisecond of CPU time."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Final

from zeromag.acquire.message import Description, Stamp
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.source import open_source
from zeromag.acquire.wire import decode, encode_block
from zeromag.block import Block
from zeromag.live.broadcast import Broadcast
from zeromag.scan.scan import Scan
from zeromag.session import Session

EVERY: Final = 1e-3  # s of CPU time between two looks
HERE: Final = str(Path(__file__).resolve().parent.parent)
SETTLE: Final = 2.0  # s of the stream before the first look
LEAST: Final = 0.02  # share below which a line is left out

Stack = tuple[str, ...]  # outermost first


@dataclass(slots=True)
class Flame:
    """How long the thread was in each stack, us of its own CPU time."""

    seen: Counter[Stack] = field(default_factory=Counter)
    last: int = 0  # us of the thread's CPU time at the last look

    def take(self, number: int, frame: FrameType | None) -> None:
        """Count what this thread has used since the last look for the stack of this moment; a signal handler.

        The project's own functions only. The timer runs on while other threads work, and asks for looks that
        count for nothing then.
        """
        del number
        now = time.thread_time_ns() // 1000
        used, self.last = now - self.last, now
        stack: list[str] = []
        while frame is not None and frame.f_code.co_filename != __file__:
            code = frame.f_code
            if code.co_filename.startswith(HERE):
                stack.append(f"{Path(code.co_filename).stem}.{code.co_name}")
            frame = frame.f_back
        self.seen[tuple(reversed(stack))] += used

    def lines(self) -> list[str]:
        """Return the tree as text, the costliest branch first; what is below 2 % is left out."""
        total = sum(self.seen.values())
        return [] if not total else list(self._branch((), total))

    def folded(self) -> str:
        """Return one `outer;inner microseconds` a line, as flame-graph viewers read it."""
        return "".join(f"{';'.join(stack)} {count}\n" for stack, count in sorted(self.seen.items()) if stack)

    def _branch(self, root: Stack, total: int) -> Generator[str, None, None]:
        below: Counter[Stack] = Counter()
        for stack, count in self.seen.items():
            if len(stack) > len(root) and stack[: len(root)] == root:
                below[stack[: len(root) + 1]] += count
        for branch, count in below.most_common():
            if count >= LEAST * total:
                yield f"{count / total:6.1%}  {'  ' * (len(branch) - 1)}{branch[-1]}"
                yield from self._branch(branch, total)


@contextmanager
def watched(flame: Flame) -> Generator[None, None, None]:
    """Look at the stack of this thread, the main one, while the context lasts."""
    flame.last = time.thread_time_ns() // 1000
    before = signal.signal(signal.SIGPROF, flame.take)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def processing_flame(spec: str, *, block: int, seconds: float) -> Flame | None:
    """Return where the processing's time goes, from frame to published results; None where no CPU timer exists."""
    if sys.platform == "win32":
        return None
    source = open_source(spec, block=block)
    session, flame = Session().changed(source=spec), Flame()
    description = Description(source.sensors, source.rate)
    blocks = source.blocks()
    try:
        with Publisher(description) as publisher:
            head = next(blocks)
            rest = chain([head], blocks)
            scan = Scan(head, session)
            tell = Broadcast(publisher, scan, session, recording=False)
            _carry(rest, scan, tell, publisher, SETTLE)
            with watched(flame):
                _carry(rest, scan, tell, publisher, SETTLE + seconds)
            tell.finish(scan.finish())
    finally:
        blocks.close()
    return flame


def _carry(blocks: Iterator[Block], scan: Scan, tell: Broadcast, publisher: Publisher, until: float) -> None:
    """Take blocks as they come over the wire until so much of the stream has passed, s."""
    for sequence, block in enumerate(blocks):
        message = decode(encode_block(block, Stamp(1, 1, sequence)), publisher.description)
        if isinstance(message, Block):
            tell(scan(message, publisher))
        if block.stop >= until * block.rate:
            return

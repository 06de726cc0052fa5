"""What a source is, and how a word like `sim:adult`, `tcp://host:port` or a path becomes one."""

from __future__ import annotations

import re
from collections.abc import Generator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, runtime_checkable

from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.sensors import SensorArray

GROUP = "zeromag.sources"


@runtime_checkable
class Source(Protocol):
    """Where blocks come from; `blocks` owns its device in `try/finally` and gives it back when closed."""

    @property
    def sensors(self) -> SensorArray:
        """The array, known before the first block."""
        ...

    @property
    def rate(self) -> float:
        """Samples per second, Hz."""
        ...

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the samples in order; a jump in `first` is a gap."""
        ...


def open_source(spec: str, *, block: int = 10, patient: bool = False) -> Source:
    """Return the source that `spec` names: `sim:…`, `tcp://…`, `lsl:…`, `loop:SOURCE`, a plugged-in scheme or a path.

    `patient` waits for another zeromag that falls silent.

    Raises
    ------
    InputError
        Nothing of that name exists or can be read.
    """
    if block < 1:
        raise ValueError(f"a block holds at least 1 sample, got {block}")
    scheme = scheme_of(spec)
    if scheme == "sim":
        from zeromag.acquire.simulate import simulation

        return simulation(spec, block=block)
    if scheme in {"tcp", "ipc"}:
        from zeromag.acquire.subscription import Subscription

        return Subscription(spec, reconnect=patient)
    if scheme == "lsl":
        from zeromag.acquire.lsl import lsl_source

        return lsl_source(spec, block=block)
    if scheme == "loop":
        from zeromag.acquire.loop import loop

        return loop(spec, block=block)
    if not scheme:
        from zeromag.acquire.replay import replay

        return replay(Path(spec), block=block)
    return _plugged_in(scheme, spec, block)


def scheme_of(spec: str) -> str:
    """Return the scheme of `spec`, empty for a path (a single letter is a Windows drive)."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", spec)
    return "" if match is None or Path(spec).exists() else match.group(1).lower()


def _plugged_in(scheme: str, spec: str, block: int) -> Source:
    found = {point.name: point for point in entry_points(group=GROUP)}
    if scheme not in found:
        known = ", ".join(sorted({"sim", "tcp", "lsl", "loop", *found}))
        raise InputError(f"a source is a path or begins with one of {known}, got '{spec}'")
    source = found[scheme].load()(spec, block=block)
    if not isinstance(source, Source):
        raise InputError(f"the plug-in {found[scheme].value} for '{scheme}:' did not give a source")
    return source

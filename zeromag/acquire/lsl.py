"""Lab Streaming Layer in (`lsl:NAME`) and out, with positions as mne-lsl writes and reads them.

Needs `pylsl`, which is optional; it is imported where it is used.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import time
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.clock import ClockFit
from zeromag.acquire.fif import triple
from zeromag.acquire.gap import after_gap
from zeromag.acquire.lsl_layout import FACTS, LOC, described
from zeromag.acquire.lsl_places import GAP_SECONDS, Places
from zeromag.block import Block
from zeromag.errors import InputError, LinkError, SourceLostError
from zeromag.sensors import Kind, SensorArray

SILENCE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.5  # of silence, or twenty samples: is the sender still the same?
_PULL_SECONDS: Final = 0.2
_LAST_SECONDS: Final = 0.3
_KEPT_SECONDS: Final = 360  # what the sender keeps for a reader that is cut off
_CONFIGURED: Final = ("lsl_api.cfg", "~/lsl_api/lsl_api.cfg", "/etc/lsl_api/lsl_api.cfg")  # where liblsl looks
_TYPES: Final[dict[Kind, str]] = {"mag": "mag", "ref": "ref_meg", "ecg": "ecg", "stim": "stim", "misc": "misc"}
_FIFF_KINDS: Final[dict[Kind, int]] = {"mag": 1, "ref": 301, "ecg": 402, "stim": 3, "misc": 502}


def lsl_source(spec: str, *, block: int = 10) -> LslSource:
    """Return the source that reads the stream `lsl:NAME`; raises LinkError when nobody sends it."""
    return LslSource(spec.partition(":")[2], block=block)


class LslSource:
    """Reads one LSL stream and waits for it to come back when its sender does."""

    def __init__(self, name: str, *, block: int = 10, timeout: float = 5.0) -> None:
        lsl = _pylsl()
        found = lsl.resolve_byprop("name", name, timeout=timeout)
        if not found:
            raise LinkError(f"no LSL stream is named '{name}' here: is its sender running and on this network?")
        self._stream, self._block = found[0], block
        inlet = lsl.StreamInlet(self._stream)
        try:
            info = inlet.info(timeout)
        finally:
            inlet.close_stream()
        self.rate = float(info.nominal_srate())
        if not self.rate > 0:
            raise InputError(f"the LSL stream '{name}' has no regular rate; a stream of samples was expected")
        self.name = name
        self.sensors, self._scale = _described(info)

    def blocks(self) -> Generator[Block, None, None]:
        """Yield blocks as they come; `t_ns` follows the sender's clock by a fit.

        Raises
        ------
        SourceLostError
            It was silent for a minute, or has other channels or another rate now.
        """
        inlet = _pylsl().StreamInlet(self._stream, max_buflen=_KEPT_SECONDS, recover=True)
        places, clock, stop = Places(self.rate), ClockFit(self.rate), None
        waiting, patience = np.zeros((0, len(self.sensors))), max(_LOOK_SECONDS, 20 / self.rate)
        heard, looked, taken = time.monotonic_ns(), time.monotonic_ns(), 0  # taken: the newest sample, by its clock
        try:
            while True:
                rows, stamps = inlet.pull_chunk(timeout=_PULL_SECONDS, max_samples=self._block)
                now = time.monotonic_ns()
                silent = (now - heard) * 1e-9
                if silent > SILENCE_SECONDS and not stamps:
                    raise SourceLostError(f"the LSL stream '{self.name}' gave nothing for {SILENCE_SECONDS:g} s")
                if silent > patience and (stamps or now - looked > 4e9 * patience):
                    self._look()
                    looked = time.monotonic_ns()
                if stamps:
                    heard = now
                    waiting = np.concatenate([waiting, np.array(rows, dtype=np.float64) * self._scale])
                over = silent > patience and not stamps
                # not by when one was heard: to look may take liblsl five seconds, in which others come
                since = (now - taken) * 1e-9 - inlet.samples_available() / self.rate if taken else 0.0
                for first, count in places(np.array(stamps), since=since, over=over):
                    if stop is not None and first - stop > GAP_SECONDS * self.rate:
                        clock = ClockFit(self.rate)
                    taken = clock(first + count, now)
                    piece = Block(waiting[:count], first, self.rate, self.sensors, t_ns=taken)
                    waiting = waiting[count:]
                    yield piece if stop is None else after_gap(piece, stop, "the LSL stream was interrupted")
                    stop = piece.stop
        finally:
            inlet.close_stream()

    def _look(self) -> None:
        """Raise SourceLostError when this name gives something else now: liblsl would go on as if it did not."""
        found = _pylsl().resolve_byprop("name", self.name, timeout=0.5)
        given = [(one.channel_count(), one.nominal_srate()) for one in found]
        if given and (len(self.sensors), self.rate) not in given:
            raise SourceLostError(f"the LSL stream '{self.name}' has {given[0][0]} channels at {given[0][1]:g} Hz now")


class LslOutlet:
    """A sink that sends blocks as an LSL stream in SI units; one of another array makes the stream anew.

    Never waits: liblsl forgets what no reader has taken for six minutes. A sample carries the instant it was taken.
    """

    def __init__(self, sensors: SensorArray, rate: float, name: str) -> None:
        self._sensors, self._rate, self._name = sensors, rate, name
        self._outlet: Any = self._opened()

    def _opened(self) -> Any:
        lsl, sensors, rate, name = _pylsl(), self._sensors, self._rate, self._name
        info = lsl.StreamInfo(name, "MEG", len(sensors), rate, "double64", f"zeromag-{name}")
        info.desc().append_child_value("manufacturer", "zeromag")
        channels = info.desc().append_child("channels")
        for c, kind in enumerate(sensors.kinds):
            channel = channels.append_child("channel")
            facts = {
                "label": sensors.names[c], "type": _TYPES[kind], "unit": 0, "kind": _FIFF_KINDS[kind],
                "coil_type": sensors.coils[c], "coord_frame": 1, "range_cal": 1.0,
            }  # fmt: skip
            for key, value in facts.items():
                channel.append_child_value(key, str(value))
            place = channel.append_child("loc")
            values = np.concatenate([sensors.positions[c], *triple(sensors.axes[c])])
            for key, value in zip(LOC, values.tolist(), strict=True):
                place.append_child_value(key, repr(value))
        return lsl.StreamOutlet(info, max_buffered=_KEPT_SECONDS)

    def __call__(self, block: Block) -> None:
        """Send one block."""
        if block.rate != self._rate or not block.sensors.same_as(self._sensors):
            self._sensors, self._rate, self._outlet = block.sensors, block.rate, None  # the old one closes first
            self._outlet = self._opened()
        ago = (time.monotonic_ns() - block.t_ns) * 1e-9 if block.t_ns else 0.0
        self._outlet.push_chunk(np.ascontiguousarray(block.data), _pylsl().local_clock() - ago)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        time.sleep(_LAST_SECONDS)  # what is on its way is dropped, and there is nothing that could be awaited
        self._outlet = None  # liblsl closes a stream when its last holder lets go


def _described(info: Any) -> tuple[SensorArray, NDArray[np.float64]]:  # pylsl has no types
    """Return the array that a stream's metadata describes, and what its values are multiplied with."""
    channels = []
    channel = info.desc().child("channels").child("channel")
    while not channel.empty():
        place = channel.child("loc")
        channels.append({key: channel.child_value(key) for key in FACTS} | {key: place.child_value(key) for key in LOC})
        channel = channel.next_sibling()
    lsl = _pylsl()
    whole = info.channel_format() in {lsl.cf_int32, lsl.cf_int16, lsl.cf_int8}
    return described(info.name(), int(info.channel_count()), channels, whole=whole)


def _pylsl() -> ModuleType:
    first = "pylsl" not in sys.modules
    try:
        lsl = importlib.import_module("pylsl")
    except (ImportError, RuntimeError, OSError) as error:
        raise LinkError("LSL needs the package pylsl: pip install 'zeromag[lsl]'") from error
    if first:
        _warnings_only(lsl)
    return lsl


def _warnings_only(lsl: ModuleType) -> None:
    """Have liblsl (1.17 and later) say on the terminal only what is wrong, unless somebody has configured it."""
    written = [Path(place).expanduser().exists() for place in _CONFIGURED]
    configure = getattr(getattr(getattr(lsl, "lib", None), "lib", None), "lsl_set_config_content", None)
    if configure is not None and not os.environ.get("LSLAPICFG") and not any(written):
        configure.argtypes = [ctypes.c_char_p]
        configure(b"[log]\nlevel = -1\n")

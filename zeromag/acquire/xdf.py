"""What LabRecorder writes (`.xdf`): the LSL stream of an array, as a source; `pyxdf`, which is optional, reads it."""

from __future__ import annotations

import importlib
import logging
import struct
from collections.abc import Generator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.lsl_layout import FACTS, LOC, described
from zeromag.acquire.lsl_places import placed
from zeromag.acquire.recorded import Recorded
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.sensors import SensorArray


def xdf_source(path: Path, *, block: int = 10) -> Recorded:
    """Return the source over the stream with the most magnetometers that have a place; the file is held in memory.

    Samples are missing where its stamps (on one clock, as LabRecorder measured its offsets) say so, as when LSL is
    read live.

    Raises
    ------
    InputError
        If pyxdf is not installed, the file is none or damaged, or no stream says where its sensors are.
    """
    found: list[tuple[int, Any, SensorArray, NDArray[np.float64]]] = []
    why = "no stream with a regular rate is in it"
    for stream in _streams(path):
        if not float(_word(stream["info"], "nominal_srate") or 0) > 0 or not len(stream["time_stamps"]):
            continue
        try:
            sensors, scale = _described(stream)
        except InputError as error:
            why = str(error)
            continue
        found.append((len(sensors.of_kind("mag")), stream, sensors, scale))
    if not found:
        raise InputError(f"{path} holds no array: {why}")
    _, stream, sensors, scale = max(found, key=lambda each: each[0])
    rate = float(_word(stream["info"], "nominal_srate"))
    stamps = np.asarray(stream["time_stamps"], dtype=np.float64)
    values = np.asarray(stream["time_series"])
    runs = placed(stamps, rate)
    starts = np.cumsum([0, *(count for _, count in runs)]).tolist()

    def chunks(samples: int) -> Generator[Block, None, None]:
        for start, (first, count) in zip(starts, runs, strict=False):
            for row in range(start, start + count, samples):
                data = values[row : min(row + samples, start + count)].astype(np.float64) * scale
                yield Block(data=data, first=first + row - start, rate=rate, sensors=sensors)

    return Recorded(sensors, rate, chunks, samples=sum(runs[-1]), block=block)


def _streams(path: Path) -> list[Any]:
    """Return the streams of a file, as pyxdf gives them."""
    try:
        pyxdf = importlib.import_module("pyxdf")
    except ImportError as error:
        raise InputError(f"{path} needs the package pyxdf: pip install 'zeromag[xdf]'") from error
    logging.getLogger("pyxdf").setLevel(logging.ERROR)  # it tells of every chunk that it looks at
    with path.open("rb") as file:
        if file.read(4) != b"XDF:":
            raise InputError(f"{path} is no XDF file: it does not begin with 'XDF:'")
    try:
        streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    except (OSError, ValueError, KeyError, IndexError, EOFError, struct.error, ParseError) as error:
        raise InputError(f"{path} is damaged: pyxdf cannot read it ({error})") from error
    return list(streams)


def _described(stream: Any) -> tuple[SensorArray, NDArray[np.float64]]:
    """Return the array and the factor to SI units of one stream."""
    info = stream["info"]
    listed = _inside(_inside(info, "desc"), "channels").get("channel") or []
    channels = []
    for told in listed:
        place = _inside(told, "loc")
        channels.append({key: _word(told, key) for key in FACTS} | {key: _word(place, key) for key in LOC})
    whole = _word(info, "channel_format").startswith("int")
    return described(_word(info, "name"), int(_word(info, "channel_count")), channels, whole=whole)


def _inside(told: Any, key: str) -> dict[str, Any]:
    """Return the first element of that name, an empty one when there is none."""
    first = (told.get(key) or [None])[0]
    return first if isinstance(first, dict) else {}


def _word(told: dict[str, Any], key: str) -> str:
    """Return the text of the first element of that name."""
    first = (told.get(key) or [""])[0]
    return first if isinstance(first, str) else ""

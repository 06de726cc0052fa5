"""Writes one recording; only ever in a process that acquires nothing, since HDF5 dies of a full disk."""

from __future__ import annotations

import platform
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.frame import INT32, Header
from zeromag.acquire.layout import FORMAT, INDEX, as_text, channel_table, event_table
from zeromag.acquire.message import Description
from zeromag.acquire.run import Run, run_of
from zeromag.acquire.wire import events_of, mask_of, samples_of
from zeromag.event import Event

_CHUNK_BYTES: Final = 1 << 20
_BUFFER_BYTES: Final = 8 << 20


class RecordingWriter:
    """Appends blocks; `stop` is the index after the last sample, `rows` how many are stored, `gaps` how many jumps."""

    def __init__(self, path: Path, description: Description, *, counts: bool) -> None:
        self.description = description
        self.stop: int | None = None
        self.rows = self.gaps = 0
        self._counts = counts
        self._begin = 0
        self._index: list[NDArray[np.void]] = []
        self._events: list[Event] = []
        self._masks: list[tuple[int, NDArray[np.bool_]]] = []
        self._waiting: list[NDArray[Any]] = []
        self._waiting_bytes = 0
        self._thread = ThreadPoolExecutor(1, "store")
        self._storing: Future[None] | None = None
        self._file = h5py.File(path, "w", libver=("earliest", "v110"))
        sensors = description.sensors
        width = 4 if counts else 8
        n = len(sensors)
        rows = int(np.clip(_CHUNK_BYTES // (n * width), 1, max(1, round(description.rate))))
        self._data = self._file.create_dataset(
            "raw/data", (0, n), dtype="<i4" if counts else "<f8", maxshape=(None, n), chunks=(rows, n),
            fletcher32=True,
        )  # fmt: skip
        self._file["raw/scale"] = sensors.quantum if counts else np.ones(n)
        self._file["raw/offset"] = np.zeros(n)
        self._file["channels"] = channel_table(sensors)
        self._file["session"] = as_text(description.session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._thread.shutdown()
        self._file.close()

    def append(self, header: Header, frame: bytes) -> None:
        """Add the block of one frame; one that goes back in time is left out."""
        row = self.rows
        self.append_run(run_of(header, frame, samples_of(frame, header)))
        if self.rows == row:
            return
        mask = mask_of(frame, header) if header.flags else None
        if mask is not None and mask.any():
            self._masks.append((row, mask))
        if header.appendix:
            self._events.extend(event for event in events_of(frame, header) if event.kind != "gap")

    def append_run(self, run: Run) -> None:
        """Add the blocks of a run; those that go back in time are left out."""
        samples, first = run.header.samples, run.heads["first"]
        if not self._counts and run.header.dtype == INT32:
            run = run.times(self.description.sensors.quantum)
        breaks = (np.flatnonzero(first[1:] != first[:-1] + samples) + 1).tolist()
        for start, stop in zip([0, *breaks], [*breaks, len(first)], strict=True):
            behind = 0 if self.stop is None else self.stop - int(first[start])
            late = min(max(0, -(-behind // samples)), stop - start)
            if late < stop - start:
                self._add(run.part(start + late, stop))

    def _add(self, run: Run) -> None:
        """Add a run without a gap in it."""
        n, samples, first = len(run.heads), run.header.samples, int(run.heads["first"][0])
        if self.stop is None:
            self._begin = first
        elif first > self.stop:
            self.gaps += 1
            self._events.append(Event(self.stop, "gap", first - self.stop, why="missing in the journal"))
        index = np.zeros(n, dtype=INDEX)
        for name in ("sequence", "first", "t_ns", "wall_ns"):
            index[name] = run.heads[name]
        index["row"], index["samples"], index["crc"] = self.rows + samples * np.arange(n), samples, run.crcs
        self._index.append(index)
        self._waiting.append(run.data)
        self._waiting_bytes += run.data.nbytes
        self.rows += n * samples
        self.stop = first + n * samples
        if self._waiting_bytes > _BUFFER_BYTES:
            self._flush(whole_chunks=True)

    def finish(self, status: str, provenance: dict[str, Any]) -> None:
        """Write index, events, mask and what is known of the recording as a whole."""
        self._flush()
        self._thread.shutdown()
        if self._storing is not None:
            self._storing.result()
        self._file["raw/block_index"] = np.concatenate(self._index)
        self._file["events"] = event_table(sorted(self._events, key=lambda event: event.sample))
        if self._masks:
            self._write_masks()
        about = {"version": self.description.version, "source": self.description.source, **provenance}
        about |= {"python": platform.python_version(), "h5py": h5py.__version__}
        self._file["provenance"] = as_text(about)
        self._file.attrs.update(
            {
                "zeromag": np.bytes_(self.description.version or "unknown"),
                "format": FORMAT,
                "rate_hz": self.description.rate,
                "status": np.bytes_(status),
                "gaps": self.gaps,
                "first": self._begin,
                "stop": self.stop or 0,
                "frame": np.bytes_(self.description.sensors.frame.encode()),
            }
        )

    def _flush(self, *, whole_chunks: bool = False) -> None:
        """Hand what waits to the thread that stores; one batch is on its way while the next is read."""
        if self._storing is not None:
            self._storing.result()
        if not self._waiting:
            return
        rows, chunk = np.concatenate(self._waiting), self._data.chunks[0]
        ready = len(rows) // chunk * chunk if whole_chunks else len(rows)
        self._storing = self._thread.submit(self._store, rows[:ready])
        self._waiting = [rows[ready:].copy()] if ready < len(rows) else []
        self._waiting_bytes = sum(left.nbytes for left in self._waiting)

    def _store(self, rows: NDArray[Any]) -> None:
        start = self._data.shape[0]
        self._data.resize(start + len(rows), axis=0)
        self._data[start:] = rows

    def _write_masks(self) -> None:
        n = len(self.description.sensors)
        mask = self._file.create_dataset(
            "raw/mask", (self.rows, n), dtype="|u1", chunks=(min(self.rows, 4096), n), compression="gzip", shuffle=True
        )
        for row, bad in self._masks:
            mask[row : row + len(bad)] = bad

"""Writes one recording; only ever in a process that acquires nothing: checking it takes its time."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any, Final, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from zeromag.acquire.frame import INT32, Header
from zeromag.acquire.h5_out import Disk
from zeromag.acquire.layout import FORMAT, INDEX, as_text, channel_table, event_table
from zeromag.acquire.message import Description
from zeromag.acquire.run import Run, run_of
from zeromag.acquire.seal import Chunks, Seal, table_of, write_seal
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
        self._path = path
        self._disk = Disk(path)
        self._file = h5py.File(self._disk, "w", libver=("earliest", "v110"))
        sensors = description.sensors
        width = 4 if counts else 8
        n = len(sensors)
        rows = int(np.clip(_CHUNK_BYTES // (n * width), 1, max(1, round(description.rate))))
        self._data = self._file.create_dataset(
            "raw/data", (0, n), dtype="<i4" if counts else "<f8", maxshape=(None, n), chunks=(rows, n)
        )
        self._file["raw/scale"] = sensors.quantum if counts else np.ones(n)
        self._file["raw/offset"] = np.zeros(n)
        self._file["channels"] = channel_table(sensors)
        self._file["session"] = as_text(description.session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()
        self._disk.close()

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
            self._flush()

    def finish(self, status: str, provenance: dict[str, Any]) -> None:
        """Write index, events, mask and what is known of the recording as a whole; close it and put its seal on."""
        self._flush(last=True)
        index, file = np.concatenate(self._index), self._file
        events = event_table(sorted(self._events, key=lambda event: event.sample))
        file["raw/block_index"], file["events"] = index, events
        mask = self._write_masks() if self._masks else None
        described = self.description
        about = {"version": described.version, "source": described.source, **provenance}
        about |= {"python": platform.python_version(), "h5py": h5py.__version__}
        file["provenance"] = as_text(about)
        stop = self.stop or 0
        file.attrs.update(
            {
                "zeromag": np.bytes_(described.version or "unknown"),
                "format": FORMAT,
                "rate_hz": described.rate,
                "status": np.bytes_(status),
                "gaps": self.gaps,
                "first": self._begin,
                "stop": stop,
                "frame": np.bytes_(described.sensors.frame.encode()),
            }
        )
        self._disk.check()  # what is not on the disk cannot be read from there
        places = {name: file[name].id.get_offset() for name in ("channels", "raw/block_index", "events", "session")}
        seal = Seal(
            described.rate, described.sensors.frame, status, stop, self.rows, self._counts,
            channels=table_of(places["channels"], file["channels"][:]),
            index=table_of(places["raw/block_index"], index), events=table_of(places["events"], events),
            session=(places["session"], file["session"].dtype.itemsize), data=_chunks(self._data), mask=mask,
        )  # fmt: skip
        file.close()
        self._disk.check()
        self._disk.close()
        write_seal(self._path, seal)

    def _flush(self, *, last: bool = False) -> None:
        """Store the whole chunks of what waits, at the end all; past HDF5's pipeline, which would copy them twice."""
        rows, chunk = np.concatenate(self._waiting), self._data.chunks[0]
        start = self._data.shape[0]
        ready = len(rows) if last else len(rows) // chunk * chunk
        self._data.resize(start + ready, axis=0)
        for row in range(0, ready, chunk):
            piece = rows[row : row + chunk]
            if len(piece) < chunk:  # HDF5 stores the last one whole
                piece = np.concatenate([piece, np.zeros((chunk - len(piece), rows.shape[1]), rows.dtype)])
            self._data.id.write_direct_chunk((start + row, 0), piece)
        self._waiting = [rows[ready:].copy()]
        self._waiting_bytes = self._waiting[0].nbytes
        self._disk.check()

    def _write_masks(self) -> Chunks:
        n = len(self.description.sensors)
        mask = self._file.create_dataset(
            "raw/mask", (self.rows, n), dtype="|u1", chunks=(min(self.rows, 4096), n), compression="gzip"
        )
        for row, bad in self._masks:
            mask[row : row + len(bad)] = bad
        self._file.flush()  # a chunk has its place once it is written
        return _chunks(mask)


def _chunks(data: h5py.Dataset) -> Chunks:
    """Return where the chunks of a data set lie; those that were never written have no place."""
    rows = data.chunks[0]
    count = -(-data.shape[0] // rows)
    offsets, sizes = [0] * count, [0] * count

    def take(chunk: Any) -> None:
        number = chunk.chunk_offset[0] // rows
        offsets[number], sizes[number] = chunk.byte_offset, chunk.size

    data.id.chunk_iter(take)
    return Chunks(rows, offsets, sizes)

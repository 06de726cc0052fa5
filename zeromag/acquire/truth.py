"""The ground truth of a simulation, in a file beside the recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zeromag.acquire.field_peak import field_peaks
from zeromag.acquire.h5_out import new_h5
from zeromag.acquire.simulation import Chunk, Simulation
from zeromag.errors import InputError, StorageError
from zeromag.physics.conductor import lead_field

if TYPE_CHECKING:
    import h5py


def write_truth(path: str | Path, simulation: Simulation) -> None:
    """Write what was simulated, chunk by chunk, whatever its length.

    `dipole_Am` (dipoles, 3, samples), `dipole_position_m` (dipoles, 3), `heart_shift_m` (samples, 3) where
    breathing moves them in the body, `clean_T` (samples, channels) hearts only with ideal sensors,
    `interference/NAME` (samples, channels) T along the real axes, `r_peak_sample` of the first heart (where its
    field is largest); of each heart `hearts/K/r_peak_sample`, `beat_kind`, `fiducial_sample` (beats, 6: P on,
    P off, QRS on, QRS off, T peak, T end); `sensors/…` as they should be and, `real_…`, as they are; every
    setting under `settings/`.

    Raises
    ------
    InputError
        If the simulation never ends.
    StorageError
        If the file cannot be written.
    """
    if simulation.samples is None:
        raise InputError(f"{simulation.spec}: a recording needs an end; add seconds=60.")
    with _file(Path(path)) as file:
        _describe(file, simulation)
        sizes = _Datasets(file, simulation, simulation.samples)
        for chunk in simulation.chunks():
            sizes.add(chunk)
        _write_beats(file, simulation, simulation.samples)


@contextmanager
def _file(path: Path) -> Iterator[h5py.File]:
    """Open a new file that only takes its name when it is whole."""
    partial = path.with_name(path.name + ".partial")
    try:
        with new_h5(partial, oldest="v110") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: the ground truth cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _describe(file: h5py.File, simulation: Simulation) -> None:
    """Write the settings and the sensors."""
    file.attrs["spec"] = simulation.spec
    file.attrs["rate_hz"] = simulation.rate
    file.attrs["seed"] = simulation.seed
    file["dipole_position_m"] = np.concatenate([np.zeros((0, 3)), *(heart.positions for heart in simulation.hearts)])
    file.create_group("settings").attrs.update(simulation.settings)
    sensors = file.create_group("sensors")
    sensors["name"] = list(simulation.sensors.names)
    sensors["kind"] = list(simulation.sensors.kinds)
    sensors["position_m"] = simulation.sensors.positions
    sensors["axis"] = simulation.sensors.axes
    real = simulation.real_array()
    sensors["real_position_m"] = real.sensors.positions
    sensors["real_axis"] = real.sensors.axes
    sensors["real_gain"] = real.gain
    sensors["real_mixing"] = np.eye(len(real.gain)) if real.mixing is None else real.mixing
    sensors["quantum_T"] = simulation.sensors.quantum
    sensors["limit_T"] = simulation.sensors.limit
    sensors["white_noise_T"] = np.full(len(simulation.sensors), simulation.noise.white)
    sensors["noise_corner_Hz"] = np.full(len(simulation.sensors), simulation.noise.corner)


def _write_beats(file: h5py.File, simulation: Simulation, samples: int) -> None:
    """Write the R peaks of each heart: where its field over the array is largest."""
    sensors = simulation.sensors.pick(simulation.sensors.of_kind("mag"))
    begin = 0
    for k, (heart, beating) in enumerate(zip(simulation.hearts, simulation.beating(), strict=True)):
        end = begin + len(heart.positions)
        peaks = beating.peaks(0, samples)
        group = file.create_group(f"hearts/{k}")
        lead = lead_field(simulation.conductor, heart.positions, sensors.positions, sensors.axes)
        vector_peaks = np.array([sample for sample, _ in peaks], dtype=np.int64)
        dipoles = file["dipole_Am"][begin:end].reshape(-1, samples)
        begin = end
        group["r_peak_sample"] = field_peaks(dipoles, lead.reshape(len(sensors), -1), vector_peaks, simulation.rate)
        group["fiducial_sample"] = beating.fiducials(0, samples)
        group["beat_kind"] = np.array([kind.encode() for _, kind in peaks], dtype="S16")
    first = file["hearts/0/r_peak_sample"][:] if simulation.hearts else np.zeros(0, dtype=np.int64)
    file["r_peak_sample"] = first


class _Datasets:
    """The long arrays of the file, filled from the front."""

    def __init__(self, file: h5py.File, simulation: Simulation, samples: int) -> None:
        channels = len(simulation.sensors)
        dipoles = sum(len(heart.positions) for heart in simulation.hearts)
        rows = min(samples, 1024)
        self._shift = (
            file.create_dataset("heart_shift_m", (samples, 3), dtype="f8") if simulation.motion.heart else None
        )
        self._dipole = file.create_dataset("dipole_Am", (dipoles, 3, samples), dtype="f8")
        parts = [part.name for part in simulation.room] + ([] if simulation.motion.still else ["motion"])
        names = ["clean_T", *(f"interference/{name}" for name in parts)]
        self._fields = {
            name: file.create_dataset(
                name, (samples, channels), dtype="f8" if name == "clean_T" else "f4", chunks=(rows, channels)
            )
            for name in names
        }

    def add(self, chunk: Chunk) -> None:
        """Write one chunk."""
        span = slice(chunk.first, chunk.first + len(chunk.data))
        self._dipole[:, :, span] = chunk.dipoles.transpose(0, 2, 1)
        self._fields["clean_T"][span] = chunk.clean
        if self._shift is not None:
            self._shift[span] = chunk.shift
        for name, part in chunk.interference.items():
            self._fields[f"interference/{name}"][span] = part

"""`zeromag doctor`: what this machine is, to paste into a question."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from zeromag import __version__

PACKAGES = (
    "numpy", "scipy", "numba", "llvmlite", "mne", "h5py", "pyzmq", "msgspec", "pyqtgraph", "PySide6-Essentials",
    "matplotlib", "starlette", "uvicorn", "websockets", "wfdb",
)  # fmt: skip


def run(flags: argparse.Namespace) -> int:
    """Print one line a fact; a fact that will be in the way starts with `!`."""
    del flags
    facts = [
        f"zeromag {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"processor: {os.cpu_count()} cores, {platform.machine()}",
        *(_package(name) for name in PACKAGES),
        *_display(),
        *_zeromq(),
        _disk(Path.cwd()),
        _clock(),
        _kernel_cache(),
    ]
    print("\n".join(facts))
    return 0


def _package(name: str) -> str:
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"! {name}: not installed; pip install zeromag brings it"
    if name == "PySide6-Essentials" and sys.version_info < (3, 12) and tuple(map(int, found.split(".")[:2])) >= (6, 12):
        return f"! {name} {found}: aborts on Python {platform.python_version()}; pip install 'PySide6-Essentials<6.12'"
    return f"{name} {found}"


def _display() -> list[str]:
    from zeromag.viz.display import apt_line, missing_libraries, why_no_display

    missing = missing_libraries()
    libraries = (
        f"! window: missing {', '.join(missing)}: {apt_line()}" if missing else "window: Qt's libraries are there"
    )
    why = why_no_display()
    return [libraries, f"! {why}; live serves the page instead" if why else "display: found"]


def _zeromq() -> list[str]:
    import zmq

    curve = "CURVE built in" if zmq.has("curve") else "! CURVE missing: no encrypted connections"
    context = zmq.Context()
    socket = context.socket(zmq.PUB)
    try:
        socket.bind("tcp://127.0.0.1:*")
        ports = "ports: a loopback port can be bound"
    except zmq.ZMQError as error:
        ports = f"! ports: no loopback port can be bound ({error})"
    finally:
        socket.close(linger=0)
        context.term()
    return [f"ZeroMQ {zmq.zmq_version()}: {curve}", ports]


def _disk(folder: Path) -> str:
    free = shutil.disk_usage(folder).free
    hours = free / (48 * 1000 * 4 * 3600)  # the default array: 48 channels, 1 kHz, int32
    mark = "! " if hours < 1 else ""
    return f"{mark}disk: {free / 1e9:.1f} GB free here, {hours:.0f} h of 48 channels at 1 kHz"


def _clock() -> str:
    resolution = time.get_clock_info("monotonic").resolution
    return f"clock: monotonic, steps of {resolution * 1e9:.0f} ns; wall {time.strftime('%Y-%m-%dT%H:%M:%S%z')}"


def _kernel_cache() -> str:
    folder = Path(__file__).resolve().parent.parent
    beside = os.access(folder, os.W_OK)
    return f"kernels: compiled once and kept {'beside the code' if beside else 'in the user cache of numba'}"

"""Can a window be shown here: Qt's system libraries and a display, asked before Qt could abort the process."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

from zeromag.errors import ZeromagError

# Debian's and Ubuntu's package of each library that PySide6's wheel expects from the system.
PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}

PATIENCE = 5.0  # s that an X server may take to answer, also one at the other end of a slow line


def has_display() -> bool:
    """Return whether Qt would find a screen: a display server that answers, or a platform that needs none."""
    if os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in ("offscreen", "minimal", "vnc", "linuxfb", "eglfs"):
        return True
    if not sys.platform.startswith("linux"):
        return True
    return x_answers() or wayland_answers()


def why_no_display() -> str:
    """Return why there is no screen for a window; empty where there is one."""
    if has_display():
        return ""
    silent = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return f"the display {silent} does not answer or does not let this user in" if silent else "no display was found"


def x_answers() -> bool:
    """Return whether there is an X server that lets this user in: without one Qt would abort the process.

    A server that takes the connection and says nothing would hold Qt for ever: it gets PATIENCE seconds.
    """
    if not os.environ.get("DISPLAY"):
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # `missing_libraries` names it
    xcb.xcb_connect.restype = ctypes.c_void_p
    answers: list[bool] = []

    def ask() -> None:
        connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
        answers.append(not xcb.xcb_connection_has_error(connection))
        xcb.xcb_disconnect(connection)

    asking = threading.Thread(target=ask, name="X server", daemon=True)  # one that is not answered ends with us
    asking.start()
    asking.join(PATIENCE)
    return answers == [True]


def wayland_answers() -> bool:
    """Return whether there is a Wayland compositor."""
    name = os.environ.get("WAYLAND_DISPLAY")
    if not name:
        return False
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(str(Path(os.environ.get("XDG_RUNTIME_DIR", "")) / name)) == 0


def missing_libraries() -> list[str]:
    """Return the system libraries (`libxcb-cursor.so.0`, …) that Qt's window here needs and that are not installed.

    Without PySide6 itself the answer is its name. Not on Linux, or without `ldd`: empty.
    """
    spec = find_spec("PySide6")
    if spec is None or spec.origin is None or not spec.submodule_search_locations or find_spec("shiboken6") is None:
        return ["PySide6"]  # not there, an empty folder that was left of it, or without what it stands on
    if not sys.platform.startswith("linux") or (ldd := shutil.which("ldd")) is None:
        return []
    qt = Path(spec.submodule_search_locations[0]) / "Qt"
    files = [qt / "lib" / f"libQt6{part}.so.6" for part in ("Core", "Gui", "Widgets")]
    files.append(qt / "plugins" / "platforms" / f"libq{_platform()}.so")
    present = [str(file) for file in files if file.is_file()]
    done = subprocess.run([ldd, *present], capture_output=True, text=True, check=False, timeout=30)
    lines = (line.split() for line in done.stdout.splitlines() if line.rstrip().endswith("not found"))
    return sorted({words[0] for words in lines})


def apt_line(libraries: list[str] | None = None) -> str:
    """Return the one command that installs what is missing; empty when nothing is."""
    missing = missing_libraries() if libraries is None else libraries
    if not missing:
        return ""
    if missing == ["PySide6"]:
        return "pip install 'PySide6-Essentials>=6.8,<6.12'"
    return "apt-get install -y " + " ".join(sorted({PACKAGES.get(name, name) for name in missing}))


def check_display() -> None:
    """Refuse in one sentence where Qt would abort the whole process.

    Raises
    ------
    ZeromagError
        If there is no display, or a library is missing.
    """
    if why := why_no_display():
        raise ZeromagError(f"a window needs a display, and {why}: use the page (--web) or set DISPLAY")
    if missing := missing_libraries():
        raise ZeromagError(f"a window needs {', '.join(missing)}: run `{apt_line(missing)}` or use the page (--web)")


def _platform() -> str:
    """Return the platform plugin Qt would choose."""
    wished = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0].split(";")[0]
    if wished:
        return wished
    return "wayland" if os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("DISPLAY") else "xcb"

"""Whether a window can be shown is found out before Qt is loaded."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from zeromag.errors import ZeromagError
from zeromag.viz import display


def test_no_display_is_noticed(monkeypatch):
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not display.has_display()
    with pytest.raises(ZeromagError, match="needs a display"):
        display.check_display()


@pytest.mark.skipif(sys.platform != "linux", reason="X and Wayland are asked on Linux")
def test_a_display_that_does_not_answer_is_none(monkeypatch, tmp_path):
    """Else Qt would abort the process, without a word of ours."""
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":4711")
    assert not display.has_display()
    with pytest.raises(ZeromagError, match=":4711 does not answer"):
        display.check_display()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert not display.has_display()
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(tmp_path / "wayland-0"))
        compositor.listen()
        assert display.has_display()


@pytest.mark.skipif(sys.platform != "linux", reason="X and Wayland are asked on Linux")
def test_a_display_that_takes_the_connection_and_says_nothing_is_none(monkeypatch):
    """Else `live` would wait for it, without a word, for as long as it lasts."""
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(display, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{server.getsockname()[1] - 6000}")
        assert not display.has_display()
        server.setblocking(False)
        server.accept()[0].close()  # it had been asked


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no X server: apt-get install -y xvfb")
def test_a_display_that_answers_is_found(monkeypatch):
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "64x64x24"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        monkeypatch.setenv("DISPLAY", f":{number}")
        found = display.has_display()
        server.terminate()
    assert found


def test_offscreen_needs_no_display(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display.has_display()


def test_a_missing_library_is_named_with_its_package(monkeypatch, tmp_path):
    """A stand-in for `ldd` answers as on a machine where two libraries are missing."""
    ldd = tmp_path / "ldd"
    ldd.write_text(
        "#!/bin/sh\necho '\tlibEGL.so.1 => not found'\necho '\tlibxcb-cursor.so.0 => not found'\n"
        "echo '\tlibc.so.6 => /lib/libc.so.6 (0x1)'\necho '\tlibEGL.so.1 => not found'\n"
    )
    ldd.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    missing = display.missing_libraries()
    assert missing == ["libEGL.so.1", "libxcb-cursor.so.0"]
    assert display.apt_line(missing) == "apt-get install -y libegl1 libxcb-cursor0"


def test_ldd_sees_what_the_loader_sees(monkeypatch):
    """Where PySide6 can be imported nothing is missing, and the other way round."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    code = "import PySide6.QtWidgets as w; w.QApplication([])"
    loads = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
    assert loads == (display.missing_libraries() == [])
    assert display.apt_line([]) == ""


@pytest.mark.parametrize("whole", [False, True], ids=["nothing", "a folder that was left"])
def test_the_window_says_that_qt_is_missing(tmp_path, whole):
    """Where PySide6 cannot be found, `zeromag view` says so before anything imports it."""
    hidden = "None" if not whole else "m.ModuleSpec(name, None, is_package=True)"
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.machinery as m\nfind = m.PathFinder.find_spec\n"
        "def without(name, path=None, target=None):\n"
        f"    return {hidden} if name == 'PySide6' else find(name, path, target)\n"
        "m.PathFinder.find_spec = staticmethod(without)\n"
    )
    here = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-m", "zeromag", "view", "--from", "tcp://127.0.0.1:9"], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{here}", "QT_QPA_PLATFORM": "offscreen"}, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("zeromag: a window needs PySide6: run `pip install")
    assert len(done.stderr.splitlines()) == 1


def test_asking_loads_no_qt():
    code = """
import sys
from zeromag.viz import display, feed, report
display.missing_libraries()
print('PySide6' in sys.modules, 'matplotlib' in sys.modules)
from zeromag.viz import array_report, mail, page
print('PySide6' in sys.modules, 'pyqtgraph' in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent
    )
    assert done.stdout.split() == ["False"] * 4

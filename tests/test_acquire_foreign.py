"""Files of unknown origin: read bit for bit by their own process, and nothing that they do reaches this one."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.acquire_streams import Counter, is_counted, joined
from zeromag.acquire.fif import write_fif
from zeromag.acquire.foreign import foreign
from zeromag.acquire.replay import opened, replay
from zeromag.errors import InputError


@pytest.fixture(scope="module")
def fif(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("foreign") / "a_raw.fif"
    write_fif(path, Counter(3000, gaps=[(1200, 1250)]))
    return path


@pytest.fixture
def impostor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, and a module that its reader runs before it: what the file would do is in ZEROMAG_TEST_DOES."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'zeromag.acquire.foreign_child' in sys.orig_argv:\n"
        "    exec(os.environ['ZEROMAG_TEST_DOES'])\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    path = tmp_path / "impostor.fif"
    path.write_bytes(b"0123456789")
    return path


@pytest.fixture
def children() -> Callable[[], set[psutil.Process]]:
    """The children that this process has beside those it had: a pool of an earlier test may keep one."""
    before = set(psutil.Process().children())
    return lambda: set(psutil.Process().children()) - before


def test_what_the_child_reads_is_what_is_there(fif: Path) -> None:
    source = replay(fif, block=70)
    here = opened(fif, block=70)
    assert (source.rate, source.samples, source.session) == (here.rate, here.samples, here.session)
    assert source.sensors.same_as(here.sensors)
    for _ in range(2):  # again, with another child
        got, wanted = list(source.blocks()), list(here.blocks())
        assert [(b.first, len(b), b.events) for b in got] == [(b.first, len(b), b.events) for b in wanted]
        assert joined(got).tobytes() == joined(wanted).tobytes()
        assert is_counted(got)


def test_no_child_outlives_its_source(fif: Path, children: Callable[[], set[psutil.Process]]) -> None:
    source = foreign(fif)
    assert len(children()) == 1
    del source
    gc.collect()
    assert not children()
    blocks = foreign(fif).blocks()
    next(blocks)
    blocks.close()
    gc.collect()
    assert not children()


@pytest.mark.parametrize(
    ("does", "words"),
    [
        (f"os.kill(os.getpid(), {int(signal.SIGSEGV)})", r"crashed its reader \(SIGSEGV\)"),
        ("os.abort()", r"crashed its reader \(SIGABRT\)"),
        ("import time; time.sleep(60)", "too much time or memory"),
        ("os.write(1, b'nonsense' * 100); os._exit(0)", "crashed its reader"),
        ("os.write(1, b'nonsense' * 100); sys.stdout.flush(); import time; time.sleep(60)", "crashed|too much time"),
        ("os._exit(7)", "exit code 7"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_what_crashes_or_hangs_its_reader_is_one_sentence(
    impostor: Path,
    does: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    children: Callable[[], set[psutil.Process]],
) -> None:
    monkeypatch.setenv("ZEROMAG_TEST_DOES", does)
    monkeypatch.setattr("zeromag.acquire.foreign.SILENCE", 2.0)
    with pytest.raises(InputError, match=words) as failure:
        replay(impostor)
    assert str(impostor) in str(failure.value)
    assert "\n" not in str(failure.value)
    gc.collect()
    assert not children()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are set as on Linux")
def test_a_file_that_wants_all_memory_is_refused(impostor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = "import zeromag.acquire.replay as r\nr.opened = lambda path: bytearray(1 << 40)"
    monkeypatch.setenv("ZEROMAG_TEST_DOES", greedy)
    with pytest.raises(InputError, match="needs more than 8 GB of memory"):
        replay(impostor)


def test_the_command_says_it_in_one_sentence(impostor: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zeromag", "map", str(impostor), "--out", str(tmp_path / "out")],
        capture_output=True, text=True, check=False, env={**os.environ, "ZEROMAG_TEST_DOES": "os.abort()"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"zeromag: {impostor} crashed its reader")
    assert len(done.stderr.strip().splitlines()) == 1

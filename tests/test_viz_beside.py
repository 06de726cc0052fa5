"""Work in a copy of the process: done once, by the copy where that is safe, and by itself where the copy failed."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zeromag.viz.beside import beside

COPIED = """
import os, sys
from pathlib import Path
from zeromag.viz.beside import beside

here, out = os.getpid(), Path(sys.argv[1])

def work():
    if sys.argv[2] == "fails" and os.getpid() != here:
        raise OSError("a copy's own trouble")
    with out.open("a") as file:
        file.write(f"{os.getpid() == here} ")

beside(work)()
print("once")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how many threads there are")
@pytest.mark.parametrize(("how", "here"), [("works", "False "), ("fails", "True ")])
def test_a_copy_does_it_and_if_it_fails_it_is_done_here(tmp_path: Path, how: str, here: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COPIED, str(tmp_path / "done"), how], capture_output=True, text=True, check=True
    )
    assert (tmp_path / "done").read_text() == here
    assert done.stdout == "once\n"  # the copy did not go on with what follows


def test_a_process_with_threads_is_not_copied() -> None:
    free, where = threading.Event(), []
    other = threading.Thread(target=free.wait)
    other.start()
    try:
        wait = beside(lambda: where.append(threading.get_ident()))
        assert where == []
        wait()
    finally:
        free.set()
        other.join()
    assert where == [threading.get_ident()]

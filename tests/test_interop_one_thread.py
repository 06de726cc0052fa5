"""The same bits from Python as from the command line: BLAS has one thread while a scan runs, whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import scipy.linalg
from threadpoolctl import threadpool_info, threadpool_limits

from zeromag.acquire.simulate import simulation
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.offline import map_source
from zeromag.one_thread import one_thread
from zeromag.session import Session


def threads() -> set[int]:
    assert scipy.linalg.norm((3.0, 4.0)) == 5.0  # the BLAS of SciPy is loaded too
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def _two_of_them() -> Iterator[None]:
    with threadpool_limits(limits=2, user_api="blas"):
        assert threads() == {2}
        yield


class Watched:
    """A source that writes down how many threads BLAS has when it is asked for a block."""

    def __init__(self, seconds: float) -> None:
        self._source = simulation(f"sim:adult?rows=3&columns=3&seconds={seconds}")
        self.seen: list[set[int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def blocks(self) -> Iterator[Block]:
        for block in self._source.blocks():
            self.seen.append(threads())
            yield block


def test_a_scan_has_one_thread_and_gives_the_others_back() -> None:
    source = Watched(1.0)
    map_source(source, Session())
    assert source.seen
    assert all(one == {1} for one in source.seen)
    assert threads() == {2}


def test_a_scan_that_fails_gives_them_back_too() -> None:
    class Empty(Watched):
        def blocks(self) -> Iterator[Block]:
            return iter(())

    with pytest.raises(InputError, match="no sample"):
        map_source(Empty(1.0), Session())
    assert threads() == {2}


def test_scans_that_overlap_have_one_thread_to_the_last_ones_end() -> None:
    one, other = one_thread(), one_thread()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert threads() == {1}  # the first to begin ended first: the other still counts on it
    other.__exit__(None, None, None)
    assert threads() == {2}


def test_a_scan_that_begins_while_another_runs_takes_back_what_somebody_lifted() -> None:
    with one_thread():
        threadpool_limits(limits=2, user_api="blas")
        with one_thread():
            assert threads() == {1}
    assert threads() == {2}


def test_a_command_has_one_thread_whatever_the_shell_says() -> None:
    script = (
        "from zeromag.cli import main; main(['verify', 'nowhere.zm.h5']); import numpy, scipy.linalg, threadpoolctl;"
        "print(*{one['num_threads'] for one in threadpoolctl.threadpool_info() if one['user_api'] == 'blas'})"
    )
    shell = os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", script], env=shell, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]

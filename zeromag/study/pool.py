"""A pool of processes in which the death of one worker costs at most the recording it worked on."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from zeromag.one_thread import VARIABLES, one_thread_from_now
from zeromag.study.members import Member
from zeromag.study.work import Done, begin

DIED = "the process that worked on {} died: killed from outside, or out of memory"

Task = Callable[[Member], Done]


def pooled(task: Task, todo: Sequence[Member], jobs: int) -> Iterator[Done]:
    """Yield what becomes of each member, in the order they finish, `jobs` at a time.

    `task` must be picklable. When a worker dies, everything that was being worked on is tried once more,
    each alone, so that only the one that kills its worker fails.
    """
    waiting, alone = deque(todo), deque[Member]()
    while waiting or alone:
        suspects = bool(alone)
        line = deque([alone.popleft()]) if suspects else waiting
        lost = yield from _until_broken(task, line, 1 if suspects else jobs)
        if suspects:
            yield from (Done(member, DIED.format(member.name)) for member in lost)
        else:
            alone.extend(lost)


def _until_broken(task: Task, line: deque[Member], jobs: int) -> Generator[Done, None, list[Member]]:
    """Work until the line is empty or a worker dies; return what was being worked on then."""
    running: dict[Future[Done], Member] = {}
    context = multiprocessing.get_context("spawn")  # fork and threads (BLAS, ZeroMQ) do not go together
    with _one_thread_each(), ProcessPoolExecutor(jobs, mp_context=context, initializer=begin) as pool:
        try:
            while line or running:
                while line and len(running) < jobs:
                    running[pool.submit(task, line[0])] = line[0]
                    line.popleft()  # only now: a broken pool takes nothing
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield future.result()
                    del running[future]
        except BrokenProcessPool:
            return list(running.values())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return []


@contextmanager
def _one_thread_each() -> Generator[None, None, None]:
    """Start workers with one thread of BLAS each, as Dask does: as many workers as cores fill them already.

    A library reads this when it is loaded, before a worker could say so itself. One thread is also what gives the
    same bytes on any number of cores.
    """
    before = {name: os.environ.get(name) for name in VARIABLES}
    one_thread_from_now()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

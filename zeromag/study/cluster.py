"""The members of a study on a Dask cluster that stands already, in place of the pool on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from zeromag import __version__
from zeromag.errors import InputError
from zeromag.study.members import Member
from zeromag.study.pool import DIED
from zeromag.study.work import Done

Task = Callable[[Member], Done]

PATIENCE = "15s"  # until a scheduler or its first worker answers
_ONE_AT_A_TIME = threading.Lock()  # a worker may have several threads; HDF5, MNE and Matplotlib want one


def scattered(task: Task, todo: Sequence[Member], address: str) -> Iterator[Done]:
    """Yield what becomes of each member, in the order they finish, worked on by the cluster at `address`.

    Workers read and write the very paths that this process names, so dataset and results must lie on a file system
    that all of them share. Dask gives the work of a worker that dies to another one, three times; then the member
    fails and the others go on. What travels between Dask's processes is pickled: only a cluster that one trusts.

    Raises
    ------
    InputError
        If Dask is not installed, no scheduler or worker answers, or a worker has another version of zeromag.
    """
    try:
        from dask.distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise InputError("--scheduler needs Dask; pip install 'zeromag[cluster]' here and on the workers") from error
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {address}; give its address as tcp://HOST:PORT") from error
    with client:
        _check(client, address)
        waiting = {}
        for member in todo:
            there = replace(member, path=member.path.resolve())
            # never taken from another run's memory: what is whole on disk is known by its seal
            waiting[client.submit(_alone, task, there, pure=False)] = member
        for future in as_completed(waiting):
            member = waiting[future]
            failure = future.exception()
            if failure is None:
                yield replace(future.result(), member=member)
            elif isinstance(failure, KilledWorker):
                yield Done(member, DIED.format(member.name))
            else:
                yield Done(member, f"the cluster could not work on {member.name}: {failure}")


def _check(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or whose workers would not write what this version does."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
        versions = client.run(_version)
    except TimeoutError as error:
        raise InputError(
            f"the Dask scheduler at {address} has no worker; start one with: dask worker {address}"
        ) from error
    except ImportError as error:
        raise InputError(f"the workers of {address} have no zeromag; pip install 'zeromag[cluster]' there") from error
    for worker, version in versions.items():
        if version != __version__:
            raise InputError(f"the worker {worker} has zeromag {version}, this is {__version__}; install one version")


def _version() -> str:
    return __version__


def _alone(task: Task, member: Member) -> Done:
    with _ONE_AT_A_TIME:
        return task(member)

"""A study on a Dask cluster: the same bytes as on this machine, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from zeromag.acquire.fif import write_fif
from zeromag.acquire.simulate import simulation
from zeromag.errors import InputError
from zeromag.session import Session
from zeromag.study.cluster import scattered
from zeromag.study.members import Member
from zeromag.study.run import study
from zeromag.study.work import Done

pytest.importorskip("distributed")

ROOT = Path(__file__).resolve().parent.parent
# a cluster of processes of its own, as one stands in a hospital: a scheduler, two workers with nannies
SERVE = """
import sys
from dask.distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(n_workers=int(sys.argv[1]), threads_per_worker=1, dashboard_address=None)
    print(cluster.scheduler_address, *(worker.pid for worker in cluster.workers.values()), flush=True)
    sys.stdin.read()
    cluster.close()
"""


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, list[int]]]:
    """Give the address of a cluster and its workers' process ids."""
    (folder / "serve.py").write_text(SERVE)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    with subprocess.Popen(
        [sys.executable, str(folder / "serve.py"), str(workers)],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as served:
        try:
            assert served.stdout is not None
            address, *pids = served.stdout.readline().split()
            yield address, [int(pid) for pid in pids]
        finally:
            assert served.stdin is not None
            served.stdin.close()
            served.wait(60)


def deadly(scratch: str, member: Member) -> Done:
    """Kill the worker each time for the member named `killer`, once for the one named `unlucky`."""
    trace = Path(scratch) / f"{member.name}-{os.getpid()}"
    first = not list(Path(scratch).glob(f"{member.name}-*"))
    trace.touch()
    if member.name == "killer" or (member.name == "unlucky" and first):
        os.kill(os.getpid(), signal.SIGKILL)
    if member.name == "faulty":
        raise OSError("no such disk")
    return Done(member)


@pytest.mark.nightly
def test_a_worker_that_dies_costs_at_most_the_recording_that_kills_it(tmp_path: Path) -> None:
    todo = [Member(name, tmp_path) for name in ("a", "unlucky", "b", "killer", "c", "faulty")]
    with cluster(tmp_path) as (address, _):
        done = {one.member.name: one for one in scattered(partial(deadly, str(tmp_path)), todo, address)}
    assert set(done) == {member.name for member in todo}
    assert {name for name in done if done[name].error} == {"killer", "faulty"}
    assert "killer died" in done["killer"].error
    assert "no such disk" in done["faulty"].error
    # once more at least: what a worker had finished but not yet told goes with it, and is done again too
    assert len(list(tmp_path.glob("unlucky-*"))) >= 2


def test_no_scheduler_and_no_worker_are_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zeromag.study.cluster.PATIENCE", "2s")
    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        list(scattered(partial(deadly, ""), [Member("a", tmp_path)], "tcp://127.0.0.1:9"))
    with pytest.raises(InputError, match="no Dask scheduler answers at nonsense"):
        list(scattered(partial(deadly, ""), [Member("a", tmp_path)], "nonsense://x"))
    with cluster(tmp_path, workers=0) as (address, _), pytest.raises(InputError, match="has no worker"):
        list(scattered(partial(deadly, ""), [Member("a", tmp_path)], address))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_the_same_bytes_out_of_a_cluster_that_loses_a_worker(tmp_path: Path) -> None:
    for k in range(4):
        write_fif(tmp_path / "in" / f"sub-0{k}_meg.fif", simulation(f"sim:adult?seconds=6&seed={k}"))
    (tmp_path / "in" / "broken.fif").write_text("not a recording")
    session = Session()  # 64 pixels, as in a real study
    here = study(tmp_path / "in", tmp_path / "here", session, jobs=1)
    killed: list[int] = []
    with cluster(tmp_path) as (address, pids):

        def progress(finished: int, _: int) -> None:
            if finished == 2 and not killed:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        there = study(tmp_path / "in", tmp_path / "there", session, jobs=1, scheduler=address, progress=progress)
    assert killed
    assert [row["status"] for row in there.rows] == [row["status"] for row in here.rows]
    assert sum(row["status"] == "done" for row in there.rows) == 4
    one, other = contents(tmp_path / "here"), contents(tmp_path / "there")
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []

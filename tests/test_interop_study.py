"""Many recordings: found, worked on side by side, resumed, and none of them able to stop the others."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from zeromag.acquire.fif import write_fif
from zeromag.acquire.simulate import simulation
from zeromag.errors import InputError, StorageError
from zeromag.one_thread import VARIABLES
from zeromag.session import Session
from zeromag.study.members import Member, members
from zeromag.study.pool import pooled
from zeromag.study.run import study
from zeromag.study.spread import spread
from zeromag.study.table import row_of, write_csv
from zeromag.study.work import Done, session_digest, work

ROOT = Path(__file__).resolve().parent.parent

SESSION = Session().changed(**{"map.pixels": 16})


def test_members_of_a_folder(tmp_path: Path) -> None:
    for name in (
        "a.fif", "a.zm.h5", "deep/er/b_meg.FIF", "x-ave.fif", "x-1.fif", "notes.txt", "derivatives/c.fif",
        ".hidden/d.fif", "out/members/a/average-ave.fif", "out/e.fif", "k.sqd", "s_split-02_meg.fif",
        "s_split-01_meg.fif",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "ctf.ds").mkdir()
    (tmp_path / "ctf.ds" / "inside.fif").write_text("part of the folder")
    found = [member.name for member in members(tmp_path, tmp_path / "out")]
    assert found == ["a", "a.zm.h5", "ctf", "deep/er/b_meg", "k", "s_split-01_meg"]


def test_a_digest_is_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.fif").write_text("one")
    first = Member("a", tmp_path / "a.fif").digest()
    assert Member("a", tmp_path / "a.fif").digest() == first
    (tmp_path / "a.fif").write_text("two")
    assert Member("a", tmp_path / "a.fif").digest() != first
    with pytest.raises(InputError, match="gone"):
        Member("gone", tmp_path / "gone.fif").digest()
    assert session_digest(Session(source="a")) == session_digest(Session(source="b"))
    assert session_digest(SESSION) != session_digest(Session())


def test_no_folder_and_no_recording_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nosuch"):
        members(tmp_path / "nosuch", tmp_path)
    with pytest.raises(InputError, match="holds no recording"):
        members(tmp_path, tmp_path / "out")


def deadly(scratch: Path, member: Member) -> Done:
    """Kill the worker for the member named `killer`; leave a trace for every try."""
    (scratch / f"{member.name}-{os.getpid()}").touch()
    if member.name == "killer":
        os.kill(os.getpid(), signal.SIGKILL)
    return Done(member)


def test_a_worker_that_is_killed_costs_one_recording(tmp_path: Path) -> None:
    todo = [Member(name, tmp_path) for name in ("a", "killer", "b", "c", "d")]
    done = {one.member.name: one for one in pooled(partial(deadly, tmp_path), todo, 2)}
    assert set(done) == {"a", "killer", "b", "c", "d"}
    assert "killer died" in done["killer"].error
    assert [name for name in done if done[name].error] == ["killer"]
    assert len(list(tmp_path.glob("killer-*"))) == 2  # once beside another, once alone


def threads(member: Member) -> Done:
    return Done(member, ",".join(os.environ.get(name, "none") for name in VARIABLES))


def test_each_worker_has_one_thread_of_blas(tmp_path: Path) -> None:
    """Two workers with two threads each on two cores are slower than two with one, and give other last bits."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    (done,) = pooled(threads, [Member("a", tmp_path)], 1)
    assert done.error == "1,1,1,1"
    assert {name: os.environ.get(name) for name in VARIABLES} == before


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hearts, one text file that calls itself FIF."""
    folder = tmp_path_factory.mktemp("dataset")
    for name in ("sub-01/meg/sub-01_meg", "sub-02/meg/sub-02_meg"):
        write_fif(folder / f"{name}.fif", simulation(f"sim:adult?seconds=6&seed={name[5]}"))
    (folder / "broken.fif").write_text("not a recording")
    return folder


@pytest.fixture(scope="module")
def out(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study by its command."""
    out = tmp_path_factory.mktemp("study")
    (out / "session.toml").write_text("[map]\npixels = 16\n")
    command = [sys.executable, "-m", "zeromag", "study", str(dataset), "--out", str(out), "--jobs", "2"]
    done = subprocess.run(
        [*command, "--session", str(out / "session.toml")], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "broken failed" in done.stderr
    assert "2 of 3 recordings mapped" in done.stderr
    return out


def test_one_broken_recording_stops_nobody(out: Path) -> None:
    with (out / "study.csv").open(newline="") as file:
        rows = {row["member"]: row for row in csv.DictReader(file)}
    assert rows["broken"]["status"] == "failed"
    assert "no FIF file" in rows["broken"]["error"]
    for name in ("01", "02"):
        row = rows[f"sub-{name}/meg/sub-{name}_meg"]
        told = json.loads((out / "members" / row["member"] / "summary.json").read_text())
        assert row["status"] == "done"
        assert row["subject"] == name
        assert float(row["qt"]) == told["parameters"]["qt"]["value"]
        assert float(row["heart_rate"]) == told["heart_rate"]["value"]
        assert told["source"] == row["member"]  # no path of this machine


def test_parquet_holds_the_table_and_where_it_comes_from(out: Path) -> None:
    table = pq.read_table(out / "study.parquet")
    meta = json.loads(table.schema.metadata[b"zeromag"])
    assert meta["session"]["map"]["pixels"] == 16
    assert {"zeromag", "numpy", "python"} <= meta.keys()
    with (out / "study.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table.column_names == list(rows[0])
    assert table["qt"].to_pylist() == [float(row["qt"]) if row["qt"] else None for row in rows]
    assert str(table.schema.field("beats_normal").type) == "int64"


def test_the_report_shows_everything_offline(out: Path) -> None:
    page = (out / "study.html").read_text()
    assert "Study of 3 recordings" in page
    assert "Research use. Not a medical device." in page
    assert "no FIF file" in page
    assert 'href="members/sub-01/meg/sub-01_meg/report.html"' in page
    assert "http" not in page
    assert page.count("data:image/png") == (3 if (out / "group_maps.h5").exists() else 1)


def test_what_is_whole_is_not_done_again(dataset: Path, out: Path) -> None:
    first, second = (out / "members" / f"sub-0{k}" / "meg" / f"sub-0{k}_meg" for k in (1, 2))
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    stamp = (first / "maps.h5").stat().st_mtime_ns
    (second / "summary.json").write_text("{")  # as a crash may leave it
    again = study(dataset, out, SESSION, jobs=2)
    assert again.skipped == 1
    assert (first / "maps.h5").stat().st_mtime_ns == stamp
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before
    assert json.loads((second / "summary.json").read_text())["beats"]["normal"] > 0
    assert [row["member"] for row in again.failed] == ["broken"]


def test_two_workers_on_one_recording_leave_one_whole_result(dataset: Path, out: Path, tmp_path: Path) -> None:
    """As on a cluster that loses sight of a worker: each result comes into its place at once, whoever is first."""
    member = Member("sub-01/meg/sub-01_meg", dataset / "sub-01" / "meg" / "sub-01_meg.fif")
    folder = tmp_path / "members" / member.name
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        both = [pool.submit(work, member, folder, SESSION) for _ in range(2)]
    assert [one.result().error for one in both] == ["", ""]
    whole = out / "members" / member.name
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in whole.iterdir()
    }
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_folder_that_cannot_be_written_is_said(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="--out"):
        study(dataset, tmp_path / "file" / "out", SESSION, jobs=1)


def test_a_disk_that_fills_up_ends_the_study(tmp_path: Path) -> None:
    write_fif(tmp_path / "in" / "a_meg.fif", simulation("sim:adult?seconds=2"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "members").write_text("in the way")
    with pytest.raises(StorageError, match="goes on from there"):
        study(tmp_path / "in", tmp_path / "out", SESSION, jobs=1)


def test_outliers_are_those_far_from_the_median() -> None:
    random = np.random.default_rng(2)
    values = [*random.normal(0.4, 0.01, 30).tolist(), 0.6]
    names = [f"m{k}" for k in range(31)]
    found = spread("qt", "s", names, values)
    assert found.median == pytest.approx(np.median(values))
    assert [name for name, _, _ in found.outliers] == ["m30"]
    mad = np.median(np.abs(np.array(values) - np.median(values)))
    assert found.outliers[0][2] == pytest.approx(0.6745 * (0.6 - np.median(values)) / mad)
    assert spread("qt", "s", names[:4], [0.4, 0.4, 0.41, 9.0]).outliers == ()  # too few to call anyone far off
    assert spread("qt", "s", names[:6], [0.4] * 5 + [9.0]).outliers == ()


def test_angles_are_taken_around_the_circle() -> None:
    angles = [179.0, -179.0, 178.0, -178.0, 177.0, -177.0, 180.0, 0.0]
    found = spread("map_angle_R", "deg", [f"m{k}" for k in range(8)], angles)
    assert abs(found.median) > 179
    assert [name for name, _, _ in found.outliers] == ["m7"]


def test_a_row_without_a_beat_has_empty_cells(tmp_path: Path) -> None:
    summary = {
        "subject": "", "duration_s": 3.0, "rate_hz": 1000.0, "gaps": [], "channels": {"S1": {"status": "flat"}},
        "beats": {}, "heart_rate": None, "usable": {"answer": "no", "reasons": ["no heartbeat"]}, "parameters": {},
    }  # fmt: skip
    rows = [row_of("a", summary), row_of("b", None, 'it says "no", and more')]
    write_csv(tmp_path / "t.csv", rows)
    with (tmp_path / "t.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["heart_rate"], first["channels_good"], first["usable_why"]) == ("", "0", "no heartbeat")
    assert second["error"] == 'it says "no", and more'


KILLED = """
import os, sys, time
from pathlib import Path
from zeromag.study.members import Member
from zeromag.study.pool import pooled

def wait(member):
    print(os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    list(pooled(wait, [Member("a", Path())], 1))
"""


def test_workers_end_with_a_study_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(KILLED)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "killed.py"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        assert psutil.wait_procs([worker], timeout=20)[1] == []

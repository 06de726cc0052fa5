"""The command line as a newcomer meets it: instant help, and one clear sentence for every wrong input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mne
import numpy as np
import pytest

from tests.commands import zeromag


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence on stderr of a failed command."""
    assert done.returncode == 1, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("zeromag: ")
    return lines[0]


@pytest.fixture
def fif(tmp_path: Path) -> Path:
    """A small FIF of magnetometers."""
    info = mne.create_info([f"S{n}" for n in range(8)], 1000.0, "mag")
    for n, channel in enumerate(info["chs"]):
        channel["loc"][:3] = (0.04 * (n % 4), 0.04 * (n // 4), 0)
        channel["loc"][3:] = np.eye(3).ravel()
    path = tmp_path / "scan_meg.fif"
    raw = mne.io.RawArray(np.random.default_rng(0).normal(scale=1e-12, size=(8, 25000)), info, verbose="error")
    raw.save(path, fmt="double", verbose="error")
    return path


def test_help_names_every_command() -> None:
    command = [sys.executable, "-m", "zeromag", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    for command in ("live", "map", "acquire", "process", "view", "beats", "simulate", "filters", "doctor"):
        assert f"    {command} " in done.stdout
    assert "Not a medical device" in " ".join(done.stdout.split())


def test_wrong_usage_is_exit_code_2() -> None:
    assert zeromag("lve").returncode == 2
    assert zeromag("map").returncode == 2
    assert zeromag("live", "--seconds", "-3").returncode == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "nosuch.fif" in sentence(zeromag("map", "nosuch.fif", "--out", str(tmp_path / "r")))


def test_a_text_file_named_fif(tmp_path: Path) -> None:
    path = tmp_path / "notes_meg.fif"
    path.write_text("these are my notes, not a recording\n" * 100)
    assert "notes_meg.fif" in sentence(zeromag("map", str(path), "--out", str(tmp_path / "r")))


def test_a_truncated_fif(tmp_path: Path, fif: Path) -> None:
    cut = tmp_path / "cut_meg.fif"
    whole = fif.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    done = zeromag("map", str(cut), "--out", str(tmp_path / "r"))
    assert "cut_meg.fif" in sentence(done)


def test_a_fif_without_positions(tmp_path: Path) -> None:
    info = mne.create_info([f"S{n}" for n in range(4)], 1000.0, "mag")
    for channel in info["chs"]:
        channel["loc"][:] = np.nan
    path = tmp_path / "lost_meg.fif"
    mne.io.RawArray(np.zeros((4, 3000)), info, verbose="error").save(path, fmt="double", verbose="error")
    assert "position" in sentence(zeromag("map", str(path), "--out", str(tmp_path / "r")))


def test_an_unknown_preset_names_the_nearest(tmp_path: Path) -> None:
    assert "adult" in sentence(zeromag("map", "sim:adlut?seconds=5", "--out", str(tmp_path / "r")))


def test_a_folder_that_cannot_be_made(tmp_path: Path, fif: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "--out" in sentence(zeromag("map", str(fif), "--out", str(tmp_path / "file" / "r")))


def test_a_recording_without_a_heart_is_mapped_and_called_unusable(tmp_path: Path, fif: Path) -> None:
    done = zeromag("map", str(fif), "--out", str(tmp_path / "r"))
    assert done.returncode == 0, done.stderr
    assert '"answer": "no"' in (tmp_path / "r" / "summary.json").read_text()


def test_an_ecg_alone_is_sent_to_beats(data: Path, tmp_path: Path) -> None:
    assert "zeromag beats" in sentence(zeromag("map", str(data / "beats" / "100.hea"), "--out", str(tmp_path / "r")))


def test_doctor_runs_everywhere() -> None:
    done = zeromag("doctor")
    assert done.returncode == 0, done.stderr
    assert "ZeroMQ" in done.stdout


def test_a_fault_of_ours_is_one_sentence_and_a_file_for_the_developers() -> None:
    broken = "import zeromag.commands.doctor as d; d.run = lambda flags: 1 / 0"
    code = f"import sys; {broken}; from zeromag.cli import main; sys.exit(main(['doctor']))"
    said = sentence(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False))
    assert "this is a fault of zeromag (ZeroDivisionError: division by zero)" in said
    kept = Path(said.rsplit(" ", 1)[1])
    assert "Traceback" in kept.read_text(encoding="utf-8")
    kept.unlink()


def test_a_fault_of_ours_is_one_sentence_where_no_file_can_be_written(tmp_path: Path) -> None:
    broken = "import zeromag.commands.doctor as d; d.run = lambda flags: 1 / 0"
    nowhere = f"import tempfile; tempfile.tempdir = {str(tmp_path / 'gone')!r}"
    code = f"import sys; {nowhere}; {broken}; from zeromag.cli import main; sys.exit(main(['doctor']))"
    said = sentence(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False))
    assert "ZeroDivisionError: division by zero" in said
    assert "could not be kept (No such file or directory)" in said

"""Every example runs as it stands and makes its picture; every command of the tutorial does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
TUTORIAL = ROOT / "docs" / "tutorial.md"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "PYTHONWARNINGS": "error::FutureWarning"}


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=280, check=False
    )


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 10, "examples"
    for path in EXAMPLES:
        compile(path.read_text(encoding="utf-8"), path.name, "exec")


@pytest.mark.nightly
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_makes_its_picture(path: Path, tmp_path: Path) -> None:
    done = run([sys.executable, str(path)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert (tmp_path / f"{path.stem}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    """Its `sh` blocks, line by line, then its `python` blocks, all in one folder."""
    text = TUTORIAL.read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    commands = [line.split("  #")[0].strip() for line in lines if line.startswith("./zm")]
    assert len(commands) >= 8
    for command in commands:
        done = run(["sh", "-c", command.replace("./zm", f"'{sys.executable}' -m zeromag", 1)], tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        done = run([sys.executable, "-c", block], tmp_path)
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    for named in re.findall(r"<!-- makes (\S+) -->", text):
        assert (tmp_path / named).exists(), named

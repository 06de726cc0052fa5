"""A release as `.ci/release` makes it: built twice to the same bytes, tried in an empty environment, contents told."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves; it needs git's history and the package index."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("a release is made of a commit: no git here")
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        ["bash", str(ROOT / ".ci" / "release"), str(out)], capture_output=True, text=True, timeout=1700, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_a_release_is_whole_and_its_bill_is_of_what_was_tried(dist: Path) -> None:
    (wheel,), (sdist,), (bill,) = (list(dist.glob(f"*{end}")) for end in (".whl", ".tar.gz", ".cdx.json"))
    told = {line.split()[1]: line.split()[0] for line in next(dist.glob("*.sha256")).read_text().splitlines()}
    assert told.keys() == {wheel.name, sdist.name, bill.name}
    for name, digest in told.items():
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest
    parts = {part["name"].lower().replace("_", "-") for part in json.loads(bill.read_text())["components"]}
    with zipfile.ZipFile(wheel) as archive:
        about = next(name for name in archive.namelist() if name.endswith("METADATA"))
        needs = Parser().parsestr(archive.read(about).decode()).get_all("Requires-Dist") or []
    always = {re.split(r"[^A-Za-z0-9._-]", need)[0].lower() for need in needs if "extra ==" not in need}
    assert len(always) > 10
    assert always <= parts
    assert not parts & {"pytest", "ruff", "mypy", "hypothesis", "build"}

"""What is shipped: wheel and sdist hold what they must and nothing else, and say the same as the other files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import zeromag

ROOT = Path(__file__).resolve().parent.parent
BUDGET = 2_000_000  # bytes, of wheel and of sdist


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both distributions, built from a copy without what a working folder gathers."""
    folder = tmp_path_factory.mktemp("built")
    skip = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(ROOT, folder / "source", ignore=skip)
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        str(folder / "dist"),
        str(folder / "source"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


def test_the_wheel_is_pure_small_and_whole(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"zeromag-{zeromag.__version__}-py3-none-any.whl"
    assert wheel.stat().st_size < BUDGET
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "zeromag").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert path.relative_to(ROOT).as_posix() in names
    assert {"zeromag/py.typed", "zeromag/viz/static/page.js"} <= names
    outside = {name for name in names if not name.startswith(("zeromag/", f"zeromag-{zeromag.__version__}.dist-info/"))}
    assert outside == set()
    assert f"zeromag-{zeromag.__version__}.dist-info/licenses/LICENSE" in names


def test_nothing_of_people_or_machines_is_shipped(built: Path) -> None:
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    assert sdist.stat().st_size < BUDGET
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith("/docs/wire.md") for name in names)
    for name in (*names, *zipfile.ZipFile(wheel).namelist()):
        assert not re.search(r"\.(fif|cMEG|dat|hea|sqd|zmj|h5|pyc|nbc|nbi)$", name), name


def test_the_same_source_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(built.parent / "source")]
    subprocess.run(command, capture_output=True, timeout=250, check=True)
    for path in built.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_citation_and_package_say_one_version_and_licence() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {zeromag.__version__}\n" in citation
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"\nlicense: {about['license']}\n" in citation


def test_the_four_commands_are_those_of_zm() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    script = (ROOT / "zm").read_text(encoding="utf-8")
    for tool in ("ruff", "mypy", "lint-imports", "pytest"):
        assert tool in text
        assert tool in script

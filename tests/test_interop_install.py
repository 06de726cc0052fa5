"""An installation that is light to import, and one that nothing can be written into."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KERNEL = """
import numpy as np
from zeromag.filters.bad_samples import all_good
assert all_good(np.ones((4, 3)), np.zeros((4, 3), dtype=np.bool_), 0, 4)
print(sum(all_good.stats.cache_hits.values()))
"""


def test_importing_zeromag_brings_next_to_nothing() -> None:
    """Budget: 150 ms. Modules are counted, not milliseconds: nothing but the standard library comes with it."""
    code = (
        "import sys; before = set(sys.modules); import zeromag; new = set(sys.modules) - before;"
        "print(sorted({name.partition('.')[0] for name in new} - set(sys.stdlib_module_names)), len(new))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names, count = done.stdout.strip().rsplit(" ", 1)
    assert names == "['zeromag']"
    assert int(count) < 60  # of them typing and what it needs


def test_the_command_line_loads_no_science_to_help() -> None:
    code = (
        "import sys\n"
        "from zeromag.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numpy', 'scipy', 'numba', 'mne', 'h5py', 'PySide6', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """zeromag where nothing can be written beside its files, not even by root: files stand where folders would be."""
    folder = tmp_path_factory.mktemp("install")
    shutil.copytree(ROOT / "zeromag", folder / "zeromag", ignore=shutil.ignore_patterns("__pycache__"))
    for each in [folder / "zeromag", *(path for path in (folder / "zeromag").rglob("*") if path.is_dir())]:
        (each / "__pycache__").write_text("no folder")
    return folder


def kernels(install: Path, home: Path) -> str:
    keep = {key: value for key, value in os.environ.items() if key not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}}
    done = subprocess.run(
        [sys.executable, "-c", KERNEL],
        cwd=install,
        env=keep | {"PYTHONPATH": str(install), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_kernels_of_a_read_only_installation_are_kept_for_the_user(sealed: Path, tmp_path: Path) -> None:
    assert kernels(sealed, tmp_path) == "0"
    kept = {path.suffix for path in (tmp_path / ".cache").rglob("*") if path.is_file()}
    assert {".nbi", ".nbc"} <= kept
    assert int(kernels(sealed, tmp_path)) >= 1  # the second time they are loaded


def test_where_nothing_can_be_kept_kernels_are_compiled_each_time(sealed: Path, tmp_path: Path) -> None:
    """A home that is a file: as for an account without one."""
    (tmp_path / "home").write_text("")
    assert kernels(sealed, tmp_path / "home") == "0"

"""Whether zeromag works with the oldest and the newest of what it needs, on each Python: environments made, tests run.

`python benchmarks/versions.py [TESTS…]` needs `uv` and the Pythons (uv fetches what is not there). The oldest versions
that pyproject.toml names go with the oldest Python, the newest with each. Without TESTS: one file of each layer. It
prints a row for each environment, and the versions that matter; about three minutes each on a quiet machine, 1 GB of
disk. `ZEROMAG_VERSIONS=FOLDER` keeps environments, kernels and what the tests said, and takes what is there already.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CASES = (("3.11", "lowest-direct"), ("3.12", "highest"), ("3.13", "highest"))  # 3.11 with the newest is what CI runs
TESTS = (
    "test_core.py", "test_session.py", "test_physics_room.py", "test_physics_sphere.py", "test_simulate.py",
    "test_acquire_wire.py", "test_acquire_journal.py", "test_acquire_recording.py", "test_acquire_files.py",
    "test_filters_spatial.py", "test_mapping_average.py", "test_mapping_map.py", "test_mapping_dipole.py",
    "test_interop_api.py", "test_interop_export.py", "test_viz_report.py", "test_viz_window.py",
)  # fmt: skip
SHOWN = ("numpy", "scipy", "numba", "mne", "h5py", "matplotlib", "pyside6-essentials", "pyzmq", "msgspec")


def run(*command: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def tried(python: str, resolution: str, tests: list[str], folder: Path) -> str:
    """Return one row: what was installed and what the tests said."""
    venv = folder / f"{python}-{resolution}"
    bin_ = venv / ("Scripts" if os.name == "nt" else "bin")
    uv = [sys.executable, "-m", "uv"]
    interpreter = str(bin_ / "python")
    make = [
        [*uv, "venv", "--python", python, str(venv)],
        [*uv, "pip", "install", "--python", interpreter, "--resolution", resolution, f"{ROOT}[test]"],
    ]
    for command in [] if (bin_ / "pytest").exists() else make:
        done = run(*command)
        if done.returncode:
            return f"| {python} | {resolution} | – | not installed: {done.stderr.strip().splitlines()[-1]} |"
    listed = run(*uv, "pip", "freeze", "--python", interpreter).stdout.lower()
    versions = [match[0] for name in SHOWN if (match := re.search(rf"^{name}==\S+", listed, re.MULTILINE))]
    environment = {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen", "NUMBA_CACHE_DIR": str(venv / "kernels")}
    # old libraries warn of what newer ones will do; that is no fault of ours
    lenient = ["-W", "default"] if resolution != "highest" else []
    # a test that meets its kernels first compiles them: longer than a test may take elsewhere
    command = [interpreter, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "1800", *lenient, *tests]
    done = run(*command, environment=environment)
    (folder / f"{venv.name}.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    verdict = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "no output"
    return f"| {python} | {resolution} | {', '.join(versions)} | {verdict} |"


def main() -> None:
    """Try each environment."""
    tests = sys.argv[1:] or [f"tests/{name}" for name in TESTS]
    folder = Path(os.environ.get("ZEROMAG_VERSIONS", tempfile.mkdtemp(prefix="zeromag-versions-")))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"in {folder}\n\n| Python | dependencies | versions | tests |\n|---|---|---|---|", flush=True)
    for python, resolution in CASES:
        print(tried(python, resolution, tests, folder), flush=True)


if __name__ == "__main__":
    main()

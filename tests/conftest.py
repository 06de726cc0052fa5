"""What many tests share: the folder of real recordings, the nightly switch, small arrays and blocks."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as every command has it, and before NumPy is loaded

from pathlib import Path

import numpy as np
import pytest

from zeromag.block import Block
from zeromag.sensors import SensorArray

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="run the long tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--nightly"):
        return
    long = pytest.mark.skip(reason="long: run with ./zm test --nightly")
    for item in items:
        if "nightly" in item.keywords:
            item.add_marker(long)


@pytest.fixture(scope="session", autouse=True)
def _no_trail(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what tests export out of the user's own audit log."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings; it is not part of the project."""
    folder = Path(os.environ.get("ZEROMAG_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("no real recordings: set ZEROMAG_DATA to their folder")
    return folder


@pytest.fixture
def sensors() -> SensorArray:
    """Three sensors in a row, the last a reference."""
    positions = np.array([[-0.04, 0.0, 0.0], [0.04, 0.0, 0.0], [0.0, 0.04, 0.25]])
    return SensorArray(
        names=("S1", "S2", "R1"),
        positions=positions,
        axes=np.tile([0.0, 0.0, 1.0], (3, 1)),
        kinds=("mag", "mag", "ref"),
    )


@pytest.fixture
def block(sensors: SensorArray) -> Block:
    """Twenty samples of noise at 1 kHz, from sample 100 on."""
    noise = np.random.default_rng(1).normal(scale=1e-12, size=(20, 3))
    return Block(data=noise, first=100, rate=1000.0, sensors=sensors)

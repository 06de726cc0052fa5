"""Sources that misbehave, each plugged in and acquired from by a process of its own: said once, told, gone on with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.acquire_streams import array, counted, is_counted
from zeromag.acquire.recording import verify
from zeromag.acquire.replay import replay
from zeromag.acquire.steady import Steady
from zeromag.block import Block
from zeromag.event import Event

ROOT = Path(__file__).resolve().parent.parent

# A device of 6 channels at 1 kHz in its own time, which does after 300 samples what its name says. `opened` counts
# how often it was opened, in a file, since a device that comes back is opened anew.
MODULE = """
import time
from dataclasses import dataclass
from pathlib import Path
import numpy as np
from tests.acquire_streams import array, counted
from zeromag.block import Block
from zeromag.errors import LinkError, SourceLostError

@dataclass(frozen=True)
class Bad:
    how: str
    opened: int
    sensors: object
    rate: float = 1000.0

    def blocks(self):
        start, speed = time.monotonic_ns(), 1.004 if self.how == "fast" else 1.0
        for first in range(0, 10**9, 10):
            rate, sensors, data = self.rate, self.sensors, counted(first, first + 10, 6)
            if first >= 300 and self.opened == 1:
                if self.how == "vanish":
                    raise SourceLostError("the plug was pulled")
                if self.how == "break":
                    raise ZeroDivisionError("inside the driver")
                if self.how == "nan" and first < 400:
                    data[3:, 2] = np.nan
                if self.how == "channels" and first < 600:
                    sensors, data = sensors.pick([0, 1, 3, 4, 5]), data[:, [0, 1, 3, 4, 5]]
                if self.how == "rate":
                    rate = 500.0
            if self.how == "fast" and first == 0:
                start -= 11_000_000_000
            due = start + round((first + 10) * 1e9 / (rate * speed))
            time.sleep(max(0.0, (due - time.monotonic_ns()) * 1e-9))
            yield Block(data, first, rate, sensors, t_ns=due)

def bad(spec, *, block=10):
    how, _, folder = spec.partition(":")[2].partition(":")
    count = Path(folder) / "opened"
    opened = 1 + (int(count.read_text()) if count.exists() else 0)
    if opened == 2:  # it is not there at once
        count.write_text("2")
        raise LinkError("nobody is there")
    count.write_text(str(opened))
    sensors = array(6)
    if how == "slower" and opened > 1:
        return Bad(how, opened, sensors, 250.0)
    return Bad("vanish" if how == "slower" else how, opened, sensors)
"""

Acquire = Callable[[str, float], tuple[str, Path]]


@pytest.fixture
def acquired(tmp_path: Path) -> Acquire:
    """Run `zeromag acquire bad:HOW` for so many seconds of stream; give what it said and where it recorded."""
    site = tmp_path / "site"
    info = site / "zeromag_bad-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "zeromag_bad.py").write_text(MODULE, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zeromag-bad\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[zeromag.sources]\nbad = zeromag_bad:bad\n")

    def run(how: str, seconds: float) -> tuple[str, Path]:
        program = (
            f"import sys; sys.path[:0] = [{str(site)!r}, {str(ROOT)!r}]; import zeromag.cli as c; sys.exit(c.main())"
        )
        command = [sys.executable, "-c", program, "acquire", f"bad:{how}:{tmp_path}", "--seconds", str(seconds)]
        done = subprocess.run(
            [*command, "--record", str(tmp_path / "out")], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr, tmp_path / "out"

    return run


def told(blocks: Sequence[Block]) -> list[Event]:
    return [event for block in blocks for event in block.events]


@pytest.mark.parametrize(
    ("how", "why"),
    [("vanish", "the plug was pulled"), pytest.param("break", "inside the driver", marks=pytest.mark.nightly)],
)
def test_one_that_vanishes_is_waited_for_and_what_is_missing_is_a_gap(acquired: Acquire, how: str, why: str) -> None:
    said, out = acquired(how, 2.5)
    assert said.count("was lost after sample 300") == 1
    assert why in said
    assert said.count("the source is back") == 1
    blocks = list(replay(out / "raw.zm.h5").blocks())
    (gap,) = told(blocks)
    assert (gap.kind, gap.sample) == ("gap", 300)
    assert 900 <= gap.samples < 2300  # tried each half second, the second time with success
    assert blocks[-1].stop == 2500
    back = [block for block in blocks if block.first > 300]
    assert back[0].first == 300 + gap.samples
    assert_array_equal(back[0].data, counted(0, 10, 6))  # the device counts from its own beginning


def test_one_that_sends_nan_is_masked_and_told_by_channel(acquired: Acquire) -> None:
    said, out = acquired("nan", 0.6)
    assert said.count("gives no numbers on S02 from sample 300 on") == 1
    assert verify(out / "raw.zm.h5") == []
    blocks = list(replay(out / "raw.zm.h5").blocks())
    assert told(blocks) == [
        Event(303, "source/nan", channel="S02", why="no numbers"),
        Event(400, "source/good", channel="S02", why="numbers again"),
    ]
    data, mask = (np.concatenate(parts) for parts in zip(*((b.data, b.bad()) for b in blocks), strict=True))
    assert_array_equal(np.isnan(data), mask)  # what came is kept as it came
    assert mask[300:400].sum() == 70
    assert mask.sum() == 70
    np.testing.assert_array_equal(data[~mask], counted(0, 600, 6)[~mask])


def test_one_that_loses_a_channel_goes_on_with_the_others(acquired: Acquire) -> None:
    said, out = acquired("channels", 0.9)
    assert said.count("the source gives 5 channels, without S02, from sample 300 on") == 1
    assert said.count("the source gives 6 channels, with S02, from sample 600 on") == 1
    blocks = list(replay(out / "raw.zm.h5").blocks())
    assert [(event.sample, event.kind) for event in told(blocks)] == [(300, "source/changed"), (600, "source/changed")]
    data, mask = (np.concatenate(parts) for parts in zip(*((b.data, b.bad()) for b in blocks), strict=True))
    assert mask[300:600, 2].all()
    assert mask.sum() == 300
    assert_array_equal(data[~mask], counted(0, 900, 6)[~mask])
    assert sorted(path.name for path in out.iterdir()) == ["raw.zm.h5", "raw.zmj"]


@pytest.mark.parametrize(("how", "rate"), [pytest.param("rate", 500.0, marks=pytest.mark.nightly), ("slower", 250.0)])
def test_one_that_comes_back_with_another_rate_is_another_recording(acquired: Acquire, how: str, rate: float) -> None:
    said, out = acquired(how, 3.0 if how == "slower" else 1.2)
    assert said.count(f"6 channels at {rate:g} Hz") == 1
    first, second = (replay(out / name) for name in ("raw.zm.h5", "raw-2.zm.h5"))
    assert (first.rate, second.rate) == (1000.0, rate)
    assert is_counted(list(first.blocks()))
    assert list(first.blocks())[-1].stop == 300
    later = list(second.blocks())
    assert later[0].first >= 300
    for name in ("raw", "raw-2"):
        assert verify(out / f"{name}.zm.h5") == []
        assert verify(out / f"{name}.zmj") == []


def test_one_that_is_off_its_rate_is_said_once_and_told(acquired: Acquire) -> None:
    said, out = acquired("fast", 12.0)
    assert said.count("samples a second, not 1000") == 1
    (event,) = told(list(replay(out / "raw.zm.h5").blocks()))
    assert event.kind == "source/rate"
    assert abs(float(event.why.split()[3]) - 1004.0) < 0.5


def test_another_array_altogether_does_not_fit() -> None:
    said: list[dict[str, str]] = []
    steady = Steady(array(6), 1000.0, said.append)
    others = array(6)
    others = type(others)(tuple(f"X{c}" for c in range(6)), others.positions, others.axes, quantum=others.quantum)
    assert steady(Block(counted(0, 10, 6), 0, 1000.0, others)) is None
    assert steady(Block(counted(0, 10, 6), 0, 500.0, array(6))) is None
    assert said == []


def test_an_array_that_is_told_anew_is_the_same() -> None:
    said: list[dict[str, str]] = []
    steady = Steady(array(6), 1000.0, said.append)
    for first in range(0, 100, 10):
        block = Block(counted(first, first + 10, 6), first, 1000.0, array(6))
        assert steady(block) is block
    assert said == []

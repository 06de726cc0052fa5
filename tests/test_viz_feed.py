"""What the feed makes of messages, right ones and wrong ones."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.viz_scene import RATE, array, fill, grid, send_map
from zeromag.acquire.message import Description, End, Result
from zeromag.block import Block
from zeromag.mapping.field_map import Grid
from zeromag.viz.feed import Feed
from zeromag.viz.isolines import isolines
from zeromag.viz.palette import colour_indices, diverging, on_screen
from zeromag.viz.readings import Latency, readings
from zeromag.viz.scale import BeatScale, arrow_sizes, isoline_step, limit_above, round_up


def test_every_message_is_taken():
    feed, sensors = Feed(), array()
    feed.take(Description(sensors, RATE, {"source": "sim:adult"}))
    feed.take(Block(data=np.ones((10, 36)), first=70, rate=RATE, sensors=sensors, t_ns=5))
    feed.take(Result("beat", {"sample": 75.5, "kind": "normal", "why": "", "rr_s": 0.9}))
    assert feed.stream is not None
    assert (feed.stream.values.stop, feed.t_ns, feed.beats[-1].sample) == (80, 5, 75.5)
    assert feed.state() == "LIVE"
    feed.take(End(80, "done"))
    assert (feed.state(), feed.ended) == ("ENDED", "done")


def test_a_filled_feed_holds_what_was_sent():
    feed = fill(Feed())
    assert feed.message == ""
    assert feed.averages["normal"].nave == 57
    assert feed.status.bad() == {"S05"}
    assert feed.map is not None
    assert feed.scale.limit == pytest.approx(50e-12)


def test_staleness_begins_after_200_ms():
    feed = fill(Feed())
    assert feed.state(feed.arrived_ns + 199_000_000) == "LIVE"
    assert feed.state(feed.arrived_ns + 201_000_000) == "STALE"
    assert Feed().state() == "WAITING"


@pytest.mark.parametrize(
    ("source", "state"),
    [("sim:adult", "LIVE"), ("lsl:OPM", "LIVE"), ("tcp://h:1", "LIVE"), ("", "LIVE"),
     ("scan.fif", "REPLAY"), ("/data/a b/scan.zm.h5", "REPLAY"), (r"C:\data\scan.fif", "REPLAY")],
)  # fmt: skip
def test_what_comes_out_of_a_file_is_no_live_heart(source, state):
    feed = fill(Feed())
    feed.result("status", {"source": source}, {})
    assert feed.state(feed.arrived_ns) == state


def test_what_comes_lately_but_was_taken_long_ago_is_not_live():
    """The processing is behind: blocks come all the time, and all of them are of the past."""
    sensors = array()

    def block(first: int, ago_s: float) -> Block:
        taken = time.monotonic_ns() - round(ago_s * 1e9)
        return Block(data=np.zeros((10, 36)), first=first, rate=1000.0, sensors=sensors, t_ns=taken)

    here, elsewhere = Feed(seconds=0.1), Feed(seconds=0.1)
    for feed in (here, elsewhere):
        feed.describe(sensors, 1000.0)  # room for the samples is made before the clock counts
    here.here = True
    here.result("status", {"upstream": "tcp://127.0.0.1:5555"}, {})
    for feed, offset in ((here, 0.0), (elsewhere, 5000.0)):  # another machine was started at another time
        feed.block(block(0, offset + 0.05))
        assert feed.state() == "LIVE"
        feed.block(block(10, offset + 0.8))
        assert feed.state() == "LATE"
        assert feed.lateness.ns == pytest.approx(0.8e9 - (0 if feed is here else 0.05e9), abs=0.1e9)
        feed.block(block(20, offset + 0.1))
        assert feed.state() == "LIVE"
    behind = Feed()
    behind.here = True
    behind.result("status", {"upstream": "tcp://127.0.0.1:5555"}, {})
    behind.block(block(0, 100.0))  # from the first block on
    assert behind.state() == "LATE"


def test_a_gap_is_empty_and_a_step_back_starts_anew():
    feed, sensors = Feed(), array(2)
    ones = np.ones((10, 4))
    feed.block(Block(data=ones, first=0, rate=RATE, sensors=sensors))
    feed.block(Block(data=ones, first=30, rate=RATE, sensors=sensors))
    rows, first = feed.stream.values.newest(40)
    assert first == 0
    assert np.isnan(rows[10:30]).all()
    assert (rows[30:] == 1).all()
    feed.block(Block(data=ones, first=5, rate=RATE, sensors=sensors))
    assert feed.stream.values.stop == 15


@pytest.mark.parametrize(
    ("name", "fields", "arrays"),
    [
        ("map", {}, {}),
        ("map", {"sample": "x"}, {"bz": np.zeros((2, 2))}),
        ("grid", {}, {"x": np.zeros(3), "y": np.zeros(2), "mask": np.zeros((3, 3), bool)}),
        ("beat", {"kind": "normal"}, {}),
        ("average", {"kind": "normal", "nave": 3}, {"time": np.zeros(3), "wave": np.zeros((2, 36))}),
        ("status", {"samples": "many"}, {}),
    ],
)
def test_a_message_without_sense_is_told_and_nothing_is_lost(name, fields, arrays):
    feed = fill(Feed())
    before = (feed.map, feed.averages, feed.status)
    feed.result(name, fields, arrays)
    assert feed.message.startswith(f"The stream's `{name}` does not hold")
    assert (feed.map, feed.averages, feed.status) == before


def test_a_result_of_a_later_version_is_left_alone():
    feed = fill(Feed())
    feed.result("hologram", {"deep": 3}, {})
    assert feed.message == ""


def test_readings_say_what_is_known():
    feed = fill(Feed())
    words = {reading.name: (reading.value, reading.tone) for reading in readings(feed)}
    assert words["heart rate"] == ("59 /min", "text")
    assert words["beats"] == ("57 + 1 ectopic", "text")
    assert words["usable"] == ("in 24 s", "warning")
    assert words["lost"] == ("37 samples", "alarm")


def test_latency_is_of_this_machine_only():
    latency, now = Latency(), time.monotonic_ns()
    assert latency.quantiles() is None
    latency.drawn(0, now)
    latency.drawn(now + 10**9, now)  # a clock ahead of ours is another machine's
    assert latency.quantiles() is None
    for late in (10, 20, 30):
        latency.drawn(now - late * 1_000_000, now)
    assert latency.quantiles() == pytest.approx((20.0, 29.8))


def test_the_scale_stands_still_during_a_beat():
    scale = BeatScale()
    for extreme in (5e-12, 42e-12, 7e-12):
        scale.see(extreme)
    assert scale.limit == pytest.approx(50e-12)
    scale.beat()
    scale.see(95e-12)
    assert scale.limit == pytest.approx(50e-12)
    scale.beat()
    assert scale.limit == pytest.approx(80e-12)  # the median of 42 and 95, rounded up


def test_round_numbers():
    assert [round_up(v) for v in (0.9, 1.0, 3.1, 7e-12, 0.0, float("nan"))] == [1.0, 1.0, 5.0, 1e-11, 1.0, 1.0]
    assert limit_above(53e-12) == 60e-12
    for limit in 10.0 ** np.linspace(-13, -9, 50):
        assert 5 <= 2 * limit / isoline_step(limit) <= 14


def test_arrows_are_those_of_the_colours():
    """A dipole whose poles reach the scale's ends has arrows of full length; a tenth of its noise has none."""
    across, up = np.meshgrid(np.linspace(-0.12, 0.12, 49), np.linspace(-0.12, 0.12, 49))
    field = up / (across**2 + up**2 + 0.1**2) ** 1.5
    limit = np.abs(field).max()
    jx, jy = np.gradient(field, 0.005, axis=0), -np.gradient(field, 0.005, axis=1)
    whole = np.hypot(*arrow_sizes(jx, jy, limit))
    assert whole.max() == pytest.approx(1.0, abs=0.02)
    assert whole[whole > 0].min() > 0.25
    assert np.hypot(*arrow_sizes(0.3 * jx, 0.3 * jy, limit)).max() == pytest.approx(0.3, abs=0.01)
    assert not np.hypot(*arrow_sizes(0.07 * jx, 0.07 * jy, limit)).any()
    assert np.hypot(*arrow_sizes(9 * jx, np.full_like(jy, np.nan), limit)).max() <= 1.0


def test_isolines_lie_on_their_level_and_inside_the_mask():
    of = grid(65)
    x, y = np.meshgrid(of.x, of.y)
    of = Grid(of.x, of.y, np.hypot(x, y) < 0.1)
    lines = isolines(of, 100e-12 * x / 0.12, 100e-12, 20e-12)
    assert {round(line.level * 1e12) for line in lines} == {-80, -60, -40, -20, 0, 20, 40, 60, 80}
    for line in lines:
        assert np.allclose(line.points[:, 0], 0.12 * line.level / 100e-12, atol=1e-9)
        assert (np.hypot(*line.points.T) < 0.1).all()


def test_the_colours_are_those_of_cet_d1a():
    """Beside the published table, which pyqtgraph carries."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("pyqtgraph")
    if spec is None or spec.origin is None:
        pytest.skip("pyqtgraph is not installed")
    table = np.loadtxt(Path(spec.origin).parent / "colors" / "maps" / "CET-D1A.csv", delimiter=",")
    assert np.abs(diverging().astype(float) - 255 * table).max() <= 6


def test_positive_is_red_and_zero_in_the_middle():
    low, zero, high = diverging()[colour_indices(np.array([-1.0, 0.0, 1.0]), 1.0)].astype(int)
    assert high[0] > 3 * high[2]
    assert low[2] > 2 * low[0]
    assert np.ptp(zero) < 25
    assert on_screen(np.array([[1, 2], [3, 4]])).tolist() == [[3, 4], [1, 2]]


def test_a_latecomer_without_a_grid_waits_for_it():
    feed = Feed()
    feed.describe(array(), RATE)
    feed.result("map", {"sample": 1}, {"bz": np.zeros((64, 64))})
    assert feed.map is None
    assert feed.message == ""
    send_map(feed, grid())
    assert feed.map is not None

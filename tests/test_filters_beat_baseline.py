"""The beat baseline: each beat rests on zero before Q, nothing is bent, everything comes by one stated delay later."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.hearts import RATE, TestHeart, planar, regular
from zeromag.acquire.simulate import simulation
from zeromag.block import Block
from zeromag.event import Event
from zeromag.filters import BeatBaseline, HighPass
from zeromag.filters.beat_gate import KNOWN_S, BeatGate
from zeromag.stage import Stage

SENSORS = planar()
SECONDS = 20.0
PEAKS = regular(SECONDS, 0.85)
HEART = TestHeart().field(SENSORS, SECONDS, PEAKS)
TIME = np.arange(len(HEART)) / RATE


def through(stage: Stage, data: NDArray[np.float64], events: tuple[Event, ...] = ()) -> Block:
    block = Block(data=data.copy(), first=500, rate=RATE, sensors=SENSORS, events=events)
    return stage.start(block)(block)


def wandering() -> NDArray[np.float64]:
    """Breathing and drift of 30 pT beside a heart of some tens, on 50 µT."""
    rng = np.random.default_rng(0)
    swing = 30e-12 * np.sin(2 * np.pi * 0.1 * TIME) + 2e-12 * TIME
    return 50e-6 + HEART + swing[:, None] * rng.normal(1, 0.3, 36) + 0.1e-12 * rng.normal(size=HEART.shape)


@pytest.mark.parametrize("delay", [0.5, 2.0])
def test_each_beat_rests_on_zero_before_q(delay: float) -> None:
    out = through(BeatBaseline(delay), wandering()).data
    late = round(delay * RATE)
    for peak in PEAKS[3:-3]:
        r = round(peak * RATE) + late
        assert np.abs(out[r - 90 : r - 70].mean(axis=0)).max() < 0.8e-12  # the swing moves 25 pT a second


def test_no_st_segment_is_bent_where_a_high_pass_bends_it() -> None:
    still = np.stack([wandering(), wandering() - HEART])
    with_heart, without = (through(BeatBaseline(), each).data[2000:] for each in still)
    # without a heart there is no beat to lay the line from, so the drift itself is known
    assert np.ptp(without, axis=0).max() > 30e-12
    r = (PEAKS[4:-4] * RATE).astype(int)
    st = r + 100
    pr = r - 80
    drift = still[1]
    truth = HEART[st] - HEART[pr]
    left = with_heart[st] - with_heart[pr]
    raw = HEART[st] + drift[st] - HEART[pr] - drift[pr]
    assert np.abs(left - truth).max() < np.abs(raw - truth).max() / 3  # 6 pT of swing within 0.2 s become less than 2
    passed = through(HighPass(0.5), HEART).data
    bent = np.abs(passed[st] - passed[pr] - truth).max()
    quiet = through(BeatBaseline(), HEART).data[2000:]
    assert np.abs(quiet[st] - quiet[pr] - truth).max() < 0.02 * bent


def test_everything_comes_late_together() -> None:
    events = (Event(600, "mark", why="one"), Event(9000, "channel/noisy", channel="S001"))
    out = through(BeatBaseline(0.7), HEART, events)
    assert [(e.sample, e.kind) for e in out.events] == [(1300, "mark"), (9700, "channel/noisy")]
    assert out.bad()[:700].all()
    assert not out.bad()[700:].any()
    quiet = slice(6000, 9000)
    lag = [np.sum(out.data[quiet.start + k : quiet.stop + k] * HEART[quiet]) for k in range(650, 750)]
    assert int(np.argmax(lag)) + 650 == 700


def test_the_line_never_steps() -> None:
    data = wandering()
    data[11_000:] += 200e-12  # a lift
    for delay in (0.5, 2.0):
        taken = data[: -round(delay * RATE)] - through(BeatBaseline(delay), data).data[round(delay * RATE) :]
        assert np.abs(np.diff(taken, axis=0)).max() < 3e-12  # 200 pT within 0.13 s at the steepest, where it lifts


def test_the_gate_knows_beats_in_time() -> None:
    sim = simulation("sim:stress?seconds=40", block=100)
    gate, found = None, []
    for block in sim.blocks():
        gate = gate or BeatGate(block)
        found += gate(block)
    truth = np.array([peak for peak, _ in sim.beating()[0].peaks(0, round(40 * sim.rate))])
    truth = truth[(truth > 2 * sim.rate) & (truth < 39.5 * sim.rate)]
    found_r = np.array([beat.r for beat in found])
    nearest = np.abs(truth[:, None] - found_r).min(axis=1)
    assert (nearest < 0.02 * sim.rate).mean() > 0.95  # raw, in a light room
    assert max((beat.known - beat.r) / sim.rate for beat in found) <= KNOWN_S


def test_a_delay_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 0.5 s, got 0.2 s"):
        BeatBaseline(0.2)
    with pytest.raises(ValueError, match="beats need a rate above"):
        BeatBaseline().start(Block(data=np.zeros((4, 36)), first=0, rate=50.0, sensors=SENSORS))

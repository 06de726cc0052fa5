"""The mask: each fault found within a second, said in words, forgiven when over; a healthy heart never blamed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.arrays import array, grid
from zeromag.block import Block
from zeromag.event import Event
from zeromag.filters import MaskBad
from zeromag.filters.ranked import median_of
from zeromag.sensors import SensorArray

RATE = 1000.0
SECONDS = 16


def sensors(limit: float = np.inf) -> SensorArray:
    base = array(grid(6, 0.04), np.tile([0.0, 0.0, 1.0], (36, 1)))
    limits = np.full(36, np.inf)
    limits[8] = limit
    status = ["good"] * 36
    status[35] = "bad"
    return SensorArray(base.names, base.positions, base.axes, limit=limits, status=tuple(status))


@pytest.fixture(scope="module")
def healthy() -> NDArray[np.float64]:
    """Noise, strong mains with harmonics, a large heart, a lift and a door: all that must not be blamed."""
    rng = np.random.default_rng(0)
    time = np.arange(round(SECONDS * RATE)) / RATE
    data = 0.33e-12 * rng.normal(size=(len(time), 36))
    gain = 1 + 0.03 * rng.normal(size=36)
    for k in (1, 3, 5):
        data += 50e-12 / k * np.cos(2 * np.pi * 50.03 * k * time + k)[:, None] * gain
    beat = (time + 0.3) % 0.8 - 0.4
    data += 100e-12 * np.exp(-0.5 * (beat / 0.009) ** 2)[:, None] * np.linspace(-1, 1, 36)
    data += 300e-12 / (1 + np.exp(-(time - 8) / 0.5))[:, None] * gain
    data += 1e-9 * (time > 10)[:, None] * gain
    return data


def judged(data: NDArray[np.float64], array_: SensorArray | None = None) -> tuple[NDArray[np.bool_], list[Event]]:
    block = Block(data=data, first=0, rate=RATE, sensors=array_ or sensors())
    out = MaskBad().start(block)(block)
    np.testing.assert_array_equal(out.data, data)
    return out.bad(), list(out.events)


def test_blames_no_healthy_channel(healthy: NDArray[np.float64]) -> None:
    mask, events = judged(healthy.copy())
    assert events == []
    assert not mask[:, :35].any()
    assert mask[:, 35].all()  # what the file says


FAULTS = {
    "flat": lambda x, on: np.where(on, x[0], x),
    "noisy": lambda x, on: x + on * 4e-12 * np.random.default_rng(1).normal(size=len(x)),
    "jumping": lambda x, on: x + 25e-12 * np.cumsum(on * (np.arange(len(x)) % 400 == 0)),
    "saturated": lambda x, on: np.where(on, np.clip(x + 0.9e-9, -1e-9, 0.95e-9), x),
    "missing": lambda x, on: np.where(on, np.nan, x),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_finds_a_fault_within_a_second_and_forgives_it(fault: str, healthy: NDArray[np.float64]) -> None:
    data = healthy.copy()
    on = (np.arange(len(data)) >= 3000) & (np.arange(len(data)) < 6000)
    data[:, 8] = FAULTS[fault](data[:, 8], on)
    mask, events = judged(data, sensors(limit=0.95e-9 if fault == "saturated" else np.inf))
    mine = [event for event in events if event.channel == "S008"]
    first = next(event for event in mine if event.kind != "channel/good")
    assert first.kind == f"channel/{fault}"
    assert 3000 <= first.sample < 4000
    assert first.why
    if fault == "saturated":
        return  # the door's step at 10 s rails it again
    assert mine[-1].kind == "channel/good"
    assert mine[-1].sample < 10_000
    assert mask[first.sample + 1 : 6000, 8].all()
    assert not mask[mine[-1].sample + 1 :, 8].any()
    assert {event.channel for event in events} == {"S008"}


def test_missing_and_railed_samples_are_masked_at_once(healthy: NDArray[np.float64]) -> None:
    data = healthy.copy()
    data[1234, 4] = np.nan
    data[2345, 8] = 2e-9
    mask, events = judged(data, sensors(limit=1.9e-9))
    assert np.flatnonzero(mask[:, 4]).tolist() == [1234]
    assert np.flatnonzero(mask[:, 8])[[0, -1]].tolist()[0] == 2345
    assert mask[2345:2440, 8].all()  # a railed sensor takes time to recover
    assert not any(event.channel == "S004" for event in events)


def test_a_relapse_is_trusted_later(healthy: NDArray[np.float64]) -> None:
    data = healthy[:, :].copy()
    data[1000:1500, 8] = data[1000, 8]
    data[5000:5500, 8] = data[5000, 8]
    _, events = judged(data)
    good = [event.sample for event in events if event.kind == "channel/good"]
    # windows of 250 samples, and their verdict 100 samples later
    assert 2000 < good[0] - 1500 < 2350
    assert 4000 < good[1] - 5500 < 4350


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 1"):
        MaskBad(noisy=0.5)
    with pytest.raises(ValueError, match=r"patience.*got 0"):
        MaskBad(patience=0)


@pytest.mark.parametrize("rate", [200, 250, 500, 2000])
@pytest.mark.parametrize("heart", ["", "&moment=40", "&rows=3&columns=3&references=0"])
def test_no_beat_is_taken_for_a_step_at_any_rate(rate: int, heart: str) -> None:
    from zeromag.acquire.simulate import simulation

    sim = simulation(f"sim:adult?seconds=8&lift_s=4&rate={rate}{heart}", block=rate)
    step = None
    for block in sim.blocks():
        step = step or MaskBad().start(block)
        assert step(block).events == ()


def test_the_median_of_some_is_numpys() -> None:
    rng = np.random.default_rng(4)
    for count in range(1, 40):
        values = rng.normal(size=45).round(int(rng.integers(0, 3)))  # some equal each other
        assert median_of(values.copy(), count) == np.median(values[:count])

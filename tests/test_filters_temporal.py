"""Filters in time: recursive ones against SciPy, the mains tracker against lines whose truth is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.arrays import array
from zeromag.block import Block
from zeromag.filters import BandPass, Decimate, Fir, HighPass, LowPass, Mains, Notch, Zapline
from zeromag.sensors import SensorArray
from zeromag.stage import Stage

RATE = 1000.0


def bundle(n: int) -> SensorArray:
    return array(np.zeros((n, 3)), np.tile([0.0, 0.0, 1.0], (n, 1)))


def through(
    stage: Stage, data: NDArray[np.float64], mask: NDArray[np.bool_] | None = None, rate: float = RATE
) -> Block:
    block = Block(data=data.copy(), first=0, rate=rate, sensors=bundle(data.shape[1]), mask=mask)
    return stage.start(block)(block)


@pytest.mark.parametrize(
    ("stage", "design"),
    [
        (LowPass(100.0, 4), {"N": 4, "Wn": 100.0, "btype": "lowpass"}),
        (HighPass(0.5, 2), {"N": 2, "Wn": 0.5, "btype": "highpass"}),
        (BandPass(5.0, 40.0, 2), {"N": 2, "Wn": (5.0, 40.0), "btype": "bandpass"}),
    ],
)
def test_recursive_filters_are_those_of_scipy(stage: Stage, design) -> None:  # type: ignore[no-untyped-def]
    from scipy.signal import butter, sosfilt, sosfilt_zi

    data = np.random.default_rng(0).normal(scale=1e-12, size=(2000, 5)) + 50e-6
    sections = butter(**design, fs=RATE, output="sos")
    state = sosfilt_zi(sections)[:, :, None] * data[0]
    theirs, _ = sosfilt(sections, data, axis=0, zi=state)
    ours, truth = through(stage, data).data, exactly(sections, data, state)
    np.testing.assert_allclose(ours, truth, rtol=0, atol=1e-12 * 50e-6)
    # SciPy rounds products before it adds them, and is up to 1.4e-12 of the range off itself
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * 50e-6 + np.abs(theirs - truth).max())


def exactly(
    sections: NDArray[np.float64], data: NDArray[np.float64], state: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Biquads in extended precision, 2000 times as fine."""
    rows = data.astype(np.longdouble)
    for section, begin in zip(sections.astype(np.longdouble), state.astype(np.longdouble), strict=True):
        one, two = begin
        for t, value in enumerate(rows):
            y = section[0] * value + one
            one = section[1] * value - section[4] * y + two
            two = section[2] * value - section[5] * y
            rows[t] = y
    return rows.astype(np.float64)


def test_notch_is_that_of_scipy() -> None:
    from scipy.signal import iirnotch, lfilter, lfilter_zi

    data = np.random.default_rng(0).normal(scale=1e-12, size=(2000, 3))
    theirs = data
    for k in (1, 2, 3):
        b, a = iirnotch(50.0 * k, 10.0, fs=RATE)
        theirs, _ = lfilter(b, a, theirs, axis=0, zi=lfilter_zi(b, a)[:, None] * theirs[0])
    np.testing.assert_allclose(through(Notch(50.0, harmonics=3), data).data, theirs, atol=1e-24)


def test_bad_samples_are_bridged_and_poison_nothing() -> None:
    data = np.random.default_rng(0).normal(scale=1e-12, size=(3000, 2)) + 1e-9
    broken = data.copy()
    broken[1000:1003, 0] = np.nan
    broken[1500:2000, 0] = np.nan  # longer than the hold: starts anew
    broken[2000:, 0] += 5e-9  # and comes back elsewhere
    clean, out = through(LowPass(), data).data, through(LowPass(), broken).data
    np.testing.assert_array_equal(out[:, 1], clean[:, 1])
    assert np.isfinite(out).all()
    assert np.abs(out[1050:1500, 0] - clean[1050:1500, 0]).max() < 1e-15
    assert np.abs(out[2000:, 0] - 6e-9).max() < 5e-12  # no transient of 5 nT


def test_impossible_corners_are_refused_with_the_number() -> None:
    with pytest.raises(ValueError, match=r"between 0 and 500 Hz.*got 600"):
        through(LowPass(600.0), np.zeros((10, 1)))
    with pytest.raises(ValueError, match="got 250 Hz"):
        through(BandPass(5.0, 250.0), np.zeros((10, 1)), rate=500.0)
    with pytest.raises(ValueError, match="got 550 Hz"):
        through(Notch(50.0, harmonics=11), np.zeros((10, 1)))
    with pytest.raises(ValueError, match="low < high"):
        BandPass(40.0, 5.0)
    with pytest.raises(ValueError, match="order must be 1 to 8"):
        LowPass(100.0, 9)
    with pytest.raises(ValueError, match="cannot be seen at 90 Hz"):
        through(Mains(), np.zeros((10, 1)), rate=90.0)


# the mains tracker


class Room:
    """A line that wanders by 0.05 Hz over 20 s, with harmonics; sensor noise of 15 fT/√Hz; beats when asked."""

    def __init__(self, channels: int, amplitude: float, *, nominal: float = 50.0, wander: float = 0.05) -> None:
        rng = np.random.default_rng(0)
        self.time = np.arange(round(20 * RATE)) / RATE
        self.frequency = nominal + 0.03 + wander * np.sin(2 * np.pi * self.time / 20)
        phase = 2 * np.pi * np.cumsum(self.frequency) / RATE
        gain = amplitude * (1 + 0.03 * rng.normal(size=channels))
        self.line = sum(np.cos(k * phase + k)[:, None] * gain / k for k in (1, 3, 5, 7))
        self.noise = 0.33e-12 * rng.normal(size=(len(self.time), channels))
        beats = np.exp(-0.5 * (((self.time + 0.1) % 0.8 - 0.4) / 0.008) ** 2)
        self.heart = 50e-12 * beats[:, None] * np.linspace(-1, 1, channels + 1)[1:]


def settled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[round(2 * RATE) :]


@pytest.mark.parametrize(
    ("channels", "amplitude", "nominal"),
    [(48, 20e-12, 50.0), (48, 20e-12, 60.0), (48, 200e-12, 50.0), (1, 20e-12, 50.0)],
)
def test_a_wandering_line_loses_30_db_within_2_s(channels: int, amplitude: float, nominal: float) -> None:
    room = Room(channels, amplitude, nominal=nominal)
    without = room.noise + room.heart
    left = settled(through(Mains(), without + room.line).data - without)
    assert 20 * np.log10(np.std(settled(room.line)) / np.std(left)) > 30


def test_a_steady_line_goes_below_the_noise() -> None:
    room = Room(48, 20e-12, wander=0.0)
    left = settled(through(Mains(50.0), room.noise + room.line).data - room.noise)
    assert 20 * np.log10(np.std(settled(room.line)) / np.std(left)) > 50


def test_the_frequency_is_reported() -> None:
    room = Room(48, 20e-12)
    events = [e for e in through(Mains(), room.noise + room.heart + room.line).events if e.kind == "mains"]
    assert events[0].sample == 1999
    assert len(events) == 2  # after 2 s, then every 10
    for event in events:
        assert float(event.why.split()[0]) == pytest.approx(room.frequency[event.sample], abs=0.02)


def test_takes_less_than_1_percent_of_the_qrs() -> None:
    for amplitude in (0.0, 2e-12, 20e-12):
        room = Room(36, amplitude)
        quiet = through(Mains(), room.noise + room.line).data
        beating = through(Mains(), room.noise + room.line + room.heart).data
        taken = settled(beating - quiet - room.heart)
        assert np.abs(taken).max() < 0.01 * np.abs(room.heart).max()
        assert np.abs(taken).max() < 0.3e-12


def test_does_not_ring_after_a_step() -> None:
    room = Room(36, 20e-12, wander=0.0)
    step = 1e-9 * (room.time >= 10)[:, None]
    left = through(Mains(), room.noise + room.line + step).data - room.noise - step
    assert np.abs(left[10_000:]).max() < 0.5e-12  # a notch of Q = 30 rings with 30 pT
    ringing = through(Notch(50.0, 30.0), step * np.ones(36)).data - step
    assert np.abs(ringing[10_000:]).max() > 20e-12


def test_a_bad_channel_does_not_disturb_the_others() -> None:
    room = Room(8, 20e-12)
    data = room.noise + room.line
    broken = data.copy()
    broken[5000:9000, 3] = np.nan
    mask = ~np.isfinite(broken)
    left = through(Mains(), broken, mask).data - room.noise
    assert np.std(settled(left[:, [0, 1, 2, 4, 5, 6, 7]])) < 0.03 * np.std(room.line)
    assert np.std(left[11_000:, 3]) < 0.05 * np.std(room.line)


@pytest.mark.parametrize("nominal", [50.0, 60.0])
def test_zapline_takes_the_line_and_little_else(nominal: float) -> None:
    room = Room(36, 20e-12, nominal=nominal)
    quiet = through(Zapline(nominal), room.noise + room.line).data
    beating = through(Zapline(nominal), room.noise + room.line + room.heart).data
    late = slice(4000, None)
    assert 20 * np.log10(np.std(room.line[late]) / np.std((beating - room.noise - room.heart)[late])) > 40
    assert np.std(quiet[late]) < 1.05 * np.std(room.noise[late])
    heart = room.heart[late]
    assert np.sum((beating - quiet)[late] * heart) / np.sum(heart**2) == pytest.approx(1.0, abs=0.01)


def test_zapline_wants_channels() -> None:
    with pytest.raises(ValueError, match="needs 16 mag channels, got 8"):
        through(Zapline(), np.zeros((10, 8)))


def test_fir_is_that_of_scipy_and_delays_by_half_its_length() -> None:
    from scipy.signal import lfilter

    stage = Fir.low_pass(100.0, 40.0, RATE)
    data = 50e-6 + 1e-12 * np.random.default_rng(0).normal(size=(1500, 4))
    out = through(stage, data).data
    n = len(stage.taps)
    assert n % 2 == 1
    before = np.vstack([np.repeat(data[:1], n, axis=0), data])
    np.testing.assert_allclose(out, lfilter(stage.taps, [1.0], before, axis=0)[n:], rtol=0, atol=1e-12 * 50e-6)
    slow = 1e-12 * np.sin(2 * np.pi * 10 * np.arange(1500) / RATE)[:, None]
    late = through(stage, slow).data
    np.testing.assert_allclose(late[500:], np.roll(slow, (n - 1) // 2, axis=0)[500:], atol=2e-15)


def test_decimation_keeps_multiples_whatever_the_blocks() -> None:
    from scipy.signal import cheby1, sosfilt, sosfilt_zi

    data = 1e-9 + 1e-12 * np.random.default_rng(0).normal(size=(1000, 3))
    bad = np.zeros(data.shape, dtype=np.bool_)
    bad[402, 1] = True
    whole = Block(data=data, first=13, rate=RATE, sensors=bundle(3), mask=bad)
    stage = Decimate(4)
    one = stage.start(whole)(whole)
    step = stage.start(whole.part(0, 7))
    parts = [step(whole.part(a, b)) for a, b in ((0, 7), (7, 11), (11, 500), (500, 1000))]
    np.testing.assert_array_equal(np.concatenate([part.data for part in parts]), one.data)
    np.testing.assert_array_equal(np.concatenate([part.bad() for part in parts]), one.bad())
    assert all(later.follows(sooner) for sooner, later in pairwise(parts))
    assert (one.first, one.rate, len(one)) == (4, 250.0, 250)
    assert np.argwhere(one.bad()).tolist() == [[(402 + 13 + 3) // 4 - 4, 1]]
    sections = cheby1(8, 0.05, 0.8 / 4, output="sos")
    theirs, _ = sosfilt(sections, data[:, :1], axis=0, zi=sosfilt_zi(sections)[:, :, None] * data[:1, :1])
    np.testing.assert_allclose(one.data[:, :1], theirs[3::4], atol=1e-20)
    with pytest.raises(ValueError, match="at least 4 samples, got 3"):
        stage.start(whole)(whole.part(0, 3))

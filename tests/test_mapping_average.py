"""Averages: the laws of averaging, masks, gaps, windows, and any block size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hearts import F64, RATE, TestHeart, as_blocks, planar, regular
from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.mapping.average import Average
from zeromag.mapping.averager import Averager, Averaging
from zeromag.mapping.beat import Beat
from zeromag.mapping.bootstrap import resampled
from zeromag.mapping.history import History
from zeromag.mapping.pile import Pile
from zeromag.sensors import SensorArray


def averaged(blocks: list[Block], beats: list[Beat], wanted: Averager | None = None) -> tuple[Averaging, list[Beat]]:
    """Hand each beat over 400 ms after its R, as the detector does."""
    running, waiting, done = (wanted or Averager()).start(blocks[0]), list(beats), []
    for block in blocks:
        ready = [beat for beat in waiting if beat.sample + 400 <= block.stop]
        waiting = waiting[len(ready) :]
        done += running(block, ready)
    return running, done + running.finish(waiting)


def at(peaks: F64) -> list[Beat]:
    return [Beat(sample=peak * RATE) for peak in peaks]


def white(peaks: F64, scale: float = 1e-12, seed: int = 0, seconds: float = 90.0) -> tuple[list[Block], SensorArray]:
    sensors = planar(3)
    signal = TestHeart().field(sensors, seconds, peaks)
    signal += np.random.default_rng(seed).normal(scale=scale, size=signal.shape)
    return as_blocks(signal, sensors, 1000), sensors


PEAKS = regular(90.0, 0.8)[:100]


def test_a_hundred_beats_cut_white_noise_to_a_tenth() -> None:
    blocks, sensors = white(PEAKS)
    running, done = averaged(blocks, at(PEAKS))
    (average,) = running.averages()
    assert average.nave == len(PEAKS) == len(done) == 100
    heart = TestHeart()
    clean = heart.beat(average.time) @ heart.gains(sensors).T
    flat = (average.time >= -0.10) & (average.time < -0.06)
    clean = clean - clean[flat].mean(axis=0)
    inside = average.time < 0.4
    assert (average.wave - clean)[inside].std() == pytest.approx(0.1e-12, abs=0.01e-12)
    assert average.noise.mean() == pytest.approx(0.1e-12, rel=0.1)  # and ± averaging says so
    assert np.abs(average.wave[flat].mean(axis=0)).max() < 1e-18


@pytest.mark.parametrize("kind", ["ectopic", "mother-ectopic-2", "variant"])
def test_a_beat_that_begins_early_is_zero_where_it_rests(kind: str) -> None:
    """A QRS from 120 ms before R on: with the level of a PR segment that it has not, all its maps would be off."""
    sensors, time = planar(3), np.arange(round(12 * RATE)) / RATE
    peaks = regular(12.0, 1.0)
    shape = sum(np.exp(-0.5 * ((time - peak) / 0.040) ** 2) for peak in peaks)
    signal = 3e-11 * np.linspace(-1, 1, 9) * shape[:, None] + 5e-12  # on some field of the room
    running, _ = averaged(as_blocks(signal, sensors, 1000), [Beat(sample=peak * RATE, kind=kind) for peak in peaks])
    (average,) = running.averages()
    assert average.kind == kind
    assert np.abs(average.wave[average.time < -0.2]).max() < 1e-15
    assert np.abs(average.wave).max() == pytest.approx(3e-11, rel=1e-3)
    assert np.abs(running.level - 5e-12).max() < 1e-15


def test_jitter_takes_what_the_law_says() -> None:
    """Attenuation exp(−(2πfσ)²/2) of a sine of frequency f by a jitter σ (science §4)."""
    sensors, frequency = planar(3), 40.0
    time = np.arange(round(90 * RATE)) / RATE
    peaks = np.round(np.arange(1.0, 89.0, 0.2 * 4) * frequency) / frequency  # whole periods apart
    signal = np.cos(2 * np.pi * frequency * time)[:, None] * np.full(9, 1e-11)
    jitter = np.random.default_rng(4).normal(scale=1e-3, size=len(peaks))
    running, _ = averaged(as_blocks(signal, sensors, 1000), at(peaks + jitter), Averager(baseline=(-0.2, -0.1)))
    (average,) = running.averages()
    amplitude = np.sqrt(2) * average.wave[:, 0][average.time < 0.2].std()
    sampled = np.abs(np.mean(np.exp(2j * np.pi * frequency * jitter)))
    assert amplitude / 1e-11 == pytest.approx(sampled, rel=5e-3)
    assert amplitude / 1e-11 == pytest.approx(np.exp(-((2 * np.pi * frequency * 1e-3) ** 2) / 2), rel=0.02)


def test_beats_between_samples_are_laid_on_each_other() -> None:
    sensors = planar(3)
    time = np.arange(20000) / RATE
    peaks = 1.0 + np.arange(20) * 0.9003
    peaks = peaks[peaks < 18]
    signal = sum(np.exp(-0.5 * ((time - peak) / 0.006) ** 2) for peak in peaks)[:, None] * np.full(9, 1e-11)
    running, _ = averaged(as_blocks(signal, sensors, 1000), at(peaks))
    (average,) = running.averages()
    wanted = 1e-11 * np.exp(-0.5 * (average.time / 0.006) ** 2)
    assert np.abs(average.wave[:, 0] - wanted).max() < 2e-3 * 1e-11


@settings(max_examples=10, deadline=None)
@given(size=st.integers(1, 30000))
def test_averages_do_not_depend_on_block_size(size: int) -> None:
    peaks = regular(20.0, 0.8)
    sensors = planar(3)
    signal = TestHeart().field(sensors, 20.0, peaks) + np.random.default_rng(0).normal(scale=1e-12, size=(20000, 9))
    mask = np.zeros(signal.shape, dtype=bool)
    mask[5000:5400, 4] = True
    one, _ = averaged(as_blocks(signal, sensors, 100, mask=mask), at(peaks))
    other, _ = averaged(as_blocks(signal, sensors, size, mask=mask), at(peaks))
    for first, second in zip(one.averages(), other.averages(), strict=True):
        assert np.array_equal(first.wave, second.wave)
        assert np.array_equal(first.noise, second.noise)
        assert first.parts is not None
        assert second.parts is not None
        assert np.array_equal(first.parts.stacked(), second.parts.stacked())


def test_masked_channels_and_spoilt_beats_stay_out() -> None:
    peaks = regular(20.0, 0.8)
    sensors = planar(3)
    signal = TestHeart().field(sensors, 20.0, peaks)
    mask = np.zeros(signal.shape, dtype=bool)
    spoilt = round(peaks[3] * RATE)
    signal[spoilt - 100 : spoilt + 100, 4] = 1e-3
    mask[spoilt - 100 : spoilt + 100, 4] = True
    mask[:, 7] = True
    beats = at(peaks)
    beats[5] = Beat(sample=beats[5].sample, why="correlation 0.20 with the nearest class")
    running, done = averaged(as_blocks(signal, sensors, 500, mask=mask), beats)
    (average,) = running.averages()
    assert not average.good[7]
    assert average.good.sum() == 8
    assert average.nave == len(peaks) - 1
    assert np.abs(average.wave[:, 4]).max() < 1e-9
    assert average.parts is not None
    assert average.parts.weights()[:, 4].sum() == len(peaks) - 2
    assert done[5].why.startswith("correlation")


def test_a_window_ends_before_the_next_beat() -> None:
    peaks = np.arange(1.0, 18.0, 0.45)
    sensors = planar(3)
    spike = np.zeros((19000, 9))
    for peak in peaks:
        spike[round(peak * RATE)] = 1e-10
    running, _ = averaged(as_blocks(spike, sensors, 500), at(peaks))
    (average,) = running.averages()
    assert np.abs(average.wave[average.time > 0.1]).max() == 0.0  # the next R is at 0.45 s
    assert average.wave[average.at(0.0), 0] == pytest.approx(1e-10)


def test_beats_at_a_gap_are_left_out_and_said() -> None:
    peaks = regular(20.0, 0.8)
    blocks, _ = white(peaks, seconds=20.0)
    kept = [block for block in blocks if block.first not in (9000, 10000)]
    beats = [beat for beat in at(peaks) if not 9000 <= beat.sample < 11000]
    running, done = averaged(kept, beats)
    left = [beat for beat in done if beat.why]
    assert len(done) == len(beats)
    assert all("gap" in beat.why for beat in left)
    assert sum(average.nave for average in running.averages()) == len(beats) - len(left)
    assert all(8000 < beat.sample < 12000 for beat in left)


def test_classes_are_kept_apart_normal_first() -> None:
    blocks, _ = white(PEAKS)
    beats = [Beat(peak * RATE, "ectopic" if k % 3 else "normal") for k, peak in enumerate(PEAKS)]
    running, _ = averaged(blocks, beats)
    assert [(one.kind, one.nave) for one in running.averages()] == [("normal", 34), ("ectopic", 66)]


def test_parts_are_the_beats_until_there_are_too_many() -> None:
    peaks = PEAKS[:20]
    blocks, _ = white(peaks)
    running, _ = averaged(blocks, at(peaks))
    (average,) = running.averages()
    assert average.parts is not None
    assert len(average.parts) == 20
    assert np.allclose(average.parts.stacked().mean(axis=0), average.wave, atol=1e-20)
    many, _ = averaged(white(PEAKS)[0], at(PEAKS))
    (average,) = many.averages()
    assert average.parts is not None
    assert len(average.parts) == 64
    draws = np.stack([wave for wave, _ in resampled(average)])
    assert draws.std(axis=0).mean() == pytest.approx(0.1e-12, rel=0.15)  # what white noise leaves of 100 beats
    again, _ = next(iter(resampled(average)))
    assert np.array_equal(again, next(iter(resampled(average)))[0])


def single(average: Average) -> float:
    return float(average.noise.mean())


def test_one_beat_has_an_average_and_a_noise() -> None:
    blocks, _ = white(PEAKS[:1])
    running, _ = averaged(blocks, at(PEAKS[:1]))
    (average,) = running.averages()
    assert average.nave == 1
    assert single(average) == pytest.approx(1e-12, rel=0.2)


def test_history_keeps_what_it_promises() -> None:
    history = History(10, 1, first=100)
    for begin in range(0, 57, 3):
        history.append(np.arange(begin, begin + 3, dtype=np.float64)[:, None])
        assert history.stop == 100 + begin + 3
        oldest = history.start
        rows = history.take(oldest, history.stop)[:, 0]
        assert np.array_equal(rows, np.arange(oldest - 100, begin + 3))
        assert len(rows) == min(10, begin + 3)
    with pytest.raises(ValueError, match="wanted"):
        history.take(history.start - 1, history.stop)
    with pytest.raises(ValueError, match="no more at once"):
        history.append(np.zeros((11, 1)))


def test_what_cannot_be_averaged_is_said() -> None:
    clock = SensorArray(("T",), np.full((1, 3), np.nan), np.full((1, 3), np.nan), kinds=("stim",))
    with pytest.raises(InputError, match="none"):
        Averager().start(Block(data=np.zeros((5, 1)), first=0, rate=RATE, sensors=clock))
    with pytest.raises(ValueError, match="inside the window"):
        Averager(baseline=(-0.5, -0.4))


def test_an_exponential_average_is_as_good_as_its_memory_and_follows() -> None:
    """a = 2/(N + 1) gives the noise of (2 − a)/a = N beats; after N beats of another heart most of the old is gone."""
    memory = 16.0
    blocks, sensors = white(PEAKS)
    running, _ = averaged(blocks, at(PEAKS), Averager(memory=memory))
    (average,) = running.averages()
    assert average.nave == 16
    heart = TestHeart()
    clean = heart.beat(average.time) @ heart.gains(sensors).T
    flat = (average.time >= -0.10) & (average.time < -0.06)
    clean = clean - clean[flat].mean(axis=0)
    inside = average.time < 0.4
    assert (average.wave - clean)[inside].std() == pytest.approx(1e-12 / np.sqrt(memory), rel=0.1)
    assert average.noise.mean() == pytest.approx(1e-12 / np.sqrt(memory), rel=0.1)
    draws = np.array([wave for wave, _ in resampled(average)])
    assert draws.std(axis=0)[inside].mean() == pytest.approx(1e-12 / np.sqrt(memory), rel=0.2)
    pile = Pile(10, 2, 64, memory)
    for size in [1.0] * 40 + [2.0] * 16:
        pile.add(np.full((10, 2), size), np.ones(2, dtype=np.bool_))
    left = 2.0 - pile.average("normal", np.arange(10) / 10 - 0.5, sensors.pick([0, 1])).wave
    np.testing.assert_allclose(left, (1 - 2 / 17) ** 16, rtol=1e-12)


def test_a_memory_of_one_beat_is_no_average() -> None:
    with pytest.raises(ValueError, match="2 to 64 beats, got 1"):
        Averager(memory=1)


def test_an_average_stays_as_it_was_when_more_beats_come() -> None:
    random, sensors, time = np.random.default_rng(0), planar(2), np.arange(-5, 6) / RATE
    pile, good = Pile(11, 4, 3), np.ones(4, dtype=bool)
    for _ in range(4):
        pile.add(random.normal(size=(11, 4)), good)
    before = pile.average("normal", time, sensors)
    assert before.parts is not None
    parts, weights, wave = before.parts.stacked(), before.parts.weights(), before.wave.copy()
    for _ in range(5):
        pile.add(random.normal(size=(11, 4)), good)
    assert np.array_equal(before.parts.stacked(), parts)
    assert np.array_equal(before.parts.weights(), weights)
    assert np.array_equal(before.wave, wave)
    after = pile.average("normal", time, sensors)
    assert after.parts is not None
    assert after.parts.weights()[:, 0].tolist() == [3.0, 3.0, 3.0]
    assert not np.array_equal(after.parts.stacked(), parts)

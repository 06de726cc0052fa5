"""Adaptive filters against naive twins and plain least squares; what they take of the heart at their defaults."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.arrays import planar, with_references
from zeromag.block import Block
from zeromag.filters import Despike, Nlms, ReferenceRegression, Rls, SignalSpaceProjection, patterns_of
from zeromag.stage import Stage

RATE = 1000.0
SENSORS = with_references()
MAG, REF = SENSORS.of_kind("mag"), SENSORS.of_kind("ref")


def through(stage: Stage, data: NDArray[np.float64]) -> NDArray[np.float64]:
    block = Block(data=data.copy(), first=0, rate=RATE, sensors=SENSORS)
    return stage.start(block)(block).data


def pink(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Amplitude as f^-0.75 from 0.5 Hz on, unit size."""
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    spectrum = (rng.normal(size=len(frequency)) + 1j * rng.normal(size=len(frequency))) / np.maximum(
        frequency, 0.5
    ) ** 0.75
    spectrum[frequency < 0.5] = 0
    wave = np.fft.irfft(spectrum, n)
    return wave / wave.std()


class Room:
    """Three fields of 50 Hz and f^-0.75 seen by all; a heart in the primaries only."""

    def __init__(self, seconds: float) -> None:
        rng = np.random.default_rng(0)
        n = round(seconds * RATE)
        time = np.arange(n) / RATE
        fields = np.stack(
            [20e-12 * pink(rng, n) + 10e-12 * np.sin(2 * np.pi * 50 * time + k) for k in range(3)], axis=1
        )
        self.room = fields @ SENSORS.axes.T * (1 + 0.01 * rng.normal(size=48)) + 0.33e-12 * rng.normal(size=(n, 48))
        self.shape = np.exp(-0.5 * (((time + 0.3) % 0.85 - 0.4) / 0.01) ** 2)
        self.heart = np.zeros_like(self.room)
        self.heart[:, MAG] = 50e-12 * self.shape[:, None] * np.linspace(-1, 1, 36)
        self.late = slice(n // 2, None)

    def judge(self, stage: Stage) -> tuple[float, float]:
        """Return shielding (dB) and what is left of the heart (regression on the known one), in the second half."""
        out = through(stage, self.room + self.heart)[self.late][:, MAG]
        heart, room = self.heart[self.late][:, MAG], self.room[self.late][:, MAG]
        return 20 * np.log10(room.std() / (out - heart).std()), float((out * heart).sum() / (heart**2).sum())


@pytest.fixture(scope="module")
def room() -> Room:
    return Room(90.0)


def centred(data: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return data about its leaky mean, as the stages take it."""
    slow, out, gain = data[0].copy(), np.empty_like(data), 1 / (1.0 * RATE)
    for t, row in enumerate(data):
        slow = slow + gain * (row - slow)
        out[t] = row - slow
    return out


def delayed(data: NDArray[np.float64], taps: int) -> NDArray[np.float64]:
    """Return the regressors of each sample, newest tap first."""
    padded = np.vstack([np.zeros((taps - 1, data.shape[1])), data])
    return np.hstack([padded[taps - 1 - k : len(padded) - k] for k in range(taps)])


def test_nlms_is_its_naive_twin() -> None:
    data = Room(1.0).room
    regressors, primaries = delayed(centred(data[:, REF]), 2), centred(data[:, MAG])
    weights, out = np.zeros((24, 36)), data[:, MAG].copy()
    for t, x in enumerate(regressors):
        out[t] -= x @ weights
        weights += 0.05 * np.outer(x, primaries[t] - x @ weights) / (1e-40 + x @ x)
    ours = through(Nlms(step=0.05, taps=2, clip=0.0, blind=0), data)[:, MAG]
    np.testing.assert_allclose(ours, out, rtol=0, atol=1e-12 * np.abs(out).max())


def test_rls_is_its_naive_twin() -> None:
    data = Room(1.0).room
    regressors, primaries = centred(data[:, REF]), centred(data[:, MAG])
    weights, spread, out = np.zeros((12, 36)), 1e24 * np.eye(12), data[:, MAG].copy()
    forget = 1 - 1 / (5.0 * RATE)
    for t, x in enumerate(regressors):
        gain = spread @ x / (forget + x @ spread @ x)
        out[t] -= x @ weights
        weights += np.outer(gain, primaries[t] - x @ weights)
        spread = (spread - np.outer(gain, x @ spread)) / forget
    ours = through(Rls(memory=5.0, clip=0.0, blind=0), data)[:, MAG]
    # in the first samples P is 1e24 in all directions but a few, and rounding shows
    np.testing.assert_allclose(ours[100:], out[100:], rtol=0, atol=1e-5 * np.abs(out).max())


@pytest.mark.parametrize("name", ["NLMS", "RLS"])
def test_adaptive_filters_are_those_of_padasip(name: str) -> None:
    import padasip

    data = Room(1.0).room
    regressors, primaries = centred(data[:, REF]), centred(data[:, MAG])
    stage: Stage
    if name == "NLMS":
        stage = Nlms(step=0.05, clip=0.0, blind=0)
        theirs = [padasip.filters.FilterNLMS(n=12, mu=0.05, eps=1e-40, w="zeros") for _ in MAG]
    else:
        stage = Rls(memory=5.0, clip=0.0, blind=0)
        theirs = [padasip.filters.FilterRLS(n=12, mu=1 - 1 / 5000, eps=1e-24, w="zeros") for _ in MAG]
    out = data[:, MAG].copy()
    for t, x in enumerate(regressors):
        for c, peer in enumerate(theirs):
            out[t, c] -= peer.predict(x)
            peer.adapt(primaries[t, c], x)
    tolerance = {"NLMS": 1e-12, "RLS": 1e-5}[name]  # P begins at 1e24: in the first samples rounding shows
    ours = through(stage, data)[:, MAG]
    np.testing.assert_allclose(ours[100:], out[100:], rtol=0, atol=tolerance * np.abs(out).max())


def test_regression_is_least_squares() -> None:
    data = Room(1.6).room
    stage = ReferenceRegression(memory=np.inf, taps=3, clip=0.0, damping=0.0, blind=0)
    regressors, primaries = delayed(centred(data[:, REF]), 3), centred(data[:, MAG])
    ours = through(stage, data)[:, MAG]
    np.testing.assert_array_equal(ours[:500], data[:500, MAG])
    first = np.linalg.lstsq(regressors[:500], primaries[:500], rcond=None)[0]
    # weights of the first half second come in over the second; those of the first second are whole at 1.5 s
    second = np.linalg.lstsq(regressors[:1000], primaries[:1000], rcond=None)[0]
    faded = data[750, MAG] - regressors[750] @ (first * 251 / 500)
    whole = data[1499, MAG] - regressors[1499] @ second
    np.testing.assert_allclose(ours[750], faded, atol=1e-9 * np.abs(data).max())
    # an infinite memory forgets the first sample by one part in 1e300, not at all
    np.testing.assert_allclose(ours[1499], whole, atol=1e-9 * np.abs(data).max())


@pytest.mark.parametrize(
    ("step", "shielding", "kept"), [(1e-4, 15.5, 1.01), (1e-3, 27.6, 0.98), (1e-2, 19.5, 0.88), (0.1, 11.8, 0.33)]
)
def test_nlms_eats_the_heart_as_the_table_says(room: Room, step: float, shielding: float, kept: float) -> None:
    decibels, heart = room.judge(Nlms(step=step, clip=0.0, slow=60.0, blind=0))
    assert decibels == pytest.approx(shielding, abs=4)  # the room of the table is not ours
    assert heart == pytest.approx(kept, abs=0.05)


def test_rls_eats_the_heart_the_faster_it_forgets(room: Room) -> None:
    found = [room.judge(Rls(memory=memory, clip=0.0, slow=60.0, blind=0)) for memory in (0.1, 1.0, 10.0, 100.0)]
    shielding, kept = [f[0] for f in found], [f[1] for f in found]
    assert shielding[:3] == sorted(shielding[:3])
    assert shielding[3] > shielding[1]
    assert kept == pytest.approx([0.79, 0.96, 0.993, 0.999], abs=0.05)


@pytest.mark.parametrize("stage", [Nlms(), Rls(), ReferenceRegression()])
def test_defaults_take_less_than_1_percent_of_the_qrs(room: Room, stage: Stage) -> None:
    shielding, kept = room.judge(stage)
    assert kept == pytest.approx(1.0, abs=0.01)
    assert shielding > 16  # of swings that the slow mean does not take


def test_nlms_diverges_beyond_its_bound() -> None:
    with pytest.raises(ValueError, match=r"stable.*got 2"):
        Nlms(step=2.0)


def test_filters_without_references_are_refused() -> None:
    block = Block(data=np.zeros((10, 36)), first=0, rate=RATE, sensors=planar())
    for stage in (Nlms(), Rls(), ReferenceRegression()):
        with pytest.raises(ValueError, match="at least 1 good reference"):
            stage.start(block)


def test_projection_is_that_of_mne() -> None:
    import mne

    data = Room(2.0).room[:, MAG]
    sensors = planar()
    block = Block(data=data.copy(), first=0, rate=RATE, sensors=sensors)
    stage = SignalSpaceProjection(patterns_of([block], 2))
    ours = stage.start(block)(block).data
    info = mne.create_info(36, RATE, "mag", verbose=False)
    raw = mne.io.RawArray((data - data.mean(axis=0)).T, info, verbose=False)
    # one epoch of all samples: MNE takes the mean off each epoch, as `patterns_of` does
    projs = mne.compute_proj_raw(raw, duration=None, n_mag=2, n_grad=0, n_eeg=0, verbose=False)
    vectors = np.vstack([proj["data"]["data"] for proj in projs])
    theirs = data - data @ vectors.T @ vectors
    np.testing.assert_allclose(ours, theirs, atol=1e-9 * np.abs(data).max())


def test_projection_learned_live_takes_the_room_not_the_heart() -> None:
    room = Room(30.0)
    sensors = planar()
    stage = SignalSpaceProjection(count=1, learn=10.0)
    outs = []
    for data in (room.room[:, MAG], (room.room + room.heart)[:, MAG]):
        block = Block(data=np.ascontiguousarray(data), first=0, rate=RATE, sensors=sensors)
        outs.append(stage.start(block)(block).data[room.late])
    heart = (room.heart[:, MAG])[room.late]
    assert room.room[room.late][:, MAG].std() / outs[0].std() > 20
    left = ((outs[1] - outs[0]) * heart).sum() / (heart**2).sum()
    assert left > 0.97


def test_projection_learned_live_leaves_nine_tenths_of_a_real_heart_and_says_so() -> None:
    from zeromag.acquire.simulate import simulation
    from zeromag.filters import LowPass, Mains, MaskBad
    from zeromag.filters.league import league
    from zeromag.pipeline import Chain

    sim = simulation("sim:adult?seconds=24&gain_error=0.03&tilt_deg=1.5", block=100)
    blocks = list(sim.blocks())
    chains = {
        str(count): Chain((MaskBad(), SignalSpaceProjection(count=count), Mains(), LowPass())) for count in (2, 4)
    }
    for standing in league(blocks, chains):  # four patterns unasked would leave a tenth
        assert standing.cost.heart_kept > 0.95
        assert standing.shielding["1-40 Hz"] > 10
    step = SignalSpaceProjection(count=4).start(blocks[0])
    told = [event for block in blocks for event in step(block).events if event.kind == "cleaning"]
    assert len(told) == 1
    assert told[0].why.startswith("projects 1 of 4 patterns out, 97% of the heart is left (")


def test_projection_of_a_heart_takes_nothing_and_says_the_number() -> None:
    room = Room(12.0)
    sensors = planar()
    block = Block(data=np.ascontiguousarray(20 * room.heart[:, MAG]), first=0, rate=RATE, sensors=sensors)
    from tests.arrays import hearts

    wave = np.random.default_rng(0).normal(size=len(block))  # no rhythm, so nothing tells it from a room
    block = block.with_data(1e-7 * wave[:, None] * hearts(sensors, 1)[:, 0] + 1e-14 * room.room[:, MAG])
    out = SignalSpaceProjection(count=1).start(block)(block)
    np.testing.assert_array_equal(out.data, block.data)
    assert "projects nothing out: the strongest pattern alone would leave" in out.events[-1].why


def test_patterns_of_an_empty_room_take_the_room() -> None:
    from zeromag.acquire.simulate import simulation
    from zeromag.filters import measure

    empty = simulation("sim:empty-room?seconds=20&seed=4", block=1000)
    stage = SignalSpaceProjection(patterns_of(empty.blocks(), 1))
    sim = simulation("sim:adult?seconds=20&moment=0&seed=9", block=20_000)
    block = next(iter(sim.blocks()))
    mag = sim.sensors.of_kind("mag")
    before, after = block.data[:, mag], stage.start(block)(block).data[:, mag]
    taken = 20 * np.log10((before - before.mean(axis=0)).std() / (after - after.mean(axis=0)).std())
    assert taken > 20
    cost = measure(stage, sim.sensors, sim.rate)
    assert cost.heart_kept > 0.95


def test_despike_takes_spikes_and_leaves_steps_and_beats() -> None:
    room = Room(6.0)
    data = room.heart + 0.3e-12 * np.random.default_rng(1).normal(size=room.heart.shape)
    spiky = data.copy()
    spiky[[2500, 3333, 4100], 7] += np.array([200e-12, -80e-12, 50e-12])
    spiky[5000:, 9] += 100e-12
    clean, out = through(Despike(), data), through(Despike(), spiky)
    np.testing.assert_array_equal(clean[1:], data[:-1])  # one sample late, nothing else
    assert np.abs(out[1000:, 7] - clean[1000:, 7]).max() < 3e-12
    np.testing.assert_array_equal(out[1:, 9], spiky[:-1, 9])

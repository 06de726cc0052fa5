"""What every stage promises: cut-invariance to the bit, dtype, untouched input, gaps, offsets, settings."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.arrays import grid
from zeromag.block import Block
from zeromag.calibration import SensorCalibration
from zeromag.filters import (
    BandPass,
    BeatBaseline,
    Calibrate,
    Despike,
    Fir,
    Gradiometer,
    HighPass,
    HomogeneousField,
    JointFit,
    LowPass,
    Mains,
    MaskBad,
    Multipole,
    Nlms,
    Notch,
    ReferenceRegression,
    Rls,
    SignalSpaceProjection,
    SignalSpaceSeparation,
    TemporalSeparation,
    Zapline,
    default_chain,
)
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray
from zeromag.stage import Stage

RATE = 250.0
N = 700
FIRST = 137


def small_array() -> SensorArray:
    """16 Bz, two triaxial references, an ECG lead without a place, a trigger; one channel dead from the start."""
    places = np.vstack(
        [grid(4, 0.05), np.repeat([[0.1, 0.0, 0.3], [-0.1, 0.05, 0.25]], 3, axis=0), np.full((2, 3), np.nan)]
    )
    axes = np.vstack([np.tile([0.0, 0.0, 1.0], (16, 1)), np.eye(3), np.eye(3), np.full((2, 3), np.nan)])
    status = ["good"] * 24
    status[5] = "dead"
    return SensorArray(
        tuple(f"C{c:02d}" for c in range(24)),
        places,
        axes,
        kinds=("mag",) * 16 + ("ref",) * 6 + ("ecg", "stim"),
        status=tuple(status),
        limit=np.where(np.arange(24) == 3, 40e-12, np.inf),
    )


def calibration() -> dict[str, SensorCalibration]:
    """Three sensors that read wrongly, one of them of another, at their drawn places; the others are not known."""
    places, up = SENSORS.positions, (0.0, 0.0, 1.0)
    return {
        SENSORS.names[c]: SensorCalibration(gain, up, tuple(places[c].tolist()), late, reads_of)
        for c, gain, late, reads_of in (
            (1, 1.1, 4e-3, {}),
            (3, 0.9, 2e-3, {"C01": 0.05}),
            (11, 1.0, 0.0, {"C03": 0.02}),
        )
    }


SENSORS = small_array()
STAGES: dict[str, Stage] = {
    "MaskBad": MaskBad(),
    "Calibrate": Calibrate(calibration()),
    "HomogeneousField": HomogeneousField(1),
    "JointFit": JointFit(rank=5, order=1),
    "Mains": Mains(),
    "Mains50": Mains(line=50.0, harmonics=2),
    "LowPass": LowPass(80.0),
    "HighPass": HighPass(0.5, 2),
    "BandPass": BandPass(5.0, 40.0),
    "Notch": Notch(50.0, harmonics=2),
    "Fir": Fir(tuple(np.hanning(17)[1:-1] / 8)),
    "Despike": Despike(),
    "BeatBaseline": BeatBaseline(0.6),
    "ReferenceRegression": ReferenceRegression(taps=2),
    "Nlms": Nlms(step=0.01, taps=3),
    "Rls": Rls(memory=1.0, taps=2),
    "Gradiometer": Gradiometer(1),
    "SignalSpaceProjection": SignalSpaceProjection(learn=1.0),
    "SignalSpaceProjectionKnown": SignalSpaceProjection(patterns=((1.0,) * 16, tuple(range(16)))),
    "SignalSpaceSeparation": SignalSpaceSeparation(inner=2, outer=1),
    "Multipole": Multipole(inner=4, outer=1, basis="heart"),
    "MultipoleTemporal": Multipole(inner=4, outer=1, basis="heart", correlation=0.8, window=1.0),
    "Zapline": Zapline(),
    "TemporalSeparation": TemporalSeparation(inner=2, outer=1, window=1.0, correlation=0.8),
    "default": default_chain(SENSORS, RATE).chain,
}
LATE = {"Despike": 1, "BeatBaseline": round(0.6 * RATE)}  # samples by which everything comes out later
SETTLED = ("HighPass", "BandPass", "BeatBaseline")  # take a constant away
every_stage = pytest.mark.parametrize("name", STAGES)


def signal(mask: bool = True) -> Block:
    """Noise, mains, beats, an offset, a jump, missing and railed samples."""
    rng = np.random.default_rng(3)
    time = np.arange(N) / RATE
    data = rng.normal(scale=0.3e-12, size=(N, 24))
    data += 20e-12 * np.sin(2 * np.pi * 50.03 * time + 0.4)[:, None]
    data += 40e-12 * np.exp(-0.5 * ((time % 0.8 - 0.4) / 0.012) ** 2)[:, None] * np.linspace(-1, 1, 24)
    data += 1e-9 * rng.normal(size=24)
    data[:, 3] -= data[:, 3].mean()
    data[400:, 9] += 80e-12
    data[200:260, 11] = np.nan
    data[500:503, 2] = np.nan
    data[:, 23] = (time > 1.0) * 5.0
    bad = np.zeros((N, 24), dtype=np.bool_)
    bad[300:340, 7] = True
    bad[555, 1] = True
    return Block(data=data, first=FIRST, rate=RATE, sensors=SENSORS, mask=bad if mask else None)


SIGNAL = signal()


def joined(stage: Stage, block: Block, cuts: set[int] | tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Return data, mask and events of a stream cut at these samples."""
    edges = [0, *sorted(cuts), len(block)]
    step = stage.start(block.part(0, edges[1]))
    parts = [step(block.part(a, b)) for a, b in pairwise(edges)]
    return (
        np.concatenate([part.data for part in parts]),
        np.concatenate([part.bad() for part in parts]),
        [event for part in parts for event in part.events],
    )


@every_stage
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.sets(st.integers(1, N - 1), max_size=40))
def test_output_ignores_block_size(name: str, cuts: set[int]) -> None:
    whole = joined(STAGES[name], SIGNAL, ())
    parts = joined(STAGES[name], SIGNAL, cuts)
    np.testing.assert_array_equal(parts[0], whole[0])
    np.testing.assert_array_equal(parts[1], whole[1])
    assert parts[2] == whole[2]


@every_stage
def test_output_ignores_block_size_down_to_one_sample(name: str) -> None:
    whole, single = joined(STAGES[name], SIGNAL, ()), joined(STAGES[name], SIGNAL, tuple(range(1, N)))
    np.testing.assert_array_equal(single[0], whole[0])
    np.testing.assert_array_equal(single[1], whole[1])


@every_stage
def test_keeps_width_type_index_and_array(name: str) -> None:
    out = STAGES[name].start(SIGNAL)(SIGNAL)
    assert out.data.dtype == np.float64
    assert out.data.shape == SIGNAL.data.shape
    assert (out.first, out.rate) == (SIGNAL.first, SIGNAL.rate)
    assert out.sensors is SIGNAL.sensors or (name == "Calibrate" and out.sensors.same_as(SIGNAL.sensors))


@every_stage
def test_leaves_the_input_alone(name: str) -> None:
    fresh = signal()
    STAGES[name].start(fresh)(fresh)
    np.testing.assert_array_equal(fresh.data, SIGNAL.data)
    np.testing.assert_array_equal(fresh.bad(), SIGNAL.bad())


@every_stage
def test_a_mask_is_carried_on(name: str) -> None:
    out = STAGES[name].start(SIGNAL)(SIGNAL)
    late = LATE.get(name, 0)
    assert out.bad()[late:][SIGNAL.bad()[: N - late]].all()


@every_stage
def test_good_samples_come_out_finite(name: str) -> None:
    chain = Chain((MaskBad(), STAGES[name]))
    out = chain.start(SIGNAL)(SIGNAL)
    assert np.isfinite(out.data[~out.bad()]).all()


@every_stage
def test_triggers_pass_untouched_and_ecg_is_never_mixed(name: str) -> None:
    other = SIGNAL.data.copy()
    other[:, :22] *= -3.0
    chain = Chain((STAGES[name],))
    one = chain.start(SIGNAL)(SIGNAL)
    two = chain.start(SIGNAL)(SIGNAL.with_data(other))
    late = LATE[name] if name == "BeatBaseline" else 0  # two seconds late, triggers must come along
    np.testing.assert_array_equal(one.data[late:, 23], SIGNAL.data[: N - late, 23])
    if not name.startswith(("Mains", "default")):  # their phase is that of the whole array
        np.testing.assert_array_equal(one.data[:, 22], two.data[:, 22])


@every_stage
def test_a_gap_is_a_fresh_start(name: str) -> None:
    chain = Chain((STAGES[name],))
    step = chain.start(SIGNAL)
    step(SIGNAL.part(0, 300))
    after = step(SIGNAL.part(350, N))
    alone = STAGES[name].start(SIGNAL.part(350, N))(SIGNAL.part(350, N))
    np.testing.assert_array_equal(after.data, alone.data)
    np.testing.assert_array_equal(after.bad(), alone.bad())


@every_stage
def test_an_earth_field_leaves_no_step(name: str) -> None:
    constant = np.full((N, 24), 50e-6)
    block = Block(data=constant, first=0, rate=RATE, sensors=SENSORS)
    out = STAGES[name].start(block)(block).data[:, np.flatnonzero(SENSORS.usable())]
    assert np.abs(out - out[0]).max() < 1e-15
    if name in SETTLED:
        assert np.abs(out[:, :-1]).max() < 1e-15


def frozen(value: Any) -> Any:
    """Return JSON's lists as tuples."""
    return tuple(frozen(part) for part in value) if isinstance(value, list) else value


@every_stage
def test_settings_survive_json(name: str) -> None:
    stage = STAGES[name]
    if isinstance(stage, Chain):
        pytest.skip("a chain has stages, not settings")
    if isinstance(stage, Calibrate):
        pytest.skip("a calibration is a part of the session: tests/test_calibration.py")
    simple = {
        field.name: getattr(stage, field.name)
        for field in dataclasses.fields(stage)  # type: ignore[arg-type]
        if isinstance(getattr(stage, field.name), int | float | str | tuple | None)
    }
    again = type(stage)(**{key: frozen(value) for key, value in json.loads(json.dumps(simple)).items()})
    assert again == stage


@every_stage
def test_a_narrow_view_of_the_mask_changes_nothing(name: str) -> None:
    plain = signal(mask=False)
    none = STAGES[name].start(plain)(plain)
    empty = plain.with_data(plain.data, mask=np.zeros(plain.data.shape, dtype=np.bool_))
    np.testing.assert_array_equal(STAGES[name].start(empty)(empty).data, none.data)

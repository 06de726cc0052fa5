"""A sensor drops out, rails or comes back: spatial stages are planned anew at that sample, the others do not step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.arrays import planar, planar_triaxial, with_references
from zeromag.block import Block
from zeromag.filters import (
    Gradiometer,
    HomogeneousField,
    JointFit,
    MaskBad,
    Multipole,
    SignalSpaceProjection,
    SignalSpaceSeparation,
    TemporalSeparation,
)
from zeromag.filters.level import agreed
from zeromag.filters.operator import SpatialStep
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray
from zeromag.stage import Stage

RATE, N, LOST = 1000.0, 6000, 4000
TILT = tuple(np.linspace(-1.0, 1.0, 36).tolist())
BZ, TRI, REFS = planar(), planar_triaxial(), with_references()
CASES: dict[str, tuple[Any, SensorArray]] = {
    "HomogeneousField": (HomogeneousField(1), BZ),
    "HomogeneousField triaxial": (HomogeneousField(2), TRI),
    "JointFit": (JointFit(), REFS),
    "JointFit without references": (JointFit(), BZ),
    "Multipole": (Multipole(10, 1, basis="heart"), BZ),
    "SignalSpaceSeparation": (SignalSpaceSeparation(3, 2, damping=0.01), REFS),
    "SignalSpaceProjection": (SignalSpaceProjection(patterns=((1.0,) * 36, TILT)), BZ),
    "Gradiometer": (Gradiometer(1), REFS),
    "TemporalSeparation": (TemporalSeparation(3, 2, damping=0.01, window=2.0), REFS),
}
LOSSES = [
    pytest.param(name, kind, id=f"{name}, a {kind} lost")
    for name, (_, sensors) in CASES.items()
    for kind in ("mag", "ref")
    if kind in sensors.kinds
]


def column(sensors: SensorArray, kind: str) -> int:
    return int(sensors.of_kind(kind)[17 if kind == "mag" else -1])


def run(stage: Stage, sensors: SensorArray, data: NDArray[np.float64], lost: int | None, junk: float = 5e-9) -> Any:
    """Return the output, with one channel masked and full of junk from `LOST` on."""
    spoilt, mask = data.copy(), np.zeros(data.shape, dtype=np.bool_)
    if lost is not None:
        mask[LOST - N :, lost] = True
        spoilt[LOST - N :, lost] += junk
    block = Block(data=spoilt, first=77, rate=RATE, sensors=sensors, mask=mask)
    step = stage.start(block.part(0, 10))
    return np.concatenate([step(block.part(k, min(k + 130, len(data)))).data for k in range(0, len(data), 130)])


def others(sensors: SensorArray, lost: int) -> list[int]:
    return [c for c in sensors.of_kind("mag").tolist() if c != lost]


@pytest.mark.parametrize(("name", "kind"), LOSSES)
def test_what_does_not_move_does_not_step(name: str, kind: str) -> None:
    stage, sensors = CASES[name]
    lost = column(sensors, kind)
    still = 1e-9 * np.random.default_rng(0).normal(size=len(sensors)) + np.zeros((N, len(sensors)))
    out = run(stage, sensors, still, lost)[:, others(sensors, lost)]
    assert np.abs(out[LOST:] - out[LOST - 1]).max() < 1e-17


@pytest.mark.parametrize(("name", "kind"), LOSSES)
def test_it_is_planned_anew_at_that_very_sample(name: str, kind: str) -> None:
    stage, sensors = CASES[name]
    lost = column(sensors, kind)
    rng = np.random.default_rng(1)
    data = 1e-9 * rng.normal(size=len(sensors)) + 0.33e-12 * rng.normal(size=(N, len(sensors)))
    kept = others(sensors, lost)
    whole, one, two = (run(stage, sensors, data, *case) for case in ((None,), (lost,), (lost, -3e-7)))
    np.testing.assert_array_equal(one[:LOST], whole[:LOST])
    np.testing.assert_array_equal(one[:, kept], two[:, kept])  # not one sample of the junk was read
    if name == "Gradiometer" and kind == "mag":  # what mathematics allows
        np.testing.assert_array_equal(one[:, kept], whole[:, kept])


def step_of(name: str, kind: str, drift: float, before: int = LOST) -> float:
    """Return the largest step of the other channels when one is lost after so many samples, in sensor noise (rms)."""
    stage, sensors = CASES[name]
    lost, samples = column(sensors, kind), before + N - LOST
    rng = np.random.default_rng(2)
    level, noise = 1e-9 * rng.normal(size=len(sensors)), 0.33e-12 * rng.normal(size=(samples, len(sensors)))
    time = np.arange(samples) / RATE
    # 3 % of gain error, so that no field model explains the drift
    slow = drift * np.sin(2 * np.pi * 0.02 * time)[:, None] * (sensors.axes @ [0.4, -0.3, 0.8])
    slow *= 1 + 0.03 * rng.normal(size=len(sensors))
    out = run(stage, sensors, level + slow + noise, lost)
    good = np.ones(len(sensors), dtype=np.bool_)
    good[lost] = False
    plan = stage.plan(sensors) if hasattr(stage, "plan") else stage.start(
        Block(data=level[None], first=0, rate=RATE, sensors=sensors))._plan  # fmt: skip
    one, two = (plan(which).matrix(len(sensors)) for which in (np.ones_like(good), good))
    # had nothing stepped: the new operator on the noise, and the slow part as the old one had it
    at = slice(before, before + 1)
    smooth = noise[at] @ two.T + (level + slow[at]) @ one.T
    return float(np.abs((out[at] - smooth)[:, others(sensors, lost)]).max() / 0.33e-12)


STEADY = [loss for loss in LOSSES if not str(loss.values[0]).startswith("Temporal")]  # whose operator changes anyway


@pytest.mark.parametrize(("name", "kind"), STEADY)
def test_a_channel_lost_after_20_seconds_leaves_no_step(name: str, kind: str) -> None:
    assert step_of(name, kind, 0.0, 20_600) < 0.01


# what 4 s of noise leave of a level that may drift, times the weight that a channel has in the others
@pytest.mark.parametrize(("name", "kind"), STEADY)
@pytest.mark.parametrize("drift", [0.0, 30e-12])
def test_the_step_is_small_beside_the_noise_from_the_beginning(name: str, kind: str, drift: float) -> None:
    assert step_of(name, kind, drift) < (0.01 if name in {"HomogeneousField", "SignalSpaceProjection"} else 0.1)


def test_the_level_is_looked_for_as_far_back_as_it_holds() -> None:
    rng = np.random.default_rng(5)
    every, sigma = np.array([True]), 1e-3
    time = 0.5 * np.arange(-37, 1)

    def wrong(shape: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
        """Return the rms error of 60 levels a second behind the last piece, in the noise of a piece."""
        found = [
            agreed(shape(time)[None] + sigma * rng.normal(size=(1, 38)), 2.0, every)[0] - shape(np.ones(1))[0]
            for _ in range(60)
        ]
        return float(np.sqrt(np.mean(np.square(found)))) / sigma

    assert wrong(np.zeros_like) < 0.5  # 0.16 at best, by the mean of all; 0.9 by a line over 4 s
    assert wrong(lambda at: 0.1 * at) < 1.0
    assert wrong(lambda at: np.where(at < -5, 1.0, 0.0)) < 2.0
    assert wrong(lambda at: 0.02 * np.sin(0.126 * at)) < 2.0


def test_a_saturated_sensor_comes_back_without_a_step_in_the_others() -> None:
    rng = np.random.default_rng(3)
    data = 1e-9 * rng.normal(size=36) + 0.33e-12 * rng.normal(size=(12_000, 36))
    limit = np.full(36, np.inf)
    limit[8] = 20e-9
    sensors = SensorArray(BZ.names, BZ.positions, BZ.axes, limit=limit)
    data[4000:5000, 8] = 20e-9
    data[5000:, 8] += 3e-9  # nulled anew, it comes back elsewhere
    block = Block(data=data, first=0, rate=RATE, sensors=sensors)
    spatial = HomogeneousField(1).start(block)
    out = spatial(MaskBad().start(block)(block))
    kept = [c for c in range(36) if c != 8]
    assert isinstance(spatial, SpatialStep)
    assert spatial.planned == 2  # without it, and the plan from before again
    means = np.array([out.data[a : a + 1000, kept].mean(axis=0) for a in (2900, 4000, 10_900)])
    assert np.abs(np.diff(means, axis=0)).max() < 0.15 * 0.33e-12  # of means of 1,000 samples: 0.03 is chance
    assert not out.bad()[-1, 8]


def test_a_chain_lives_on_when_half_the_references_go() -> None:
    rng = np.random.default_rng(4)
    data = 1e-9 * rng.normal(size=48) + 0.33e-12 * rng.normal(size=(N, 48))
    mask = np.zeros(data.shape, dtype=np.bool_)
    for k, ref in enumerate(REFS.of_kind("ref").tolist()):
        mask[1000 + 400 * k :, ref] = True
    block = Block(data=data, first=0, rate=RATE, sensors=REFS, mask=mask)
    for stage in (JointFit(), Gradiometer(1), SignalSpaceSeparation(3, 2, damping=0.01)):
        out = Chain((stage,)).start(block)(block).data[:, REFS.of_kind("mag")]
        slow = out.reshape(-1, 100, 36).mean(axis=1)
        assert np.isfinite(out).all()
        assert np.abs(np.diff(slow, axis=0)).max() < 1e-12  # offsets of 1 nT: without care, steps of that size

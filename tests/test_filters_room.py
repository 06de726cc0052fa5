"""The default chain in a light room with bad sensors: the map against the one that an ideal array would see."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from zeromag.acquire.simulate import Simulation, simulation
from zeromag.block import Block
from zeromag.filters import LowPass, default_chain

FAULTY = "gain_error=0.03&tilt_deg=1.5&dead=S03&jumping=S08&noisy=S20&clipping=S30"


def averages(sim: Simulation) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Return the cleaned and the ideal average beat (time, good mag channels), and what became of channels."""
    chunks = list(sim.chunks())
    ideal = Block(data=np.concatenate([c.clean for c in chunks]), first=0, rate=sim.rate, sensors=sim.sensors)
    raw = ideal.with_data(np.concatenate([c.data for c in chunks]))
    out = default_chain(sim.sensors, sim.rate).chain.start(raw)(raw)
    truth = LowPass().start(ideal)(ideal).data  # the same delay
    mag = sim.sensors.of_kind("mag")
    cut = np.arange(-round(0.3 * sim.rate), round(0.5 * sim.rate))
    pr = slice(round(0.2 * sim.rate), round(0.24 * sim.rate))
    cleaned, wanted, weight = np.zeros((len(cut), len(mag))), np.zeros((len(cut), len(mag))), np.zeros(len(mag))
    peaks = [p for p, _ in sim.beating()[0].peaks(0, len(raw)) if 4 * sim.rate < p < len(raw) - len(cut)]
    for peak in peaks:
        good = ~out.bad()[peak + cut][:, mag].any(axis=0)
        one, two = out.data[peak + cut][:, mag], truth[peak + cut][:, mag]
        cleaned += np.where(good, one - one[pr].mean(axis=0), 0.0)
        wanted += np.where(good, two - two[pr].mean(axis=0), 0.0)
        weight += good
    kept = weight > len(peaks) / 2
    kinds = sorted({f"{e.channel} {e.kind}" for e in out.events if e.channel})
    return cleaned[:, kept] / weight[kept], wanted[:, kept] / weight[kept], kinds


def alike(one: NDArray[np.float64], two: NDArray[np.float64]) -> tuple[float, float]:
    """Return correlation and relative error of two maps."""
    return float(np.corrcoef(one, two)[0, 1]), float(np.linalg.norm(one - two) / np.linalg.norm(two))


@pytest.mark.parametrize("more", ["", "&mains=60&bandwidth=135&seed=5"])
def test_the_map_survives_a_light_room_and_bad_sensors(more: str) -> None:
    sim = simulation(f"sim:adult?seconds=60&{FAULTY}{more}")
    cleaned, ideal, kinds = averages(sim)
    assert cleaned.shape[1] >= 31
    for wanted in ("S03 channel/flat", "S20 channel/noisy", "S08 channel/jumping", "S30 channel/saturated"):
        assert wanted in kinds
    assert {kind.split()[0] for kind in kinds} == {"S03", "S08", "S20", "S30"}
    power = np.sqrt((ideal**2).mean(axis=1))
    r = int(np.argmax(power))
    after = r + round(0.15 * sim.rate)
    t = after + int(np.argmax(power[after:]))
    correlation, error = alike(cleaned[r], ideal[r])
    if "bandwidth" not in more:  # a sensor of 135 Hz delays and softens R: that is the sensor's, not the chain's
        assert error < 0.07
    assert correlation > 0.998
    assert alike(cleaned[t], ideal[t])[0] > 0.998

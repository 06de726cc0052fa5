"""Published figures that filters must reach: science §8, rows 7 to 9, 18, 20 and 22; the QRS left by what learns."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.arrays import planar, planar_triaxial, with_references
from tests.test_filters_spatial import matrix
from zeromag.acquire.simulate import Simulation, simulation
from zeromag.block import Block
from zeromag.filters import (
    HighPass,
    HomogeneousField,
    JointFit,
    LowPass,
    Mains,
    MaskBad,
    Nlms,
    ReferenceRegression,
    Rls,
    SignalSpaceSeparation,
    Zapline,
    default_chain,
)
from zeromag.filters.far_sources import far_fields
from zeromag.filters.league import league
from zeromag.filters.meter import Spatial
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray
from zeromag.stage import Stage


def suppression(stage: Spatial, sensors: SensorArray, gain_error: float) -> float:
    """Return by what factor sources 5 m away are weaker behind, median over sources and calibrations."""
    mag, far, operator = sensors.of_kind("mag"), far_fields(sensors, 5.0, 400), matrix(stage, sensors)
    factors = []
    for seed in range(8):
        read = far * (1 + gain_error * np.random.default_rng(seed).normal(size=len(sensors)))[:, None]
        factors.append(np.median(np.linalg.norm(read[mag], axis=0) / np.linalg.norm((operator @ read)[mag], axis=0)))
    return float(np.median(factors))


def test_sekihara_2018_separation_on_flat_arrays() -> None:
    # the paper: above 1e4 ideal, 30 at 1 % for normal sensors, 500 for vector ones, its helmet of 64 deeper than ours
    scalar, vector = planar(8, 0.03), planar_triaxial(8, 0.03)
    multipoles = SignalSpaceSeparation(4, 2)
    assert suppression(multipoles, scalar, 0.0) > 100
    assert 15 <= suppression(multipoles, scalar, 0.01) <= 60
    assert suppression(multipoles, vector, 0.01) >= 80
    for sensors in (scalar, vector):  # and the heart's own basis does better on both
        assert suppression(JointFit(), sensors, 0.01) > 1.5 * suppression(multipoles, sensors, 0.01)


def test_who_forces_a_filter_that_eats_the_heart_is_warned_with_the_number() -> None:
    kept = default_chain(planar_triaxial(), 1000.0, suppression="homogeneous").reason
    assert "WARNING: it takes 40% of the heart" in kept or "WARNING: it takes 39% of the heart" in kept
    assert "WARNING" not in default_chain(with_references(), 1000.0, suppression="joint").reason


@pytest.mark.parametrize("more", ["", "&gain_error=0.01"])
def test_bardouille_2024_an_open_cylinder(more: str) -> None:
    # 16.7 pT/√Hz of mains and 71 fT/√Hz from 10 to 200 Hz; the paper gains 5 to 15 dB
    sim = simulation(f"sim:adult?seconds=16&room=cylinder{more}", block=200)
    (standing,) = league(sim.blocks(), {"default": default_chain(sim.sensors, sim.rate).chain})
    assert standing.shielding["1-40 Hz"] > 20
    assert standing.shielding["50 Hz"] > 40
    assert np.sqrt(standing.cost.heart_kept) > 0.99
    assert standing.floor < 35e-15


class Beats:
    """Beats of one simulation: what an ideal array reads, the raw stream, and what a chain makes of it."""

    def __init__(self, sim: Simulation) -> None:
        self.sim = sim
        chunks = list(sim.chunks())
        self.ideal = np.concatenate([chunk.clean for chunk in chunks])
        self.raw = np.concatenate([chunk.data for chunk in chunks])
        peaks = np.array([peak for peak, _ in sim.beating()[0].peaks(0, len(self.raw))])
        self.peaks = peaks[(peaks > 5 * sim.rate) & (peaks < len(self.raw) - sim.rate)]
        self.mag = sim.sensors.of_kind("mag")

    def through(self, stage: Stage, data: NDArray[np.float64]) -> NDArray[np.float64]:
        block = Block(data=data.copy(), first=0, rate=self.sim.rate, sensors=self.sim.sensors)
        return stage.start(block)(block).data[:, self.mag]

    def mean(self, data: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
        return np.mean([data[peak + start : peak + stop].mean(axis=0) for peak in self.peaks], axis=0)


def test_liang_2025_128_channels_in_a_light_room() -> None:
    beats = Beats(simulation("sim:adult?seconds=20&rows=8&columns=16&pitch=22&room=light", block=1000))
    assert len(beats.mag) == 128
    ratios = []
    for data in (beats.raw[:, beats.mag], beats.through(default_chain(beats.sim.sensors, 1000.0).chain, beats.raw)):
        peak = beats.mean(data, 4, 5) - beats.mean(data, -90, -60)
        rest = np.array([data[r + 480 : r + 620] for r in beats.peaks])  # from T to P
        rest -= rest.mean(axis=1, keepdims=True)
        ratios.append(20 * np.log10(np.sqrt((peak**2).mean()) / rest.std()))
    assert ratios[0] < 10
    assert ratios[1] > 31.8


@pytest.mark.parametrize("more", ["", "&heart_rate=90"])
def test_the_default_chain_leaves_the_st_segment_alone(more: str) -> None:
    beats = Beats(simulation(f"sim:adult?seconds=16{more}", block=1000))
    chain = default_chain(beats.sim.sensors, beats.sim.rate).chain
    left = beats.through(chain, beats.raw) - beats.through(chain, beats.raw - beats.ideal)

    def level(data: NDArray[np.float64], late: int) -> NDArray[np.float64]:
        """J + 60 to 80 ms, above the PR segment."""
        return beats.mean(data, 100 + late, 120 + late) - beats.mean(data, -90 + late, -70 + late)

    ideal = beats.ideal[:, beats.mag]
    r = np.abs(beats.mean(ideal, 0, 1) - beats.mean(ideal, -90, -70)).max()
    assert np.abs(level(left, 4) - level(ideal, 0)).max() < 0.02 * r
    assert np.abs(level(beats.through(HighPass(0.5), beats.ideal), 0) - level(ideal, 0)).max() > 0.03 * r


@pytest.mark.parametrize("room", ["sim:adult?seconds=24&gain_error=0.03&tilt_deg=1.5", "sim:stress?seconds=24"])
def test_nothing_that_learns_takes_a_hundredth_of_the_qrs(room: str) -> None:
    learners: dict[str, tuple[Stage, ...]] = {
        "Mains": (),
        "Rls": (Rls(),),
        "Nlms": (Nlms(),),
        "ReferenceRegression": (ReferenceRegression(),),
    }
    chains = {name: Chain((MaskBad(), Mains(), *stages)) for name, stages in learners.items()}
    chains["Zapline"] = Chain((MaskBad(), Zapline()))
    blocks = simulation(room, block=200).blocks()
    for standing in league(blocks, chains):  # by a known heart beside the stream; power goes with the square
        assert abs(1 - np.sqrt(standing.cost.heart_kept)) < 0.01, standing.name


def test_the_chain_for_show_would_have_eaten_the_heart() -> None:
    # the league tells it from the stream too, not by the operator alone
    sim = simulation("sim:adult?seconds=12", block=200)
    (standing,) = league(sim.blocks(), {"eater": Chain((MaskBad(), HomogeneousField(2), Mains(), LowPass()))})
    assert not standing.keeps
    assert standing.cost.heart_kept == pytest.approx(0.18, abs=0.1)

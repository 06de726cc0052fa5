"""The noise of every scene has the density of its formula, from 1 to 200 Hz."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import welch

from zeromag.acquire.scene import OPM_SEED
from zeromag.acquire.simulate import PRESETS, simulation

QUIET = "mains=0&rail_pT=0&drift_pT=0&lift_pT=0&tram_nT=0&tremble_um=0&breath_mm=0&heart_mm=0&recoil_mm=0&drives="
BANDS = np.geomspace(1, 200, 8)


SAME = ("wearable", "street")  # room and sensors as in `stress`


@pytest.mark.parametrize(
    "preset", [pytest.param(name, marks=pytest.mark.nightly) if name in SAME else name for name in PRESETS]
)
def test_noise_of_each_scene_is_that_of_its_formula_within_five_percent(preset, data):
    """Hearts, lines and motion off. A background is eight fields that all channels share, so it needs minutes."""
    record = f"&record={data}/vcg/s0010_re" if preset == "vcg" else ""
    size = "seconds=600&rate=500&rows=2&columns=2" if "room=" in PRESETS[preset].keys else "seconds=60"
    source = simulation(f"sim:{preset}?{size}&moment=0&mother=0&{QUIET}{record}")
    values = np.concatenate([chunk.data for chunk in source.chunks()])
    frequency, power = welch(values, source.rate, nperseg=8192, axis=0, detrend="constant")
    frequency, power = frequency[1:], power[1:]
    wanted = source.density(frequency) ** 2
    for low, high in pairwise(BANDS):
        band = (frequency >= low) & (frequency < high)
        assert np.sqrt(np.mean(power[band] / wanted[band])) == pytest.approx(1, abs=0.05), (low, high)


def test_density_is_the_root_of_the_parts():
    frequency = np.array([1.0, 10.0, 100.0])
    alone = simulation("sim:adult").density(frequency)
    np.testing.assert_allclose(alone, np.repeat(15e-15 * np.sqrt(1 + 3 / frequency)[:, None], 48, axis=1))
    both = simulation("sim:adult?room=cylinder").density(frequency)
    assert np.all(both > alone)
    assert both[1:, :36].mean() == pytest.approx(71e-15, rel=0.02)


def test_response_of_a_magnetometer_is_what_it_does_to_an_impulse():
    source = simulation("sim:stress")
    assert source.opm is not None
    follow = source.opm.follow(48, 1000.0, (1, OPM_SEED))
    follow(np.zeros((1, 48)))
    impulse = np.zeros((4096, 48))
    impulse[0] = 1
    seen = np.fft.rfft(follow(impulse), axis=0)
    frequency = np.fft.rfftfreq(4096, 1e-3)
    np.testing.assert_allclose(seen, source.opm.response(frequency, 48, 1000.0, (1, OPM_SEED)), atol=1e-9)

"""What the simulation hides in its sensors, `bench array`'s calibration finds within the error that it states."""

import numpy as np
import pytest
from scipy.stats import t

from zeromag.acquire.simulate import simulation
from zeromag.characterise.coil_calibration import calibrate
from zeromag.characterise.crosstalk import crosstalk
from zeromag.characterise.record import gather
from zeromag.characterise.response import frequency_response
from zeromag.characterise.tones import measure_tones
from zeromag.physics.coils import Coils


@pytest.mark.parametrize("seed", [1, 11])
def test_gain_and_crosstalk_within_their_stated_errors(seed):
    source = simulation(f"sim:coils?seconds=40&seed={seed}", block=4000)
    drives = next(part for part in source.room if isinstance(part, Coils)).drives
    tones = measure_tones(gather(source.blocks(), 40), np.array([drive.frequency for drive in drives]))
    response = frequency_response(tones, drives)
    assert response is not None
    mixed = crosstalk(tones, drives, source.sensors, response.slowness)
    assert mixed is not None
    found = calibrate(mixed.undo(tones.amplitude), tones, drives, source.sensors)
    assert found is not None
    truth = source.real_array()
    assert truth.mixing is not None
    gain = (found.gain - truth.gain) / found.gain_error
    # K = G (I + C) G⁻¹
    wanted = truth.gain[:, None] * truth.mixing / truth.gain
    others = ~np.eye(36, dtype=bool)
    mixing = (mixed.mixing - wanted)[others] / mixed.error[others]
    # the errors come from the scatter of seven half-overlapping windows, about five degrees of freedom: Student's t
    for score in (gain, mixing):
        assert 0.4 < np.sqrt(np.mean(score**2)) < 1.2 * t.std(5)
        assert np.mean(np.abs(score) < t.ppf(0.975, 5)) > 0.92
    assert np.median(found.gain_error) < 1e-3
    assert np.median(mixed.error[others]) < 1e-4

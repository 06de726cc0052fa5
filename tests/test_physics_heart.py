"""The published heart vectors, the rhythm, and the beating dipole."""

import numpy as np
import pytest

from zeromag.physics.heart import SameniHeart
from zeromag.physics.rhythm import Rhythm
from zeromag.physics.sameni import ADULT, FETAL, FRANK_TO_CHEST

PHASE = 2 * np.pi * np.arange(-500, 500) / 1000  # 1 kHz at 60 /min


def peaks(vector, phase):
    size = np.linalg.norm(vector.at(phase), axis=1)
    r = int(np.argmax(size))
    t = int(np.argmax(np.where(phase > 0.5, size, 0)))
    p = int(np.argmax(np.where(phase < -0.5, size, 0)))
    return size, r, t, p


def test_adult_vector_has_the_published_peaks():
    """Science 8.4."""
    size, r, t, p = peaks(ADULT, PHASE)
    assert size[r] == pytest.approx(1.437, abs=1e-3)
    np.testing.assert_allclose(ADULT.at(PHASE[[r]])[0], [1.377, 0.410, 0.033], atol=1e-3)
    assert size[t] / size[r] == pytest.approx(0.57, abs=5e-3)
    assert size[p] / size[r] == pytest.approx(0.10, abs=5e-3)
    assert t - r == pytest.approx(253, abs=1)
    assert r - p == pytest.approx(145, abs=1)


def test_fetal_vector_has_the_published_peaks():
    size, r, t, _ = peaks(FETAL, np.linspace(-np.pi, np.pi, 20001))
    assert size[r] == pytest.approx(1.357, abs=1e-3)
    assert size[t] / size[r] == pytest.approx(0.22, abs=5e-3)


def test_beating_heart_is_the_direct_sum_at_its_own_rate():
    """At a constant 60 /min the dipole is the published sum over the phase, to the tails that wrap cuts."""
    heart = SameniHeart(rhythm=Rhythm(60, variability=0, variation=0), t_scale=1.0, peak=1.4368e-6)
    beating = heart.start(1000.0, (1,))
    start = beating.peaks(0, 5000)[1][0] - 500
    moment = beating.moments(start, 1000)[0]
    # the phase whose R falls on the same sample
    published = ADULT.at(2 * np.pi * (np.arange(-500, 500)[:, None] + np.linspace(-1.5, 1.5, 151)).ravel() / 1000)
    published = published.reshape(1000, 151, 3).transpose(1, 0, 2) * FRANK_TO_CHEST * 1e-6
    error = np.linalg.norm(published - moment, axis=2).max(axis=1).min()
    assert error < 2e-3 * np.linalg.norm(moment, axis=1).max()


def test_peak_of_the_dipole_is_what_was_asked_for():
    heart = SameniHeart(rhythm=Rhythm(75, variation=0), peak=12e-6)
    moment = heart.start(1000.0, (3,)).moments(0, 10_000)[0]
    assert np.linalg.norm(moment, axis=1).max() == pytest.approx(12e-6, rel=2e-3)


@pytest.mark.parametrize("rate", [45, 60, 120])
def test_r_peaks_are_the_maxima_of_the_dipole(rate):
    beating = SameniHeart(rhythm=Rhythm(rate)).start(1000.0, (5,))
    size = np.linalg.norm(beating.moments(0, 20_000)[0], axis=1)
    found = [sample for sample, _ in beating.peaks(0, 20_000)]
    assert len(found) == pytest.approx(rate / 3, abs=1.5)
    for sample in found:
        around = size[max(0, sample - 200) : sample + 200]
        assert size[sample] == around.max()


def test_peaks_of_parts_are_the_peaks_of_the_whole():
    beating = SameniHeart(rhythm=Rhythm(80)).start(1000.0, (5,))
    parts = [peak for start in range(0, 20_000, 77) for peak in beating.peaks(start, min(20_000, start + 77))]
    assert parts == beating.peaks(0, 20_000)


def test_t_wave_moves_with_the_root_of_rr():
    """QT adaptation after Bazett: R to T at 120 /min is 1/√2 of that at 60 /min."""
    distance = []
    for rate in (60, 120):
        heart = SameniHeart(rhythm=Rhythm(rate, variability=0, variation=0))
        beating = heart.start(1000.0, (1,))
        r = beating.peaks(1000, 4000)[0][0]
        size = np.linalg.norm(beating.moments(r + 100, 300)[0], axis=1)
        distance.append(100 + int(np.argmax(size)))
    assert distance[1] / distance[0] == pytest.approx(1 / np.sqrt(2), abs=0.02)


def test_rhythm_has_the_mean_and_the_variability_asked_for():
    pulses = Rhythm(70, variability=0.04).start((7,)).between(0, 3600)
    rr = np.diff([pulse.time for pulse in pulses])
    assert 60 / rr.mean() == pytest.approx(70, rel=0.01)
    assert rr.std() / rr.mean() == pytest.approx(0.04, rel=0.2)


def test_variability_lies_at_the_two_published_bumps():
    pulses = Rhythm(70, variability=0.04, balance=0.5).start((8,)).between(0, 3600)
    times = np.array([pulse.time for pulse in pulses])
    even = np.interp(np.arange(5, 3500, 0.25), times[1:], np.diff(times))
    power = np.abs(np.fft.rfft((even - even.mean()) * np.hanning(len(even)))) ** 2
    frequency = np.fft.rfftfreq(len(even), 0.25)
    slow = power[(frequency > 0.06) & (frequency < 0.14)].sum()
    fast = power[(frequency > 0.2) & (frequency < 0.3)].sum()
    assert (slow + fast) / power[frequency > 0.01].sum() > 0.95
    assert 0.3 < slow / fast < 1.1  # 0.5, and reading RR at the beats loses some of the fast bump


def test_extra_beats_come_early_and_the_next_one_keeps_the_time():
    pulses = Rhythm(60, variability=0, variation=0, ectopic_every=5).start((1,)).between(0, 100)
    kinds = [pulse.kind for pulse in pulses]
    assert kinds.count("ectopic") == 20
    times = np.array([pulse.time for pulse in pulses])
    at = [k for k, kind in enumerate(kinds) if kind == "ectopic" and 0 < k < len(kinds) - 1]
    for k in at:
        assert times[k] - times[k - 1] == pytest.approx(0.62, abs=1e-9)
        assert times[k + 1] - times[k - 1] == pytest.approx(2.0, abs=1e-9)


@pytest.mark.parametrize("wrong", [{"rate": 5}, {"variability": 1.0}, {"variation": -1}, {"ectopic_every": 1}])
def test_impossible_rhythms_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        Rhythm(**wrong)

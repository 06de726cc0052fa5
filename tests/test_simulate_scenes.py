"""The named scenes: every preset runs, and what it adds is where it should be."""

import h5py
import numpy as np
import pytest

from zeromag.acquire.simulate import PRESETS, simulation
from zeromag.acquire.truth import write_truth
from zeromag.physics.conductor import lead_field
from zeromag.physics.outside import middle
from zeromag.physics.torso import cache_folder


def joined(spec, **settings):
    return np.concatenate([block.data for block in simulation(spec, **settings).blocks()])


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "vcg"])
def test_every_preset_runs_within_its_range_and_ignores_the_block_size(preset):
    spec = f"sim:{preset}?seconds=3"
    source = simulation(spec)
    values = joined(spec, block=10)
    assert values.shape == (3000, len(source.sensors))
    assert (np.abs(values) < source.sensors.limit).all()
    np.testing.assert_array_equal(joined(spec, block=77), values)


def test_what_is_switched_off_does_not_change_the_rest():
    whole, quiet = (list(simulation(f"sim:adult?seconds=1{more}").chunks()) for more in ("", "&mains=0"))
    for one, other in zip(whole, quiet, strict=True):
        np.testing.assert_array_equal(one.interference["drift"], other.interference["drift"])
        np.testing.assert_array_equal(one.clean, other.clean)
    assert "mains" not in quiet[0].interference


def test_a_moving_array_reads_what_it_would_read_there():
    """First order in the motion against the array really put elsewhere: breath moves it 3 mm over the heart."""
    spec = "sim:adult?seconds=2&breath_mm=3&residual_nT=0&mains=0&drift_pT=0&lift_pT=0"
    source = simulation(spec)
    chunk = list(source.chunks())[8]
    change, clean = chunk.interference["motion"], chunk.clean
    assert 0.001 < np.abs(change).max() / np.abs(clean).max() < 0.1
    _, against_heart = source.motion.start(1000.0, (1, 7), lambda *_: [])
    way = against_heart(chunk.first, len(clean))
    for t in (0, 64, 127):
        shift, turn = way[t, :3], way[t, 3:]
        away = source.sensors.positions - middle(source.sensors)
        places = source.sensors.positions + shift + np.cross(turn, away)
        axes = source.sensors.axes + np.cross(turn, source.sensors.axes)
        lead = lead_field(source.conductor, source.hearts[0].positions, places, axes)[:, 0]
        moved = lead @ chunk.dipoles[0, t]
        np.testing.assert_allclose(clean[t] + change[t], moved, atol=2e-3 * np.abs(moved).max())


def test_a_spread_heart_is_less_dipolar_and_keeps_its_moment():
    one, three = simulation("sim:adult?seconds=2"), simulation("sim:adult?seconds=2&spread_mm=60")
    fields = [np.concatenate([c.clean for c in source.chunks()])[:, :36] for source in (one, three)]
    rank = [np.linalg.svd(field, compute_uv=False) for field in fields]
    assert rank[0][3] < 1e-9 * rank[0][0]
    assert rank[1][3] > 1e-3 * rank[1][0]
    moment = [np.concatenate([c.dipoles for c in source.chunks()], axis=1) for source in (one, three)]
    assert moment[1].shape == (3, 2000, 3)
    assert np.abs(moment[1].sum(axis=0)).max() == pytest.approx(np.abs(moment[0]).max(), rel=0.35)


def test_st_level_lifts_the_segment_against_r():
    low, high = (simulation(f"sim:adult?seconds=3&variation=0{more}") for more in ("", "&st_level=0.1"))
    first, second = low.beating()[0], high.beating()[0]
    r = first.peaks(1000, 2500)[0][0]
    moments = [heart.moments(r - 50, 400)[0] for heart in (first, second)]
    difference = moments[1] - moments[0]
    along = moments[0][50] / np.linalg.norm(moments[0][50])
    assert difference[50 + 135] @ along / np.linalg.norm(moments[0][50]) == pytest.approx(-0.1, abs=0.015)
    assert np.linalg.norm(difference[:60], axis=1).max() < 0.01 * np.linalg.norm(moments[0][50])


def test_t_wave_turns_by_the_angle_asked_for():
    straight, turned = (simulation(f"sim:adult?seconds=3&t_turn_deg={angle}") for angle in (0, 60))
    r = straight.beating()[0].peaks(1000, 2500)[0][0]
    t = [source.beating()[0].moments(r + 253, 1)[0, 0, :2] for source in (straight, turned)]
    angle = np.degrees(np.arctan2(t[1][1], t[1][0]) - np.arctan2(t[0][1], t[0][0]))
    assert angle == pytest.approx(60, abs=2)


@pytest.mark.parametrize(
    ("preset", "pr", "qrs", "qt"), [("adult", (120, 200), (70, 110), (350, 450)), ("fetal", 104, 52.6, 253)]
)
def test_intervals_are_those_of_people(preset, pr, qrs, qt):
    """Science 1.1: adult ranges; fetus of Wurm 2023: PR 104 ms, QRS 52.6 ms, QTc 387 ms at 140 /min."""
    source = simulation(f"sim:{preset}?seconds=20&variability=0&variation=0")
    marks = source.beating()[0].fiducials(2000, 18_000)
    intervals = (marks[:, 2] - marks[:, 0], marks[:, 3] - marks[:, 2], marks[:, 5] - marks[:, 2])
    for seen, wanted in zip(intervals, (pr, qrs, qt), strict=True):
        low, high = wanted if isinstance(wanted, tuple) else (wanted - 3, wanted + 3)
        assert np.all((seen >= low) & (seen <= high))


def test_an_extra_beat_has_no_p_wave_and_a_wide_qrs():
    source = simulation("sim:adult?seconds=40&ectopic_every=5&variation=0")
    beating = source.beating()[0]
    kinds = np.array([kind for _, kind in beating.peaks(2000, 38_000)])
    marks = beating.fiducials(2000, 38_000)
    assert 5 <= (kinds == "ectopic").sum() <= 8
    assert np.isnan(marks[kinds == "ectopic", 0]).all()
    width = marks[:, 3] - marks[:, 2]
    assert width[kinds == "ectopic"].min() > 1.6 * width[kinds == "normal"].max()


def test_sphere_and_torso_drive_the_same_heart(data, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ZEROMAG_CACHE", str(tmp_path_factory.getbasetemp() / "torso"))
    assert cache_folder() == tmp_path_factory.getbasetemp() / "torso"
    fields = []
    for conductor in ("halfspace", "infinite", "sphere&sphere_mm=300", f"torso&torso={data}/torso"):
        source = simulation(f"sim:adult?seconds=0.5&conductor={conductor}")
        fields.append(np.concatenate([chunk.clean for chunk in source.chunks()])[:, :36])
    half, infinite, sphere, torso = fields
    np.testing.assert_allclose(infinite, half, atol=2e-2 * np.abs(half).max())  # Bz alike, but for the silent part
    for field in (sphere, torso):
        assert 0.8 < np.corrcoef(field.ravel(), half.ravel())[0, 1] < 0.99999


def test_truth_tells_sensors_beats_and_waves(tmp_path):
    source = simulation("sim:stress?seconds=8&spread_mm=30&crosstalk=0.02")
    write_truth(tmp_path / "s.truth.h5", source)
    real = source.real_array()
    with h5py.File(tmp_path / "s.truth.h5") as file:
        assert file["dipole_Am"].shape == (3, 3, 8000)
        assert set(file["interference"]) == {"mains", "drift", "lift", "residual", "background", "motion"}
        np.testing.assert_array_equal(file["sensors/real_gain"], real.gain)
        np.testing.assert_array_equal(file["sensors/real_axis"], real.sensors.axes)
        np.testing.assert_array_equal(file["sensors/real_mixing"], real.mixing)
        marks, r = file["hearts/0/fiducial_sample"][:], file["r_peak_sample"][:]
        normal = file["hearts/0/beat_kind"][:] == b"normal"
        assert len(marks) == len(r) == len(normal)
        order = np.column_stack([marks[:, :3], r, marks[:, 3:]])[normal]
        assert np.all(np.diff(order, axis=1) > 0)

"""The simulated source: seeded to the bit, whatever the block size; its presets, keys and truth."""

import subprocess
import sys
from itertools import pairwise

import h5py
import numpy as np
import pytest

from zeromag.acquire.simulate import simulation
from zeromag.acquire.truth import write_truth
from zeromag.acquire.vcg_waves import wave_marks
from zeromag.errors import InputError, StorageError
from zeromag.mapping.fiducials import wave_fiducials


def joined(spec, **settings):
    return np.concatenate([block.data for block in simulation(spec, **settings).blocks()])


@pytest.mark.parametrize("spec", ["sim:adult?seconds=3", "sim:fetal?seconds=3", "sim:empty-room?seconds=3&rate=250"])
@pytest.mark.parametrize("block", [1, 7, 128, 1000, 5000])
def test_block_size_changes_nothing(spec, block):
    np.testing.assert_array_equal(joined(spec, block=block), joined(spec, block=10))


def test_blocks_follow_each_other_and_have_the_size_asked_for():
    blocks = list(simulation("sim:adult?seconds=1.003&block=25").blocks())
    assert [len(block) for block in blocks] == [25] * 40 + [3]
    assert all(after.follows(before) for before, after in pairwise(blocks))


def test_length_of_the_recording_changes_nothing():
    np.testing.assert_array_equal(joined("sim:adult?seconds=2"), joined("sim:adult?seconds=5")[:2000])


def test_seed_makes_the_recording():
    first = joined("sim:adult?seconds=2&seed=5")
    np.testing.assert_array_equal(first, joined("sim:adult?seconds=2&seed=5"))
    assert not np.array_equal(first, joined("sim:adult?seconds=2&seed=6"))


def test_an_endless_simulation_starts():
    source = simulation("sim:adult")
    assert source.samples is None
    blocks = source.blocks()
    assert [next(blocks).first for _ in range(3)] == [0, 10, 20]
    blocks.close()


def test_samples_are_whole_counts():
    source = simulation("sim:adult?seconds=2&bits=16")
    quantum = source.sensors.quantum
    assert quantum[0] == 5e-9 / 2**15
    values = np.concatenate([block.data for block in source.blocks()])
    np.testing.assert_array_equal(np.rint(values / quantum) * quantum, values)


def test_a_small_range_rails_at_the_limit():
    source = simulation("sim:adult?seconds=2&range_nT=0.05&residual_nT=0.5&lift_pT=0")
    values = np.concatenate([block.data for block in source.blocks()])
    assert (np.abs(values) <= source.sensors.limit).all()
    assert (np.abs(values) == source.sensors.limit).any()


def test_heart_is_inside_the_array_with_both_poles():
    source = simulation("sim:adult?seconds=3")
    clean = np.concatenate([chunk.clean for chunk in source.chunks()])
    peak = source.beating()[0].peaks(0, 3000)[0][0]
    field = clean[peak][:36].reshape(6, 6)
    assert 50e-12 < np.abs(field).max() < 100e-12
    for pole in (field.argmax(), field.argmin()):
        row, column = divmod(int(pole), 6)
        assert 1 <= row <= 4
        assert 1 <= column <= 4
    assert 0.7 < field.max() / -field.min() < 1.4


def test_parts_add_up_to_the_recording():
    source = simulation("sim:adult?seconds=3")
    for chunk in source.chunks():
        rest = chunk.data - chunk.clean - sum(chunk.interference.values())
        assert rest.std() < 1e-12  # sensor noise: 0.35 pT rms


def test_sensor_noise_alone_is_left_when_all_else_is_off():
    values = joined("sim:empty-room?seconds=4&mains=0&drift_pT=0&lift_pT=0&residual_nT=0&corner=0&noise=20")
    assert values.std() == pytest.approx(20e-15 * np.sqrt(500), rel=0.02)


def test_vectorcardiogram_drives_the_dipole(data):
    """52 beats at 81.9 /min in the whole record (data/README.md), one R peak each."""
    source = simulation(f"sim:vcg?record={data}/vcg/s0010_re&seconds=38.4")
    peaks = np.array([sample for sample, _ in source.beating()[0].peaks(0, 38_400)])
    assert len(peaks) in (51, 52, 53)
    assert 60_000 / np.diff(peaks).mean() == pytest.approx(81.9, abs=0.5)
    moment = source.beating()[0].moments(0, 38_400)[0]
    size = np.linalg.norm(moment, axis=1)
    assert np.median(size[peaks]) == pytest.approx(15e-6, rel=1e-3)
    for peak in peaks[1:-1]:
        assert size[peak] == size[peak - 150 : peak + 150].max()
        assert np.linalg.norm(moment[peak - 80 : peak - 60].mean(axis=0)) < 0.03 * size[peak]


def test_vectorcardiogram_is_the_record_itself(data):
    """The dipole's course over a beat is the raw leads' course, apart from a straight baseline."""
    source = simulation(f"sim:vcg?record={data}/vcg/s0010_re.hea&seconds=38")
    import wfdb  # after the source, which knows how to import it quietly

    record = wfdb.rdrecord(str(data / "vcg/s0010_re"))
    raw = record.p_signal[:, [record.sig_name.index(lead) for lead in ("vx", "vy", "vz")]] * [1, -1, -1]
    moment = source.beating()[0].moments(0, 38_000)[0]
    for peak, _ in source.beating()[0].peaks(5000, 15_000):
        span = slice(peak - 200, peak + 400)
        wanted = raw[span] - np.linspace(raw[span][0], raw[span][-1], 600)
        seen = moment[span] - np.linspace(moment[span][0], moment[span][-1], 600)
        assert np.corrcoef(wanted.ravel(), seen.ravel())[0, 1] > 0.995


def test_vectorcardiogram_goes_on_without_a_jump(data):
    source = simulation(f"sim:vcg?record={data}/vcg/s0010_re&seconds=200")
    beating = source.beating()[0]
    peaks = np.array([sample for sample, _ in beating.peaks(0, 200_000)])
    rr = np.diff(peaks)
    assert rr.min() > 650
    assert rr.max() < 800
    moment = beating.moments(0, 200_000)[0]
    assert np.abs(np.diff(moment, axis=0)).max() <= np.abs(np.diff(moment[:36_000], axis=0)).max()
    parts = [peak for start in range(0, 200_000, 9000) for peak in beating.peaks(start, min(200_000, start + 9000))]
    assert parts == beating.peaks(0, 200_000)


def test_vectorcardiogram_at_another_rate_is_the_same_heart(data):
    spec = f"sim:vcg?record={data}/vcg/s0010_re&seconds=30"
    slow = simulation(spec).beating()[0].moments(0, 30_000)[0]
    fast = simulation(spec + "&rate=2000").beating()[0].moments(0, 60_000)[0]
    assert np.abs(fast[::2] - slow).max() < 5e-3 * np.abs(slow).max()


def test_vectorcardiogram_has_waves_where_another_rule_finds_them(data):
    """The truth's marks against those of the averaged field over the array, within the experts' own spread (CSE)."""
    source = simulation(f"sim:vcg?record={data}/vcg/s0010_re&seconds=38&noise=0&x=0")
    beating = source.beating()[0]
    peaks = np.array([sample for sample, _ in beating.peaks(1000, 37_000)])
    marks = (beating.fiducials(1000, 37_000) - peaks[:, None]) / source.rate
    assert np.ptp(marks, axis=0).max() < 1e-9
    clean = np.concatenate([chunk.clean for chunk in source.chunks()])[:, :36]
    beats = np.mean([clean[peak - 350 : peak + 500] for peak in peaks], axis=0)
    found = wave_fiducials(np.arange(-350, 500) / 1000, beats)
    seen = [found.p_onset, found.p_end, found.qrs_onset, found.qrs_end, found.t_peak, found.t_end]
    np.testing.assert_array_less(np.abs(marks[0] - seen), [0.0102, 0.0127, 0.0065, 0.0116, 0.0102, 0.0306])


def test_vectorcardiogram_has_the_same_waves_at_another_rate_and_when_it_plays_again(data):
    spec = f"sim:vcg?record={data}/vcg/s0010_re&seconds=120"
    slow, fast = (simulation(f"{spec}&rate={rate}").beating()[0] for rate in (1000, 2000))
    marks = slow.fiducials(0, 120_000)
    assert len(marks) == len(slow.peaks(0, 120_000)) > 150
    assert np.isfinite(marks).all()
    distance = marks - np.array([sample for sample, _ in slow.peaks(0, 120_000)])[:, None]
    assert np.ptp(distance, axis=0).max() < 1e-9
    twice = fast.fiducials(4000, 8000)[0] - fast.peaks(4000, 8000)[0][0]
    np.testing.assert_allclose(twice / 2, distance[0], atol=2)


def test_a_beat_unlike_the_others_has_no_marks(data):
    heart = simulation(f"sim:vcg?record={data}/vcg/s0010_re&seconds=30").hearts[0]
    other = heart.vector.copy()
    other[heart.peaks[5] - 60 : heart.peaks[5] + 60] *= [-1.0, 1.0, -0.5]
    marks, alike = wave_marks(other, heart.peaks, heart.rate)
    assert not alike[5]
    assert alike.sum() == len(alike) - 1
    np.testing.assert_allclose(marks, heart.marks, atol=2)


def test_fetal_preset_has_two_hearts_of_their_own_rates():
    source = simulation("sim:fetal?seconds=30")
    counts = [len(heart.peaks(0, 30_000)) for heart in source.beating()]
    assert counts[0] == pytest.approx(70, abs=2)
    assert counts[1] == pytest.approx(37.5, abs=2)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sim:adul", "did you mean 'adult'"),
        ("sim:", "there are adult"),
        ("sim:adult?secnds=3", "did you mean 'seconds'"),
        ("sim:adult?seconds=x", "seconds must be a number, got 'x'"),
        ("sim:adult?seed=1.5", "seed must be a whole number"),
        ("sim:adult?seconds", "needs a value"),
        ("sim:adult?seconds=nan", "must be a number"),
        ("sim:adult?seconds=-1", "at least one sample"),
        ("sim:adult?rate=0", "rate must be"),
        ("sim:adult?block=0", "at least 1 sample"),
        ("sim:adult?seed=-3", "seed is 0 or more"),
        ("sim:adult?heart_rate=1000", "20 to 300"),
        ("sim:adult?noise=-1", "noise needs"),
        ("sim:adult?mains=5", "line frequency"),
        ("sim:adult?bits=4", "bits must be 8 to 32"),
        ("sim:adult?room=ligt", "did you mean 'light'"),
        ("sim:adult?sensor=qzfm", "did you mean 'qzfm"),
        ("sim:adult?conductor=torso", "torso=FOLDER"),
        ("sim:adult?conductor=ball", "no conductor"),
        ("sim:adult?breath_mm=100", "motion must be"),
        ("sim:adult?range_nT=0", "range_nT must be"),
        ("sim:adult?depth=0", "depth must be"),
        ("sim:adult?rows=0", "a grid needs"),
        ("sim:adult?rows=3000&columns=3000", "at most 65536"),
        ("sim:adult?x=inf", "x must be"),
        ("sim:adult?pitch=0", "pitch must be"),
        ("sim:adult?depth=25&position_mm=49", "must lie above the sources"),
        ("sim:fetal?conductor=sphere", "sources must be inside"),
        ("sim:vcg", "record=PATH"),
        ("sim:vcg?record=nosuch", "no such record"),
    ],
)
def test_a_wrong_spec_is_refused_in_one_sentence(spec, message):
    with pytest.raises(InputError, match=message) as caught:
        simulation(spec)
    assert str(caught.value).count("\n") == 0


def test_a_record_without_frank_leads_is_refused(data):
    with pytest.raises(InputError, match="Frank leads vx, vy, vz"):
        simulation(f"sim:vcg?record={data}/beats/100")


def test_truth_is_what_was_simulated(tmp_path):
    source = simulation("sim:adult?seconds=4")
    path = tmp_path / "a.truth.h5"
    write_truth(path, source)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.truth.h5"]
    recording = np.concatenate([block.data for block in source.blocks()])
    with h5py.File(path) as file:
        assert file["dipole_Am"].shape == (1, 3, 4000)
        clean = file["clean_T"][:]
        lead = np.linalg.lstsq(file["dipole_Am"][0].T, clean, rcond=None)[0]
        np.testing.assert_allclose(file["dipole_Am"][0].T @ lead, clean, atol=1e-20)
        rest = recording - clean - sum(part[:] for part in file["interference"].values())
        assert 0.2e-12 < rest.std() < 0.6e-12
        peaks = file["r_peak_sample"][:]
        size = np.linalg.norm(file["dipole_Am"][0], axis=0)
        assert all(size[peak] == size[max(0, peak - 100) : peak + 100].max() for peak in peaks)
        assert file["dipole_position_m"].shape == (1, 3)
        assert file["hearts/0/beat_kind"][0] == b"normal"
        assert file["sensors/name"].asstr()[0] == "S01"


def test_truth_of_an_empty_room_has_no_heart(tmp_path):
    write_truth(tmp_path / "e.truth.h5", simulation("sim:empty-room?seconds=1"))
    with h5py.File(tmp_path / "e.truth.h5") as file:
        assert file["dipole_Am"].shape == (0, 3, 1000)
        assert len(file["r_peak_sample"]) == 0


def test_truth_without_an_end_is_refused(tmp_path):
    with pytest.raises(InputError, match="add seconds=60"):
        write_truth(tmp_path / "x.truth.h5", simulation("sim:adult"))


def test_truth_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        write_truth(tmp_path / "no" / "x.truth.h5", simulation("sim:adult?seconds=1"))


def test_starting_a_simulation_loads_nothing_heavy():
    code = (
        "import sys; from zeromag.acquire.simulate import simulation; next(simulation('sim:adult').blocks());"
        "print([m for m in ('scipy', 'numba', 'mne', 'h5py', 'wfdb', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

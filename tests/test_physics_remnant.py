"""Residual fields that real sensors read, in a simulated array."""

import json
from itertools import permutations, product

import mne
import numpy as np
import pytest

from zeromag.acquire.simulate import simulation
from zeromag.errors import InputError
from zeromag.physics.arrays import grid, with_references
from zeromag.physics.opm import Opm
from zeromag.physics.outside import GRADIENTS
from zeromag.physics.remnant import read_remnant, remnant
from zeromag.physics.sensor_errors import RealArray


@pytest.mark.parametrize(
    ("name", "sensors", "rms"),
    [("Bxyz_0mA", 19, (17.6, 5.7, 11.6)), ("Bxyz_optimized", 19, (6.2, 2.0, 1.2)), ("fine_zero_y", 19, None)],
)
def test_the_real_readings_are_those_of_the_data(data, name, sensors, rms):
    """data/README.md: rms per axis of the running sensors."""
    fields = read_remnant(data / "opm_remnant" / f"{name}.txt")
    assert fields.shape == (sensors, 3)
    if rms:
        np.testing.assert_allclose(1e9 * np.sqrt(np.mean(fields**2, axis=0)), rms, atol=0.05)


def test_each_sensor_has_one_reading_in_its_own_axes():
    readings = np.random.default_rng(1).normal(size=(7, 3)) * 1e-9
    array = grid(7, 4)  # four times round
    fields = remnant(readings, array, (1,)).fields
    np.testing.assert_allclose(np.sqrt(np.mean(fields**2, axis=0)), np.sqrt(np.mean(readings**2, axis=0)))
    assert len(np.unique(fields[:7], axis=0)) == 7
    np.testing.assert_array_equal(fields[:7], fields[7:14])
    assert not np.array_equal(fields, remnant(readings, array, (2,)).fields)


def test_the_channels_of_a_triaxial_sensor_share_its_reading():
    readings = np.random.default_rng(1).normal(size=(50, 3)) * 1e-9
    array = with_references(grid(2, 2))
    fields = remnant(readings, array, (1,)).fields
    assert len(np.unique(fields, axis=0)) == 8
    for first in range(4, 16, 3):
        np.testing.assert_array_equal(fields[first], fields[first + 1])
        assert fields[first] in readings  # X, Y, Z of a sensor that points along z are x, y, z


def test_it_is_what_the_sensors_read_and_what_tilts_them(data):
    path = data / "opm_remnant" / "Bxyz_optimized.txt"
    spec = f"sim:adult?seconds=1&remnant={path}&sensor=qzfm-gen3&range_nT=50&residual_nT=0"
    source = simulation(spec)
    fields = read_remnant(path)
    part = next(each for each in source.room if each.name == "remnant")
    bias = part.vectors(source.sensors.positions, ())
    assert {tuple(row) for row in bias[:19].round(15)} == {tuple(row) for row in fields.round(15)}
    ideal = RealArray(source.sensors, np.ones(48), None)
    real = source.real_array()
    alone = Opm(spread=0).biased(ideal, bias)
    np.testing.assert_array_equal(real.gain, alone.gain)
    tilt = np.degrees(np.arccos((real.sensors.axes * source.sensors.axes).sum(axis=1)))[:36]
    assert np.sqrt(np.mean(tilt**2)) > 10  # 6 nT across: nulled this far only, directions are not to be trusted
    chunk = next(iter(source.chunks()))
    np.testing.assert_allclose(chunk.interference["remnant"][0], (bias * real.sensors.axes).sum(axis=1))


def test_only_gradients_of_the_residual_are_left_beside_it(data):
    source = simulation(f"sim:adult?remnant={data}/opm_remnant/Bxyz_optimized.txt")
    residual = next(each for each in source.room if each.name == "residual")
    assert (residual.field, residual.gradient) == (0, pytest.approx(2.1e-9))


def test_coils_off_rail_an_open_loop_sensor(data):
    """11.6 nT rms along the sensitive axis are beyond ±5 nT."""
    source = simulation(f"sim:adult?seconds=1&remnant={data}/opm_remnant/Bxyz_0mA.txt&sensor=qzfm-gen3")
    values = np.concatenate([block.data for block in source.blocks()])
    railed = np.all(np.abs(values) == source.sensors.limit, axis=0)
    assert 5 < railed[:36].sum() < 36


def test_a_sensor_that_turns_reads_its_own_field(data):
    path = f"{data}/opm_remnant/Bxyz_optimized.txt"
    source = simulation(f"sim:empty-room?seconds=1&remnant={path}&residual_nT=0&breath_mm=3&mains=0")
    chunk = list(source.chunks())[4]
    against_room, _ = source.motion.start(1000.0, (1, 7), lambda *_: [])
    turn = against_room(chunk.first, len(chunk.data))[:, 3:]
    bias = next(each for each in source.room if each.name == "remnant").vectors(np.zeros(3), ())
    wanted = np.stack([(bias * np.cross(each, source.sensors.axes)).sum(axis=1) for each in turn])
    assert np.abs(wanted).max() > 1e-12
    np.testing.assert_allclose(chunk.interference["motion"], wanted, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("# nothing\n", "no sensor was running"),
        ("00:01 nan nan nan 1\n", "no sensor was running"),
        ("00:01 1.0 2.0\n", "line 1 must be a channel and X Y Z"),
        ("# head\n00:01 1.0 x 2.0 1\n", "line 2 must be"),
    ],
)
def test_a_wrong_table_is_refused_in_one_sentence(tmp_path, text, message):
    path = tmp_path / "fields.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        simulation(f"sim:adult?remnant={path}")


@pytest.mark.parametrize(("name", "explained"), [("Bxyz_0mA", 0.50), ("Bxyz_optimized", 0.29)])
def test_the_real_readings_are_no_smooth_field(data, name, explained):
    """Why no gradient is made of them, see docs/simulation.md.

    The 48 ways in which sensor axes can lie, in slot and helmet frame, are tried.
    """
    folder = data / "opm_remnant"
    info = mne.io.read_info(folder / "helmet_99channel_size-60.fif", verbose="ERROR")
    slots = json.loads((folder / "mapping.json").read_text())
    lines = [line.split() for line in (folder / f"{name}.txt").read_text().splitlines() if not line.startswith("#")]
    readings = {words[0]: np.array(words[1:4], dtype=float) for words in lines}
    running = [channel for channel in slots if np.isfinite(readings[channel]).all()]
    loc = np.array([info["chs"][info["ch_names"].index(f"A{slots[channel]}")]["loc"] for channel in running])
    away = (loc[:, :3] - loc[:, :3].mean(axis=0)) * 1e-3  # the file is in mm
    wanted = np.concatenate([readings[channel] for channel in running])
    best = 0.0
    for frames in (loc[:, 3:].reshape(-1, 3, 3), np.tile(np.eye(3), (len(running), 1, 1))):
        for order in permutations(range(3)):
            for signs in product((1, -1), repeat=3):
                axes = frames[:, order] * np.array(signs)[:, None]
                gradients = [np.einsum("nki,ni->nk", axes, away @ gradient) for gradient in GRADIENTS]
                basis = np.concatenate([axes, np.stack(gradients, axis=2)], axis=2).reshape(-1, 8)
                left = wanted - basis @ np.linalg.lstsq(basis, wanted, rcond=None)[0]
                best = max(best, 1 - left @ left / (wanted @ wanted))
    assert best == pytest.approx(explained, abs=0.01)

"""The main job on real input: a real heart's vector, real OPM noise, real beats; against the truth and the peers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import h5py
import mne
import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray

from tests.commands import zeromag
from zeromag.acquire.fif import to_raw
from zeromag.acquire.simulate import simulation
from zeromag.acquire.source import open_source
from zeromag.offline import map_recording
from zeromag.physics.halfspace import HalfSpace
from zeromag.scan.outcome import Outcome
from zeromag.scan.scan import Scan
from zeromag.session import Session

REAL_HEART = "sim:vcg?record={data}/vcg/s0010_re&seconds=38"
BEATS = {"100": (1.0, 1.0), "102": (1.0, 1.0), "106": (0.999, 1.0), "119": (1.0, 1.0), "123": (0.998, 1.0)}
ANNOTATED = set("NLRBAaJSVrFejnE/fQ?")  # the annotation codes that are beats


def mapped(source: str, block: int = 1000) -> Outcome:
    return map_recording(Session(source=source), block=block)


def scanned(source: str, block: int) -> Outcome:
    """The scan as `live` runs it: everything on one thread, block after block."""
    blocks = simulation(source, block=block).blocks()
    head = next(blocks)
    live = Scan(head, Session(source=source))
    live(head)
    for piece in blocks:
        live(piece)
    return live.finish()


@pytest.fixture(scope="module")
def scan(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real vectorcardiogram in the simulated room, recorded as FIF and mapped, by the commands."""
    folder = tmp_path_factory.mktemp("vcg")
    assert zeromag("simulate", REAL_HEART.format(data=data), "--out", folder / "v.fif").returncode == 0
    assert zeromag("map", folder / "v.fif", "--out", folder).returncode == 0
    return folder


def true_map(scan: Path, seconds: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The mean field that the true dipole makes on the map's grid, `seconds` from R, above the PR segment."""
    with h5py.File(scan / "v.fif.truth.h5") as truth, h5py.File(scan / "maps.h5") as maps:
        dipole, place = truth["dipole_Am"][0], truth["dipole_position_m"][:]
        x, y = np.meshgrid(maps["x"][:], maps["y"][:])
        mask = maps["mask"][:]
        peaks, later = truth["r_peak_sample"][1:-1].tolist(), round(seconds * 1000)
        moments = [dipole[:, r + later] - dipole[:, r - 100 : r - 60].mean(axis=1) for r in peaks]
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    field = HalfSpace().field(place, points)[:, 0, 2] @ np.mean(moments, axis=0)
    return field.reshape(x.shape), mask


def test_a_real_heart_is_counted(scan: Path) -> None:
    numbers = (scan / "summary.json").read_bytes()
    assert hashlib.sha256(numbers).hexdigest() in (scan / "report.html").read_text(encoding="utf-8")
    summary = json.loads(numbers)
    counted = sum(summary["beats"].values()) + sum(summary["beats_left_out"].values())
    assert abs(counted - 52) <= 1
    assert summary["heart_rate"]["value"] == pytest.approx(81.9, abs=0.5)


@pytest.mark.parametrize(("wave", "alike", "wrong"), [("R", 0.995, 0.10), ("T", 0.98, 0.10)])
def test_a_real_hearts_map_is_the_true_field(scan: Path, wave: str, alike: float, wrong: float) -> None:
    with h5py.File(scan / "maps.h5") as maps:
        time, bz, mask = maps["time"][:], maps["bz"][:], maps["mask"][:]
    late = (time > 0.15) & (time < 0.45)
    power = np.where(late, np.mean(bz[:, mask] ** 2, axis=1), 0.0)
    row = int(np.argmin(np.abs(time))) if wave == "R" else int(np.argmax(power))
    truth, _ = true_map(scan, float(time[row]))
    found, true = bz[row][mask], truth[mask]
    assert np.corrcoef(found, true)[0, 1] > alike  # measured: 0.9988 at R, 0.99996 at T
    assert np.linalg.norm(found - true) / np.linalg.norm(true) < wrong  # measured: 0.051 and 0.019


def test_the_fif_holds_the_simulation_bit_for_bit(scan: Path, data: Path) -> None:
    simulated = np.concatenate([block.data for block in open_source(REAL_HEART.format(data=data)).blocks()])
    recorded = np.concatenate([block.data for block in open_source(str(scan / "v.fif"), block=777).blocks()])
    np.testing.assert_array_equal(recorded, simulated)


def test_beats_of_magnetometers_are_those_of_the_map(scan: Path, tmp_path: Path) -> None:
    table = tmp_path / "beats.tsv"
    assert zeromag("beats", scan / "v.fif", "--out", table).returncode == 0
    found = [line.split("\t") for line in table.read_text().splitlines()[1:]]
    events = [line.split("\t") for line in (scan / "events.tsv").read_text().splitlines()[1:]]
    mapped_beats = [(round(float(row[0]), 6), row[2]) for row in events if row[2].startswith("beat/")]
    assert [(float(row[0]), row[2]) for row in found] == mapped_beats


@pytest.mark.parametrize("record", sorted(BEATS))
def test_beats_of_real_ecgs_are_found_no_worse_than_by_the_best_peer(record: str, data: Path, tmp_path: Path) -> None:
    table = tmp_path / "beats.tsv"
    assert zeromag("beats", data / "beats" / f"{record}.hea", "--out", table).returncode == 0
    found = np.array([float(line.split("\t")[1]) for line in table.read_text().splitlines()[1:]])
    notes = wfdb.rdann(str(data / "beats" / record), "atr")
    true = np.array([s for s, symbol in zip(notes.sample, notes.symbol, strict=True) if symbol in ANNOTATED])
    nearest = np.abs(found[:, None] - true[None]).argmin(axis=0)
    hits = np.abs(found[nearest] - true) <= 0.15 * 360
    sensitivity, predictivity = hits.mean(), len(set(nearest[hits].tolist())) / len(found)
    assert round(float(sensitivity), 3) >= BEATS[record][0]
    assert round(float(predictivity), 3) >= BEATS[record][1]


SHORT = "sim:adult?seconds=6&heart_rate=90&seed=3"


@pytest.fixture(scope="module")
def whole() -> Outcome:
    return mapped(SHORT)


@pytest.mark.parametrize("block", [1, 7, 640])
def test_no_block_size_changes_one_bit(whole: Outcome, block: int) -> None:
    cut = scanned(SHORT, block)
    for name in ("beats", "events", "parameters", "dipoles", "cleaning", "channels", "heart_rate", "usable"):
        assert repr(getattr(whole, name)) == repr(getattr(cut, name)), name  # repr: NaN is NaN, and no bit is lost
    for one, other in zip(whole.averages, cut.averages, strict=True):
        np.testing.assert_array_equal(one.wave, other.wave)
    for name in ("bz", "bz_sd", "jx", "jy"):
        np.testing.assert_array_equal(getattr(whole.maps["normal"], name), getattr(cut.maps["normal"], name))


def test_an_asymmetric_heart_stands_where_it_is() -> None:
    """A dipole to the patient's left and headward, its current to the left: the positive pole lies towards the head."""
    outcome = mapped("sim:adult?seconds=12&x=25&y=20&depth=90&seed=2")
    field_map = outcome.maps["normal"]
    at_r = field_map.bz[int(np.argmin(np.abs(field_map.time)))]
    visible = np.where(field_map.grid.mask, at_r, np.nan)
    row, column = np.unravel_index(np.nanargmin(visible), visible.shape)
    assert field_map.grid.x[column] > 0.0
    dipole = min(outcome.dipoles, key=lambda one: abs(one.time))
    np.testing.assert_allclose(dipole.position, (0.025, 0.020, -0.090), atol=0.003)
    assert dipole.moment[0] > 0
    assert field_map.grid.y[row] < 0.020  # the negative pole lies footward of a current to the left


def test_real_opm_noise_maps_to_no_heart(data: Path) -> None:
    outcome = mapped(str(data / "opm_noise" / "20220623_095714.cMEG"))
    assert outcome.usable["answer"] != "yes"
    assert outcome.no_map
    assert outcome.beats == ()
    assert "HomogeneousField" in [stage["stage"] for stage in outcome.cleaning]


def test_gaps_bad_channels_and_references_of_a_fif_are_understood(tmp_path: Path) -> None:
    source = simulation("sim:adult?seconds=30&heart_rate=70&seed=5")
    raw = to_raw(source.sensors, source.rate, source.blocks())
    raw.info["bads"] = ["S08"]
    raw.set_annotations(mne.Annotations([12.0], [0.037], ["BAD_ACQ_SKIP"]))
    path = tmp_path / "scan_meg.fif"
    raw.save(path, fmt="double", verbose="error")
    outcome = mapped(str(path))
    assert [(gap.sample, gap.samples) for gap in outcome.gaps] == [(12000, 37)]
    assert outcome.channels["S08"]["status"] == "bad"
    assert "12 references" in outcome.chain_reason
    assert outcome.heart_rate is not None
    assert outcome.heart_rate["value"] == pytest.approx(70, abs=1.5)
    assert not outcome.averages[0].good[outcome.averages[0].sensors.names.index("S08")]
    assert outcome.maps["normal"].grid.mask.all(axis=1).any()  # one missing sensor is bridged

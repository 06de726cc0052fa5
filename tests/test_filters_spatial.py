"""Spatial filters against MNE, the tables of published and verified figures, and a real OPM recording."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.arrays import array, curved, hearts, planar, planar_triaxial, two_layers, with_references
from zeromag.block import Block
from zeromag.filters import HomogeneousField, JointFit, Mains
from zeromag.filters.external import external_basis, external_rank, orthonormal
from zeromag.filters.far_sources import far_fields, predicted_shielding
from zeromag.filters.meter import Spatial
from zeromag.pipeline import Chain
from zeromag.sensors import SensorArray


def matrix(stage: Spatial, sensors: SensorArray) -> NDArray[np.float64]:
    return stage.plan(sensors)(sensors.usable()).matrix(len(sensors))


def mne_info(sensors: SensorArray):  # type: ignore[no-untyped-def]
    import mne
    from mne.io.constants import FIFF

    info = mne.create_info(list(sensors.names), 1000.0, "mag", verbose=False)
    for c, ch in enumerate(info["chs"]):
        ez = sensors.axes[c]
        ex = np.cross(ez, [0.3, -0.5, 0.8])
        ex /= np.linalg.norm(ex)
        ch["loc"] = np.concatenate([sensors.positions[c], ex, np.cross(ez, ex), ez])
        ch["coil_type"] = FIFF.FIFFV_COIL_POINT_MAGNETOMETER
        ch["coord_frame"] = FIFF.FIFFV_COORD_DEVICE
    return info


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("make", [planar_triaxial, curved])
def test_projector_is_that_of_mne(make, order: int) -> None:  # type: ignore[no-untyped-def]
    import mne

    sensors = make()
    projs = mne.preprocessing.compute_proj_hfc(mne_info(sensors), order=order, accuracy="point", verbose=False)
    theirs = np.vstack([proj["data"]["data"] for proj in projs])
    theirs = theirs.T @ np.linalg.pinv(theirs.T)
    ours = np.eye(len(sensors)) - matrix(HomogeneousField(order), sensors)
    assert np.abs(ours - theirs).max() < 1e-9


def test_order_1_on_a_plane_is_the_mean() -> None:
    ours = matrix(HomogeneousField(1), planar())
    np.testing.assert_allclose(ours, np.eye(36) - 1 / 36, atol=1e-14)


@pytest.mark.parametrize(
    ("make", "ranks"),
    [
        (planar, (1, 3, 6)),
        (two_layers, (1, 4, 9)),
        (lambda: curved(normal_only=True), (2, 7, 13)),
        (planar_triaxial, (3, 8, 15)),
    ],
)
def test_rank_of_the_external_field(make, ranks) -> None:  # type: ignore[no-untyped-def]
    # a plane seen along its normal tells 3, not 5, gradients apart: blown-up rounding would take more
    assert tuple(external_rank(make(), order) for order in (1, 2, 3)) == ranks


def test_external_fields_have_no_source_and_no_curl() -> None:
    step = 1e-4
    rng = np.random.default_rng(0)
    anchors = np.vstack([np.eye(3), -np.eye(3)])  # fix middle and radius, so that a shifted point keeps its scale
    point = rng.uniform(-0.3, 0.3, size=3)

    def field(at: NDArray[np.float64]) -> NDArray[np.float64]:
        places = np.vstack([anchors, np.tile(at, (3, 1)), np.tile(-at, (3, 1))])
        axes = np.vstack([np.ones((6, 3)), np.eye(3), np.eye(3)])
        return external_basis(places, axes, 3)[6:9]  # (3 components, 15 fields)

    jacobian = np.array([(field(point + step * e) - field(point - step * e)) / (2 * step) for e in np.eye(3)])
    assert np.abs(np.einsum("iif->f", jacobian)).max() < 1e-8
    assert np.abs(jacobian - jacobian.transpose(1, 0, 2)).max() < 1e-8


KEPT = [
    (planar, (0.97, 0.18, 0.11), (22, 50, 75)),
    (planar_triaxial, (0.61, 0.23, 0.08), (23, 47, 73)),
    (two_layers, (0.97, 0.24, 0.11), (22, 46, 73)),
    (curved, (0.67, 0.28, 0.11), (23, 48, 75)),
    (lambda: planar_triaxial(4, 0.05), (0.52, 0.15, 0.04), (24, 52, 80)),
]


@pytest.mark.parametrize(("make", "kept", "shielding"), KEPT)
def test_homogeneous_field_keeps_what_the_table_says(make, kept, shielding) -> None:  # type: ignore[no-untyped-def]
    sensors = make()
    heart, far = hearts(sensors, 1000), far_fields(sensors, count=600)
    for order in (1, 2, 3):
        operator = matrix(HomogeneousField(order), sensors)
        power = ((operator @ heart) ** 2).sum(axis=0) / (heart**2).sum(axis=0)
        assert np.median(power) == pytest.approx(kept[order - 1], abs=0.03)
        factor = np.linalg.norm(far, axis=0) / np.linalg.norm(operator @ far, axis=0)
        assert 20 * np.log10(np.median(factor)) == pytest.approx(shielding[order - 1], abs=2)


@pytest.mark.parametrize(
    ("make", "alike", "noise", "decibels"), [(planar, 0.998, 1.9, 44), (with_references, 0.999, 1.0, 33)]
)
def test_joint_fit_keeps_the_heart(make, alike: float, noise: float, decibels: float) -> None:  # type: ignore[no-untyped-def]
    sensors = make()
    mag = sensors.of_kind("mag")
    operator = matrix(JointFit(rank=10, order=2), sensors)
    heart = hearts(sensors, 1000)
    before, after = heart[mag], (operator @ heart)[mag]
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(before.T, after.T, strict=True)]
    assert np.median(correlation) >= alike
    assert np.median((after**2).sum(axis=0) / (before**2).sum(axis=0)) > 0.93
    assert np.sqrt((operator[mag] ** 2).sum() / len(mag)) <= noise
    assert predicted_shielding(operator, sensors, gain_error=0.0) >= decibels
    assert predicted_shielding(operator, sensors, gain_error=0.01) >= 32


def test_joint_fit_takes_external_fields_to_nothing_and_leaves_references_alone() -> None:
    sensors = with_references()
    operator = matrix(JointFit(), sensors)
    mag, ref = sensors.of_kind("mag"), sensors.of_kind("ref")
    outside = orthonormal(external_basis(sensors.positions, sensors.axes, 2))
    assert np.abs((operator @ outside)[mag]).max() < 1e-10
    np.testing.assert_array_equal(operator[ref], np.eye(48)[ref])


@pytest.mark.parametrize("stage", [HomogeneousField(1), JointFit(order=1)])
def test_a_lost_channel_leaves_the_external_field_out_and_the_others_without_a_step(stage: Spatial) -> None:
    sensors = planar()
    good = np.ones(36, dtype=np.bool_)
    good[[0, 17]] = False
    operator = stage.plan(sensors)(good).matrix(36)
    outside = external_basis(sensors.positions, sensors.axes, 1)
    assert np.abs(operator[good] @ outside).max() < 1e-10
    assert np.abs(operator[np.ix_(good, ~good)]).max() == 0.0  # the lost channels are not read
    # in the stream: offsets that fit no field, one channel goes bad halfway
    rng = np.random.default_rng(0)
    data = 1e-9 * rng.normal(size=36) + np.zeros((4000, 36))
    mask = np.zeros(data.shape, dtype=np.bool_)
    mask[2000:, 17] = True
    data[2000:, 17] += 5e-9
    block = Block(data=data, first=0, rate=1000.0, sensors=sensors, mask=mask)
    out = stage.start(block)(block).data  # type: ignore[attr-defined]
    others = np.delete(out, 17, axis=1)
    assert np.abs(others[2000:] - others[1999]).max() < 1e-16


def test_impossible_orders_are_refused_with_the_number() -> None:
    with pytest.raises(ValueError, match=r"order.*got 4"):
        HomogeneousField(4)
    with pytest.raises(ValueError, match=r"more than 3 magnetometers.*got 3"):
        HomogeneousField(1).plan(planar_triaxial(1))
    with pytest.raises(ValueError, match=r"needs 15 channels.*got 9"):
        JointFit().plan(planar(3))


def read_cmeg(path: Path) -> NDArray[np.float64]:
    """Return (n_rows, n_samples) of big-endian blocks, each two uint32 of its shape and then float64."""
    raw = path.read_bytes()
    parts, at = [], 0
    while at < len(raw):
        rows, columns = np.frombuffer(raw, ">u4", 2, at)
        parts.append(np.frombuffer(raw, ">f8", rows * columns, at + 8).reshape(rows, columns))
        at += 8 + 8 * int(rows) * int(columns)
    return np.concatenate(parts, axis=1).astype(np.float64)


def real_opm(data: Path) -> tuple[NDArray[np.float64], SensorArray]:
    """Return one second of 128 real OPM channels: (n_samples, 128) T."""
    volts = read_cmeg(data / "opm_noise" / "20220623_095714.cMEG")
    with (data / "opm_noise" / "positions.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    places = np.array([[float(row[key]) for key in ("Px", "Py", "Pz")] for row in rows])
    axes = np.array([[float(row[key]) for key in ("Ox", "Oy", "Oz")] for row in rows])
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    tesla = volts[[int(row["row"]) for row in rows]].T / 2.7 * 1e-9
    return np.ascontiguousarray(tesla), array(places, axes)


def amplitude_at_50(tesla: NDArray[np.float64]) -> float:
    """Return the median over channels of the 50 Hz amplitude, Hann-weighted: fT."""
    window = np.hanning(len(tesla))
    turn = window * np.exp(-2j * np.pi * 50 * np.arange(len(tesla)) / 1200.0)
    return float(np.median(np.abs(2 * (turn @ (tesla - tesla.mean(axis=0))) / window.sum()))) * 1e15


def test_real_opm_noise_loses_what_mne_takes(data: Path) -> None:
    import mne

    tesla, sensors = real_opm(data)
    block = Block(data=tesla, first=0, rate=1200.0, sensors=sensors)
    ours = HomogeneousField(1).start(block)(block).data
    assert amplitude_at_50(tesla) == pytest.approx(2134, rel=0.01)
    assert amplitude_at_50(ours) == pytest.approx(400, rel=0.01)
    info = mne_info(sensors)
    with info._unlock():
        info["sfreq"] = 1200.0
    raw = mne.io.RawArray(tesla.T.copy(), info, verbose=False)
    raw.add_proj(mne.preprocessing.compute_proj_hfc(raw.info, order=1, accuracy="point", verbose=False))
    raw.apply_proj(verbose=False)
    assert np.abs(raw.get_data().T - ours).max() < 1e-9 * np.abs(tesla).max()


def test_shuffled_orientations_take_nothing(data: Path) -> None:
    tesla, sensors = real_opm(data)
    shuffled = array(sensors.positions, sensors.axes[np.random.default_rng(1).permutation(128)])
    block = Block(data=tesla, first=0, rate=1200.0, sensors=shuffled)
    ours = HomogeneousField(1).start(block)(block).data
    assert 20 * np.log10(amplitude_at_50(tesla) / amplitude_at_50(ours)) < 1.0


def test_real_opm_noise_loses_twice_the_decibels_with_mains_behind(data: Path) -> None:
    tesla, sensors = real_opm(data)
    block = Block(data=tesla, first=0, rate=1200.0, sensors=sensors)
    ours = Chain((HomogeneousField(1), Mains(50.0))).start(block)(block).data
    late = slice(720, None)  # `Mains` watches for 0.5 s; what is left of the second is too short for more
    before, after = amplitude_at_50(tesla[late]), amplitude_at_50(ours[late])
    assert 20 * np.log10(before / after) > 28  # 14.5 dB without

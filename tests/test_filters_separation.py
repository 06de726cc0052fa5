"""Signal-space separation, temporal separation and the synthetic gradiometer against MNE and known figures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.arrays import hearts, planar, planar_triaxial, with_references
from tests.test_filters_spatial import matrix, mne_info
from zeromag.block import Block
from zeromag.filters import Gradiometer, Multipole, SignalSpaceSeparation, TemporalSeparation
from zeromag.filters.external import orthonormal
from zeromag.filters.far_sources import far_fields, predicted_shielding
from zeromag.filters.harmonics import inside_basis, regular
from zeromag.filters.spheroid import Spheroid, spheroid_about
from zeromag.filters.temporal_separation import temporal_operator
from zeromag.sensors import SensorArray

ORIGIN = (0.0, 0.0, -0.1)
MAXWELL = {
    "origin": ORIGIN,
    "int_order": 4,
    "ext_order": 2,
    "coord_frame": "meg",
    "regularize": None,
    "mag_scale": 1.0,
    "verbose": False,
}


def test_harmonics_are_harmonic() -> None:
    points = np.random.default_rng(0).normal(size=(6, 3))
    step = 1e-5
    value, slope = regular(points, 5)
    numeric = np.stack(
        [(regular(points + step * e, 5)[0] - regular(points - step * e, 5)[0]) / (2 * step) for e in np.eye(3)], axis=2
    )
    np.testing.assert_allclose(slope, numeric, atol=1e-4)
    bend = sum(
        (regular(points + step * e, 5)[1] - regular(points - step * e, 5)[1])[:, :, k] / (2 * step)
        for k, e in enumerate(np.eye(3))
    )
    assert np.abs(bend).max() < 1e-4
    assert value.shape == (6, 35)


def test_a_multipole_of_degree_1_is_a_dipole() -> None:
    places = np.random.default_rng(1).normal(size=(50, 3))
    axes = np.tile([0.0, 0.0, 1.0], (50, 1))
    away = np.linalg.norm(places, axis=1)
    dipole = 3 * places[:, 2] ** 2 / away**5 - 1 / away**3  # along z, seen along z
    basis = inside_basis(places, axes, np.zeros(3), 1)
    assert abs(basis[:, 1] @ dipole) / np.linalg.norm(dipole) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("orders", [(4, 2), (3, 3), (2, 1)])
def test_separation_is_that_of_mne(orders: tuple[int, int]) -> None:
    from mne.preprocessing import compute_maxwell_basis

    sensors = planar_triaxial(8, 0.03)
    settings = MAXWELL | {"int_order": orders[0], "ext_order": orders[1]}
    basis, inverse, _, inner = compute_maxwell_basis(mne_info(sensors), **settings)
    ours = matrix(SignalSpaceSeparation(*orders, origin=ORIGIN), sensors)
    np.testing.assert_allclose(ours, basis[:, :inner] @ inverse[:inner], atol=1e-8)


def test_separation_on_a_plane_says_what_it_costs() -> None:
    sensors = planar(8, 0.03)
    loud, damped = SignalSpaceSeparation(4, 2), SignalSpaceSeparation(4, 2, damping=0.01)
    gains = [np.sqrt((matrix(stage, sensors) ** 2).sum() / 64) for stage in (loud, damped)]
    assert gains[0] > 1.5 > gains[1]
    assert predicted_shielding(matrix(loud, sensors), sensors, gain_error=0.0) > 40
    with pytest.raises(ValueError, match=r"needs 27 channels.*got 9"):
        SignalSpaceSeparation().plan(planar(3))


def near_artefact(seconds: float) -> tuple[SensorArray, NDArray[np.float64], NDArray[np.float64]]:
    """Return an array, a heart, and the same with something that moves just above the array and a swing far off."""
    sensors = planar_triaxial(6, 0.04)
    rng = np.random.default_rng(2)
    time = np.arange(round(seconds * 1000)) / 1000.0
    heart = 10e-6 * hearts(sensors, 1)[:, 0] * np.exp(-0.5 * (((time + 0.3) % 0.8 - 0.4) / 0.02) ** 2)[:, None]
    away = sensors.positions - np.array([0.05, 0.02, 0.12])
    reach = np.linalg.norm(away, axis=1)[:, None]
    moment = np.array([0.3, 0.5, 1.0])
    near = ((3 * away * (away @ moment)[:, None] / reach**5 - moment / reach**3) * sensors.axes).sum(axis=1)
    far = far_fields(sensors, count=1)[:, 0]
    data = heart + 1e-13 * rng.normal(size=heart.shape)
    wave = np.sin(2 * np.pi * 3.3 * time) + 0.5 * rng.normal(size=len(time))
    data += wave[:, None] * near * 50e-12 / np.abs(near).max()
    data += np.sin(2 * np.pi * 1.1 * time)[:, None] * far * 100e-12 / np.abs(far).max()
    return sensors, heart, data


def test_temporal_separation_of_one_window_is_that_of_mne() -> None:
    import mne

    sensors, heart, data = near_artefact(5.0)
    data = data - data.mean(axis=0)
    raw = mne.io.RawArray(data.T.copy(), mne_info(sensors), verbose=False)
    cleaned = mne.preprocessing.maxwell_filter(raw, st_duration=5.0, st_correlation=0.98, **MAXWELL)
    theirs = cleaned.get_data().T
    settings = TemporalSeparation(4, 2, ORIGIN)
    operator = temporal_operator(settings, sensors, data.T @ data, np.ones(len(sensors), dtype=np.bool_))
    ours = data @ operator.matrix(len(sensors)).T
    np.testing.assert_allclose(ours, theirs, atol=1e-6 * np.abs(theirs).max())
    plain = data @ matrix(settings.spatial(), sensors).T
    assert (plain - heart).std() > 5 * (ours - heart).std()


def test_temporal_separation_in_the_stream_does_as_well() -> None:
    sensors, heart, data = near_artefact(8.0)
    block = Block(data=data, first=0, rate=1000.0, sensors=sensors)
    late = slice(5000, None)
    temporal = TemporalSeparation(4, 2, ORIGIN, window=4.0).start(block)(block).data[late]
    plain = SignalSpaceSeparation(4, 2, ORIGIN).start(block)(block).data[late]
    left, before = temporal - heart[late], plain - heart[late]
    assert (before - before.mean(axis=0)).std() > 5 * (left - left.mean(axis=0)).std()


@pytest.mark.parametrize(("order", "kept", "noise", "decibels"), [(1, 0.995, 1.12, 14), (2, 0.89, 2.81, 28)])
def test_gradiometer_does_what_the_table_says(order: int, kept: float, noise: float, decibels: float) -> None:
    sensors = with_references()
    mag = sensors.of_kind("mag")
    operator = matrix(Gradiometer(order), sensors)
    heart = hearts(sensors, 1000)
    after = (operator @ heart)[mag]
    assert np.median((after**2).sum(axis=0) / (heart[mag] ** 2).sum(axis=0)) == pytest.approx(kept, abs=0.06)
    assert np.sqrt((operator[mag] ** 2).sum() / 36) == pytest.approx(noise, rel=0.1)
    assert predicted_shielding(operator, sensors, gain_error=0.0) == pytest.approx(decibels, abs=2)


def test_gradiometer_needs_references_that_see_enough() -> None:
    with pytest.raises(ValueError, match="15 fields apart, got 12 references"):
        Gradiometer(3).plan(with_references())
    with pytest.raises(ValueError, match="got 0 references"):
        Gradiometer().plan(planar())


def on_spheroid(long: float, short: float, count: int = 152) -> SensorArray:
    """Sensors all over a spheroid whose long axis lies along y, looking outward, two more axes every third."""
    from tests.arrays import array

    rng = np.random.default_rng(4)
    # mirrored in all three planes, so that the main axes are the spheroid's
    flips = np.array(np.meshgrid([1, -1], [1, -1], [1, -1])).reshape(3, 8).T
    out = (rng.normal(size=(count // 8 + 1, 1, 3)) * flips).reshape(-1, 3)[:count]
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    places = out * np.array([short, long, short])
    normals = out / np.array([short, long, short])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return array(places + np.array([0.01, -0.02, 0.03]), normals)


def test_the_spheroid_is_found_and_its_fields_have_no_source() -> None:
    sensors = on_spheroid(0.12, 0.09)
    spheroid = spheroid_about(sensors.positions)
    np.testing.assert_allclose(spheroid.middle, [0.01, -0.02, 0.03], atol=1e-9)
    assert abs(spheroid.axes[2, 1]) == pytest.approx(1.0, abs=1e-6)
    assert spheroid.focus == pytest.approx(np.sqrt(0.12**2 - 0.09**2), rel=1e-6)
    assert spheroid.short == pytest.approx(0.09, rel=1e-6)
    # one point, moved along x, y, z and seen along x, y, z; columns share one scale since they are one call
    step, point = 1e-4, np.array([0.1, 0.08, 0.05])
    moved = np.array([point + sign * step * e for e in np.eye(3) for sign in (1, -1)])
    basis = spheroid.inside_basis(np.repeat(moved, 3, axis=0), np.tile(np.eye(3), (6, 1)), 6)
    field = basis.reshape(3, 2, 3, -1)
    slope = (field[:, 0] - field[:, 1]) / (2 * step)  # (moved along, seen along, column)
    size = np.abs(slope).max(axis=(0, 1))
    assert np.abs(np.einsum("iif->f", slope) / size).max() < 1e-4
    assert (np.abs(slope - slope.transpose(1, 0, 2)) / size).max() < 1e-4


def test_short_foci_are_a_sphere() -> None:
    sensors = on_spheroid(0.1, 0.1)
    centre = sensors.positions.mean(axis=0) * 0 + np.array([0.01, -0.02, 0.03])
    round_one = Spheroid(centre, np.eye(3), 1e-3, 0.1)
    ours = orthonormal(round_one.inside_basis(sensors.positions, sensors.axes, 4))
    theirs = orthonormal(inside_basis(sensors.positions, sensors.axes, centre, 4))
    assert np.linalg.svd(ours.T @ theirs)[1].min() > 1 - 1e-6


def test_multipoles_keep_what_is_inside_and_no_far_field() -> None:
    sensors = on_spheroid(0.12, 0.09)
    operator = matrix(Multipole(9, 1), sensors)
    away = sensors.positions - np.array([0.01, 0.0, 0.03])
    reach = np.linalg.norm(away, axis=1)[:, None]
    moment = np.array([0.2, -0.5, 1.0])
    dipole = ((3 * away * (away @ moment)[:, None] / reach**5 - moment / reach**3) * sensors.axes).sum(axis=1)
    outside = sensors.axes  # three uniform fields
    free = dipole - outside @ np.linalg.lstsq(outside, dipole, rcond=None)[0]
    assert np.linalg.norm(operator @ dipole - free) < 1e-3 * np.linalg.norm(free)
    assert np.abs(operator @ outside).max() < 1e-10


def naive_temporal(settings: Multipole, sensors: SensorArray, data: NDArray[np.float64]) -> NDArray[np.float64]:
    """The paper's way on one window of waveforms: inner, outer and what is left, QR of both, cosines by SVD."""
    inside, outside = settings._bases(sensors, np.arange(len(sensors)))
    far = orthonormal(outside)
    free = orthonormal(inside - far @ (far.T @ inside))
    inner = data @ free @ free.T
    between = data - inner - data @ far @ far.T
    one, two = (u[:, s > 1e-9 * s[0]] for u, s, _ in (np.linalg.svd(x, full_matrices=False) for x in (inner, between)))
    _, alike, turn = np.linalg.svd(one.T @ two, full_matrices=False)
    common = two @ turn[alike > settings.correlation].T
    return inner - common @ (common.T @ inner)


def test_temporal_multipoles_are_the_papers_on_one_window() -> None:
    sensors, _, data = near_artefact(4.0)
    data = data - data.mean(axis=0)
    for settings in (
        Multipole(10, 2, basis="heart", correlation=0.98),
        Multipole(10, 2, basis="heart", correlation=0.9),
    ):
        theirs = naive_temporal(settings, sensors, data)
        operator = settings.windowed(sensors)(data.T @ data, np.ones(len(sensors), dtype=np.bool_))
        ours = data @ operator.matrix(len(sensors)).T
        np.testing.assert_allclose(ours, theirs, atol=1e-8 * np.abs(theirs).max())
        plain = data @ matrix(settings, sensors).T
        assert not np.allclose(plain, ours, atol=1e-3 * np.abs(plain).max())  # something common was found


def test_temporal_multipoles_in_the_stream_take_what_is_near() -> None:
    sensors, heart, data = near_artefact(8.0)
    block = Block(data=data, first=0, rate=1000.0, sensors=sensors)
    late = slice(5000, None)
    left = {}
    for inner, limit in ((20, 1.0), (20, 0.98), (10, 0.98)):
        settings = Multipole(inner, 2, basis="heart", correlation=limit, window=4.0)
        out = settings.start(block)(block).data[late]
        known = heart[late] @ matrix(settings, sensors).T  # what the projection leaves of the heart anyway
        error = out - out.mean(axis=0) - (known - known.mean(axis=0))
        left[inner, limit] = error.std(), (out * known).sum() / (known**2).sum()
    assert left[20, 1.0][0] > 30 * left[20, 0.98][0]
    assert left[20, 0.98][1] == pytest.approx(1.0, abs=0.01)
    assert left[10, 0.98][1] < 0.2  # an inner basis too small for the heart has it on both sides: it is taken
    with pytest.raises(ValueError, match=r"at most 1 \(off\), got 1.2"):
        Multipole(correlation=1.2)


def test_multipoles_on_a_plane_take_the_heart_and_say_so_by_their_figures() -> None:
    sensors = planar()
    operator = matrix(Multipole(10, 2, basis="heart"), sensors)
    heart = hearts(sensors, 500)
    kept = np.median(((operator @ heart) ** 2).sum(axis=0) / (heart**2).sum(axis=0))
    assert kept == pytest.approx(0.2, abs=0.05)
    assert 0.4 <= np.sqrt((operator**2).sum() / 36) <= 0.6
    with pytest.raises(ValueError, match="no spheroid fits a flat array"):
        Multipole().plan(sensors)
    with pytest.raises(ValueError, match=r"more than 102 magnetometers.*got 20"):
        Multipole(9, 1).plan(on_spheroid(0.12, 0.09, 20))

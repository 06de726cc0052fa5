"""Distributed sources, loop and dipoles in any conductor, beside MNE-Python, brute force and published bounds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.arrays import UP, array, grid, triaxial
from tests.hearts import F64, TestHeart, planar
from zeromag.mapping.average import Average
from zeromag.mapping.dipole import DipoleFit
from zeromag.mapping.dipole_any import AnyDipoleFitter
from zeromag.mapping.distributed import lcmv, minimum_norm
from zeromag.mapping.heart_loop import heart_loop
from zeromag.mapping.source_gain import SourceGain
from zeromag.mapping.source_image import Imaging
from zeromag.physics.conductor import Conductor, lead_field
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.heart_volume import HeartVolume
from zeromag.physics.mesh import Mesh
from zeromag.physics.sphere import Sphere
from zeromag.physics.torso import Region, Torso, solve
from zeromag.scan.sources import conductor_doubt
from zeromag.sensors import SensorArray

BALL = Sphere((0.0, 0.0, -0.16), 0.15)


def all_good(sensors: SensorArray, noise: float, conductor: Conductor) -> SourceGain:
    n = len(sensors)
    return SourceGain(conductor, sensors, np.ones(n, dtype=bool), np.full(n, noise))


def loud_gain(gains: SourceGain, places: F64) -> F64:
    return np.einsum("csx,sxk->csk", gains(places), gains.basis(places))


@pytest.mark.parametrize("conductor", [HalfSpace(), BALL])
def test_sloreta_finds_every_single_dipole_where_it_is(conductor: Conductor) -> None:
    """Pascual-Marqui 2002: no localisation error for one dipole without noise, whatever its place and direction."""
    places = HeartVolume(0.05, 0.05, 0.06, 0.12, 0.02).points()
    gain = loud_gain(all_good(planar(), 1e-12, conductor), places)
    way, plain = minimum_norm(gain, standardised=True), minimum_norm(gain, depth=0.0)
    angles = np.linspace(0, np.pi, 7)
    misses = 0
    for k in range(len(places)):
        seen = np.stack([gain[:, k] @ [np.cos(a), np.sin(a)] for a in angles])
        found = way.strength(way.moments(seen)).argmax(axis=1)
        assert (found == k).all()
        misses += int((plain.strength(plain.moments(seen)).argmax(axis=1) != k).sum())
    assert misses > len(places)  # the plain minimum norm does err: the test can fail


def mne_scene() -> tuple[object, object, F64, F64]:
    """An MNE forward of triaxial sensors over a sphere, an evoked of one second of noise and two dipoles."""
    import mne

    places, axes = triaxial(grid(4, 0.04))
    sensors = array(places, axes)
    info = mne.create_info(list(sensors.names), 1000.0, "mag", verbose="error")
    for channel, place, axis in zip(info["chs"], sensors.positions + np.array([0, 0, 0.16]), sensors.axes, strict=True):
        across = np.cross(axis, [1.0, 0.0, 0.0] if abs(axis[0]) < 0.9 else [0.0, 1.0, 0.0])
        across /= np.linalg.norm(across)
        channel["loc"][:12] = [*place, *across, *np.cross(axis, across), *axis]
        channel["coil_type"] = 2000
    info["dev_head_t"] = mne.transforms.Transform("meg", "head", np.eye(4))
    sphere = mne.make_sphere_model((0.0, 0.0, 0.0), 0.15, info=info, verbose="error")
    points = HeartVolume(0.04, 0.04, 0.07, 0.11, 0.02).points() + np.array([0, 0, 0.16])
    pos = {"rr": points, "nn": np.tile(UP, (len(points), 1))}
    space = mne.setup_volume_source_space(None, pos=pos, sphere=(0.0, 0.0, 0.0, 0.15), mindist=0.0, verbose="error")
    forward = mne.make_forward_solution(info, None, space, sphere, eeg=False, verbose="error")
    gain = forward["sol"]["data"].reshape(len(sensors), -1, 3)
    random = np.random.default_rng(0)
    course = random.normal(size=(2, 400))
    data = 1e-5 * (np.outer(gain[:, 10, 0], course[0]) + np.outer(gain[:, 60, 1], course[1]))
    data += random.normal(scale=1e-12, size=data.shape)
    return mne.EvokedArray(data, info, verbose="error"), forward, gain, data


def test_minimum_norm_and_sloreta_are_those_of_mne() -> None:
    import mne

    evoked, forward, gain, data = mne_scene()
    covariance = mne.make_ad_hoc_cov(evoked.info, std={"mag": 1e-12}, verbose="error")  # type: ignore[attr-defined]
    operator = mne.minimum_norm.make_inverse_operator(
        evoked.info, forward, covariance, loose=1.0, depth=None, fixed=False, verbose="error",  # type: ignore[attr-defined]
    )  # fmt: skip
    theirs = {
        method: mne.minimum_norm.apply_inverse(evoked, operator, 1 / 9, method, pick_ori="vector", verbose="error").data
        for method in ("MNE", "sLORETA")
    }
    white = gain / 1e-12
    ours = minimum_norm(white, depth=0.0).moments(data.T / 1e-12)
    assert np.abs(ours.transpose(1, 2, 0) - theirs["MNE"]).max() < 1e-4 * np.abs(theirs["MNE"]).max()
    # MNE divides all three components by one number, the root of the blocks' trace; ours uses the whole block, and
    # in a sphere the block is singular: compare what both have, the blocks' traces
    n, sources, k = white.shape
    flat = white.reshape(n, -1)
    prior = n / np.sum(flat**2)
    covariance_matrix = prior * flat @ flat.T + np.eye(n) / 9
    block = prior**2 * np.einsum("ia,ij,ja->a", flat, np.linalg.inv(covariance_matrix), flat)
    pooled = ours.transpose(1, 2, 0) / np.sqrt(block.reshape(sources, k).sum(axis=1))[:, None, None]
    scale = np.abs(theirs["sLORETA"]).max() / np.abs(pooled).max()
    assert np.abs(scale * pooled - theirs["sLORETA"]).max() < 1e-4 * np.abs(theirs["sLORETA"]).max()


def test_the_beamformer_is_that_of_mne() -> None:
    import mne

    evoked, forward, gain, data = mne_scene()
    centred = data - data.mean(axis=1, keepdims=True)
    matrix = centred @ centred.T / (data.shape[1] - 1)
    names = evoked.ch_names  # type: ignore[attr-defined]
    covariance = mne.Covariance(matrix, names, [], [], data.shape[1] - 1, verbose="error")
    filters = mne.beamformer.make_lcmv(
        evoked.info, forward, covariance, reg=0.05, pick_ori="vector", weight_norm=None, depth=None,  # type: ignore[attr-defined]
        reduce_rank=True, verbose="error",
    )  # fmt: skip
    theirs = mne.beamformer.apply_lcmv(evoked, filters, verbose="error").data
    tangential = np.linalg.svd(np.moveaxis(gain, 1, 0), full_matrices=False)[2][:, :2].transpose(0, 2, 1)
    ours = lcmv(np.einsum("csx,sxk->csk", gain / 1e-12, tangential), data.T / 1e-12).moments(data.T / 1e-12)
    vectors = np.einsum("tsk,sxk->sxt", ours, tangential)
    assert np.abs(vectors - theirs).max() < 1e-3 * np.abs(theirs).max()


def test_the_beamformer_tells_two_hearts_beats_apart_and_loses_what_beats_together() -> None:
    places = HeartVolume(0.05, 0.05, 0.07, 0.11, 0.02).points()
    gain = loud_gain(all_good(planar(8, 0.03), 0.1e-12, HalfSpace()), places)
    random, two = np.random.default_rng(1), (8, 70)
    apart = random.normal(size=(500, 2))
    together = np.repeat(apart[:, :1], 2, axis=1)
    strengths = {}
    for name, course in (("apart", apart), ("together", together)):
        seen = 1e-5 * sum(np.outer(course[:, j], gain[:, k, j]) for j, k in enumerate(two))
        seen += random.normal(size=seen.shape)
        way = lcmv(gain, seen, load=1e-6)
        power = np.sqrt(np.mean(way.moments(seen) ** 2, axis=(0, 2)))[list(two)]
        strengths[name] = power * np.sqrt(2) / 1e-5
    assert strengths["apart"] == pytest.approx([1, 1], abs=0.1)
    assert (strengths["together"] < 0.3).all()  # science §6: coherent heart sources cancel in LCMV


def sphere_mesh(times: int = 3) -> Mesh:
    """A ball of 0.15 m around BALL's centre, from an icosahedron cut `times` times."""
    import mne

    surface = mne.surface._get_ico_surface(times)
    return Mesh(surface["rr"] * BALL.radius + BALL.centre, surface["tris"].astype(np.int64))


@pytest.fixture(scope="module")
def torso(tmp_path_factory: pytest.TempPathFactory) -> Torso:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZEROMAG_CACHE", str(tmp_path_factory.mktemp("cache")))
        return solve((Region(sphere_mesh(), 0.2, 0.0),))


def test_a_torso_asked_often_is_the_same_torso(torso: Torso) -> None:
    sensors, places = planar(3), np.array([[0.01, 0.0, -0.1], [0.0, 0.03, -0.08]])
    quick = torso.seen_by(sensors.positions, sensors.axes)(places)
    slow = lead_field(torso, places, sensors.positions, sensors.axes)
    assert np.abs(quick - slow).max() < 1e-12 * np.abs(slow).max()


@pytest.mark.parametrize("body", ["half-space", "sphere", "torso"])
def test_a_dipole_without_noise_is_found_exactly_in_any_conductor(body: str, torso: Torso) -> None:
    conductor: Conductor = {"half-space": HalfSpace(), "sphere": BALL, "torso": torso}[body]
    sensors = array(*triaxial(grid(4, 0.05)))
    gains = all_good(sensors, 1e-13, conductor)
    starts = HeartVolume(0.05, 0.05, 0.05, 0.13, 0.03).points()
    fitter = AnyDipoleFitter(gains, starts)
    random = np.random.default_rng(0)
    for _ in range(3):
        place = np.array([*random.uniform(-0.04, 0.04, 2), -random.uniform(0.06, 0.12)])
        wanted = gains.basis(place[None])[0] @ random.normal(scale=8e-6, size=gains.loud)
        found = fitter((gains(place[None])[:, 0] @ wanted) * 1e-13)
        assert np.linalg.norm(np.array(found.position) - place) < 2e-5
        assert np.allclose(found.moment, wanted, atol=2e-9)
    assert gains.loud == (3 if body == "torso" else 2)


def test_bound_and_volume_are_those_of_the_compiled_fit() -> None:
    """Two independent ways to one bound: differences in the kernel, and of the general lead field."""
    sensors = planar()
    place, moment = np.array([0.013, -0.022, -0.10]), np.array([8e-6, -6e-6, 0.0])
    noise = np.random.default_rng(2).normal(scale=1e-12, size=36)
    field = lead_field(HalfSpace(), place[None], sensors.positions, sensors.axes)[:, 0] @ moment + noise
    quick = DipoleFit().of(sensors, np.ones(36, dtype=bool), np.full(36, 1e-12))(field)
    starts = HeartVolume(0.06, 0.06, 0.05, 0.2, 0.03).points()
    slow = AnyDipoleFitter(all_good(sensors, 1e-12, HalfSpace()), starts)(field)
    for name in ("position", "moment", "goodness", "volume", "bound", "chi2"):
        assert getattr(slow, name) == pytest.approx(getattr(quick, name), rel=2e-3, abs=1e-8), name


def beat_in(conductor: Conductor, noise: float = 0.05e-12) -> tuple[Average, F64, TestHeart]:
    heart, sensors = TestHeart(), planar()
    time = np.arange(-300, 501) / 1000
    moments = heart.beat(time)
    gains = lead_field(conductor, np.array([heart.place]), sensors.positions, sensors.axes)[:, 0]
    wave = moments @ gains.T + np.random.default_rng(0).normal(scale=noise, size=(801, 36))
    return Average("normal", time, wave, np.full(36, noise), 50, sensors, np.ones(36, dtype=bool)), moments, heart


@pytest.mark.parametrize("conductor", [HalfSpace(), BALL])
def test_the_loop_is_the_hearts_vector(conductor: Conductor) -> None:
    average, moments, heart = beat_in(conductor)
    gains = SourceGain(conductor, average.sensors, average.good, average.noise)
    loop = heart_loop(average, gains, HeartVolume(0.06, 0.07, 0.06, 0.14, 0.02).points())
    assert np.linalg.norm(np.subtract(loop.place, heart.place)) < 4e-3
    assert loop.explained > 0.999
    loud = gains.basis(np.array([heart.place]))[0]
    wanted = moments @ loud @ loud.T  # what the conductor lets out of it
    assert np.abs(loop.moment - wanted).max() < 0.05 * np.abs(wanted).max()
    rest = loop.moment[average.time > 0.45]
    assert rest.std(axis=0)[:2] == pytest.approx(loop.sd[:2], rel=0.2)


@pytest.mark.parametrize("method", ["minimum-norm", "sloreta", "lcmv"])
def test_a_beat_on_the_grid(method: str) -> None:
    average, _, heart = beat_in(HalfSpace())
    gains = SourceGain(HalfSpace(), average.sensors, average.good, average.noise)
    image = Imaging(method).of(average, gains)  # type: ignore[arg-type]
    row = int(np.argmin(np.abs(image.time)))
    miss = image.peak(row) - heart.place
    assert np.linalg.norm(miss[:2]) < 0.015  # a pitch
    assert abs(miss[2]) < (0.05 if method == "minimum-norm" else 0.015)  # it promises no depth
    assert image.strength[row].max() > 10 * np.median(image.strength[image.time > 0.45].max(axis=1))
    assert image.moments.shape == (*image.strength.shape, 3)


def test_a_doubtful_conductor_is_said_and_a_right_one_is_not() -> None:
    places = HeartVolume(0.06, 0.07, 0.04, 0.14, 0.02).points()

    def doubt(average: Average, conductor: Conductor) -> str:
        gains = SourceGain(conductor, average.sensors, average.good, average.noise)
        return conductor_doubt(average, gains, places, 150.0)

    wrong, _, _ = beat_in(BALL)
    assert "do not trust places" in doubt(wrong, HalfSpace())
    assert doubt(wrong, BALL) == ""
    right, _, _ = beat_in(HalfSpace())
    assert doubt(right, HalfSpace()) == ""
    noisy, _, _ = beat_in(HalfSpace(), noise=20e-12)  # nobody can tell which
    assert "do not trust places" in doubt(noisy, HalfSpace())


def test_a_pathway_with_seven_channels() -> None:
    """Science §8.12: 7 mm with 7 channels when the conductor is right; what a wrong one does is no secret."""
    angles = np.arange(6) * np.pi / 3
    ring = np.stack([0.06 * np.cos(angles), 0.06 * np.sin(angles), np.zeros(6)], axis=1)
    sensors = array(np.concatenate([np.zeros((1, 3)), ring]), np.tile(UP, (7, 1)))
    random, starts = np.random.default_rng(4), HeartVolume(0.06, 0.06, 0.05, 0.13, 0.02).points()
    misses: dict[str, list[float]] = {"matched": [], "mismatched": []}
    for _ in range(15):
        place = np.array([*random.uniform(-0.02, 0.02, 2), -random.uniform(0.07, 0.09)])
        angle = random.uniform(0, 2 * np.pi)
        gains = all_good(sensors, 0.1e-12, BALL)
        moment = gains.basis(place[None])[0] @ (5e-6 * np.array([np.cos(angle), np.sin(angle)]))
        field = (gains(place[None])[:, 0] @ moment) * 0.1e-12 + random.normal(scale=0.1e-12, size=7)
        for name, body in (("matched", BALL), ("mismatched", HalfSpace())):
            found = AnyDipoleFitter(all_good(sensors, 0.1e-12, body), starts)(field)
            misses[name].append(float(np.linalg.norm(np.array(found.position) - place)))
    assert np.median(misses["matched"]) <= 7e-3
    assert np.median(misses["mismatched"]) > 10e-3


def test_too_few_channels() -> None:
    few = np.zeros(36, dtype=bool)
    few[:5] = True
    with pytest.raises(ValueError, match="there are 5"):
        SourceGain(HalfSpace(), planar(), few, np.full(36, 1e-13))

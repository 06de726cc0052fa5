"""The sphere conductor against MNE, the half-space and the laws of physics."""

import mne
import numpy as np
import pytest

from tests.mne_points import point_magnetometers
from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.sphere import Sphere

CENTRE = (0.01, -0.02, 0.03)


def mne_field(points, axes, sources):
    """Return MNE's sphere forward for point magnetometers: (n_points, n_sources, 3) T/(A·m)."""
    info = point_magnetometers(points, axes)
    places = {"rr": sources, "nn": np.tile([0.0, 0.0, 1.0], (len(sources), 1))}
    src = mne.setup_volume_source_space(pos=places, verbose="error")
    sphere = mne.make_sphere_model(CENTRE, head_radius=None, verbose="error")
    forward = mne.make_forward_solution(info, None, src, sphere, mindist=0, verbose="error")
    return forward["sol"]["data"].reshape(len(points), len(sources), 3)


def test_field_is_that_of_mne():
    random = np.random.default_rng(0)
    directions = random.normal(size=(30, 3))
    points = CENTRE + 0.16 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    axes = random.normal(size=(30, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    sources = np.asarray(CENTRE) + random.uniform(-0.05, 0.05, size=(5, 3))
    theirs = mne_field(points, axes, sources)
    ours = np.einsum("cf,csfm->csm", axes, Sphere(CENTRE, 0.15).field(sources, points))
    assert np.abs(ours - theirs).max() < 1e-6 * np.abs(theirs).max()


def test_a_large_sphere_is_a_half_space():
    sources = np.array([[0.0, 0.02, -0.1]])
    points = np.random.default_rng(1).uniform(-0.1, 0.1, (20, 3)) * [1, 1, 0.2] + [0, 0, 0.03]
    half = HalfSpace().field(sources, points)
    errors = [
        np.abs(Sphere((0, 0, -radius), radius).field(sources, points) - half).max() / np.abs(half).max()
        for radius in (100.0, 1000.0)
    ]
    assert errors[0] < 3e-3
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.1)


def test_field_has_neither_divergence_nor_curl():
    step, here = 1e-4, np.array([0.06, 0.03, 0.17])
    shifts = np.concatenate([np.eye(3) * step, -np.eye(3) * step, 2 * np.eye(3) * step, -2 * np.eye(3) * step])
    b = Sphere((0, 0, 0), 0.15).field(np.array([[0.02, -0.03, 0.09]]), here + shifts)[:, 0]
    slope = (8 * (b[:3] - b[3:6]) - (b[6:9] - b[9:])) / (12 * step)
    scale = np.abs(slope).max()
    assert np.abs(np.trace(slope)).max() < 1e-6 * scale
    assert np.abs(slope - slope.swapaxes(0, 1)).max() < 1e-6 * scale


def test_a_radial_dipole_is_silent():
    source = np.array([[0.03, -0.02, 0.06]])
    points = np.array([[0.1, 0.1, 0.1], [0.0, 0.0, 0.2]])
    field = Sphere((0, 0, 0), 0.15).field(source, points)[:, 0]
    radial = field @ (source[0] / np.linalg.norm(source))
    assert np.abs(radial).max() < 1e-12 * np.abs(field).max()


@pytest.mark.parametrize(("source", "point"), [([0, 0, 0.2], [0, 0, 0.3]), ([0, 0, 0.1], [0, 0, 0.12])])
def test_sources_and_sensors_on_the_wrong_side_are_refused(source, point):
    with pytest.raises(ValueError, match=r"outside of 0\.15 m"):
        Sphere((0, 0, 0), 0.15).field(np.array([source]), np.array([point]))

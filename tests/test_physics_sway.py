"""The heart that breathing moves in the body."""

import h5py
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from zeromag.acquire.simulate import simulation
from zeromag.acquire.truth import write_truth
from zeromag.errors import InputError
from zeromag.physics.conductor import lead_field
from zeromag.physics.motion import Motion
from zeromag.physics.sway import TURN, WAY

SPEC = "sim:adult?seconds=6&heart_mm=5&variation=0"


@pytest.mark.parametrize(
    ("conductor", "bound"), [("halfspace", 1e-5), ("sphere&sphere_mm=200", 1e-5), ("infinite", 1e-5)]
)
def test_its_field_is_that_of_a_heart_at_the_other_place(conductor, bound):
    source = simulation(f"{SPEC}&conductor={conductor}&spread_mm=30")
    moved, still = list(source.chunks()), list(simulation(f"{SPEC.replace('=5&', '=0&')}&spread_mm=30").chunks())
    largest = max(np.abs(chunk.clean).max() for chunk in moved)
    for chunk, rest in zip(moved[::5], still[::5], strict=True):
        for t in (0, 77):
            turn = Rotation.from_rotvec(TURN * -chunk.shift[t, 1])
            np.testing.assert_allclose(chunk.dipoles[:, t], turn.apply(rest.dipoles[:, t]), atol=1e-16)
            places = source.hearts[0].positions + chunk.shift[t]
            lead = lead_field(source.conductor, places, source.sensors.positions, source.sensors.axes)
            wanted = np.einsum("csm,sm->c", lead, chunk.dipoles[:, t])
            np.testing.assert_allclose(chunk.clean[t], wanted, atol=bound * largest)


def test_it_goes_to_the_feet_and_forward_as_the_chest_rises():
    motion = Motion(breath=3e-3, heart=2.5e-3)
    sway = motion.sway((1, 7))
    assert sway is not None
    time = np.arange(60_000) / 100
    shift = sway.shift(time)
    chest = motion.start(100.0, (1, 7), lambda *_: [])[0](0, 60_000)[:, 2]
    assert np.corrcoef(-shift[:, 1], chest)[0, 1] > 0.999999
    assert shift[:, 1].std() == pytest.approx(2.5e-3 / np.sqrt(2), rel=0.1)
    np.testing.assert_allclose(shift[:, 2] / -shift[:, 1], 1.3 / 4.9)
    assert np.abs(shift[:, 0]).max() == 0


def test_the_published_angles():
    """Shechter 2004: 1.5° cranio-dorsal (+y turns to -z), 1.2° caudo-dextral (-y turns to -x) per 4.9 mm."""
    turn = Rotation.from_rotvec(TURN * 4.9e-3)
    head, feet = turn.apply([0, 1, 0]), turn.apply([0, -1, 0])
    assert np.degrees(np.arcsin(-head[2])) == pytest.approx(1.5, abs=0.02)
    assert np.degrees(np.arcsin(-feet[0])) == pytest.approx(1.2, abs=0.02)
    assert WAY[1] == -1


def test_a_heart_that_stays_is_what_it_was_to_the_bit():
    still, moved = (list(simulation(f"sim:adult?seconds=1{more}").chunks()) for more in ("", "&heart_mm=2"))
    for one, other in zip(still, moved, strict=True):
        assert np.abs(one.shift).max() == 0
        for name, part in one.interference.items():
            np.testing.assert_array_equal(part, other.interference[name])


def test_block_size_changes_nothing_and_the_truth_tells_the_way(tmp_path):
    spec = "sim:wearable?seconds=5"
    values = [np.concatenate([b.data for b in simulation(spec, block=n).blocks()]) for n in (10, 333)]
    np.testing.assert_array_equal(values[0], values[1])
    write_truth(tmp_path / "w.truth.h5", simulation(spec))
    with h5py.File(tmp_path / "w.truth.h5") as file:
        shift = file["heart_shift_m"][:]
        assert shift.shape == (5000, 3)
        assert 1e-3 < np.abs(shift[:, 1]).max() < 8e-3
        assert file["settings"].attrs["heart_mm"] == 2.5
        assert file["settings"].attrs["sensor"] == "qzfm-gen3"


def test_a_way_out_of_the_body_is_refused():
    with pytest.raises(InputError, match="sources must be inside"):
        simulation("sim:adult?conductor=sphere&sphere_mm=60&depth=115&heart_mm=15")
    with pytest.raises(InputError, match="motion must be"):
        simulation("sim:adult?heart_mm=30")

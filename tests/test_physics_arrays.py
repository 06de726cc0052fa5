"""The grid, the references above it, and the table of an array."""

import numpy as np
import pytest

from zeromag.errors import InputError
from zeromag.physics.arrays import grid, read_array, with_references
from zeromag.physics.outside import outside_basis


def test_grid_is_the_table_of_the_clinical_array(data):
    table = read_array(data / "arrays/grid6x6_40mm.tsv")
    ours = grid()
    assert ours.names == table.names
    np.testing.assert_allclose(ours.positions, table.positions, atol=1e-12)
    np.testing.assert_array_equal(ours.axes, table.axes)


def test_grid_starts_at_the_patients_upper_right():
    array = grid(2, 3, 0.05)
    assert array.names[0] == "S01"
    np.testing.assert_allclose(array.positions[0], [-0.05, 0.025, 0.0])
    np.testing.assert_allclose(array.positions[-1], [0.05, -0.025, 0.0])


def test_references_tell_uniform_fields_and_gradients_apart():
    array = with_references(grid())
    refs = array.pick(array.of_kind("ref"))
    assert len(refs) == 12
    assert refs.names[0] == "R1X"
    assert refs.names[-1] == "R4Z"
    assert 0.25 <= refs.positions[:, 2].min() <= refs.positions[:, 2].max() <= 0.3101
    basis = outside_basis(refs) * np.repeat([1.0, 10.0], [3, 5])  # for 1 T and for 1 T in 10 cm
    assert np.linalg.cond(basis) < 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\tPx\tPy\tPz\tOx\tOy\n", "no Oz"),
        ("name\tPx\tPy\tPz\tOx\tOy\tOz\n", "names no sensor"),
        ("name\tPx\tPy\tPz\tOx\tOy\tOz\nA\t0\t0\tx\t0\t0\t1\n", "Pz of A must be a number, found 'x'"),
        ("name\tPx\tPy\tPz\tOx\tOy\tOz\nA\t0\t0\t0\t0\t0\n", "Oz of A must be a number"),
        ("name\tPx\tPy\tPz\tOx\tOy\tOz\nA\t0\t0\t0\t0\t0\t2\n", "Oz of A must have length 1"),
        ("name\tPx\tPy\tPz\tOx\tOy\tOz\nA\t0\t0\t0\t0\t0\t1\nA\t1\t0\t0\t0\t0\t1\n", "twice: A"),
        ("name\tPx\tPy\tPz\tOx\tOy\tOz\tkind\nA\t0\t0\t0\t0\t0\t1\tfoo\n", "got foo"),
        ("", "needs the tab-separated columns"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(tmp_path, text, message):
    path = tmp_path / "array.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_array(path)


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_array(tmp_path / "no.tsv")


def test_a_grid_without_sensors_is_refused():
    with pytest.raises(ValueError, match="0 x 6"):
        grid(0)

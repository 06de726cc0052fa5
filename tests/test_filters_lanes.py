"""Lanes are NumPy's numbers to the bit, and how many channels stand beside one changes none of its bits."""

from __future__ import annotations

import numpy as np
import pytest

from tests.arrays import array
from zeromag._jit import BOOL, F64, compiled, kernel
from zeromag._lanes import (
    LANES,
    above_zero,
    any_true,
    element,
    fma,
    has_nan,
    if_nan,
    larger,
    load,
    load_half,
    size,
    smaller,
    splat,
    splat_half,
    store,
)
from zeromag.block import Block
from zeromag.filters import BandPass, HomogeneousField, Mains, MaskBad, Nlms
from zeromag.filters.ranked import ranked
from zeromag.sensors import SensorArray
from zeromag.stage import Stage


@kernel
def _everything(x: F64, y: F64, out: F64) -> bool:
    a, b = load(x, 0), load(y, 0)
    store(out, 0, a + b)
    store(out, 16, a - b)
    store(out, 32, a * b)
    store(out, 48, fma(a, b, splat(2.0)))
    store(out, 64, size(a))
    store(out, 80, smaller(a, b))
    store(out, 96, larger(a, b))
    store(out, 112, above_zero(a, b, splat(7.0)))
    store(out, 128, if_nan(a, b))
    store(out, 144, load_half(x, 8) * splat_half(element(y, 3)))
    return has_nan(a)


@kernel
def _any(marks: BOOL, at: int) -> bool:
    return any_true(marks, at)


def test_lanes_compute_what_numpy_does() -> None:
    rng = np.random.default_rng(0)
    x, y, out = rng.normal(size=(4, 4)), rng.normal(size=LANES), np.zeros((10, LANES))
    assert not _everything(x, y, out)
    a = x.ravel()
    fused = (a.astype(np.longdouble) * y + 2).astype(np.float64)
    wanted = [a + y, a - y, a * y, fused, np.abs(a), np.minimum(a, y), np.maximum(a, y), np.where(a > 0, y, 7.0), a]
    np.testing.assert_array_equal(out[:9], wanted)
    np.testing.assert_array_equal(out[9], np.concatenate([a[8:] * y[3], np.zeros(8)]))
    x[1, 1] = np.nan
    assert _everything(x, y, out)
    np.testing.assert_array_equal(out[8], np.where(np.isnan(x.ravel()), y, x.ravel()))


def test_a_mark_is_seen_among_its_sixteen_only() -> None:
    marks = np.zeros((3, 20), dtype=np.bool_)
    marks[1, 4] = True
    assert [_any(marks, at) for at in (8, 9, 24, 25)] == [False, True, True, False]


def test_compiled_code_refuses_other_sizes() -> None:
    x, y, out = np.ones((4, 4)), np.ones(LANES), np.zeros((10, LANES))
    code = compiled(_everything, x, y, out)
    assert code(x, y, out) is False
    for wrong in (x.astype(np.float32), None):
        with pytest.raises(TypeError):
            code(wrong, y, out)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [1, 2, 5, 8, 33])
def test_rank_is_that_of_sorting(count: int) -> None:
    values = np.random.default_rng(count).integers(0, 9, count).astype(float)  # with equals among them
    for rank in range(count):
        mixed = values.copy()
        assert ranked(mixed, count, rank) == np.sort(values)[rank]
        assert (mixed[rank + 1 :] >= mixed[rank]).all()


def sensors(n: int, references: int = 0) -> SensorArray:
    side = np.arange(n) * 0.02
    base = array(np.stack([side, side**2, 0 * side], axis=1), np.tile([0.0, 0.0, 1.0], (n, 1)))
    kinds = ("mag",) * (n - references) + ("ref",) * references
    return SensorArray(base.names, base.positions, base.axes, kinds)


@pytest.mark.parametrize("stage", [BandPass(1.0, 40.0), MaskBad()], ids=lambda stage: type(stage).__name__)
@pytest.mark.parametrize("n", [1, 15, 17, 31])
def test_a_channel_is_the_same_in_any_company(stage: Stage, n: int) -> None:
    data = np.random.default_rng(0).normal(scale=1e-12, size=(400, 32)) + 50e-6
    many = Block(data.copy(), 0, 1000.0, sensors(32))
    few = Block(data[:, :n].copy(), 0, 1000.0, sensors(n))
    np.testing.assert_array_equal(stage.start(few)(few).data, stage.start(many)(many).data[:, :n])


@pytest.mark.parametrize(
    "stage", [BandPass(1.0, 40.0), HomogeneousField(1), Mains(line=50.0), Nlms(blind=0)], ids=lambda s: type(s).__name__
)
def test_a_mask_of_nothing_is_no_mask(stage: Stage) -> None:
    data = np.random.default_rng(0).normal(scale=1e-12, size=(900, 21))
    results = []
    for mask in (None, np.zeros(data.shape, dtype=np.bool_)):
        block = Block(data.copy(), 0, 1000.0, sensors(21, references=3), mask)
        step = stage.start(block)
        results.append([step(block.part(at, at + 90)).data for at in range(0, 900, 90)])
    np.testing.assert_array_equal(results[0], results[1])


def test_a_block_keeps_rows_in_order_and_refuses_other_values() -> None:
    data = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    block = Block(data, 0, 1000.0, sensors(3))
    assert block.data.flags.c_contiguous
    other = block.with_data(np.asfortranarray(data + 1), mask=np.asfortranarray(data > 5))
    assert other.data.flags.c_contiguous
    assert not other.data.flags.writeable
    assert type(other) is Block
    assert (other.first, other.rate, other.sensors) == (0, 1000.0, block.sensors)
    with pytest.raises(AttributeError):
        other.first = 3  # type: ignore[misc]
    with pytest.raises(ValueError, match=r"float64 \(4, 3\), got float32"):
        block.with_data(data.astype(np.float32))
    with pytest.raises(ValueError, match=r"got float64 \(3, 3\)"):
        block.with_data(data[:3])
    with pytest.raises(ValueError, match="at least one of them, got 2:2"):
        block.part(2, 2)

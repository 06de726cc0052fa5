"""Zapline and the multi-tap regression beside meegkit's, on one and the same data."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tests.test_filters_adaptive import MAG, REF, SENSORS
from tests.test_filters_adaptive import Room as References
from tests.test_filters_temporal import RATE, Room, through
from zeromag.block import Block
from zeromag.filters import ReferenceRegression, Zapline

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports is its own affair
    dss = pytest.importorskip("meegkit.dss")
    tspca = pytest.importorskip("meegkit.tspca")


@pytest.mark.parametrize(("nominal", "wander", "alike"), [(49.97, 0.0, 50.0), (50.0, 0.05, 40.0)])
def test_zapline_takes_what_meegkit_takes(nominal: float, wander: float, alike: float) -> None:
    room = Room(36, 20e-12, wander=wander, nominal=nominal)
    clean = room.noise + room.heart
    ours = through(Zapline(), clean + room.line).data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, _ = dss.dss_line(clean + room.line, 50.0, RATE, nremove=1, nfft=1000)
    late = slice(4000, None)
    line = room.line[late].std()

    def decibels(left: np.ndarray) -> float:
        return float(20 * np.log10(line / (left - left.mean(axis=0)).std()))

    own, other = decibels((ours - clean)[late]), decibels((theirs - clean)[late])
    assert own > 45
    assert own > other - 2  # which has seen the whole recording
    assert decibels((ours - theirs)[late]) > alike


def test_regression_with_taps_is_meegkits_in_the_end() -> None:
    data = References(20.0).room.copy()
    data -= data.mean(axis=0)
    data[0] = 0.0  # the mean that is taken off begins here, and with an endless memory stays
    stage = ReferenceRegression(memory=np.inf, taps=3, clip=0.0, damping=0.0, blind=0, slow=1e9)
    block = Block(data=data.copy(), first=0, rate=RATE, sensors=SENSORS)
    ours = stage.start(block)(block).data[-400:, MAG]
    theirs = tspca.tsr(data[:, MAG] * 1e12, data[:, REF] * 1e12, shifts=np.arange(3))[0][-400:] * 1e-12
    assert np.abs(ours - theirs).max() < 1e-3 * data[:, MAG].std()
    assert (ours - theirs).std() < 0.03 * theirs.std()  # half a second of twenty is not in the weights yet

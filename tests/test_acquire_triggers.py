"""Steps of trigger channels: each once, at its sample, whatever the blocks; the same ones that MNE finds."""

from __future__ import annotations

import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest

from tests.acquire_streams import RATE, array
from zeromag.acquire.acquirer import acquire
from zeromag.acquire.mne_raw import read_raw
from zeromag.acquire.replay import replay
from zeromag.acquire.triggers import Triggers
from zeromag.block import Block
from zeromag.event import Event
from zeromag.sensors import SensorArray

STREAM = 3000


def sensors() -> SensorArray:
    return replace(array(4), kinds=("mag", "mag", "stim", "stim"), quantum=np.array([1e-14, 1e-14, 1.0, 1.0]))


def levels() -> np.ndarray:
    """Two trigger channels whose values change at random, often by a step down to 0 first."""
    rng = np.random.default_rng(5)
    out = np.zeros((STREAM, 4))
    for channel in (2, 3):
        for start in range(50, STREAM - 40, 60):
            width = int(rng.integers(1, 55))
            out[start : start + width, channel] = rng.integers(1, 256)
    out[:20, 3] = 7  # stands from the beginning: no step
    return out


class Steps:
    """The levels in blocks of one size."""

    sensors, rate = sensors(), RATE

    def __init__(self, block: int) -> None:
        self._block = block

    def blocks(self) -> Generator[Block, None, None]:
        data = levels()
        for first in range(0, STREAM, self._block):
            yield Block(data[first : first + self._block].copy(), first, RATE, self.sensors)


def found(block: int) -> list[Event]:
    triggers = Triggers()
    return [event for piece in Steps(block).blocks() for event in triggers(piece).events]


def by_mne(raw: mne.io.BaseRaw, channel: str) -> list[tuple[int, int]]:
    events = mne.find_events(raw, stim_channel=channel, consecutive="increasing", min_duration=0, verbose="error")
    return [(int(sample), int(value)) for sample, _, value in events]


@pytest.mark.parametrize("block", [1, 7, 10, STREAM])
def test_every_step_is_told_once_at_its_sample_as_by_mne(block: int) -> None:
    info = mne.create_info(list(sensors().names), RATE, ["mag", "mag", "stim", "stim"])
    raw = mne.io.RawArray(levels().T, info, verbose="error")
    for name in ("S02", "S03"):
        ours = [(event.sample, int(event.kind.partition("/")[2])) for event in found(block) if event.channel == name]
        assert ours == by_mne(raw, name)
        assert len(ours) > 40


@pytest.mark.parametrize("block", [1, 7, 10, STREAM])
def test_a_noisy_slow_and_bouncing_edge_is_one_event(block: int) -> None:
    rng = np.random.default_rng(3)
    line, edges = np.zeros(STREAM), list(range(100, STREAM - 100, 97))
    for edge in edges:
        line[edge : edge + 40] = 5.0
        line[edge : edge + 3] = [1.6, 3.2, 4.4]  # it rises over four samples
        line[edge + 5], line[edge + 38] = 0.5, 1.0  # and its contact bounces, when it opens too
    data = np.zeros((STREAM, 4))
    data[:, 2] = line + 0.15 * rng.standard_normal(STREAM)
    data[:, 3] = np.repeat(rng.integers(0, 9, STREAM // 10), 10)  # a digital one beside it
    triggers, events = Triggers(), []
    for first in range(0, STREAM, block):
        events += triggers(Block(data[first : first + block].copy(), first, RATE, sensors())).events
    found = np.array([event.sample for event in events if event.channel == "S02"])
    assert set((found - edges).tolist()) <= {0, 1}  # noise decides where a slow edge begins
    steps = np.flatnonzero(np.diff(data[:, 3]) > 0) + 1
    assert [event.sample for event in events if event.channel == "S03"] == steps.tolist()


def test_a_gap_is_no_step_and_a_told_one_is_not_told_twice() -> None:
    triggers = Triggers()
    high = np.zeros((10, 4))
    high[:, 2] = 3.0
    assert triggers(Block(np.zeros((10, 4)), 0, RATE, sensors())).events == ()
    assert triggers(Block(high, 50, RATE, sensors())).events == ()  # 40 samples are missing before it
    high = high.copy()
    high[5:, 2] = np.nan
    assert triggers(Block(high, 60, RATE, sensors())).events == ()
    told = (Event(70, "trigger/3", channel="S02"),)
    back = np.zeros((10, 4))
    back[:, 2] = 3.2  # analogue
    assert triggers(Block(back, 70, RATE, sensors(), events=told)).events == told


def test_live_recording_and_replay_tell_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zeromag.acquire.acquirer.open_source", lambda *_, **__: Steps(10))
    acquire("x", record=tmp_path, stop=threading.Event(), announce=lambda _: None, session={}, pace=False)
    wanted = sorted(found(10), key=lambda event: event.sample)
    for path in (tmp_path / "raw.zmj", tmp_path / "raw.zm.h5"):
        assert sorted((e for b in replay(path).blocks() for e in b.events), key=lambda e: e.sample) == wanted
    raw = read_raw(tmp_path / "raw.zm.h5")
    notes = [(round(note["onset"] * RATE), note["description"], note["ch_names"]) for note in raw.annotations]
    assert sorted(notes) == sorted((e.sample, e.kind, (e.channel,)) for e in wanted)

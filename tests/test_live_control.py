"""A setting changed while it runs: from its sample on, the same live and offline, whatever the blocks."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zeromag.acquire.acquirer import acquire
from zeromag.acquire.control import Control
from zeromag.acquire.replay import replay
from zeromag.acquire.simulate import simulation
from zeromag.block import Block
from zeromag.cli import main
from zeromag.errors import LinkError
from zeromag.event import Event
from zeromag.live.process import process
from zeromag.offline import map_source
from zeromag.scan.outcome import Outcome
from zeromag.scan.scan import Scan
from zeromag.session import Session, changes, session_from

CHANGED = 2513


class Changing:
    """A heart during whose recording a setting was changed, in blocks of one size."""

    def __init__(self, block: int, *phrases: str, at: int = CHANGED) -> None:
        self._source = simulation(
            "sim:adult?seconds=10&rate=500&heart_rate=80&seed=3&references=0&rows=4&columns=4", block=block
        )
        self.sensors, self.rate = self._source.sensors, self._source.rate
        self._phrases, self._at = phrases, at

    def blocks(self) -> Generator[Block, None, None]:
        for block in self._source.blocks():
            here = block.first <= self._at < block.stop
            events = tuple(Event(self._at, "session", why=phrase) for phrase in self._phrases if here)
            yield replace(block, events=(*block.events, *events))


def scanned(block: int, *phrases: str, session: Session | None = None) -> Outcome:
    return map_source(Changing(block, *phrases), session or Session())


CHANGE = ("clean.low_pass: 100.0 → 40.0", "beats.before: 0.3 → 0.35")


@pytest.fixture(scope="module")
def changed() -> Outcome:
    return scanned(1000, *CHANGE)


def test_a_change_gives_the_same_whatever_the_blocks(changed: Outcome) -> None:
    small = scanned(170, *CHANGE)
    assert repr(small.beats) == repr(changed.beats)  # an interval that is not known is NaN
    assert small.events == changed.events
    assert [event.why for event in changed.events if event.kind == "session"] == list(CHANGE)
    for one, other in zip(small.averages, changed.averages, strict=True):
        np.testing.assert_array_equal(one.wave, other.wave)
        assert one.time[0] == pytest.approx(-0.35, abs=0.002)


def test_after_the_change_it_is_as_if_it_had_begun_there(changed: Outcome) -> None:
    """The averages hold only beats under the new settings, and no sample is lost between."""
    straight = scanned(500)
    (average,), (whole,) = changed.averages, straight.averages
    later = [beat for beat in changed.beats if not beat.why and beat.sample > CHANGED]
    assert average.nave == len(later)
    assert 0.3 * whole.nave < average.nave < 0.6 * whole.nave
    assert len(changed.beats) >= len(straight.beats) - 1
    assert changed.stop == straight.stop
    roughness = [np.abs(np.diff(a.wave, n=2, axis=0)).mean() for a in (average, whole)]
    assert roughness[0] < roughness[1]


def test_who_chose_another_setting_on_purpose_keeps_it() -> None:
    mine = Session().changed(**{"clean.low_pass": 60.0})
    scan = Scan(next(Changing(10).blocks()), mine)
    for block in Changing(1000, "clean.low_pass: 100.0 → 40.0", at=750).blocks():
        if block.first > 1000:
            break
        scan(block)
    assert scan.session.clean.low_pass == 60.0


def test_settings_that_cannot_work_are_refused_and_the_stream_goes_on() -> None:
    scan = Scan(next(Changing(10).blocks()), Session(), obey=True)
    reason = scan.reason
    for block in Changing(1000, "clean.low_pass: 100.0 → 90000.0", at=750).blocks():
        scan(block)
        if block.stop > 2000:
            break
    outcome = scan.finish()
    assert scan.session == Session()
    assert scan.reason == reason
    told = [event.kind for event in outcome.events if event.kind.startswith("session")]
    assert told == ["session/refused", "session"]
    assert outcome.stop == 3000


@pytest.mark.parametrize(
    "phrase", ["", "nonsense", "clean.line: x → y", "no.key: 0 → 1", "clean.line: 0 → 1 → 2", "a: b"]
)
def test_a_phrase_that_says_nothing_changes_nothing(phrase: str) -> None:
    assert Session().followed(phrase) == Session()


def test_what_changes_is_written_so_that_it_can_be_followed() -> None:
    new = Session().changed(
        **{"clean.stages": [{"stage": "Mains"}], "clean.line": 60, "subject": "P → 7: ä", "map.pixels": 32}
    )
    phrases = changes(Session(), new)
    followed = Session()
    for phrase in phrases:
        followed = followed.followed(phrase)
    assert followed == new
    assert len(phrases) == 4
    assert session_from(new.as_dict()) == new


class Live:
    """Acquisition and processing on threads of this process, over real sockets."""

    def __init__(self, folder: Path) -> None:
        self.record, self.out = folder / "record", folder / "live"
        self.out.mkdir()
        self.stop = threading.Event()
        self.told: list[dict[str, Any]] = []
        self.ready = {name: threading.Event() for name in ("acquire", "process", "scan")}
        self.endpoint: dict[str, str] = {}

    def hear(self, name: str, news: Any) -> None:
        self.told.append({"from": name, **news})
        if "endpoint" in news:
            self.endpoint[name] = str(news["endpoint"])
            self.ready[name].set()
        if name == "process" and "say" in news:  # what it is cleaned by: the first block has come
            self.ready["scan"].set()

    def acquire(self) -> None:
        acquire(
            "sim:adult?seconds=9&rate=500&heart_rate=90", record=self.record, stop=self.stop,
            session=Session().as_dict(), announce=lambda news: self.hear("acquire", news),
        )  # fmt: skip

    def process(self) -> None:
        assert self.ready["acquire"].wait(30)
        process(
            self.endpoint["acquire"], session=Session(), out=self.out, stop=threading.Event(),
            announce=lambda news: self.hear("process", news),
        )  # fmt: skip


def test_orders_through_the_processing_reach_the_acquisition_and_map_the_same_offline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live = Live(tmp_path)
    threads = [threading.Thread(target=work, daemon=True) for work in (live.acquire, live.process)]
    for thread in threads:
        thread.start()
    assert live.ready["scan"].wait(120)  # before that there is no array to try settings on
    at = ["control", "--from", live.endpoint["process"]]
    assert main([*at, "mark", "breath held"]) == 0
    assert main([*at, "set", "clean.line=60", "beats.after=0.45"]) == 0
    assert main([*at, "set", "clean.low_pass=90000"]) == 1
    assert main([*at, "state"]) == 0
    said = capsys.readouterr()
    assert "marked sample" in said.out
    assert "clean.line = 60" in said.out
    assert "recording into" in said.out
    assert "the low-pass must lie between 0 and 250 Hz, half the rate, got 90000 Hz" in said.err
    with Control(live.endpoint["process"]) as control, pytest.raises(LinkError, match="Hz"):
        control.change({"clean.low_pass": 90000.0})
    for thread in threads:
        thread.join(120)
    (recording,) = live.record.glob("*.zm.h5")
    again = tmp_path / "again"
    assert main(["map", str(recording), "--out", str(again)]) == 0
    numbers = [json.loads((folder / "summary.json").read_text()) for folder in (live.out, again)]
    for summary in numbers:
        summary.pop("source")
        summary["session"].pop("source")
    assert numbers[0] == numbers[1]
    assert {change["setting"] for change in numbers[0]["changes"]} == {"clean.line: 0 → 60", "beats.after: 0.5 → 0.45"}
    events = [(folder / "events.tsv").read_text(encoding="utf-8") for folder in (live.out, again)]
    assert events[0] == events[1]
    rows = list(csv.DictReader(events[0].splitlines(), delimiter="\t"))
    assert [row["why"] for row in rows if row["trial_type"] == "mark"] == ["breath held"]
    marked = [event for block in replay(recording).blocks() for event in block.events if event.kind == "mark"]
    assert [str(event.sample) for event in marked] == [row["sample"] for row in rows if row["trial_type"] == "mark"]
    reasons = [news["say"] for news in live.told if news["from"] == "process" and "say" in news]
    assert len(reasons) >= 3  # the chain it began with, the one after the change, where the results are

"""The gate beside the stream answers what it is asked, rests after a long look, and tells when it failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from zeromag.acquire.simulate import simulation
from zeromag.live import gate_watch
from zeromag.live.gate_watch import GateWatch
from zeromag.live.leisure import Leisure
from zeromag.mapping.bootstrap import HALVES
from zeromag.scan.scan import Scan
from zeromag.session import Session


def scanned() -> Scan:
    scan: Scan | None = None
    for block in simulation("sim:adult?seconds=6&rate=250&rows=3&columns=3", block=250).blocks():
        scan = scan or Scan(block, Session())
        scan(block)
    assert scan is not None
    return scan


@pytest.mark.parametrize("patient", [False, True])
def test_a_long_look_is_followed_by_a_rest_unless_somebody_waits(
    patient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_watch, "BRIEF", 0.0)  # each look is a long one
    monkeypatch.setattr(gate_watch, "REST", 1e6)
    scan, leisure, answers = scanned(), Leisure(), []
    watch = GateWatch(scan.mapper, leisure, patient=patient)
    for _ in range(3):
        watch.ask(scan.averages(), scan)
        leisure.wait()
        answers.append(watch.parameters)
    leisure.close()
    assert answers[0]
    assert watch.usable["answer"] in ("yes", "not yet", "no")
    assert (answers[2] is answers[0]) == (not patient)


class Polite(Leisure):
    """Counts how often it is asked to let the stream go first."""

    asked = 0

    def give_way(self) -> None:
        self.asked += 1
        super().give_way()


def test_a_look_lets_the_stream_go_first_before_every_draw() -> None:
    scan, leisure = scanned(), Polite()
    watch = GateWatch(scan.mapper, leisure)
    watch.ask(scan.averages(), scan)
    leisure.wait()
    leisure.close()
    assert watch.parameters
    assert leisure.asked == HALVES


def test_a_look_that_fails_is_told_and_leaves_no_old_figures_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    scan, leisure = scanned(), Leisure()
    watch = GateWatch(scan.mapper, leisure, patient=True)
    watch.ask(scan.averages(), scan)
    leisure.wait()
    assert watch.parameters

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr(gate_watch, "parameters", broken)
    watch.ask(scan.averages(), scan)
    leisure.wait()
    leisure.close()
    (reason,) = watch.usable["reasons"]
    assert watch.usable["answer"] == "not yet"
    assert watch.parameters == {}
    assert "ZeroDivisionError: nothing to divide by" in reason
    kept = Path(reason.rsplit(" ", 1)[1])
    assert "in broken" in kept.read_text(encoding="utf-8")
    kept.unlink()

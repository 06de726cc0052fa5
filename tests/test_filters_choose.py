"""A chain that a session names: read, refused or weighed before the first block; and the league that writes one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.arrays import planar, with_references
from zeromag.cli import main
from zeromag.errors import InputError
from zeromag.filters import (
    BeatBaseline,
    Decimate,
    HomogeneousField,
    JointFit,
    LowPass,
    Mains,
    MaskBad,
    SignalSpaceProjection,
)
from zeromag.filters.described import KNOWN, describe, in_words, stages_of
from zeromag.filters.given_chain import given_chain
from zeromag.filters.league import Standing, winner
from zeromag.filters.meter import HeartCost
from zeromag.physics.heart_volume import HeartVolume
from zeromag.pipeline import Chain
from zeromag.session import Session
from zeromag.session_file import read_session, session_toml, write_stages
from zeromag.stage import Stage

CHAIN: tuple[Stage, ...] = (
    MaskBad(),
    JointFit(rank=6),
    Mains(50.0),
    SignalSpaceProjection(patterns=((0.5, -0.5), (0.1, 0.2))),
    BeatBaseline(0.6),
)


def test_stages_survive_words_json_and_a_session_file(tmp_path: Path) -> None:
    assert stages_of(describe(CHAIN)) == CHAIN
    assert stages_of(json.loads(json.dumps(describe(CHAIN)))) == CHAIN
    path = tmp_path / "s.toml"
    path.write_text('# mine\nsubject = "P1"  # a code\n[clean]\nline = 50\n[map]\npixels = 32\n')
    for chain in ((MaskBad(),), CHAIN):  # the second replaces the first
        write_stages(path, describe(chain))
        session = read_session(path)
        assert stages_of(session.clean.stages) == chain
        assert (session.subject, session.clean.line, session.map.pixels) == ("P1", 50, 32)
    assert path.read_text().startswith("# mine\n")
    assert "# a code" in path.read_text()
    (tmp_path / "whole.toml").write_text(session_toml(session))
    assert read_session(tmp_path / "whole.toml") == session
    write_stages(tmp_path / "whole.toml", describe(CHAIN[:1]))  # where they stand in one line
    assert stages_of(read_session(tmp_path / "whole.toml").clean.stages) == CHAIN[:1]
    assert Session().changed(**{"clean.stages": describe(CHAIN)}).clean == session.changed(**{"clean.line": 0}).clean


def test_every_stage_can_be_named() -> None:
    from zeromag import filters

    named = {name for name in filters.__all__ if isinstance(getattr(filters, name), type)}
    named = {name for name in named if isinstance(getattr(filters, name), Stage) and name != "plan"}
    assert named - set(KNOWN) == {"Calibrate", "Decimate"}  # the session's own key; another rate
    assert in_words(CHAIN) == (
        "MaskBad → JointFit(rank=6) → Mains(line=50.0) → "
        "SignalSpaceProjection(patterns=((0.5, -0.5), (0.1, 0.2))) → BeatBaseline(delay=0.6)"
    )


def test_what_no_file_can_hold_is_said() -> None:
    with pytest.raises(ValueError, match="cannot name a stage Decimate"):
        describe([Decimate(2)])
    with pytest.raises(ValueError, match="cannot hold volume of JointFit, a HeartVolume"):
        describe([JointFit(volume=HeartVolume(nearest=0.05))])


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([{"stage": "JointFitt"}], "there is no stage 'JointFitt'; the nearest one is JointFit"),
        ([{"stage": "MaskBad"}, {"stage": "JointFit", "rnk": 6}], "no setting 'rnk'; the nearest one is rank"),
        ([{"stage": "MaskBad"}, {"stage": "LowPass", "corner": 600.0}], "between 0 and 500 Hz, half the rate, got 600"),
        ([{"stage": "MaskBad"}, {"stage": "Mains", "line": 700.0}], "mains at 700 Hz cannot be seen at 1000 Hz"),
        ([{"stage": "MaskBad"}, {"stage": "JointFit", "rank": 60}], "rank 60 and order 2 needs 70 channels"),
        ([{"stage": "MaskBad"}, {"stage": "Gradiometer", "order": 3}], "15 fields apart, got 12 references"),
        ([{"stage": "MaskBad"}, {"stage": "HomogeneousField", "order": 4}], "orders 1, 2 and 3, got 4"),
        ([{"stage": "LowPass"}], "a chain begins with MaskBad"),
    ],
)
def test_what_cannot_work_is_said_before_the_first_block(stages: list[dict[str, object]], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        given_chain(stages, with_references(), 1000.0)


def test_too_few_references_are_told_with_the_number() -> None:
    for name in ("Rls", "Nlms", "ReferenceRegression"):
        with pytest.raises(ValueError, match="at least 1 good reference channel, got 0"):
            given_chain([{"stage": "MaskBad"}, {"stage": name}], planar(), 1000.0)


def test_a_chain_that_eats_the_heart_says_how_much() -> None:
    eater = given_chain(describe((MaskBad(), HomogeneousField(2), LowPass())), planar(), 1000.0)
    assert "keeps 18% of the heart" in eater.reason
    assert "WARNING: it takes 82% of the heart" in eater.reason
    bent = given_chain([{"stage": "MaskBad"}, {"stage": "BandPass", "low": 15.0, "high": 40.0}], planar(), 1000.0)
    assert "WARNING: it takes" in bent.reason
    kind = given_chain(describe((MaskBad(), JointFit(), BeatBaseline())), with_references(), 1000.0)
    assert "WARNING" not in kind.reason
    assert "2000.0 ms late" in kind.reason


def test_a_session_with_two_minds_is_refused() -> None:
    stages = describe((MaskBad(), LowPass()))
    with pytest.raises(InputError, match=r"clean.stages in .* is the whole chain: take it or clean.suppression out"):
        Session().changed(**{"clean.stages": stages, "clean.suppression": "joint"})


def test_a_file_that_cannot_take_a_chain_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("clean = { line = 50 }\n")
    with pytest.raises(InputError, match="stays as it was"):
        write_stages(path, describe(CHAIN))
    assert path.read_text() == "clean = { line = 50 }\n"
    assert list(tmp_path.iterdir()) == [path]


def standing(name: str, error: float, kept: float = 0.99) -> Standing:
    cost = HeartCost(kept, 0.999, 0.9, 0.004)
    return Standing(name, cost, 20e-15, {"1-40 Hz": 30.0}, 0.01, error, Chain(CHAIN))


def test_the_winner_keeps_the_heart_and_beats_the_default_clearly() -> None:
    best, why = winner([standing("a", 0.03), standing("default", 0.05), standing("eater", 0.01, 0.5)])
    assert best.name == "default"
    assert "'a' comes to 3.0%, not better by 3%" in why
    best, why = winner([standing("a", 0.03), standing("default", 0.09)])
    assert best.name == "a"
    assert "'default' comes to 9.0%" in why
    best, why = winner([standing("a", 0.2), standing("default", 0.1, 0.8)])
    assert (best.name, "takes too much of the heart" in why) == ("a", True)
    assert winner([standing("default", np.nan), standing("a", np.nan)])[0].name == "default"
    with pytest.raises(ValueError, match="none of 1 chains keeps 90% of the heart"):
        winner([standing("eater", 0.01, 0.5)])


def test_choose_writes_a_session_that_map_obeys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chosen.toml"
    room = "sim:adult?seconds=14&gain_error=0.03&columns=5&rows=5"
    assert main(["filters", room, "--seconds", "14", "--choose", "--session", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "one beat's map at R within" in printed
    assert str(path) in printed
    chain = stages_of(read_session(path).clean.stages)
    assert isinstance(chain[0], MaskBad)
    out = tmp_path / "out"
    assert main(["map", room, "--out", str(out), "--session", str(path)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert [row["stage"] for row in summary["cleaning"]] == [*(type(s).__name__ for s in chain), "whole chain"]
    assert summary["session"]["clean"]["stages"] == describe(chain)
    whole = summary["cleaning"][-1]
    assert whole["injected"]["heart_kept"] == pytest.approx(whole["heart_kept"], abs=0.05)
    assert whole["delay_s"] == pytest.approx(sum(row["delay_s"] for row in summary["cleaning"][:-1]))
    assert main(["filters", room, "--choose"]) == 1
    assert "--session FILE" in capsys.readouterr().err

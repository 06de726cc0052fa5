"""Published rules straddled from both sides, and left open where the interval does not decide."""

from __future__ import annotations

import pytest

from zeromag.mapping.criteria import PARK, literature
from zeromag.mapping.parameters import Parameter


def told(value: float, half: float | None = 0.0, unit: str = "1") -> Parameter:
    low, high = (None, None) if half is None else (value - half, value + half)
    return Parameter(value=value, low=low, high=high, unit=unit)


@pytest.mark.parametrize(
    ("rule", "value", "met"),
    [
        (0, -20.0, "met"),
        (0, -20.1, "not met"),
        (0, 110.0, "met"),
        (0, 110.1, "not met"),
        (0, 340.0, "met"),
        (0, -127.0, "not met"),
        (0, 179.9, "not met"),
        (1, 45.0, "met"),
        (1, 44.9, "not met"),
        (2, 0.020, "met"),
        (2, 0.0199, "not met"),
        (3, 0.3, "met"),
        (3, 0.299, "not met"),
    ],
)
def test_rules_turn_at_their_thresholds(rule: int, value: float, met: str) -> None:
    assert PARK[rule](told(value)) == met


def test_an_interval_over_a_threshold_leaves_the_rule_open() -> None:
    assert PARK[1](told(47.0, 3.0)) == "open"
    assert PARK[1](told(50.0, 3.0)) == "met"
    assert PARK[1](told(30.0, 3.0)) == "not met"
    assert PARK[0](told(-22.0, 5.0)) == "open"
    assert PARK[0](told(45.0, 64.0)) == "met"
    assert PARK[0](told(45.0, 200.0)) == "open"
    assert PARK[0](told(50.0, None)) == "open"


def test_literature_names_cohort_and_study_of_what_was_measured() -> None:
    found = literature({"map_angle_T": told(30.0, 1.0), "qt": told(0.4)})
    assert [(one.criterion.name, one.met) for one in found] == [("Park 1", "met")]
    assert "2005" in found[0].criterion.study
    assert "264" in found[0].criterion.cohort
    assert "sense" in found[0].criterion.caution


def test_all_published_rules_stand_side_by_side_and_one_without_a_printed_threshold_is_open() -> None:
    names = ("current_angle_T", "total_current_angle_T", "total_current_turn_T")
    found = literature({"cdv_class": told(2.0, 0.1), **{name: told(-40.0, 1.0, "deg") for name in names}})
    assert {one.criterion.name: one.met for one in found} == {
        "Kandori 1": "open",
        "Kandori 2": "open",
        "Kandori 3": "open",
        "Chaikovsky CDV": "met",
    }
    assert all("%" in one.criterion.cohort for one in found)
    assert all(one.criterion.caution for one in found)
    assert literature({"cdv_class": told(1.7, 0.1)})[0].met == "open"
    assert literature({"cdv_class": told(1.0, 0.1)})[0].met == "not met"
    assert not any(word in str(found).lower() for word in ("diagnos", "abnormal", "healthy", "ischem"))

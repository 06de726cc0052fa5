"""Putting frames back in order, without a socket or a clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zeromag.acquire.frame import BLOCK, Header
from zeromag.acquire.repair import ASK_AGAIN_SECONDS, GIVE_UP_SECONDS, HELD_BYTES, Frame, Repair


def frame(sequence: int, size: int = 10) -> Frame:
    return Header(BLOCK, 1, 2, sequence), sequence.to_bytes(4, "little") * size


def given_out(repair: Repair) -> list[int]:
    out = []
    while (taken := repair.take()) is not None:
        out.append(taken[0].sequence)
    return out


@given(
    order=st.permutations(range(30)),
    dropped=st.sets(st.integers(0, 29)),
    forgotten=st.integers(0, 20),
    batch=st.integers(1, 7),
)
def test_any_order_and_any_loss_give_each_frame_once_in_order(
    order: list[int], dropped: set[int], forgotten: int, batch: int
) -> None:
    """The sender has forgotten the frames before `forgotten`; the rest it gives again in batches."""
    repair, out, now = Repair(0, 0), [], 100.0
    for sequence in [*(number for number in order if number not in dropped), 30]:
        repair.live(frame(sequence))
        out += given_out(repair)
    while (wanted := repair.request(now)) is not None:
        first = max(wanted, forgotten)
        repair.answer(first, 31, [frame(number) for number in range(first, min(first + batch, 31))], now)
        out += given_out(repair)
    assert out == sorted(set(out))
    assert set(range(forgotten, 31)) <= set(out)
    assert set(range(31)) - set(out) <= {number for number in dropped if number < forgotten}
    assert repair.lost == 31 - len(out)


def test_it_asks_once_then_again_then_gives_up() -> None:
    repair = Repair(0, 0)
    repair.live(frame(0))
    repair.live(frame(5))
    assert given_out(repair) == [0]
    assert repair.request(10.0) == 1
    assert repair.request(10.5) is None
    assert repair.request(10.0 + ASK_AGAIN_SECONDS) == 1
    assert repair.request(10.1 + GIVE_UP_SECONDS) is None
    assert given_out(repair) == [5]
    assert repair.lost == 4


def test_patience_counts_from_when_the_sender_is_back() -> None:
    repair = Repair(0, 3)
    assert repair.request(10.0) == 0
    repair.pause()  # eight seconds without a network
    assert repair.request(18.0) == 0
    assert repair.lost == 0


def test_what_is_held_is_bounded() -> None:
    repair = Repair(0, 0)
    big = HELD_BYTES // 4 // 3
    for sequence in range(1, 10):
        repair.live(frame(sequence, big))
    repair.answer(0, 10, [frame(0)], 1.0)
    assert given_out(repair) == [0, 1, 2, 3]
    assert repair.request(2.0) == 4

"""What a running acquisition can be told, and its answer; JSON on the wire, no I/O here."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from zeromag.errors import LinkError

MOST_BYTES: Final = 1 << 16  # of an order or an answer
MOST_WORDS: Final = 200  # characters of a mark


class _Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="do"):
    """`id` comes back with the answer."""

    id: int = 0


class Mark(_Order, frozen=True, tag="mark"):
    """Note these words at the sample that is taken now."""

    text: str

    def __post_init__(self) -> None:
        if not 0 < len(self.text.strip()) <= MOST_WORDS or not self.text.isprintable():
            raise ValueError(f"a mark is one line of 1 to {MOST_WORDS} characters, got {len(self.text)}")


class Record(_Order, frozen=True, tag="record"):
    """Keep the stream from the next block on, in a folder below that of the acquisition; empty: that one."""

    folder: str = ""


class Stop(_Order, frozen=True, tag="stop"):
    """Keep nothing more; the recording is made of what was kept."""


class Change(_Order, frozen=True, tag="change"):
    """Change settings of the session from the next block on: `{"clean.line": 50}`."""

    settings: dict[str, Any]


class State(_Order, frozen=True, tag="state"):
    """Change nothing, tell how things are."""


Order = Mark | Record | Stop | Change | State


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order; `recording` and `session` are how things are after it."""

    id: int = 0
    done: bool = True
    why: str = ""  # it was not done, in one sentence
    sample: int = 0  # where in the stream it took effect; of a state: the next one to come
    journal: str = ""  # what was begun or ended, on the machine of the acquisition
    recording: bool = False
    session: dict[str, Any] = {}


_order = msgspec.json.Decoder(Order)
_reply = msgspec.json.Decoder(Reply)
encode: Final = msgspec.json.Encoder().encode


def read_order(content: bytes) -> Order:
    """Return the order in a message; raises LinkError when there is none."""
    try:
        order: Order = _order.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LinkError(f"an order is not understood: {error}") from error
    return order


def read_reply(content: bytes) -> Reply:
    """Return the answer in a message; raises LinkError when there is none."""
    try:
        return _reply.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LinkError(f"an answer is not understood, so the publisher may be of another version: {error}") from error

"""The flags of `zeromag control` and `zeromag keys`: who may do what while it runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

Add = Callable[..., argparse.ArgumentParser]  # adds one command to the parser


def control(add: Add) -> None:
    """Add `control`."""
    parser = add("control", help="mark, record, stop or change a setting while it runs")
    parser.add_argument("--from", dest="endpoint", required=True, help="what `acquire` or `process` printed")
    parser.add_argument("--keys", type=Path, help="folder of `zeromag keys`; needed off this machine")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("state", help="whether it records, and which settings hold")
    mark = actions.add_parser("mark", help="note something at the sample that is taken now")
    mark.add_argument("text", help="one line; never a name")
    record = actions.add_parser("record", help="keep the stream from now on")
    record.add_argument("folder", nargs="?", default="", help="below the folder of the acquisition; default that one")
    actions.add_parser("stop", help="keep nothing more; the recording is made of what was kept")
    change = actions.add_parser("set", help="change settings from the next block on")
    change.add_argument("settings", nargs="+", metavar="KEY=VALUE", help="as in clean.line=60, or a session file")


def keys(add: Add) -> None:
    """Add `keys`."""
    parser = add("keys", help="who may connect from another machine, and as what")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = actions.add_parser("new", help="make a pair of keys; prints the public one")
    new.add_argument("side", choices=("server", "client"), help="server: publishes; client: connects")
    allow = actions.add_parser("allow", help="let a client connect")
    allow.add_argument("key", help="the client's public key, or its client.pub file")
    allow.add_argument("--role", choices=("view", "control"), default="view")
    allow.add_argument("--name", default="", help="whose key it is")
    token = actions.add_parser("token", help="make a token to sign in at the page with; shown once")
    token.add_argument("name", help="whose token it is; by this it is revoked")
    token.add_argument("--role", choices=("view", "control"), default="view")
    revoke = actions.add_parser("revoke", help="let a client, or the holder of a token, in no more")
    revoke.add_argument("key", help="its public key or name")
    for action in (new, allow, token, revoke, actions.add_parser("list", help="who may connect")):
        action.add_argument("--folder", type=Path, default=Path("keys"), help="where keys are kept; default ./keys")

"""`zeromag keys`: who may connect from another machine, and as what."""

from __future__ import annotations

import argparse
from pathlib import Path

from zeromag.acquire.keys import allow, allowed, new_keys, revoke
from zeromag.acquire.tokens import new_token, revoke_token, tokens


def run(flags: argparse.Namespace) -> int:
    """Make, allow, revoke or list keys in a folder."""
    if flags.action == "new":
        public = new_keys(flags.folder, flags.side)
        print(f"public key of this {flags.side}: {public}")
    elif flags.action == "allow":
        allow(flags.folder, _public(flags.key), flags.role, flags.name)
        print(f"{flags.name or flags.key} may connect as {flags.role}")
    elif flags.action == "token":
        print(f"token of {flags.name}, shown this once: {new_token(flags.folder, flags.role, flags.name)}")
    elif flags.action == "revoke":
        if not revoke_token(flags.folder, flags.key):
            revoke(flags.folder, flags.key)
        print(f"{flags.key} may not connect any more")
    else:
        for entry in allowed(flags.folder):
            print(f"{entry.public}  {entry.role:7}  {entry.name}")
        for entry in tokens(flags.folder):
            print(f"{'token of the page':40}  {entry.role:7}  {entry.name}")
    return 0


def _public(text: str) -> str:
    """Return the key itself, or the one in the file that is named: keys are full of signs that shells eat."""
    path = Path(text)
    return path.read_text(encoding="ascii").strip() if len(text) != 40 and path.is_file() else text

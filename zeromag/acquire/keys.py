"""Who may connect: CURVE keys in a folder, an allow-list beside them, a line for each that came.

A publisher's folder holds `server.key` (secret), `server.pub`, `allowed.tsv` and `audit.log`; a reader's
holds `client.key` (secret), `client.pub` and the publisher's `server.pub`. Keys are Z85 text.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import zmq

from zeromag.acquire.audit import audit
from zeromag.errors import InputError, LinkError, StorageError

Side = Literal["server", "client"]
Role = Literal["view", "control"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
ALLOWED: Final = "allowed.tsv"
_Z85 = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One reader that may connect."""

    public: str
    role: Role
    name: str


def new_keys(folder: Path, side: Side) -> str:
    """Make a pair of keys that only the owner can read; return the public one.

    Raises
    ------
    StorageError
        There is a pair already (it is never overwritten), or the folder cannot be written.
    """
    public, secret = zmq.curve_keypair()
    while public.startswith(b"-"):  # would be taken for a flag when it is typed
        public, secret = zmq.curve_keypair()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / f"{side}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secret.decode() + "\n")
        (folder / f"{side}.pub").write_text(public.decode() + "\n")
    except FileExistsError as error:
        raise StorageError(f"{folder} holds a {side} key already; take another folder or remove it first") from error
    except OSError as error:
        raise StorageError(f"no key can be written to {folder}: {error.strerror}") from error
    audit(folder, {"action": "new", "key": public.decode(), "side": side})
    return public.decode()


def allow(folder: Path, public: str, role: Role = "view", name: str = "") -> None:
    """Let the owner of this public key connect, from now on."""
    if role not in ROLES:
        raise InputError(f"a role is one of {', '.join(ROLES)}, got '{role}'")
    if not _Z85.fullmatch(public):
        raise InputError(f"a public key is 40 characters of Z85 (the content of client.pub), got '{public}'")
    if re.search(r"[\t\n\r]", name):
        raise InputError("the name of a key must be one line without tabs")
    others = [entry for entry in allowed(folder) if entry.public != public]
    _write(folder, [*others, Allowed(public, role, name)])
    audit(folder, {"action": "allow", "key": public, "role": role, "name": name})


def revoke(folder: Path, who: str) -> None:
    """Let nobody of this name or public key connect any more."""
    entries = allowed(folder)
    kept = [entry for entry in entries if who not in {entry.public, entry.name}]
    if len(kept) == len(entries):
        raise InputError(f"no key of '{who}' is allowed in {folder}; `zeromag keys list` shows who is")
    _write(folder, kept)
    audit(folder, {"action": "revoke", "who": who})


def allowed(folder: Path) -> list[Allowed]:
    """Return who may connect; raises InputError when the list is damaged."""
    path = folder / ALLOWED
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        public, role, name = (*line.split("\t"), "", "")[:3]
        known = [known for known in ROLES if known == role]
        if not known or not _Z85.fullmatch(public):
            raise InputError(f"a line of {path} is no key, role and name: '{line}'")
        entries.append(Allowed(public, known[0], name))
    return entries


def be_server(socket: zmq.Socket[bytes], folder: Path) -> None:
    """Let a socket accept only what the gate of its context lets in."""
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, _secret(folder, "server"))


def be_client(socket: zmq.Socket[bytes], folder: Path) -> None:
    """Let a socket talk only to the publisher whose `server.pub` is in the folder."""
    socket.setsockopt(zmq.CURVE_SERVERKEY, _key(folder / "server.pub"))
    socket.setsockopt(zmq.CURVE_PUBLICKEY, _key(folder / "client.pub"))
    socket.setsockopt(zmq.CURVE_SECRETKEY, _secret(folder, "client"))


def _secret(folder: Path, side: Side) -> bytes:
    path = folder / f"{side}.key"
    key = _key(path)
    if os.name != "nt" and path.stat().st_mode & 0o077:
        raise LinkError(f"{path} can be read by others: make it yours alone with `chmod 600 {path}`")
    return key


def _key(path: Path) -> bytes:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LinkError(f"there is no key {path}: make one with `zeromag keys new` or copy the publisher's") from error
    if not _Z85.fullmatch(text):
        raise LinkError(f"{path} holds no key: 40 characters of Z85 were expected")
    return text.encode()


def _write(folder: Path, entries: list[Allowed]) -> None:
    lines = [f"{entry.public}\t{entry.role}\t{entry.name}\n" for entry in entries]
    part = folder / f".{ALLOWED}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text("".join(lines), encoding="utf-8")
        part.replace(folder / ALLOWED)
    except OSError as error:
        raise StorageError(f"{folder / ALLOWED} cannot be written: {error.strerror}") from error

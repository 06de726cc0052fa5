"""Who may sign in at the page: tokens, of which the folder of keys holds only the hash, beside role and name."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from zeromag.acquire.audit import audit
from zeromag.acquire.keys import ROLES, Allowed, Role
from zeromag.errors import InputError, StorageError

TOKENS: Final = "tokens.tsv"
_BYTES: Final = 24  # 192 bits: never guessed


def new_token(folder: Path, role: Role = "view", name: str = "") -> str:
    """Make a token and return it; it is shown this once and cannot be read again.

    Raises
    ------
    InputError
        The role is not known, or there is a token of this name.
    StorageError
        The folder cannot be written.
    """
    if role not in ROLES:
        raise InputError(f"a role is one of {', '.join(ROLES)}, got '{role}'")
    if not name or not name.isprintable():
        raise InputError("a token needs a name, one line without tabs, by which it can be revoked")
    entries = tokens(folder)
    if any(entry.name == name for entry in entries):
        raise InputError(f"there is a token of '{name}' in {folder} already: revoke it first, or take another name")
    token = secrets.token_urlsafe(_BYTES)
    _write(folder, [*entries, Allowed(_hash(token), role, name)])
    audit(folder, {"action": "token", "role": role, "name": name})
    return token


def revoke_token(folder: Path, name: str) -> bool:
    """Let nobody in with the token of this name any more; return whether there was one."""
    entries = tokens(folder)
    kept = [entry for entry in entries if entry.name != name]
    if len(kept) == len(entries):
        return False
    _write(folder, kept)
    audit(folder, {"action": "revoke token", "who": name})
    return True


def tokens(folder: Path) -> list[Allowed]:
    """Return who may sign in, `public` being the token's hash; raises InputError when the list is damaged."""
    path = folder / TOKENS
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        digest, role, name = (*line.split("\t"), "", "")[:3]
        known = [known for known in ROLES if known == role]
        if not known or len(digest) != 64:
            raise InputError(f"a line of {path} is no hash, role and name: '{line}'")
        entries.append(Allowed(digest, known[0], name))
    return entries


def holder(folder: Path, token: str) -> Allowed | None:
    """Return whose token this is; every entry is compared in the same time."""
    digest, found = _hash(token), None
    for entry in tokens(folder):
        if hmac.compare_digest(entry.public, digest):
            found = entry
    return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _write(folder: Path, entries: list[Allowed]) -> None:
    part = folder / f".{TOKENS}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.touch(mode=0o600)
        part.write_text("".join(f"{one.public}\t{one.role}\t{one.name}\n" for one in entries), encoding="utf-8")
        part.replace(folder / TOKENS)
    except OSError as error:
        raise StorageError(f"{folder / TOKENS} cannot be written: {error.strerror}") from error

"""The session: every setting of a run, kept in every output; `session_file` reads and writes it as TOML.

Each key is a flag of the command line too; a key that is not known is refused with the nearest known one.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from zeromag.calibration import Calibration, check_calibration
from zeromag.errors import InputError


class Acquire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How blocks are taken and published."""

    block: int = 10  # samples
    bind: str = "tcp://127.0.0.1:*"


class Clean(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How interference is removed."""

    suppression: Literal["auto", "joint", "homogeneous", "none"] = "auto"
    line: Literal[0, 50, 60] = 0  # Hz; 0: find out
    low_pass: float = 100.0  # Hz
    stages: tuple[dict[str, Any], ...] = ()  # the whole chain instead, each by its name as `stage` and its settings


class Beats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is cut out around each R."""

    before: float = 0.3  # s
    after: float = 0.5  # s
    memory: float = 0.0  # beats that an exponential average is as good as, up to 64; 0: all beats count alike
    hearts: Literal["auto", "one", "fetal"] = "auto"  # fetal: a fetus beside its mother; auto: only in `sim:fetal`


class Lsl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under which names the stream goes out as Lab Streaming Layer streams too; empty: not at all."""

    raw: str = ""
    filtered: str = ""


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the field map is made."""

    pixels: int = 64  # along each side


class Sources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where in the heart the averaged beat is looked for."""

    method: Literal["none", "minimum-norm", "sloreta", "lcmv"] = "sloreta"
    conductor: Literal["halfspace", "sphere", "torso"] = "halfspace"
    sphere_mm: float = 150.0  # radius; its top 10 mm below the sensors
    torso: str = ""  # folder of thorax.gii, lungs.gii, blood.gii
    depth_mm: float = 100.0  # of the torso's heart below the middle of the array


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of a run."""

    source: str = "sim:adult"
    subject: str = ""  # a code, never a name
    language: str = "en"  # of the report
    acquire: Acquire = Acquire()
    clean: Clean = Clean()
    beats: Beats = Beats()
    map: Map = Map()
    sources: Sources = Sources()
    lsl: Lsl = Lsl()
    calibration: Calibration = {}  # of the sensors; in a session file also the name of such a file

    def as_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, as they are stored in outputs."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    def calibrated_like(self, other: Mapping[str, Any]) -> Session:
        """Return the session with the calibration of the one that a stream or recording carries, unless it has its own.

        Raises
        ------
        InputError
            If what the other carries is no calibration.
        """
        told = other.get("calibration")
        return self if self.calibration or not told else self.changed(calibration=told)

    def changed(self, **flags: object) -> Session:
        """Return the session with dotted keys replaced; None leaves a key as it is.

        Examples
        --------
        >>> Session().changed(**{"clean.line": 50, "source": None}).clean.line
        50
        """
        settings = self.as_dict()
        for key, value in flags.items():
            if value is None:
                continue
            *tables, name = key.split(".")
            table = settings
            for step in tables:
                if not isinstance(table.get(step), dict):
                    table[step] = {}  # no table of this name: said with the nearest one below
                table = table[step]
            table[name] = value
        return session_from(settings, "the command line")

    def followed(self, phrase: str, *, obey: bool = False) -> Session:
        """Return the session after a change as `changes` wrote it; a setting that had another value stays as it is.

        So a recording made while a setting was changed gives the same result again, and one who maps it with
        another setting on purpose keeps that. `obey` changes it whatever it was.
        """
        key, colon, values = phrase.partition(": ")
        before, arrow, after = values.partition(" → ")
        if not (colon and arrow and key in dotted(self.as_dict())):
            return self
        try:
            will = json.loads(after)
        except json.JSONDecodeError:
            return self
        return self.changed(**{key: will}) if obey or json.dumps(dotted(self.as_dict())[key]) == before else self


def session_from(settings: Mapping[str, Any], where: str = "the stream") -> Session:
    """Return the session of plain dictionaries, such as a stream's description holds.

    Raises
    ------
    InputError
        If they have a key or value that no setting takes; `where` says whose they are.
    """
    known = Session().as_dict()
    _check_keys(settings, known, where)
    try:
        session = msgspec.convert(settings, Session)
    except msgspec.ValidationError as error:
        raise InputError(f"a setting in {where} does not fit: {error}") from error
    if session.clean.stages:
        for key in ("suppression", "low_pass"):
            if getattr(session.clean, key) != known["clean"][key]:
                raise InputError(f"clean.stages in {where} is the whole chain: take it or clean.{key} out")
    if session.calibration:
        check_calibration(session.calibration, where)
    return session


def changes(before: Session, after: Session) -> tuple[str, ...]:
    """Return what differs, one phrase a setting: `clean.line: 0 → 50`, the values as JSON."""
    old, new = dotted(before.as_dict()), dotted(after.as_dict())
    return tuple(f"{key}: {json.dumps(old[key])} → {json.dumps(new[key])}" for key in old if old[key] != new[key])


def dotted(settings: dict[str, Any], table: str = "") -> dict[str, Any]:
    """Return every setting by its dotted key."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= dotted(value, f"{table}{key}.") if isinstance(value, dict) else {f"{table}{key}": value}
    return flat


def _check_keys(given: Mapping[str, Any], known: Mapping[str, Any], where: str, table: str = "") -> None:
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
            raise InputError(f"{where} has a key that is not known: {table}{key}; the nearest one is {table}{near[0]}")
        if known[key] and isinstance(known[key], dict) and isinstance(value, dict):  # an empty one takes any names
            _check_keys(value, known[key], where, f"{table}{key}.")

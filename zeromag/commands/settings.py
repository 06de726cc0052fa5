"""The session that a command's flags and session file ask for."""

from __future__ import annotations

import argparse

import msgspec

from zeromag.calibration import read_calibration
from zeromag.errors import InputError
from zeromag.session import Session
from zeromag.session_file import read_session
from zeromag.viz.words import languages

FLAGS = {
    "source": "source",
    "subject": "subject",
    "language": "language",
    "suppression": "clean.suppression",
    "line": "clean.line",
    "low_pass": "clean.low_pass",
    "hearts": "beats.hearts",
    "block": "acquire.block",
    "bind": "acquire.bind",
    "lsl_raw": "lsl.raw",
    "lsl_filtered": "lsl.filtered",
}


def session_of(flags: argparse.Namespace, known: Session | None = None) -> Session:
    """Return the session file's settings, or else those that are known, with the flags on top."""
    session = read_session(flags.session) if flags.session else known or Session()
    if getattr(flags, "calibration", None) is not None:
        session = session.changed(calibration=msgspec.to_builtins(read_calibration(flags.calibration)))
    session = session.changed(**{key: getattr(flags, flag, None) for flag, key in FLAGS.items()})
    if session.language not in languages():
        raise InputError(f"the report's language is one of {', '.join(languages())}, got {session.language}")
    return session

"""`zeromag verify`: every block's checksum."""

from __future__ import annotations

import argparse

from zeromag.acquire.recording import verify


def run(flags: argparse.Namespace) -> int:
    """Print what is wrong, or that nothing is."""
    problems = verify(flags.recording)
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{flags.recording}: every block as it was recorded")
    return 1 if problems else 0

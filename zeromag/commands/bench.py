"""`zeromag bench`: characterise an array, compare designs of arrays, measure this machine."""

from __future__ import annotations

import argparse
import importlib


def run(flags: argparse.Namespace) -> int:
    """Run the benchmark that was asked for."""
    return int(importlib.import_module(f"zeromag.commands.bench_{flags.what}").run(flags))

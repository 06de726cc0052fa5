"""`zeromag view`: process C, the window or the page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from zeromag.commands.lifeline import lifeline
from zeromag.errors import InputError


def run(flags: argparse.Namespace) -> int:
    """Show a running stream until the window is closed or somebody asks to stop."""
    with lifeline(flags.leash) as line:
        endpoint = flags.endpoint
        if flags.web:
            from zeromag.viz.page import serve_page

            show: Callable[..., int] = serve_page
        else:
            from zeromag.viz.window import open_window

            show = open_window
        if flags.leash:
            told = line.told()
            if told is None:
                return 0
            endpoint = json.loads(told)["endpoint"]
        if endpoint is None:
            raise InputError("view needs --from ENDPOINT: the address that `zeromag process` printed")
        return show(endpoint, stop=line.stop, announce=line.announce, keys=flags.keys)

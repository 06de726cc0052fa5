"""zeromag: a live instrument for the heart's magnetic field."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zeromag.api import Result, read_raw
    from zeromag.api import map_recording as map  # noqa: A004 - zeromag.map does what `zeromag map` does

__version__ = "0.1.0"
__all__ = ["Result", "__version__", "map", "read_raw"]

_LAZY = {"Result": "Result", "map": "map_recording", "read_raw": "read_raw"}  # so that `import zeromag` stays instant


def __getattr__(name: str) -> object:
    """Import what is asked for only then (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module 'zeromag' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module("zeromag.api"), _LAZY[name])


def __dir__() -> list[str]:
    return sorted(__all__)

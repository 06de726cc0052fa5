"""zeromag: a live instrument for the heart's magnetic field."""

from __future__ import annotations

__version__ = "0.1.0"

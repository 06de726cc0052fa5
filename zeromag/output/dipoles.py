"""x"""

from typing import Any
from pathlib import Path


def write_dipoles(path: Path, dipoles: Any) -> None:
    path.write_text("time\n")

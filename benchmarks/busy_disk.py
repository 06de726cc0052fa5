"""Keep a disk busy until killed: gigabytes written, brought to the disk and removed, and hundreds of small files.

python -m benchmarks.busy_disk DIR
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PIECE, PIECES, SMALL = os.urandom(1 << 22), 300, 200


def written(path: Path, pieces: int) -> None:
    """Write a file, bring it to the disk and remove it."""
    with path.open("wb") as file:
        for _ in range(pieces):
            file.write(PIECE)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def main() -> None:
    """Go on and on."""
    folder = Path(sys.argv[1])
    while True:
        written(folder / "large", PIECES)
        for number in range(SMALL):
            written(folder / f"small-{number}", 1 if number % 50 == 0 else 0)


if __name__ == "__main__":
    main()

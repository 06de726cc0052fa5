"""The process that reads a file of unknown origin: `python -m zeromag.acquire.foreign_child PATH`.

On standard output: 4 bytes of length, that much JSON (`samples`), the frame of the description; then, once
standard input has told how many samples a piece shall have, the frames of all blocks and the end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Final

from zeromag.acquire.message import Description, End, Stamp
from zeromag.acquire.replay import opened
from zeromag.acquire.wire import encode_block, encode_description, encode_end
from zeromag.errors import ZeromagError

MEMORY: Final = 8 << 30  # bytes of address space: libraries alone reserve two
_PIECE_BYTES: Final = 64 << 20


def main() -> int:
    """Read the file and return the exit code: 0 done, 1 with one sentence on standard error."""
    path = Path(sys.argv[1])
    _limit(path)
    out = sys.stdout.buffer
    sys.stdout = sys.stderr  # a library that prints must not garble the frames
    try:
        source = opened(path)
        about = json.dumps({"samples": source.samples}).encode()
        epoch = time.time_ns()
        described = Description(source.sensors, source.rate, session=source.session)
        out.write(len(about).to_bytes(4, "little") + about + encode_description(described, Stamp(0, epoch, 0)))
        out.flush()
        told = sys.stdin.readline()
        if not told:
            return 0
        sequence = stop = 0
        most = max(1, _PIECE_BYTES // (8 * len(source.sensors)))
        for chunk in source.chunks(int(told)):
            for start in range(0, len(chunk), most):
                piece = chunk.part(start, min(start + most, len(chunk)))
                out.write(encode_block(piece, Stamp(0, epoch, sequence)))
                sequence, stop = sequence + 1, piece.stop
        out.write(encode_end(End(stop), Stamp(0, epoch, sequence)))
        out.flush()
    except ZeromagError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except MemoryError:
        sys.stderr.write(f"{path} needs more than {MEMORY >> 30} GB of memory: it is damaged, or no recording\n")
        return 1
    except BrokenPipeError:
        return 0  # nobody wants the rest
    return 0


def _limit(path: Path) -> None:
    """Let this process have so much memory and no more, and leave no core behind."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    most = max(MEMORY, 4 * path.stat().st_size) if path.exists() else MEMORY
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main())

"""A block's mask as every kernel is given it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block


def bad_samples(block: Block) -> NDArray[np.bool_]:
    """Return the mask, read-only even when it was made here: a writable one would compile every kernel twice."""
    bad = block.bad()
    bad.setflags(write=False)
    return bad

"""The one way a kernel is compiled, and the array types that stand in kernel signatures.

`fastmath` stays off because NaN marks bad samples; `parallel` stays off because two threads in one
parallel kernel abort the process on numba's portable threading layer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, typeof
from numpy.typing import NDArray

F64 = NDArray[np.float64]
BOOL = NDArray[np.bool_]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """Compile a function the one way that kernels are compiled; its types stay what they were.

    The machine code is kept beside the file, or in the user's own cache where an installation is read-only; where
    neither can be written to, it is compiled anew by each process.
    """
    compile_ = partial(njit, nogil=True, error_model="numpy")
    try:
        return cast("Function", compile_(cache=True)(function))
    except RuntimeError:  # numba found no folder that it may write to
        return cast("Function", compile_()(function))


def compiled(function: Function, *like: object) -> Function:
    """Return a kernel's machine code for arguments like these, which looks at no type when it is called.

    Numba's own call looks at the type of every array: a third of the time of a small block. Here the caller answers
    for the types: blocks are float64, row behind row, and what a running stage holds never changes its own.
    """
    dispatcher, kind = cast("Any", function), cast("Callable[[object], object]", typeof)
    kinds = tuple(kind(value) for value in like)
    dispatcher.compile(kinds)  # or loads it, or knows it already
    return cast("Function", dispatcher.overloads[kinds].entry_point)

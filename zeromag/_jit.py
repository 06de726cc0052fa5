"""The one way a kernel is compiled, and the array types that stand in kernel signatures.

`fastmath` stays off because NaN marks bad samples; `parallel` stays off because two threads in one
parallel kernel abort the process on numba's portable threading layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
BOOL = NDArray[np.bool_]
I64 = NDArray[np.int64]

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """Compile a function the one way that kernels are compiled; its types stay what they were."""
    return cast("Function", njit(nogil=True, cache=True, error_model="numpy")(function))

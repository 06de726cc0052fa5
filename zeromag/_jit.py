"""The one way a kernel is compiled, and the array types that stand in kernel signatures.

`fastmath` stays off because NaN marks bad samples; `parallel` stays off because two threads in one
parallel kernel abort the process on numba's portable threading layer.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
BOOL = NDArray[np.bool_]
I64 = NDArray[np.int64]

kernel: Any = partial(njit, nogil=True, cache=True, error_model="numpy")

"""The table of adaptive filters (science §3.5) on five other scenes: `python -m benchmarks.reference_table`.

The scene that the test holds was searched for; the others have the sizes of heart and noises drawn anew, by up to a
factor of two either way, and other seeds. Shielding in dB and heart left, beside the table's.
"""

from __future__ import annotations

import numpy as np

from tests.test_filters_table import TABLE, Scene

OTHERS = 5


def scenes() -> list[Scene]:
    """Return the table's scene, then the others."""
    rng = np.random.default_rng(0)
    sizes = np.array([1.96, 0.0025, 0.003]) * 2 ** rng.uniform(-1, 1, size=(OTHERS, 3))
    return [Scene(), *(Scene(100 + k, *size) for k, size in enumerate(sizes.tolist()))]


def main() -> None:
    """Print a line a filter."""
    known = scenes()
    for stage, shielding, kept in TABLE:
        (own, heart), *others = (scene.judge(stage) for scene in known)
        decibels, hearts = np.array(others).T
        name = f"{type(stage).__name__} {getattr(stage, 'step', None) or getattr(stage, 'memory', None)}"
        print(
            f"{name:28s} table {shielding:5.1f} dB {kept:5.3f}   searched {own:5.1f} dB {heart:5.3f}   "
            f"others {decibels.min():5.1f} to {decibels.max():5.1f} dB, {hearts.min():5.3f} to {hearts.max():5.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""What an average is made of: means of some of its beats each, for whoever asks how much it varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zeromag._jit import F64, I32


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Means of every `n`-th beat, as they were when the average was taken.

    Only references: of a thousand channels they are hundreds of megabytes, and most who want the average never look.
    """

    means: tuple[F64, ...]  # of each part, (n_times, n_channels) T
    counts: tuple[I32, ...]  # beats in it, (n_times, n_channels)
    wave: F64  # (n_times, n_channels) T, the average, where a part has no beat
    left: F64  # (n_parts,) weight that its newest beat has left; 1 where all beats count alike

    def __len__(self) -> int:
        return len(self.means)

    def stacked(self) -> F64:
        """Return all parts: (n_parts, n_times, n_channels) T."""
        out = np.empty((len(self), *self.wave.shape))
        for part, mean, count in zip(out, self.means, self.counts, strict=True):
            part[:] = np.where(count > 0, mean, self.wave)
        return out

    def weights(self) -> F64:
        """Return how many beats are in each: (n_parts, n_channels)."""
        return np.array([count[0] for count in self.counts]) * self.left[:, None]

    def shares(self) -> F64:
        """Return how much each part weighs in the average: (n_parts, n_channels), 1 in sum."""
        weights = self.weights()
        return np.asarray(weights / np.maximum(weights.sum(axis=0), 1e-9), dtype=np.float64)

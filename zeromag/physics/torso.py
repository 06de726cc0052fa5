"""The torso conductor: closed surfaces of any shape between regions of different conductivity."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zeromag.physics.conductor import MU0_4PI, Infinite, lead_field
from zeromag.physics.mesh import Mesh, read_gifti

SCHEME = b"zeromag linear collocation 1"  # part of the cache's key: change it with the numbers
BODY, LUNGS, BLOOD = 0.2, 0.06, 0.6  # S/m, usual values (0.04 to 0.08 for lungs)
# 7-point rule of degree 5 on a triangle (Dunavant 1985): barycentric coordinates and weights
_A, _B = (6 - np.sqrt(15)) / 21, (6 + np.sqrt(15)) / 21
BARYCENTRIC = np.array(
    [[1 / 3] * 3]
    + [np.roll([1 - 2 * _A, _A, _A], k) for k in range(3)]
    + [np.roll([1 - 2 * _B, _B, _B], k) for k in range(3)]
)
WEIGHTS = np.array([9 / 40] + [(155 - np.sqrt(15)) / 1200] * 3 + [(155 + np.sqrt(15)) / 1200] * 3)
# a triangle cut in four: corners of the parts in barycentric coordinates
QUARTERS = np.array(
    [
        [[1, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5]],
        [[0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5]],
        [[0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 1]],
        [[0.5, 0.5, 0], [0, 0.5, 0.5], [0.5, 0, 0.5]],
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A closed surface with the conductivities on both sides of it (S/m)."""

    surface: Mesh
    inside: float
    outside: float


@dataclass(frozen=True, slots=True, eq=False)
class Torso:
    """A solved boundary-element model; make one with `solve` or `read_torso`.

    Linear collocation: (σ⁻+σ⁺) V = 2 V∞ + 1/2π Σ (σ⁻-σ⁺) ∫ V dΩ on every corner, then
    B = B∞ - µ0/4π Σ (σ⁻-σ⁺) ∫ V n×(r-r')/|r-r'|³ dS (Geselowitz 1967, 1970; de Munck 1992).
    Sources should stay half a triangle away from any surface.
    """

    regions: tuple[Region, ...]
    solution: NDArray[np.float64]  # (n_corners, n_corners) V at the corners for 2 V∞ there

    @property
    def silent(self) -> int:
        """All three components of a dipole make a field."""
        return 0

    def field(self, sources: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return T/(A·m) of unit dipoles: (n_points, n_sources, 3 field components, 3 moment components)."""
        sources, points = np.asarray(sources), np.asarray(points)
        corners = np.concatenate([region.surface.points for region in self.regions])
        away = corners[:, None] - sources
        infinite = away / (4 * np.pi * np.linalg.norm(away, axis=2, keepdims=True) ** 3)
        potential = self.solution @ (2 * infinite.reshape(len(corners), -1))
        returned = _magnetic(self.regions, points) @ potential  # (n_points, 3, n_sources * 3)
        out = returned.reshape(len(points), 3, len(sources), 3).swapaxes(1, 2)
        return np.ascontiguousarray(out + Infinite().field(sources, points))

    def seen_by(
        self, positions: NDArray[np.float64], axes: NDArray[np.float64]
    ) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Return the lead field of point sensors as a function of sources: (n_channels, n_sources, 3) T/(A·m).

        Everything that does not depend on the source is reckoned here, so that a fit can ask often.
        """
        corners = np.concatenate([region.surface.points for region in self.regions])
        along = np.einsum("pf,pfc->pc", axes, _magnetic(self.regions, positions)) @ self.solution

        def gain(sources: NDArray[np.float64]) -> NDArray[np.float64]:
            away = corners[:, None] - sources
            infinite = away / (4 * np.pi * np.linalg.norm(away, axis=2, keepdims=True) ** 3)
            returned = along @ (2 * infinite.reshape(len(corners), -1))
            own = lead_field(Infinite(), sources, positions, axes)
            return np.asarray(returned.reshape(len(positions), len(sources), 3) + own)

        return gain


def solve(regions: tuple[Region, ...]) -> Torso:
    """Return the torso of these regions; the solution is kept in the user's cache folder."""
    digest = hashlib.sha256(SCHEME)
    for region in regions:
        digest.update(np.array([region.inside, region.outside]).tobytes())
        digest.update(np.ascontiguousarray(region.surface.points).tobytes())
        digest.update(np.ascontiguousarray(region.surface.triangles).tobytes())
    path = cache_folder() / f"torso-{digest.hexdigest()[:24]}.npy"
    n = sum(len(region.surface.points) for region in regions)
    with suppress(OSError, ValueError):  # no cache, or one that was cut off: solve anew
        known = np.load(path, allow_pickle=False)
        if known.shape == (n, n):
            return Torso(regions, known)
    solution = _solve(regions)
    with suppress(OSError):  # a cache that cannot be written costs time, nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.stem}.{os.getpid()}.partial.npy")
        np.save(partial, solution)
        partial.replace(path)
    return Torso(regions, solution)


def read_torso(folder: str | Path, *, heart: tuple[float, float, float], trunk: str = "thorax") -> Torso:
    """Return the torso whose surfaces lie in a folder, its blood's middle at `heart` (array coordinates, m).

    `TRUNK.gii`, `lungs.gii` and `blood.gii` have x to the patient's right and -z to the front, as those of
    ECGSim that FIL-OPMEG's torso_tools passes on.
    """
    turn = np.diag([-1.0, 1.0, -1.0])
    body, lungs, blood = (read_gifti(Path(folder) / f"{name}.gii") for name in (trunk, "lungs", "blood"))
    shift = np.array(heart) - turn @ blood.points.mean(axis=0)
    return solve(
        (
            Region(body.moved(shift, turn), BODY, 0.0),
            Region(lungs.moved(shift, turn), LUNGS, BODY),
            Region(blood.moved(shift, turn), BLOOD, BODY),
        )
    )


def cache_folder() -> Path:
    """Return where solutions are kept: `ZEROMAG_CACHE`, or the user's cache folder."""
    if own := os.environ.get("ZEROMAG_CACHE"):
        return Path(own)
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path.home() / ".cache") / "zeromag"


def _solve(regions: tuple[Region, ...]) -> NDArray[np.float64]:
    """Return the inverse of the collocation matrix, its constant potential deflated."""
    from zeromag.physics.solid_angle import solid_angles

    starts = np.cumsum([0] + [len(region.surface.points) for region in regions])
    matrix = np.zeros((starts[-1], starts[-1]))
    for i, seen_from in enumerate(regions):
        rows = slice(starts[i], starts[i + 1])
        for j, region in enumerate(regions):
            surface = region.surface
            angles = np.zeros((len(seen_from.surface.points), len(surface.points)))
            solid_angles(
                np.ascontiguousarray(seen_from.surface.points),
                np.ascontiguousarray(surface.points),
                np.ascontiguousarray(surface.triangles),
                angles,
            )
            if i == j:
                _complete(angles, surface)
            matrix[rows, starts[j] : starts[j + 1]] = -(region.inside - region.outside) / (2 * np.pi) * angles
        corners = np.arange(starts[i], starts[i + 1])
        matrix[corners, corners] += seen_from.inside + seen_from.outside
    matrix += 1 / len(matrix)
    return np.linalg.inv(matrix)


def _complete(angles: NDArray[np.float64], surface: Mesh) -> None:
    """Give each corner's own triangles, seen edge on, what is missing to 2π: half to it, half to its neighbours."""
    missing = 2 * np.pi - angles.sum(axis=1)
    corners = np.arange(len(missing))
    members = np.bincount(surface.triangles.ravel(), minlength=len(missing))
    for k in range(3):
        own = surface.triangles[:, k]
        for other in (surface.triangles[:, (k + 1) % 3], surface.triangles[:, (k + 2) % 3]):
            np.add.at(angles, (own, other), missing[own] / (4 * members[own]))
    angles[corners, corners] += missing / 2


def _magnetic(regions: tuple[Region, ...], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return B of the return currents per corner potential: (n_points, 3, n_corners) T/V."""
    nodes = np.einsum("qk,pkl->pql", BARYCENTRIC, QUARTERS).reshape(-1, 3)  # 28 in each triangle
    weights = np.tile(WEIGHTS / 4, 4)
    columns = []
    for region in regions:
        surface = region.surface
        corners = surface.points[surface.triangles]
        area = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2  # n dS
        places = np.einsum("qk,tkx->tqx", nodes, corners)
        part = np.zeros((len(points), 3, len(surface.points)))
        for p, point in enumerate(points):
            away = point - places
            away *= (weights / np.linalg.norm(away, axis=2) ** 3)[..., None]
            pull = np.einsum("tqx,qk->tkx", away, nodes)
            turned = np.cross(area[:, None], pull)  # (triangles, corners, 3)
            for x in range(3):
                part[p, x] = np.bincount(
                    surface.triangles.ravel(), turned[..., x].ravel(), minlength=len(surface.points)
                )
        columns.append(-MU0_4PI * (region.inside - region.outside) * part)
    return np.concatenate(columns, axis=2)

"""The solid angle of a triangle, shared out to its corners: the matrix element of the boundary-element method."""

from __future__ import annotations

import math

import numpy as np

from zeromag._jit import F64, I64, kernel


@kernel
def solid_angles(places: F64, points: F64, triangles: I64, out: F64) -> None:
    """Add ∫ λ_k (r'-r)·n'/|r'-r|³ dS' of each triangle to its corners k: de Munck 1992, linear elements."""
    v = np.empty((3, 3))
    size = np.empty(3)
    beta = np.empty(3)
    for p in range(places.shape[0]):
        for t in range(triangles.shape[0]):
            for k in range(3):
                for x in range(3):
                    v[k, x] = points[triangles[t, k], x] - places[p, x]
                size[k] = math.sqrt(v[k, 0] ** 2 + v[k, 1] ** 2 + v[k, 2] ** 2)
            if size[0] * size[1] * size[2] == 0.0:
                continue  # the triangle touches the place: seen edge on
            nx = (v[1, 1] - v[0, 1]) * (v[2, 2] - v[0, 2]) - (v[1, 2] - v[0, 2]) * (v[2, 1] - v[0, 1])
            ny = (v[1, 2] - v[0, 2]) * (v[2, 0] - v[0, 0]) - (v[1, 0] - v[0, 0]) * (v[2, 2] - v[0, 2])
            nz = (v[1, 0] - v[0, 0]) * (v[2, 1] - v[0, 1]) - (v[1, 1] - v[0, 1]) * (v[2, 0] - v[0, 0])
            square = nx * nx + ny * ny + nz * nz  # (2 area)²
            triple = v[0, 0] * nx + v[0, 1] * ny + v[0, 2] * nz
            rest = size[0] * size[1] * size[2]
            for k in range(3):
                after, last = (k + 1) % 3, (k + 2) % 3
                dot = v[k, 0] * v[after, 0] + v[k, 1] * v[after, 1] + v[k, 2] * v[after, 2]
                rest += dot * size[last]
            omega = 2 * math.atan2(triple, rest)
            if abs(omega) < 1e-12:
                continue
            wx = wy = wz = 0.0
            for k in range(3):
                after = (k + 1) % 3
                ex, ey, ez = v[after, 0] - v[k, 0], v[after, 1] - v[k, 1], v[after, 2] - v[k, 2]
                edge = math.sqrt(ex * ex + ey * ey + ez * ez)
                near = size[k] * edge + v[k, 0] * ex + v[k, 1] * ey + v[k, 2] * ez
                away = size[after] * edge + v[after, 0] * ex + v[after, 1] * ey + v[after, 2] * ez
                beta[k] = math.log(away / near) / edge  # ∫ dl/|r'-r| along the edge
                wx += beta[k] * ex
                wy += beta[k] * ey
                wz += beta[k] * ez
            for k in range(3):
                after, last = (k + 1) % 3, (k + 2) % 3
                # λ_k is linear: its value at the foot of the place, and its slope along the triangle
                cx = v[after, 1] * v[last, 2] - v[after, 2] * v[last, 1]
                cy = v[after, 2] * v[last, 0] - v[after, 0] * v[last, 2]
                cz = v[after, 0] * v[last, 1] - v[after, 1] * v[last, 0]
                ex, ey, ez = v[last, 0] - v[after, 0], v[last, 1] - v[after, 1], v[last, 2] - v[after, 2]
                part = (cx * nx + cy * ny + cz * nz) * omega + triple * (ex * wx + ey * wy + ez * wz)
                out[p, triangles[t, k]] += part / square

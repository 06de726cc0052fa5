"""The field of one dipole in a flat body and in a round one of 15 cm: why the conductor matters for its strength."""

import numpy as np
from matplotlib.figure import Figure

from zeromag.physics.halfspace import HalfSpace
from zeromag.physics.sphere import Sphere

x = np.linspace(-0.2, 0.2, 201)
line = np.stack([np.zeros_like(x), x, np.zeros_like(x)], axis=1)
heart, moment = np.array([[0.0, 0.0, -0.1]]), np.array([10e-6, 0.0, 0.0])
figure = Figure(figsize=(7, 3.5), layout="constrained")
axes = figure.add_subplot()
for name, conductor, style in (
    ("half-space", HalfSpace(), "-"),
    ("sphere of 15 cm", Sphere((0.0, 0.0, -0.16), 0.15), "--"),
):
    field = 1e12 * conductor.field(heart, line)[:, 0] @ moment
    axes.plot(1e3 * x, field[:, 2], style, color="tab:red", label=f"Bz, {name}")
    axes.plot(1e3 * x, field[:, 1], style, color="tab:blue", label=f"By, {name}")
    print(f"{name}: largest Bz {np.abs(field[:, 2]).max():.1f} pT")
axes.set(xlabel="y / mm", ylabel="pT")
axes.legend(fontsize=8)
figure.savefig("half_space_or_sphere.png")

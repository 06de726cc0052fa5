"""Where the heart's dipole is, beat by beat instant, beside where the simulation put it."""

import numpy as np
from matplotlib.figure import Figure

import zeromag

result = zeromag.map("sim:adult?seconds=12&x=10&y=-5&depth=100")
dipoles = [dipole for dipole in result.outcome.dipoles if dipole.goodness > 0.95]
places = 1e3 * np.array([dipole.position for dipole in dipoles])
times = 1e3 * np.array([dipole.time for dipole in dipoles])
strongest = max(dipoles, key=lambda dipole: float(np.linalg.norm(dipole.moment)))

figure = Figure(figsize=(7, 3.5), layout="constrained")
for k, (name, truth) in enumerate((("x", 10), ("y", -5), ("z", -100))):
    axes = figure.add_subplot(1, 3, k + 1)
    axes.plot(times, places[:, k], ".", ms=3)
    axes.axhline(truth, color="tab:red", lw=1)
    axes.set(xlabel="ms from R", ylabel=f"{name} / mm", ylim=(truth - 30, truth + 30))
figure.savefig("find_the_dipole.png")
found = ", ".join(f"{1e3 * value:.1f}" for value in strongest.position)
print(f"{len(dipoles)} instants; the strongest dipole lies at {found} mm, within {1e3 * strongest.bound:.2f} mm")

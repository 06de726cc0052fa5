"""Every map has a standard deviation: draw the field at the T peak beside what is known of it."""

import numpy as np
from matplotlib.figure import Figure

import zeromag

maps = zeromag.map("sim:adult?seconds=10").maps["normal"]
inside = maps.grid.mask
after = maps.time > 0.15
peak = np.flatnonzero(after)[np.argmax(np.abs(maps.bz[after][:, inside]).max(axis=1))]
figure = Figure(figsize=(8, 3.5), layout="constrained")
edges = [1e3 * value for value in (maps.grid.x[0], maps.grid.x[-1], maps.grid.y[0], maps.grid.y[-1])]
for place, field, name, colours in ((1, maps.bz, "field", "RdBu_r"), (2, maps.bz_sd, "standard deviation", "viridis")):
    axes = figure.add_subplot(1, 2, place)
    picture = axes.imshow(1e12 * np.where(inside, field[peak], np.nan), origin="lower", extent=edges, cmap=colours)
    figure.colorbar(picture, label="pT")
    axes.set(title=f"{name}, R + {1e3 * maps.time[peak]:.0f} ms", xlabel="mm to the patient's left")
figure.savefig("uncertainty.png")
print(f"{1e12 * np.abs(maps.bz[peak][inside]).max():.1f} pT ± {1e12 * np.median(maps.bz_sd[peak][inside]):.2f} pT")

"""Plan a room: the noise that sensors would read in each, before anything is built.

The open cylinder is as measured in a hospital, with all that runs there; the others stand in a quiet place.
"""

import numpy as np
from matplotlib.figure import Figure

from zeromag.acquire.simulate import simulation

frequency = np.geomspace(1, 300, 200)
figure = Figure(figsize=(7, 3.5), layout="constrained")
axes = figure.add_subplot()
for room in ("none", "light", "cylinder", "ak3b"):
    density = np.median(simulation(f"sim:adult?room={room}&sensor=qzfm-gen3").density(frequency)[:, :36], axis=1)
    axes.loglog(frequency, 1e15 * density, label=f"{room} (in a hospital)" if room == "cylinder" else room)
    print(f"{room}: {1e15 * np.interp(10, frequency, density):.0f} fT/√Hz at 10 Hz")
axes.set(xlabel="Hz", ylabel="fT/√Hz")
axes.legend(title="room=")
figure.savefig("compare_rooms.png")

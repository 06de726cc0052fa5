"""Any filter works on a plain NumPy array: wrap it in a Block, start the stage, call the step."""

import numpy as np
from matplotlib.figure import Figure
from scipy.signal import welch

from zeromag.block import Block
from zeromag.filters import Mains
from zeromag.sensors import SensorArray

rate = 1000.0
time = np.arange(20_000) / rate
random = np.random.default_rng(0)
data = 15e-15 * np.sqrt(rate / 2) * random.standard_normal((len(time), 4))  # 15 fT/√Hz
data += 2e-12 * np.sin(2 * np.pi * 50.02 * time)[:, None]  # and the line, a little beside 50 Hz

places = np.array([[0.0, 0, 0], [0.04, 0, 0], [0, 0.04, 0], [0.04, 0.04, 0]])
sensors = SensorArray(names=("A", "B", "C", "D"), positions=places, axes=np.tile([0.0, 0, 1], (4, 1)))
block = Block(data, first=0, rate=rate, sensors=sensors)
clean = Mains(line=50.0).start(block)(block)

figure = Figure(figsize=(7, 3.5), layout="constrained")
axes = figure.add_subplot()
for values, name in ((data, "before"), (clean.data, "after")):
    frequency, power = welch(values[5000:, 0], rate, nperseg=4000)
    axes.semilogy(frequency, 1e15 * np.sqrt(power), label=name)
    print(f"{name}: {1e15 * np.sqrt(power[200]):.0f} fT/√Hz at 50 Hz")
axes.set(xlabel="Hz", ylabel="fT/√Hz", xlim=(1, 150))
axes.legend()
figure.savefig("a_stage_on_an_array.png")

"""A stream as it comes, block by block: cleaned by the default chain, beats found while it runs."""

import numpy as np
from matplotlib.figure import Figure

from zeromag.acquire.simulate import simulation
from zeromag.filters import default_chain
from zeromag.mapping.detect import Beats

source = simulation("sim:stress?seconds=12", block=50)
choice = default_chain(source.sensors, source.rate)
step, search, beats, traces = choice.chain.tapped(), None, [], []
for block in source.blocks():
    clean = step(block)[-1]
    search = search or Beats().start(clean)
    beats += search(clean)
    traces.append(clean.data[:, 14])
beats += search.finish()

trace = 1e12 * np.concatenate(traces)
figure = Figure(figsize=(7, 3), layout="constrained")
axes = figure.add_subplot()
axes.plot(np.arange(len(trace)) / source.rate, trace, lw=0.6)
for beat in beats:
    axes.axvline(beat.sample / source.rate, color="tab:red", lw=0.6)
axes.set(xlabel="s", ylabel="pT", title=f"{len(beats)} beats")
figure.savefig("block_by_block.png")
print(choice.reason)
print(f"{len(beats)} beats in 12 s")

"""A Raw in, an Evoked out: everything that MNE-Python does works on both."""

import matplotlib as mpl
import mne

import zeromag
from zeromag.acquire.fif import to_raw
from zeromag.acquire.simulate import simulation

mpl.use("agg")
mne.set_log_level("error")
source = simulation("sim:adult?seconds=10")
raw = to_raw(source.sensors, source.rate, source.blocks())  # yours: zeromag.read_raw("scan.zm.h5")
evoked = zeromag.map(raw).average
early = evoked.copy().crop(-0.05, 0.05)
print(f"{evoked.nave} beats; R peak on {early.get_peak(ch_type='mag')[0]}")
evoked.plot(spatial_colors=False, show=False).savefig("carry_on_in_mne.png")

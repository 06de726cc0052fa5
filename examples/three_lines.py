"""From a recording to averaged beat, maps and parameters in three lines."""

import zeromag

result = zeromag.map("sim:adult?seconds=10")  # or a path, or an mne.io.Raw
print(result.parameters.loc[["qt", "map_angle_R", "map_angle_T"]])
result.plot().savefig("three_lines.png")

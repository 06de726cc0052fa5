"""Plan an array: what designs would know of a heart, in bits per sample and in millimetres."""

from matplotlib.figure import Figure

from zeromag.characterise.designs import assess, design, triaxial

designs = [assess(name, design(name)) for name in ("grid:3x3/40", "grid:6x6/40", "grid:8x8/30")]
designs.append(assess("grid:6x6/40, triaxial", triaxial(design("grid:6x6/40"))))
figure = Figure(figsize=(7, 3), layout="constrained")
axes = figure.add_subplot()
axes.barh([each.name for each in designs], [each.bits for each in designs])
axes.set(xlabel="bits per sample about a heart 7 to 13 cm below")
figure.savefig("compare_arrays.png")
for each in designs:
    print(f"{each.name}: {each.bits:.0f} bit, a dipole 10 cm deep to {1e3 * each.bound[1]:.2f} mm")

"""Shielding, heart kept and noise gain of a filter, together: what order-2 field correction does to a flat array."""

from matplotlib.figure import Figure

from zeromag.filters import HomogeneousField, JointFit, measure
from zeromag.physics.arrays import grid, with_references

flat = grid(6, 6, 0.04)
cases = {
    "homogeneous field": (HomogeneousField(1), flat),
    "and its gradients": (HomogeneousField(2), flat),
    "joint fit": (JointFit(), flat),
    "joint fit, references": (JointFit(), with_references(flat)),
}
costs = {name: measure(stage, sensors, 1000.0) for name, (stage, sensors) in cases.items()}
figure = Figure(figsize=(7, 3), layout="constrained")
for k, (label, value) in enumerate((("heart kept", "heart_kept"), ("noise gain", "noise_gain"))):
    axes = figure.add_subplot(1, 2, k + 1)
    axes.barh(list(costs), [getattr(cost, value) for cost in costs.values()])
    axes.axvline(1, color="0.5", lw=1)
    axes.set(xlabel=label)
    axes.tick_params(labelleft=k == 0)
figure.savefig("what_a_filter_costs.png")
for name, cost in costs.items():
    print(f"{name}: keeps {100 * cost.heart_kept:.0f} % of the heart, noise x {cost.noise_gain:.2f}")

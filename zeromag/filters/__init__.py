"""Blocks to cleaner blocks: one operation a file."""

from zeromag.filters.band_pass import BandPass
from zeromag.filters.choose import Choice, default_chain
from zeromag.filters.high_pass import HighPass
from zeromag.filters.homogeneous import HomogeneousField
from zeromag.filters.joint_fit import JointFit
from zeromag.filters.low_pass import LowPass
from zeromag.filters.mains import Mains
from zeromag.filters.mask_bad import MaskBad
from zeromag.filters.meter import HeartCost, measure
from zeromag.filters.notch import Notch
from zeromag.filters.shielding import Shielding

__all__ = [
    "BandPass",
    "Choice",
    "HeartCost",
    "HighPass",
    "HomogeneousField",
    "JointFit",
    "LowPass",
    "Mains",
    "MaskBad",
    "Notch",
    "Shielding",
    "default_chain",
    "measure",
]

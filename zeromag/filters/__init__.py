"""Blocks to cleaner blocks: one operation a file."""

from zeromag.filters.band_pass import BandPass
from zeromag.filters.beat_baseline import BeatBaseline
from zeromag.filters.calibrate import Calibrate
from zeromag.filters.choose import Choice, default_chain
from zeromag.filters.decimate import Decimate
from zeromag.filters.despike import Despike
from zeromag.filters.fir import Fir
from zeromag.filters.gradiometer import Gradiometer
from zeromag.filters.high_pass import HighPass
from zeromag.filters.homogeneous import HomogeneousField
from zeromag.filters.joint_fit import JointFit
from zeromag.filters.league import Standing, contenders, league, winner
from zeromag.filters.low_pass import LowPass
from zeromag.filters.mains import Mains
from zeromag.filters.mask_bad import MaskBad
from zeromag.filters.meter import HeartCost, measure
from zeromag.filters.multipole import Multipole
from zeromag.filters.nlms import Nlms
from zeromag.filters.notch import Notch
from zeromag.filters.projection import SignalSpaceProjection, patterns_of
from zeromag.filters.reference_regression import ReferenceRegression
from zeromag.filters.rls import Rls
from zeromag.filters.separation import SignalSpaceSeparation
from zeromag.filters.shielding import Shielding
from zeromag.filters.temporal_separation import TemporalSeparation
from zeromag.filters.zapline import Zapline

__all__ = [
    "BandPass",
    "BeatBaseline",
    "Calibrate",
    "Choice",
    "Decimate",
    "Despike",
    "Fir",
    "Gradiometer",
    "HeartCost",
    "HighPass",
    "HomogeneousField",
    "JointFit",
    "LowPass",
    "Mains",
    "MaskBad",
    "Multipole",
    "Nlms",
    "Notch",
    "ReferenceRegression",
    "Rls",
    "Shielding",
    "SignalSpaceProjection",
    "SignalSpaceSeparation",
    "Standing",
    "TemporalSeparation",
    "Zapline",
    "contenders",
    "default_chain",
    "league",
    "measure",
    "patterns_of",
    "winner",
]

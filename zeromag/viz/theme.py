"""The colours of window, page and report: dark for a dim room, light for daylight and paper."""

from __future__ import annotations

from dataclasses import dataclass

RESEARCH_USE = "Research use. Not a medical device."
OUT_OF_CHEST = "out of chest (+)"
INTO_CHEST = "into chest (−)"


@dataclass(frozen=True, slots=True)
class Theme:
    """Named colours, `#rrggbb`; every text colour has a contrast of at least 4.5 on `window` and `panel`."""

    name: str
    window: str
    panel: str
    line: str  # frames and grid lines
    text: str
    quiet: str  # less important text
    accent: str  # cursor, chosen things
    good: str
    warning: str
    alarm: str
    trace: str
    bad_trace: str
    unseen: str  # where the array does not see


DARK = Theme(
    name="dark",
    window="#0d1117",
    panel="#151b23",
    line="#2c3542",
    text="#e8edf3",
    quiet="#9aa7b5",
    accent="#ffd166",
    good="#4cc38a",
    warning="#f5b84b",
    alarm="#ff7b72",
    trace="#8fd3ff",
    bad_trace="#7d8793",
    unseen="#1d242e",
)
LIGHT = Theme(
    name="light",
    window="#eef1f5",
    panel="#ffffff",
    line="#ccd3db",
    text="#15202b",
    quiet="#4d5a68",
    accent="#8a4b00",
    good="#0b6b3a",
    warning="#7a4d00",
    alarm="#b3261e",
    trace="#0b4f8a",
    bad_trace="#6b7684",
    unseen="#e3e7ec",
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2), 1 to 21."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

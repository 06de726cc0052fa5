"""A font to write with, also where the system has none."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QApplication


def ensure_font(app: QApplication) -> None:
    """Load the font that Matplotlib brings along where the system has none at all."""
    if QFontDatabase.families():
        return
    from matplotlib import get_data_path

    number = QFontDatabase.addApplicationFont(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    if families := QFontDatabase.applicationFontFamilies(number):
        app.setFont(families[0])

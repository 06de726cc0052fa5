"""Qt without a screen, or a skip that names what to install."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from zeromag.viz.display import apt_line, missing_libraries

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget


def application() -> QApplication:
    """Return the one QApplication, drawing offscreen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if missing := missing_libraries():
        pytest.skip(f"Qt's system libraries are missing: {apt_line(missing)}", allow_module_level=True)
    from PySide6.QtWidgets import QApplication

    running = QApplication.instance()
    return running if isinstance(running, QApplication) else QApplication(["zeromag"])


def grabbed(widget: QWidget) -> NDArray[np.uint8]:
    """Return what a widget paints as (rows, columns, 3)."""
    from PIL import Image
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice

    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    widget.grab().save(buffer, "PNG")
    return np.asarray(Image.open(io.BytesIO(data.data())).convert("RGB"))

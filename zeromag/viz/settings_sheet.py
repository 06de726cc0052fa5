"""The settings of the running scan: the session file as a form, changed, saved, loaded and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from zeromag.errors import ZeromagError
from zeromag.session import Session, changes, dotted, session_from
from zeromag.session_file import read_session, session_toml
from zeromag.viz.theme import Theme
from zeromag.viz.words import languages

Change = Callable[[Mapping[str, object]], None]
FILES = "Session files (*.toml)"


class SettingsSheet(QDialog):
    """Fields of what may change while a source is open; nothing holds before `Apply`."""

    def __init__(self, parent: QWidget, theme: Theme, session: Mapping[str, Any], change: Change) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings of this scan")
        self.held = session_from(dict(session))  # what holds now
        self._change = change
        self.fields: dict[str, QComboBox | QDoubleSpinBox | QSpinBox] = {
            "clean.suppression": _choice(
                {"auto": "auto", "joint": "joint", "homogeneous": "homogeneous", "none": "none"}
            ),
            "clean.line": _choice({"find out": 0, "50 Hz": 50, "60 Hz": 60}),
            "clean.low_pass": _number(1.0, 500.0, " Hz"),
            "beats.before": _number(0.1, 1.0, " s"),
            "beats.after": _number(0.2, 1.5, " s"),
            "map.pixels": _whole(8, 512),
            "language": _choice({name: name for name in languages()}),
        }
        names = {
            "clean.suppression": "&Interference", "clean.line": "&Mains", "clean.low_pass": "&Low-pass",
            "beats.before": "&Before R", "beats.after": "Af&ter R", "map.pixels": "Map &pixels",
            "language": "Report's lan&guage",
        }  # fmt: skip
        form = QFormLayout()
        for key, field in self.fields.items():
            field.setAccessibleName(key)
            form.addRow(names[key], field)
        self.differs = QLabel()
        self.differs.setWordWrap(True)
        self.differs.setMinimumWidth(420)
        buttons = QHBoxLayout()
        self.buttons = {
            "&Apply": self.apply, "&Save as …": self.ask_save, "L&oad …": self.ask_load, "&Undo edits": self.reset,
            "&Close": self.close,
        }  # fmt: skip
        for text, action in self.buttons.items():
            button = QPushButton(text)
            button.setAutoDefault(text == "&Apply")
            button.clicked.connect(lambda _=False, action=action: action())
            buttons.addWidget(button)
        box = QVBoxLayout(self)
        box.addLayout(form)
        box.addWidget(self.differs)
        box.addLayout(buttons)
        for field in self.fields.values():
            (field.currentIndexChanged if isinstance(field, QComboBox) else field.valueChanged).connect(self.compare)
        self._wear(theme)
        self.reset()

    def show_session(self, session: Session) -> None:
        """Put a session's values into the fields."""
        known = dotted(session.as_dict())
        for key, field in self.fields.items():
            if isinstance(field, QComboBox):
                field.setCurrentIndex(field.findData(known[key]))
            else:
                field.setValue(known[key])
        self.compare()

    def wanted(self) -> Session:
        """Return what the fields say; what has no field stays as it is.

        Raises
        ------
        InputError
            If a value does not fit.
        """
        values = {k: f.currentData() if isinstance(f, QComboBox) else f.value() for k, f in self.fields.items()}
        return self.held.changed(**values)

    def compare(self) -> None:
        """Say how the fields differ from what holds."""
        phrases = changes(self.held, self.wanted())
        self.differs.setText("Differs from what holds: " + "; ".join(phrases) if phrases else "This is what holds now.")

    def apply(self) -> None:
        """Have what differs hold from the next block on; beats and averages begin anew with it."""
        wanted = self.wanted()
        now, then = (dotted(session.as_dict()) for session in (self.held, wanted))
        if now != then:
            self._change({key: then[key] for key in self.fields if then[key] != now[key]})
            self.held = wanted
        self.compare()

    def reset(self) -> None:
        """Put what holds into the fields again."""
        self.show_session(self.held)

    def save(self, path: Path) -> None:
        """Write the session file that gives what the fields say."""
        try:
            path.write_text(session_toml(self.wanted()), encoding="utf-8")
        except OSError as error:
            self.differs.setText(f"{path} cannot be written: {error.strerror}")

    def load(self, path: Path) -> None:
        """Put a session file's values into the fields, where they are compared; `Apply` has them hold."""
        try:
            self.show_session(read_session(path))
        except ZeromagError as error:
            self.differs.setText(str(error))

    def ask_save(self) -> None:
        """Ask where to."""
        name, _ = QFileDialog.getSaveFileName(self, "Save the session", "session.toml", FILES)
        if name:
            self.save(Path(name))

    def ask_load(self) -> None:
        """Ask which."""
        name, _ = QFileDialog.getOpenFileName(self, "Load a session", "", FILES)
        if name:
            self.load(Path(name))

    def _wear(self, theme: Theme) -> None:
        self.setStyleSheet(
            f"QDialog {{ background: {theme.panel}; }} QLabel {{ color: {theme.text}; }}"
            f"QComboBox, QSpinBox, QDoubleSpinBox, QPushButton, QAbstractItemView {{ background: {theme.window}; "
            f"color: {theme.text}; border: 1px solid {theme.quiet}; padding: 4px 8px; }}"
            "QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPushButton:focus "
            f"{{ border: 2px solid {theme.accent}; }}"
        )


def _choice(options: Mapping[str, object]) -> QComboBox:
    box = QComboBox()
    for text, value in options.items():
        box.addItem(text, value)
    return box


def _number(low: float, high: float, unit: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setDecimals(2 if unit == " s" else 1)
    box.setSingleStep(0.05 if unit == " s" else 5.0)
    box.setSuffix(unit)
    box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)  # up and down keys do it
    return box


def _whole(low: int, high: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setSingleStep(16)
    box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
    return box

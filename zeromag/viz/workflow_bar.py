"""The bar of the workflow: where the scan stands, what to do, one line to write in, and the one big button."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from zeromag.viz.panel import write
from zeromag.viz.theme import Theme
from zeromag.viz.workflow import NAMES, STEPS, Next, Workflow

HEIGHT = 58  # px
BUTTON = 270  # px
AGO = 1.5  # s of writing from which a mark says how long ago it was meant


class WorkflowBar(QWidget):
    """`Return` presses the button; a mark, a note or the subject's code is written in the line above the steps."""

    def __init__(self, workflow: Workflow, theme: Theme) -> None:
        super().__init__()
        self.workflow = workflow
        self.theme = theme
        self.now = Next("subject", "", "")
        self._state: tuple[object, ...] = ()
        self._taken: Callable[[str], object] = str  # what becomes of the line
        self._asked = 0.0  # s, when the line was opened
        workflow.ask_subject = self._ask_subject
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Workflow")
        self.line = QLineEdit(self)
        self.line.setMaxLength(160)
        self.line.returnPressed.connect(self._take)
        self.line.hide()
        self.button = QPushButton(self)
        self.button.setFixedSize(BUTTON, HEIGHT - 12)
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Return reaches it wherever the focus is
        self.button.clicked.connect(self.workflow.press)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 6, 0, 6)
        box.addWidget(self.line, alignment=Qt.AlignmentFlag.AlignTop)
        box.addStretch(0)
        box.addWidget(self.button)
        self.refresh()

    def refresh(self) -> None:
        """Follow the scan, and repaint when something has changed."""
        self.workflow.tick()
        hand, self.now = self.workflow.acquisition, self.workflow.next()
        state = (self.now, hand.said, hand.failed, hand.busy, hand.undo_words, self.theme.name)
        if state == self._state:
            return
        self._state = state
        self.button.setText(self.now.button)
        self.button.setVisible(bool(self.now.button))
        self.button.setEnabled(self.now.ready and not hand.busy)
        self.button.setAccessibleDescription(self.now.words)
        tone = str(getattr(self.theme, self.now.tone if self.button.isEnabled() else "line"))
        ink = self.theme.window if self.button.isEnabled() else self.theme.text
        self.button.setStyleSheet(
            f"QPushButton {{ background: {tone}; color: {ink}; border: none; font-size: 15px; font-weight: bold; }}"
        )
        self.line.setStyleSheet(
            f"QLineEdit {{ background: {self.theme.panel}; color: {self.theme.text}; font-size: 14px; "
            f"border: 1px solid {self.theme.accent}; padding: 2px 6px; }}"
        )
        self.update()

    def enter(self) -> None:
        """Take the line when it is open, or press the button."""
        if self.line.isHidden():
            self.workflow.press()
        else:
            self._take()

    def ask(self, what: str, taken: Callable[[str], object], text: str = "") -> None:
        """Open the line; `Return` gives what was written to `taken`, `Escape` closes it."""
        self._taken, self._asked = taken, time.monotonic()
        self.line.setPlaceholderText(what)
        self.line.setAccessibleName(what)
        self.line.setText(text)
        self.line.setFixedWidth(max(200, self.width() - BUTTON - 20))
        self.line.show()
        self.line.setFocus()
        self.update()

    def ask_mark(self) -> None:
        """Open the line for a mark at this moment."""
        self.ask("what happened now; Return marks it, Escape leaves it", self._mark)

    def ask_note(self) -> None:
        """Open the line for a note on the whole scan."""
        self.ask("a note on this scan; never a name", lambda text: self.workflow.acquisition.mark(f"note: {text}"))

    def put_away(self) -> None:
        """Close the line without doing anything."""
        self.line.hide()
        self.window().setFocus()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint what to do and the steps."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self.theme.window))
        width = self.width() - BUTTON - 20
        if self.line.isHidden():
            write(painter, QRectF(0, 4, width, 22), self.now.words, self.theme.text, size=14, bold=True, align="left")
        at = 0.0
        for k, step in enumerate(STEPS):
            here, past = step == self.now.step, k < STEPS.index(self.now.step)
            tone = self.theme.accent if here else self.theme.good if past else self.theme.quiet
            name = f"{'✓' if past else k + 1} {NAMES[step]}"
            write(painter, QRectF(at, 32, 90, 20), name, tone, size=12, bold=here, align="left")
            at += 84
        hand = self.workflow.acquisition
        tone = self.theme.alarm if hand.failed else self.theme.quiet
        undo = f"   U: {hand.undo_words}" if hand.undo_words else ""
        write(painter, QRectF(at + 8, 32, width - at - 8, 20), hand.said + undo, tone, size=11, align="right")
        painter.end()

    def _take(self) -> None:
        text, taken = self.line.text().strip(), self._taken
        self.put_away()
        taken(text)

    def _ask_subject(self, code: str) -> None:
        self.ask("the subject's code, never a name; empty: none", self.workflow.confirm_subject, code)
        self.line.selectAll()  # writing puts another in its place

    def _mark(self, text: str) -> None:
        """Give the mark; written for long, it says how long ago it was meant."""
        ago = time.monotonic() - self._asked
        if text:
            self.workflow.acquisition.mark(f"{text} ({ago:.1f} s ago)" if ago > AGO else text)

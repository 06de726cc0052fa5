"""The live window: panels around a feed, in one of three layouts, looked at thirty times a second."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from zeromag.viz.actions import Action, looking, pausing, recording, reviewing
from zeromag.viz.array_panel import ArrayPanel
from zeromag.viz.beat_panel import BeatPanel
from zeromag.viz.feed import Feed
from zeromag.viz.field_map_panel import FieldMapPanel
from zeromag.viz.film_panel import FilmPanel
from zeromag.viz.header import Footer, Header
from zeromag.viz.heart_meter_panel import HeartMeterPanel
from zeromag.viz.help_sheet import HelpSheet
from zeromag.viz.layouts import LAYOUTS
from zeromag.viz.league import League
from zeromag.viz.league_panel import LeaguePanel
from zeromag.viz.noise_panel import NoisePanel
from zeromag.viz.numbers_panel import NumbersPanel
from zeromag.viz.panel import Panel
from zeromag.viz.readings import Latency, readings
from zeromag.viz.review import Review
from zeromag.viz.review_bar import ReviewBar
from zeromag.viz.settings_sheet import SettingsSheet
from zeromag.viz.spectrum_panel import SpectrumPanel
from zeromag.viz.status_panel import StatusPanel
from zeromag.viz.theme import DARK, Theme
from zeromag.viz.traces import Traces
from zeromag.viz.trend_panel import TrendPanel
from zeromag.viz.workflow import Workflow
from zeromag.viz.workflow_bar import WorkflowBar

FRAME_MS = 33
HINT = "H keys · 1 2 3 layout · T theme · Space pause · P play beat · ← → cursor"
SCAN_HINT = "H keys · Return next step · K mark · G settings · 1 2 3 layout · T theme · ← → cursor"
REVIEW_HINT = "H keys · 1 2 3 layout · Space play · , . beat · [ ] event · PgUp PgDn 10 s · ← → cursor"


class Window(QWidget):
    """All panels of one layout; `Space` pauses the picture, never the recording."""

    def __init__(
        self,
        feed: Feed,
        *,
        layout: str = "clinic",
        theme: Theme = DARK,
        review: Review | None = None,
        workflow: Workflow | None = None,
        league: League | None = None,
    ) -> None:
        super().__init__()
        self.feed = feed
        self.review = review  # of a recording; None: the stream runs
        self.paused = False
        self.latency = workflow.latency if workflow else Latency()
        self.settings: SettingsSheet | None = None
        self.league = league or League(None)
        self.league_shown = False  # in the heart meter's place
        self.theme = theme
        self.traces = Traces(theme)
        self.map = FieldMapPanel(theme)
        self.beat = BeatPanel(theme)
        self.film = FilmPanel(theme, self.beat)
        self.status = StatusPanel(theme)
        self.trend = TrendPanel(theme)
        self.panels: dict[str, Panel] = {
            "map": self.map,
            "traces": self.traces,
            "beat": self.beat,
            "film": self.film,
            "status": self.status,
            "array": ArrayPanel(theme),
            "noise": NoisePanel(theme),
            "spectrum": SpectrumPanel(theme),
            "trend": self.trend,
            "meter": HeartMeterPanel(theme),
            "league": LeaguePanel(theme, self.league),
            "numbers": NumbersPanel(theme),
        }
        self.header, self.footer = Header(theme), Footer(theme)
        self.footer.hint = REVIEW_HINT if review else SCAN_HINT if workflow else HINT
        self.bar = None if review is None else ReviewBar(review, theme)
        self.workflow = None if workflow is None else WorkflowBar(workflow, theme)
        self._grid = QGridLayout()
        self._frame()
        self.arrange(layout)
        self.help = HelpSheet(self, theme, [(key, what) for key, what, _ in self.actions_by_key()])
        self._bind_keys()
        self.wear(theme)
        self.setWindowTitle("zeromag")
        self.resize(1280, 800)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._timer.start(FRAME_MS)

    def state(self, now_ns: int) -> str:
        """Return what the badge says."""
        state = self.feed.state(now_ns)
        return "PAUSED" if self.paused and state in ("LIVE", "REPLAY", "STALE", "LATE") else state

    def tick(self, now_ns: int | None = None) -> None:
        """Take the newest state and repaint what has changed; a paused picture stays as it is."""
        now = time.monotonic_ns() if now_ns is None else now_ns
        if self.review is not None:
            self.review.tick(now)
        state = self.state(now)
        veil = {
            "STALE": f"STALE · no data for {self.feed.age_ns(now) / 1e9:.1f} s",
            "LATE": f"LATE · this was {self.feed.lateness.ns / 1e9:.1f} s ago",
            "ENDED": f"ENDED · {self.feed.ended or ''}".rstrip(" ·"),
        }.get(state, "")
        if self.traces.take_drawn() and state in ("LIVE", "LATE"):
            self.latency.drawn(self.traces.drawn_t_ns, now)
        for name, panel in self.panels.items():
            if not panel.isHidden() and (not self.paused or panel is self.film) and panel.refresh(self.feed):
                panel.update()
            panel.show_veil(veil if name in ("map", "traces") else "")
        late = self.latency if self.review is None else None  # a recording is not of now
        self.header.show_feed(self.feed, state, readings(self.feed, late))
        for bar in (self.bar, self.workflow):
            if bar is not None:
                bar.refresh()
        self.footer.show_message(self.feed.message)

    def toggle_pause(self) -> None:
        """Hold the picture still, or go on with what is new."""
        self.paused = not self.paused
        self.tick()

    def arrange(self, name: str) -> None:
        """Put the panels of a layout in their places."""
        if name not in LAYOUTS:
            raise ValueError(f"the layout must be one of {', '.join(LAYOUTS)}, got {name}")
        self.layout_name = name
        layout = LAYOUTS[name]
        for panel in self.panels.values():
            self._grid.removeWidget(panel)
            panel.hide()
        for k in range(4):
            self._grid.setRowStretch(k, layout.rows[k] if k < len(layout.rows) else 0)
            self._grid.setColumnStretch(k, layout.columns[k] if k < len(layout.columns) else 0)
        self.traces.rows = layout.traces
        self.traces.fit()
        for panel_name, *place in layout.places:
            panel = self.panels["league" if panel_name == "meter" and self.league_shown else panel_name]
            self._grid.addWidget(panel, *place)
            panel.show()

    def wear(self, theme: Theme) -> None:
        """Change the colours of everything."""
        self.theme = theme
        for panel in self.panels.values():
            panel.wear(theme)
        self.header.theme = self.footer.theme = self.help.theme = theme
        for bar in (self.bar, self.workflow):
            if bar is not None:
                bar.theme = theme
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(theme.window))
        self.setPalette(palette)
        self.update()

    def actions_by_key(self) -> list[Action]:
        """Return every action."""
        moving = pausing(self) if self.review is None else reviewing(self.review)
        if self.workflow is not None:
            moving = recording(self.workflow, self.change_settings) + moving
        return moving + looking(self)

    def change_settings(self) -> None:
        """Open the settings of the running scan."""
        if self.workflow is None:
            return
        acquisition, session = self.workflow.workflow.acquisition, self.feed.session
        self.settings = SettingsSheet(self, self.theme, session, lambda new: acquisition.change(new, session))
        self.settings.open()

    def toggle_league(self) -> None:
        """Show the league in the heart meter's place, run the first time, or the meter again."""
        self.league_shown = not (self.league_shown and self.layout_name == "array")
        if self.league_shown and not self.league.rows:
            self.league.start(self.feed)
        self.arrange("array")

    def help_sheet(self) -> None:
        """Show the sheet of keys, or put it away."""
        self.help.toggle()

    def _frame(self) -> None:
        self._grid.setSpacing(8)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 4, 12, 4)
        outer.setSpacing(4)
        outer.addWidget(self.header)
        outer.addLayout(self._grid, stretch=1)
        for bar in (self.bar, self.workflow):
            if bar is not None:
                outer.addWidget(bar)
        outer.addWidget(self.footer)

    def _bind_keys(self) -> None:
        for key, what, action in self.actions_by_key():
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setWhatsThis(what)
            shortcut.activated.connect(action)

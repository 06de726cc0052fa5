"""The way through a scan, step by step: what comes next, what to do for it, and what the one big button does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from zeromag.errors import ZeromagError
from zeromag.viz.acquisition import Acquisition
from zeromag.viz.feed import Feed
from zeromag.viz.readings import Latency

STEPS = ("subject", "sensors", "aim", "preview", "record", "report")
NAMES = {
    "subject": "Subject", "sensors": "Sensors", "aim": "Aim", "preview": "Preview", "record": "Record",
    "report": "Report",
}  # fmt: skip
AIM = "move the array"  # how the gate begins when the array has to go elsewhere
LISTED = 4  # bad channels by name

MakeReport = Callable[[str], Path]  # of a journal on this machine; waits until it is there


@dataclass(frozen=True, slots=True)
class Next:
    """One moment of the way."""

    step: str
    words: str  # what to do, or what is waited for
    button: str  # the label; empty: nothing to press
    tone: str = "accent"  # of the button: `accent`, `good` or `alarm`
    ready: bool = True  # whether pressing does something


class Workflow:
    """Knows the step out of what the feed tells; `press` does what the button says."""

    def __init__(self, feed: Feed, acquisition: Acquisition, make_report: MakeReport | None = None) -> None:
        self.feed = feed
        self.acquisition = acquisition
        self.ask_subject: Callable[[str], object] = str  # opens the line where the code is written, with this in it
        self.open_report: Callable[[Path], object] = str
        self.latency = Latency()  # of the window's pictures
        self._make_report = make_report
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="zeromag report")
        self._report: Future[Path] | None = None
        self._past = 0  # steps that were confirmed
        self._recorded = False  # in this scan
        self._code: str | None = None  # that was given and does not hold yet
        self._last: str | None = None  # of the scan before this one

    @property
    def subject(self) -> str:
        """The subject's code as the session has it; empty: none."""
        return str(self.feed.session.get("subject", ""))

    def confirm_subject(self, code: str) -> None:
        """Take the subject's code, empty for none; the scan goes on once it stands in the session."""
        self._code, self._last = code, None
        if code != self.subject:
            self.acquisition.change({"subject": code}, self.feed.session)
        self._follow_subject()

    def _follow_subject(self) -> None:
        """Go on when the code holds; stay, with what the acquisition said, when it was refused."""
        if self._code is None:
            return
        if self._code == self.subject:
            self._past, self._code = max(self._past, 1), None
        elif not self.acquisition.busy and self.acquisition.failed:
            self._code = None

    def back(self) -> bool:
        """Take the last confirmation back; return whether there was one."""
        if self._code is not None:
            self._code = None
            return True
        if self._recorded or self.feed.status.recording or self._past == 0:
            return False
        self._past -= 1
        return True

    def next(self) -> Next:
        """Return where the scan stands."""
        if self.feed.ended is not None:
            return Next("report", f"the stream is over: {self.feed.ended}", "", ready=False)
        if self.feed.status.recording:
            return self._recording()
        if self._recorded:
            return self._reported()
        step = STEPS[min(self._past, 3)]
        return {"subject": self._subject, "sensors": self._sensors, "aim": self._aim, "preview": self._preview}[step]()

    def press(self) -> None:
        """Do what the button says."""
        now = self.next()
        if not now.ready:
            return
        if now.step == "subject":
            self.ask_subject(self._proposed())
        elif now.step in ("sensors", "aim"):
            self._past += 1
        elif now.step == "preview":
            self.acquisition.record()
        elif now.step == "record":
            self.acquisition.stop(self.latency_note())
        else:
            self._press_report()

    def tick(self) -> None:
        """Follow what has happened."""
        self.acquisition.tick()
        self._follow_subject()
        if self.feed.status.recording:
            self._recorded, self._report = True, None
        elif self._recorded and self._report is None and self._make_report is not None and self.acquisition.journal:
            self._report = self._worker.submit(self._make_report, self.acquisition.journal)

    def close(self) -> None:
        """End; a report that is being made is finished by its own process."""
        recording = self.feed.status.recording and self.feed.ended is None
        self.acquisition.close(self.latency_note() if recording else "")
        self._worker.shutdown(wait=False, cancel_futures=True)

    def latency_note(self) -> str:
        """Return how late the pictures were, to be kept in the recording; empty when none was drawn."""
        spread = self.latency.quantiles()
        if spread is None:
            return ""
        return f"note: sensor to pixel p50 {spread[0]:.0f} ms, p99 {spread[1]:.0f} ms over the last pictures"

    def _proposed(self) -> str:
        """Return the code that may be right: the session's, unless the scan before had it."""
        return "" if self.subject == self._last else self.subject

    def _subject(self) -> Next:
        if self._code is not None:
            words = (
                f"The code {self._code} is being written into the stream." if self._code else "The code is taken out."
            )
            return Next("subject", words, "Wait a moment …", ready=False)
        if code := self._proposed():
            return Next("subject", f"The subject's code is {code}. Is that right?", f"Subject {code}")
        before = f" The scan before was of {self._last}." if self._last else ""
        return Next("subject", f"Write the subject's code, never a name.{before}", "Enter the subject's code")

    def _sensors(self) -> Next:
        channels = self.feed.status.channels
        if not channels:
            return Next("sensors", "The sensors are being looked at.", "Checking the sensors …", ready=False)
        bad = sorted(self.feed.status.bad())
        if not bad:
            return Next("sensors", f"All {len(channels)} channels are good.", "Sensors are good: go on", "good")
        named = ", ".join(bad[:LISTED]) + (f" and {len(bad) - LISTED} more" if len(bad) > LISTED else "")
        words = f"Not to be used: {named}. Mend them, or go on without."
        return Next("sensors", words, f"Go on without {len(bad)} of {len(channels)} channels")

    def _aim(self) -> Next:
        usable = self.feed.status.usable
        moves = [reason for reason in usable.reasons if reason.startswith(AIM)]
        if moves:
            return Next("aim", moves[0][0].upper() + moves[0][1:] + ".", "Leave it here: go on")
        if not self.feed.averages:
            return Next("aim", "Place the array over the heart, and wait for the first beats.", "Go on without beats")
        return Next("aim", "Both poles are inside the array.", "Array is in place: go on", "good")

    def _preview(self) -> Next:
        usable = self.feed.status.usable
        seen = f"A scan like this would be usable: {usable.answer}"
        why = f" ({usable.reasons[0]})" if usable.reasons else ""
        return Next("preview", f"Look at traces, noise and map. {seen}{why}.", "● Record")

    def _recording(self) -> Next:
        usable = self.feed.status.usable
        if usable.answer == "yes":
            return Next(
                "record", "The scan is usable. More beats make its numbers sharper.", "■ Stop and report", "good"
            )
        if usable.answer == "no":
            why = usable.reasons[0] if usable.reasons else "the gate says no"
            return Next("record", f"Not usable as it is: {why}.", "■ Stop", "alarm")
        left = f"usable in {usable.seconds_needed:.0f} s" if usable.seconds_needed else "not yet usable"
        why = f": {usable.reasons[0]}" if usable.reasons else ""
        return Next("record", f"Recording; {left}{why}.", f"■ Stop · {left}")

    def _reported(self) -> Next:
        journal = self.acquisition.journal
        if self._make_report is None or not journal:
            where = f" in {journal} on the acquisition's machine" if journal else ""
            return Next("report", f"The recording is kept{where}; `zeromag map` makes the report.", "New scan")
        if self._report is None or not self._report.done():
            return Next(
                "report", "The report is being made; another scan can begin.", "Making the report …", ready=False
            )
        error = self._report.exception()
        if isinstance(error, ZeromagError):
            return Next("report", f"No report: {error}", "New scan")
        if error is not None:
            return Next("report", f"No report: {error!r}; the recording is kept in {journal}", "New scan")
        return Next("report", f"The report is {self._report.result()}.", "Open the report", "good")

    def _press_report(self) -> None:
        report = self._report
        if report is not None and report.done() and report.exception() is None:
            self.open_report(report.result())
        self.begin_anew()

    def begin_anew(self) -> None:
        """Go back to the first step, for another scan; what was recorded is kept."""
        self._past, self._recorded, self._report = 0, False, None
        self._last = self.subject

"""Everything on this machine: acquisition, processing and view as three processes, started and ended in order.

The supervisor only starts, listens and ends; samples go between the three over ZeroMQ and never through it.
"""

from __future__ import annotations

import json
import queue
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from zeromag.live.child import Child
from zeromag.session import Session

PATIENCE = {"acquire": 60.0, "process": 60.0, "view": 5.0}  # s to end in order before a kill: files are being written
NAMES = {"acquire": "acquisition", "process": "processing", "view": "view"}
LAST_WORK = {"acquire": "ending the acquisition", "process": "working out the results"}
WORD_AFTER = 10.0  # s of ending; then twice, four times as many: that it goes on, and can be cut short

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What to start: `view` is `window`, `page` or `none`; it runs until it is ended, usable or `seconds` long."""

    session: Session
    view: str = "window"
    seconds: float | None = None
    out: Path | None = None
    until_usable: bool = False  # end when every parameter is known as well as is asked

    def run(self, say: Say, progress: Callable[[int, int], None]) -> int:
        """Run to the end and return the exit code: 0 done, 1 a process failed, 130 after Ctrl-C."""
        return _Supervisor(self, say, progress).run()


class _Supervisor:
    def __init__(self, plan: LiveRun, say: Say, progress: Callable[[int, int], None]) -> None:
        self._plan = plan
        self._say = say
        self._progress = progress
        # Simple: a signal's handler may put while this same thread takes; into a Queue it would wait for ever.
        self._news: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        self._children: dict[str, Child] = {}
        self._code = 0
        self._ending = False
        self._wanted = False  # somebody wants it to end, or it is precise enough: the window need not stay
        self._shown = False  # there is a stream that the view was told of
        self._stays = False  # the window, after the stream
        self._journals: list[Path] = []  # that no recording was made of yet
        self._recorded = False
        self._since = 0.0  # when the end began (monotonic s); 0: it has not
        self._words = 0  # said since that it goes on: a Ctrl-C is then meant
        self._cut = False  # short: nobody waits for the results any more

    def run(self) -> int:
        before = signal.signal(signal.SIGINT, self._interrupted)
        terminate = signal.signal(signal.SIGTERM, self._interrupted)
        try:
            roles = ["process", "acquire"] + (["view"] if self._plan.view != "none" else [])
            for role in roles:
                self._children[role] = Child(role, _arguments(role, self._plan), lambda *news: self._news.put(news))
            while any(child.code is None for child in self._children.values()) or not self._news.empty():
                self._hear()
        finally:
            for child in self._children.values():
                child.ended(patience=PATIENCE[child.name])
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGTERM, terminate)
        self._rescue()
        return self._code

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if not self._ending or self._words:
            self._code = 130
            self._news.put(("supervisor", {"enough" if self._ending else "interrupted": True}))

    def _hear(self) -> None:
        self._still_ending()
        try:
            name, news = self._news.get(timeout=0.2)
        except queue.Empty:
            return
        if "say" in news:
            self._say(str(news["say"]))
        if "warming" in news:
            self._progress(*news["warming"])
        if "warm" in news:
            self._tell("acquire", self._acquire_orders())
        if "journal" in news:
            self._journals.append(Path(str(news["journal"])))
            self._recorded = True
        if "recording" in news:
            recording = Path(str(news["recording"]))
            self._journals = [path for path in self._journals if _recording(path) != recording]
            self._say(f"the recording is {recording}")
        if "url" in news:
            self._say(f"open {news['url']} in a browser on this machine")
        if "endpoint" in news:
            self._connected(name, str(news["endpoint"]))
        if "usable" in news and self._plan.until_usable:
            self._judged(str(news["usable"]), bool(news["settled"]), [str(one) for one in news["reasons"]])
        if "interrupted" in news:
            self._say("ending: the recording and the results are being written" if self._plan.out else "ending")
            self._wanted = True
            self._end()
        if "enough" in news:
            self._cut_short()
        if "ended" in news:
            self._ended(name, int(news["ended"]))

    def _judged(self, answer: str, settled: bool, reasons: list[str]) -> None:
        """End a scan that is usable; say why one is not while there is something to do about it."""
        if settled and not self._ending:
            self._say("usable: every parameter is known as well as is asked; ending in order")
            self._wanted = True
            self._end()
        elif answer == "no" and not self._ending:
            self._say(f"not usable like this: {'; '.join(reasons)}")

    def _connected(self, name: str, endpoint: str) -> None:
        if name == "acquire":
            orders: dict[str, object] = {
                "endpoint": endpoint,
                "session": self._plan.session.as_dict(),
                "out": _text(self._plan.out),
            }
            self._tell("process", orders)
        elif name == "process":
            self._tell("view", {"endpoint": endpoint})
            self._shown = True
            self._say(f"running; another window on it: zeromag view --from {endpoint}")

    def _acquire_orders(self) -> dict[str, object]:
        return {
            "session": self._plan.session.as_dict(),
            "record": _text(self._plan.out),
            "seconds": self._plan.seconds,
        }

    def _tell(self, role: str, orders: dict[str, object]) -> None:
        if role in self._children:
            self._children[role].tell(json.dumps(orders))

    def _ended(self, name: str, code: int) -> None:
        """One of the three is gone: in order when all is done, or else said in one sentence while the rest is saved."""
        if code != 0:
            self._code = self._code or 1
            if (code < 0 or not self._ending) and not self._cut:
                how = f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
                kept = f"; what was recorded is kept in {self._plan.out}" if self._recorded else ""
                self._say(f"the {NAMES[name]} process {how}: ending the others in order{kept}")
        elif name == "view" and not self._ending and self._children["acquire"].code is None:
            self._say("the view was closed: ending in order")
        self._wanted |= name == "view"
        if name == "process":
            self._children["acquire"].let_go()
            self._let_view_go()
        if name == "acquire":
            self._children["process"].let_go()  # it takes what is still on its way, then writes the results
        if name == "view" or code != 0:
            self._end()

    def _end(self) -> None:
        """Let the acquisition go first: its end runs through the processing to the view, and all is written."""
        self._ending, self._since = True, self._since or time.monotonic()
        acquire, process = self._children["acquire"], self._children["process"]
        acquire.let_go()
        if acquire.code is not None:
            process.let_go()
        if process.code is not None:
            self._let_view_go()

    def _still_ending(self) -> None:
        """Say of an end that takes long what is still done, and that nobody has to wait for it."""
        took = time.monotonic() - self._since
        if not self._since or took < WORD_AFTER * 2**self._words:
            return
        self._words += 1
        work = [LAST_WORK[role] for role in LAST_WORK if self._children[role].code is None]
        if work:
            kept = ", the recording is kept" if self._plan.out else ""
            more = "" if self._cut else f"; press Ctrl-C again to stop now{kept}"
            self._say(f"{' and '.join(work)}, {took:.0f} s so far{more}")

    def _cut_short(self) -> None:
        """End what makes results and pictures; the acquisition still makes the recording, which is soon done."""
        if self._cut:
            return
        self._cut = True
        self._say("stopping" + ("; `zeromag map` makes the results of the recording" if self._plan.out else ""))
        for role in {"process", "view"} & self._children.keys():
            self._children[role].kill()

    def _let_view_go(self) -> None:
        """Let the view go, unless the stream ended by itself: the window then stays with what it has."""
        view = self._children.get("view")
        if view is None or view.code is not None:
            return
        if self._wanted or not self._shown or self._plan.view != "window" or self._plan.seconds is not None:
            view.let_go()
        elif not self._stays:
            self._stays = True
            self._rescue()
            self._say("the stream is over: the window stays as it is until you close it")

    def _rescue(self) -> None:
        """Make a recording out of each journal when the acquisition did not live to do it."""
        journals, self._journals = self._journals, []
        for journal in filter(Path.exists, journals):
            out = _recording(journal)
            arguments = ["recover", str(journal), "--out", str(out)]
            code = Child("recover", arguments, lambda *news: self._news.put(news)).ended(patience=600.0)
            self._say(f"recovered {out} from the journal" if code == 0 else f"kept the journal {journal} as it is")


def _arguments(role: str, plan: LiveRun) -> list[str]:
    return ["view", "--web"] if role == "view" and plan.view == "page" else [role]


def _recording(journal: Path) -> Path:
    """Return the recording that is made of a journal."""
    return journal.with_suffix(".zm.h5")


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)

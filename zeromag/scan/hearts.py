"""The hearts of a stream: one, or a fetus beside its mother; their beats found, told apart and averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from zeromag.block import Block
from zeromag.errors import InputError
from zeromag.mapping.average import Average
from zeromag.mapping.averager import Averager
from zeromag.mapping.beat import Beat
from zeromag.mapping.detect import Beats
from zeromag.mapping.fetal import Fetal, Hearts
from zeromag.mapping.fetal_waves import BASELINE
from zeromag.scan.thinned import Thinning, factor_of
from zeromag.session import Session

FETAL_WINDOW = 0.2, 0.3  # s before and after a fetus's R: its whole cycle at 140 a minute


@dataclass(frozen=True, slots=True)
class Decided:
    """What one block gave: the beats that are known now, and those whose whole window has been seen."""

    beats: tuple[Beat, ...] = ()
    done: tuple[Beat, ...] = ()


class Beating(Protocol):
    """Called with every cleaned block in order, and finished once."""

    def __call__(self, cleaned: Block) -> Decided:
        """Take the next block."""
        ...

    def finish(self) -> Decided:
        """Return what was still open."""
        ...

    def averages(self) -> list[Average]:
        """Return the averages so far, that of the scan's own heart first."""
        ...


def beating(head: Block, session: Session) -> Beating:
    """Return the search for the session's hearts in the stream that begins with `head`.

    Raises
    ------
    InputError
        If the settings cannot work with this stream.
    """
    factor = factor_of(session, head.rate)
    if factor > 1:
        return Thinned(factor, head, session)
    return _all_samples(head, session)


def _all_samples(head: Block, session: Session) -> Beating:
    return MotherAndFetus(head, session) if wants_fetus(session) else OneHeart(head, session)


def wants_fetus(session: Session) -> bool:
    """Return whether two hearts are looked for: when asked to, and in a simulated womb."""
    hearts = session.beats.hearts
    return hearts == "fetal" or (hearts == "auto" and session.source.startswith("sim:fetal"))


def averager(session: Session) -> Averager:
    """Return the session's averaging; raises InputError when no beat can be cut out like that."""
    try:
        return Averager(session.beats.before, session.beats.after, memory=session.beats.memory)
    except ValueError as error:
        raise InputError(f"beats cannot be cut out: {error}") from error


class Thinned:
    """Hearts in a fast stream, of which every `factor`-th sample is enough; beats are told in its own samples."""

    def __init__(self, factor: int, head: Block, session: Session) -> None:
        self._thin = Thinning(factor)
        self._hearts = _all_samples(self._thin.head(head), session)

    def __call__(self, cleaned: Block) -> Decided:
        """Take the next block."""
        thin = self._thin(cleaned)
        return Decided() if thin is None else self._told(self._hearts(thin))

    def finish(self) -> Decided:
        """Return what was still open."""
        return self._told(self._hearts.finish())

    def averages(self) -> list[Average]:
        """Return the averages so far, with as many samples a second as were kept."""
        return self._hearts.averages()

    def _told(self, found: Decided) -> Decided:
        beats, done = (
            tuple(replace(beat, sample=beat.sample * self._thin.factor) for beat in some)
            for some in (found.beats, found.done)
        )
        return Decided(beats, done)


class OneHeart:
    """Beats of every class of one heart."""

    def __init__(self, head: Block, session: Session) -> None:
        self._search = Beats().start(head)
        self._averaging = averager(session).start(head)

    def __call__(self, cleaned: Block) -> Decided:
        """Take the next block."""
        beats = self._search(cleaned)
        return Decided(tuple(beats), tuple(self._averaging(cleaned, beats)))

    def finish(self) -> Decided:
        """Return what was still open."""
        beats = self._search.finish()
        return Decided(tuple(beats), tuple(self._averaging.finish(beats)))

    def averages(self) -> list[Average]:
        """Return the averages so far, normal first."""
        return self._averaging.averages()


class MotherAndFetus:
    """A fetus's beats, averaged in the stream without the mother, and her beats, averaged in the stream as it is."""

    def __init__(self, head: Block, session: Session) -> None:
        try:
            self._hearts = Fetal().start(head)
        except ValueError as error:
            raise InputError(f"{session.source}: {error}") from error
        self._mother = averager(session).start(head)
        self._fetus = Averager(*FETAL_WINDOW, baseline=BASELINE).start(head)

    def __call__(self, cleaned: Block) -> Decided:
        """Take the next block."""
        return self._decided(self._hearts(cleaned), cleaned)

    def finish(self) -> Decided:
        """Return what was still open."""
        last = self._decided(self._hearts.finish(), None)
        return Decided(last.beats, (*last.done, *self._mother.finish(), *self._fetus.finish()))

    def _decided(self, hearts: Hearts, cleaned: Block | None) -> Decided:
        mother = [_hers(beat) for beat in hearts.mother]
        done = self._mother(cleaned, mother) if cleaned is not None else self._mother.finish(mother)
        fetus: Sequence[Beat] = hearts.fetus
        for block in hearts.alone:
            done += self._fetus(block, fetus)
            fetus = ()
        if fetus:  # known from what has been averaged already
            done += self._fetus.known(fetus)
        return Decided((*mother, *hearts.fetus), tuple(done))

    def averages(self) -> list[Average]:
        """Return the averages so far, the fetus's first."""
        return [*self._fetus.averages(), *self._mother.averages()]


def _hers(beat: Beat) -> Beat:
    return replace(beat, kind="mother" if beat.kind == "normal" else f"mother-{beat.kind}")

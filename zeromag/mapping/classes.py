"""The classes of beats that were seen so far: their templates, and what a beat unlike all of them makes."""

from __future__ import annotations

from zeromag._jit import F64
from zeromag.mapping.candidate import Candidate, Group
from zeromag.mapping.history import History
from zeromag.mapping.r_peak import r_after
from zeromag.mapping.template import AFTER, BEFORE, LAG, Fit, Template, fit

FINE = 180.0  # Hz, rate that shapes are compared at
NOISY = 0.95  # typical correlation below which shape is told with less certainty: clean records reach 0.98
FAR = 0.15  # s, between two lobes of one QRS on which its envelope can peak
TWIN = 0.93  # correlation from which they are lobes of one: the PVCs of MIT-BIH 106 reach 0.92 with its normal beats
SETTLING = (4, 8, 16, 32, 64)  # beats of a class after which it is compared with the others again


class Classes:
    """Templates, at most `limit` of them; `alike` is the correlation from which two beats are of one class."""

    def __init__(self, rate: float, alike: float, limit: int, raw: History, band: History) -> None:
        self._rate, self._alike, self._limit = rate, alike, limit
        self._before, self._after, self._lag = (round(s * rate) for s in (BEFORE, AFTER, LAG))
        self._stride = max(1, int(rate / FINE))
        self._raw, self._band = raw, band
        self.templates: list[Template] = []
        self._strangers: list[Candidate] = []

    def go_on(self, raw: History, band: History) -> None:
        """Take the samples from here on, after a gap."""
        self._raw, self._band = raw, band

    def forget(self) -> None:
        """Begin anew: the heart has changed, or its field."""
        self.templates, self._strangers = [], []

    def span(self, candidate_at: int) -> tuple[int, int]:
        """Return the samples around a peak that a candidate consists of."""
        return candidate_at - self._before - self._lag, candidate_at + self._after + self._lag

    def pair(self, one: Candidate, seed: Candidate) -> Fit:
        """Return how `one` lies on `seed`."""
        return fit(one.wave, self._shape(seed), self._stride)

    def best(self, candidate: Candidate) -> tuple[Template, Fit]:
        """Return the template that fits a candidate best."""
        fits = [(template, template.fit(candidate.wave, self._stride)) for template in self.templates]
        return max(fits, key=lambda pair: pair[1].correlation)

    def add(self, group: Group, kind: str) -> Template:
        """Make a template of beats that are alike, the first being the one the others were laid upon."""
        seed = max(group, key=lambda pair: pair[1].correlation)[0]
        template = Template(self._shape(seed).copy(), "", seed.peak.height)
        for one, found in group:
            if one is not seed:
                template.learn(one.wave, found, one.peak.height)
        twin = self._twin(seed, self.templates)
        if twin is None:
            template.r_after = r_after(self._raw, group, self._rate)
            template.kind = self._free(kind)
        else:
            template.kind, template.r_after = twin
        self.templates.append(template)
        return template

    def learn(self, known: Template, candidate: Candidate, found: Fit) -> None:
        """Take a beat into its class; give that the kind of a more frequent one when it turns out to be the same."""
        known.learn(candidate.wave, found, candidate.peak.height)
        if known.count not in SETTLING:
            return
        others = [one for one in self.templates if one.kind != known.kind and one.count >= known.count]
        twin = self._twin(candidate, others)
        if twin is not None:
            known.kind, known.r_after = twin[0], twin[1] - found.shift

    def stranger(self, candidate: Candidate, best: Template, found: Fit, *, early: bool) -> tuple[str, float]:
        """Return kind and R of a beat unlike all others; among clean beats one makes a class, in noise three do."""
        alone: Group = [(candidate, Fit(1.0, 0.0))]
        fits = [(one, self.pair(one, candidate)) for one in self._strangers]
        alike = [(one, fitted) for one, fitted in fits if fitted.correlation >= self._alike]
        self._strangers = [*self._strangers[-7:], candidate]
        if best.typical >= NOISY or len(alike) > 1:
            template = self.add([*alone, *alike], "ectopic" if early or found.correlation < 0.5 else "variant")
            return template.kind, template.r_after
        return "unlike", r_after(self._raw, alone, self._rate)

    def _shape(self, candidate: Candidate) -> F64:
        return candidate.wave[self._lag : len(candidate.wave) - self._lag]

    def _twin(self, seed: Candidate, among: list[Template]) -> tuple[str, float] | None:
        """Return kind and R, from the peak, by a class that is this one too, its anchor on another lobe of a long QRS.

        A pacing spike and the broad QRS after it are two such lobes, and which is higher changes from beat to beat.
        """
        far = round(FAR * self._rate)
        start, stop = seed.peak.at - self._before - far, seed.peak.at + self._after + far
        if not among or not self._band.holds(start, stop):
            return None
        wave = self._band.take(start, stop).copy()
        fits = [(template, template.fit(wave, self._stride)) for template in among]
        best, found = max(fits, key=lambda pair: pair[1].correlation)
        if found.correlation < TWIN:
            return None
        return best.kind, best.r_after + found.shift

    def _free(self, kind: str) -> str:
        """Return the kind, numbered when it is taken; the rarest class gives way when there are too many."""
        if len(self.templates) >= self._limit:
            self.templates.remove(min(self.templates[1:], key=lambda template: template.count))
        taken = {template.kind for template in self.templates}
        names = (kind, *(f"{kind}-{n}" for n in range(2, self._limit + 2)))
        return next(name for name in names if name not in taken)

"""Beats without maps: of magnetometers as a map of them has them, or of an ECG as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from zeromag.acquire.source import Source
from zeromag.block import Block
from zeromag.mapping.beat import Beat
from zeromag.mapping.detect import Beats
from zeromag.scan.chosen import calibrated, chosen
from zeromag.scan.hearts import beating
from zeromag.session import Session


def find_beats(source: Source, session: Session, channel: str = "") -> tuple[list[Beat], int]:
    """Return every beat in order, and the source's first sample; `channel` names a single one to look at.

    Interference looks more like beats than P and T waves do: magnetometers are cleaned by the session's chain first.

    Raises
    ------
    InputError
        If the source cannot be read, no channel could show a heart, or the settings cannot work with this array.
    """
    blocks: Iterator[Block] = source.blocks()
    head = next(blocks, None)
    if head is None:
        return [], 0
    good = head.sensors.usable()
    magnetic = {head.sensors.names[column] for column in head.sensors.of_kind("mag") if good[column]}
    blocks = chain((head,), blocks)
    if channel in magnetic or (magnetic and not channel):
        step = chosen(head, session).chain.start(head)
        blocks = map(step, blocks)
    found: list[Beat] = []
    if channel or not magnetic:
        search = Beats(channel=channel).start(head)
        for block in blocks:
            found += search(block)
        return found + search.finish(), head.first
    hearts = beating(replace(head, sensors=calibrated(head.sensors, session)), session)
    for block in blocks:
        found += hearts(block).done
    found += hearts.finish().done
    return sorted(found, key=lambda beat: beat.sample), head.first

"""The newest frames in memory: which are there, what a reader beside the writer gets, and that they take no more."""

import threading
import tracemalloc

from zeromag.acquire.shelf import Shelf


def frame(sequence: int, size: int = 100) -> bytes:
    return sequence.to_bytes(8, "little") + bytes(size - 8)


def test_the_newest_frames_are_there_and_no_older_ones() -> None:
    shelf = Shelf(most_bytes=5000)
    assert shelf.oldest() is None
    assert shelf.get(0) is None
    for sequence in range(3000):
        shelf.put(frame(sequence))
        first = max(0, sequence - 49)
        assert shelf.oldest() == first
        assert shelf.get(first) == frame(first)
        assert shelf.get(sequence) == frame(sequence)
        assert shelf.get(first - 1) is None
        assert shelf.get(sequence + 1) is None


def test_a_frame_beyond_the_limit_is_kept_alone() -> None:
    shelf = Shelf(most_bytes=5000)
    for sequence in range(20):
        shelf.put(frame(sequence))
    shelf.put(frame(20, size=9000))
    assert shelf.oldest() == 20
    assert shelf.get(20) == frame(20, size=9000)
    assert shelf.get(19) is None
    shelf.put(frame(21))
    assert shelf.oldest() == 21


def test_more_frames_than_slots_are_kept_and_read_beside_the_writer() -> None:
    shelf, wrong, seen = Shelf(most_bytes=10_000_000), list[int](), set[int]()
    written, ended = threading.Event(), threading.Event()

    def read() -> None:
        while not ended.is_set():
            upcoming = len(seen)
            kept = shelf.get(upcoming)
            if kept is None:
                continue
            if kept != frame(upcoming):
                wrong.append(upcoming)
            seen.add(upcoming)
            written.set()

    reader = threading.Thread(target=read)
    reader.start()
    for sequence in range(20_000):
        shelf.put(frame(sequence))
    assert written.wait(10)
    ended.set()
    reader.join()
    assert not wrong
    assert shelf.oldest() == 0
    assert all(shelf.get(sequence) == frame(sequence) for sequence in range(20_000))


def test_a_full_shelf_takes_no_more_memory_however_long_it_goes_on() -> None:
    shelf = Shelf(most_bytes=500_000)
    for sequence in range(6000):
        shelf.put(frame(sequence))
    tracemalloc.start()
    try:
        for sequence in range(6000, 16_000):  # all of its frames are counted after this
            shelf.put(frame(sequence))
        full = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for sequence in range(16_000, 60_000):
            shelf.put(frame(sequence))
        assert tracemalloc.get_traced_memory()[1] - full < 4096
    finally:
        tracemalloc.stop()

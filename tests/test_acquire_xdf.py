"""XDF as LabRecorder writes it: files made byte by byte here, read as a source."""

from __future__ import annotations

import struct
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest

from zeromag.acquire.fif import triple
from zeromag.acquire.lsl_layout import LOC
from zeromag.acquire.replay import replay
from zeromag.acquire.simulate import simulation
from zeromag.errors import InputError
from zeromag.sensors import SensorArray

pytest.importorskip("pyxdf")


def chunk(tag: int, content: bytes) -> bytes:
    """A chunk of the format: size of the length, length, tag, content."""
    return struct.pack("<BIH", 4, len(content) + 2, tag) + content


def header(stream: int, sensors: SensorArray, rate: float, kind: str = "double64", unit: str = "0") -> bytes:
    types = {"mag": "mag", "ref": "ref_meg"}
    channels = ""
    for c, name in enumerate(sensors.names):
        values = np.concatenate([sensors.positions[c], *triple(sensors.axes[c])])
        place = "".join(f"<{key}>{value!r}</{key}>" for key, value in zip(LOC, values.tolist(), strict=True))
        channels += (
            f"<channel><label>{escape(name)}</label><type>{types[sensors.kinds[c]]}</type><unit>{unit}</unit>"
            f"<loc>{place}</loc></channel>"
        )
    xml = (
        f"<?xml version='1.0'?><info><name>OPM</name><type>MEG</type><channel_count>{len(sensors)}</channel_count>"
        f"<nominal_srate>{rate}</nominal_srate><channel_format>{kind}</channel_format><source_id>x</source_id>"
        f"<desc><channels>{channels}</channels></desc></info>"
    )
    return chunk(2, struct.pack("<I", stream) + xml.encode())


def samples(stream: int, first_stamp: float, rate: float, rows: np.ndarray, layout: str = "d") -> bytes:
    content = struct.pack("<IBI", stream, 4, len(rows))
    for k, row in enumerate(rows):
        content += struct.pack("<Bd", 8, first_stamp + k / rate) + struct.pack(f"<{len(row)}{layout}", *row.tolist())
    return chunk(3, content)


def written(path: Path, sensors: SensorArray, data: np.ndarray, *, lost: int = 0, markers: bool = True) -> None:
    """A file with a stream of words, the array's stream in three pieces, `lost` samples missing after the first."""
    start = b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")
    words = (
        "<?xml version='1.0'?><info><name>Words</name><type>Markers</type><channel_count>1</channel_count>"
        "<nominal_srate>0</nominal_srate><channel_format>string</channel_format><desc/></info>"
    )
    said = struct.pack("<IBI", 7, 4, 1) + struct.pack("<Bd", 8, 100.1) + struct.pack("<BI", 4, 5) + b"start"
    third = len(data) // 3
    pieces = [data[:third], data[third : 2 * third], data[2 * third :]]
    body = b""
    at = 0
    for k, piece in enumerate(pieces):
        body += samples(3, 100.0 + (at + (lost if k else 0)) / 1000, 1000.0, piece)
        at += len(piece)
    text = chunk(2, struct.pack("<I", 7) + words.encode()) + chunk(3, said) if markers else b""
    path.write_bytes(start + text + header(3, sensors, 1000.0) + body)


@pytest.fixture(scope="module")
def recorded() -> tuple[SensorArray, np.ndarray]:
    source = simulation("sim:adult?seconds=3")
    return source.sensors, np.concatenate([block.data for block in source.blocks()])


def test_labrecorders_file_is_the_recording_to_the_bit(
    tmp_path: Path, recorded: tuple[SensorArray, np.ndarray]
) -> None:
    sensors, data = recorded
    written(tmp_path / "scan.xdf", sensors, data)
    source = replay(tmp_path / "scan.xdf", block=70)
    assert (source.rate, source.samples, source.sensors.names) == (1000.0, 3000, sensors.names)
    assert source.sensors.kinds == sensors.kinds
    np.testing.assert_array_equal(source.sensors.positions, sensors.positions)
    np.testing.assert_allclose(source.sensors.axes, sensors.axes, atol=1e-15)
    blocks = list(source.blocks())
    np.testing.assert_array_equal(np.concatenate([block.data for block in blocks]), data)
    assert not any(event.kind == "gap" for block in blocks for event in block.events)


@pytest.mark.parametrize("lost", [50, 400])
def test_samples_that_never_came_are_a_gap(tmp_path: Path, recorded: tuple[SensorArray, np.ndarray], lost: int) -> None:
    sensors, data = recorded
    written(tmp_path / "scan.xdf", sensors, data, lost=lost)
    source = replay(tmp_path / "scan.xdf")
    assert source.samples == 3000 + lost
    blocks = list(source.blocks())
    gaps = [event for block in blocks for event in block.events if event.kind == "gap"]
    assert [(gap.sample, gap.samples) for gap in gaps] == [(1000, lost)]
    assert next(block.first for block in blocks if block.first >= 1000) == 1000 + lost


def test_units_and_whole_counts(tmp_path: Path, recorded: tuple[SensorArray, np.ndarray]) -> None:
    sensors, _ = recorded
    counts = np.random.default_rng(1).integers(-1000, 1000, (500, len(sensors)))
    start = b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")
    body = header(3, sensors, 1000.0, "int32", "femtotesla") + samples(3, 1.0, 1000.0, counts, "i")
    (tmp_path / "counts.xdf").write_bytes(start + body)
    source = replay(tmp_path / "counts.xdf")
    np.testing.assert_array_equal(np.concatenate([b.data for b in source.blocks()]), counts * 1e-15)
    np.testing.assert_array_equal(source.sensors.quantum, 1e-15)


def test_what_is_no_recording_is_said(tmp_path: Path, recorded: tuple[SensorArray, np.ndarray]) -> None:
    sensors, data = recorded
    path = tmp_path / "bad.xdf"
    path.write_bytes(b"not XDF at all")
    with pytest.raises(InputError, match="does not begin with 'XDF:'"):
        replay(path)
    path.write_bytes(b"XDF:")
    with pytest.raises(InputError, match="holds no array"):
        replay(path)
    unplaced = SensorArray(sensors.names, np.full((48, 3), np.nan), sensors.axes, ("misc",) * 48)
    start = b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version></info>")
    text = header(3, sensors, 1000.0).replace(b"<loc>", b"<nowhere>").replace(b"</loc>", b"</nowhere>")
    text = chunk(2, text[7:])
    path.write_bytes(start + text + samples(3, 1.0, 1000.0, data[:50]))
    with pytest.raises(InputError, match="says of no magnetometer where it is"):
        replay(path)
    assert len(unplaced) == 48


def test_a_file_that_was_cut_off_gives_what_is_whole_or_says_so(
    tmp_path: Path, recorded: tuple[SensorArray, np.ndarray]
) -> None:
    sensors, data = recorded
    written(tmp_path / "scan.xdf", sensors, data, markers=False)
    whole = (tmp_path / "scan.xdf").read_bytes()
    for size in (len(whole) - 1000, len(whole) // 2):
        (tmp_path / "cut.xdf").write_bytes(whole[:size])
        kept = np.concatenate([block.data for block in replay(tmp_path / "cut.xdf").blocks()])
        assert len(kept) >= 1000
        np.testing.assert_array_equal(kept, data[: len(kept)])
    (tmp_path / "cut.xdf").write_bytes(whole[:40])
    with pytest.raises(InputError, match=r"holds no array|damaged"):
        replay(tmp_path / "cut.xdf")

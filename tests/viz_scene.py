"""A scene that is different in every corner, fed to whatever draws: positive pole at the patient's upper left."""

from __future__ import annotations

import io
import json
import struct
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zeromag.block import Block
from zeromag.mapping.average import Average
from zeromag.mapping.field_map import FieldMap, Grid
from zeromag.physics.halfspace import HalfSpace
from zeromag.sensors import SensorArray
from zeromag.viz.feed import Feed

RATE = 1000.0
POLE = np.array([0.05, 0.06, 0.0])  # m: patient's left (+x), head (+y)


def array(n: int = 6, pitch: float = 0.04) -> SensorArray:
    line = (np.arange(n) - (n - 1) / 2) * pitch
    positions = np.array([[x, y, 0.0] for y in line[::-1] for x in line])
    return SensorArray(tuple(f"S{k + 1:02d}" for k in range(n * n)), positions, np.tile([0, 0, 1.0], (n * n, 1)))


def grid(n: int = 64) -> Grid:
    x = np.linspace(-0.12, 0.12, n)
    return Grid(x, x, np.ones((n, n), dtype=np.bool_))


def pole(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """One strong positive bump at the patient's upper left, a weak negative one at the lower right: (n,) T."""
    near = np.exp(-((points[:, :2] - POLE[:2]) ** 2).sum(axis=1) / (2 * 0.03**2))
    far = np.exp(-((points[:, :2] + POLE[:2]) ** 2).sum(axis=1) / (2 * 0.03**2))
    return 50e-12 * near - 20e-12 * far


def pole_map(of: Grid) -> NDArray[np.float64]:
    x, y = np.meshgrid(of.x, of.y)
    return pole(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)


def moments(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A heart's dipole over one beat from R: (n, 3) A·m."""
    qrs, wave_t = np.exp(-(time_s**2) / (2 * 0.012**2)), np.exp(-((time_s - 0.28) ** 2) / (2 * 0.05**2))
    return np.stack([12e-6 * qrs + 4e-6 * wave_t, -8e-6 * qrs - 3e-6 * wave_t, 0 * time_s], axis=1)


def traces(sensors: SensorArray, seconds: float) -> NDArray[np.float64]:
    time_s = (np.arange(round(seconds * RATE)) / RATE) % 1.0 - 0.4
    lead = HalfSpace().field(np.array([[0.01, 0.0, -0.1]]), sensors.positions)[:, 0, 2, :]
    noise = np.random.default_rng(0).normal(scale=3e-13, size=(len(time_s), len(sensors)))
    return np.ascontiguousarray(moments(time_s) @ lead.T + noise)


def average(sensors: SensorArray) -> Average:
    time_s = np.arange(-300, 500) / RATE
    lead = HalfSpace().field(np.array([[0.01, 0.0, -0.1]]), sensors.positions)[:, 0, 2, :]
    good = np.ones(len(sensors), dtype=np.bool_)
    good[4] = False
    return Average("normal", time_s, moments(time_s) @ lead.T, np.full(len(sensors), 5e-14), 57, sensors, good)


def field_map(of: Grid) -> FieldMap:
    """The pole scene at R, half as strong at T."""
    time_s = np.arange(-20, 40) / 100.0
    strength = np.exp(-(time_s**2) / (2 * 0.02**2)) + 0.5 * np.exp(-((time_s - 0.28) ** 2) / (2 * 0.05**2))
    bz = strength[:, None, None] * pole_map(of)
    return FieldMap(
        of, time_s, bz, np.full_like(bz, 1e-13), np.gradient(bz, of.y, axis=1), -np.gradient(bz, of.x, axis=2)
    )


def status(sensors: SensorArray) -> dict[str, object]:
    channels = {name: {"status": "good", "why": ""} for name in sensors.names}
    channels[sensors.names[4]] = {"status": "jumping", "why": "9 steps of 25 pT"}
    return {
        "samples": 9000, "seconds": 9.0, "lost": 37, "gaps": 1,
        "heart_rate": {"value": 58.8, "low": 58.1, "high": 59.5, "unit": "1/min"},
        "beats": {"normal": 57, "ectopic": 1}, "mains_hz": 50.0, "channels": channels,
        "cleaning": [{"stage": "JointFit", "shielding_db": {"1-40 Hz": 31.2}, "heart_kept": 0.99,
                      "map_correlation": 0.999, "noise_gain": 0.93}],
        "chain_reason": "", "usable": {"answer": "not yet", "reasons": ["few beats"], "seconds_needed": 24},
        "recording": True, "source": "sim:adult", "simulated": True,
        "parameters": {"qt": {"value": 0.4013, "low": 0.3991, "high": 0.4039, "unit": "s"},
                       "map_angle_T": {"value": 41.0, "low": 38.5, "high": 43.2, "unit": "deg"}},
    }  # fmt: skip


def fill(feed: Feed, *, seconds: float = 6.0, n: int = 6) -> Feed:
    """Feed everything once, as the processing would."""
    sensors, of = array(n), grid()
    feed.describe(sensors, RATE, {"source": "sim:adult"})
    data = traces(sensors, seconds)
    feed.block(Block(data=data, first=0, rate=RATE, sensors=sensors, t_ns=time.monotonic_ns()))
    send_map(feed, of)
    feed.result("beat", {"sample": 5400.2, "kind": "normal", "why": "", "rr_s": 1.0}, {})
    beat = average(sensors)
    arrays = {"time": beat.time, "wave": beat.wave, "noise": beat.noise, "good": beat.good}
    feed.result("average", {"kind": "normal", "nave": 57}, arrays)
    feed.result("status", status(sensors), {})
    return feed


def send_map(feed: Feed, of: Grid) -> None:
    feed.result("grid", {}, {"x": of.x, "y": of.y, "mask": of.mask})
    bz = pole_map(of)
    arrays = {"bz": bz, "bz_sd": np.full_like(bz, 1e-13)}
    arrays |= {"jx": np.gradient(bz, of.y, axis=0), "jy": -np.gradient(bz, of.x, axis=1)}
    fields: dict[str, object] = {"sample": 5999, "t_ns": time.monotonic_ns()}
    feed.result("map", fields, {name: values.astype(np.float32) for name, values in arrays.items()})


def pixels(png: bytes) -> NDArray[np.uint8]:
    """A PNG as (rows, columns, 3)."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def reds(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a picture has the map's strong red, which nothing else on a page or window has."""
    red, green, blue = (picture[..., k].astype(int) for k in range(3))
    return (red > 130) & (green < 60) & (blue < 40)


def blues(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a picture has the map's medium blue."""
    red, green, blue = (picture[..., k].astype(int) for k in range(3))
    return (blue > 200) & (blue - red > 60) & (blue - green > 60) & (red > 60)


def centre(where: NDArray[np.bool_]) -> tuple[float, float]:
    """Middle of the marked pixels: across, down."""
    down, across = np.nonzero(where)
    assert len(across) > 20, "the colour is nowhere in the picture"
    return float(np.median(across)), float(np.median(down))


def opened(frame: bytes) -> list[dict[str, Any]]:
    """The messages of a frame of the page."""
    messages, at = [], 0
    while at < len(frame):
        (length,) = struct.unpack_from("<I", frame, at)
        head = json.loads(frame[at + 4 : at + 4 + length])
        at += 4 + length
        for name, shape, kind in head["arrays"]:
            head[name] = np.frombuffer(frame, f"<{kind}", count=int(np.prod(shape)), offset=at).reshape(shape)
            at += -(-head[name].nbytes // 4) * 4
        messages.append(head)
    assert at == len(frame)
    return messages

"""Keys: who is on the list reads, nobody else gets a byte, and both are written down."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
import zmq

from tests.acquire_streams import RATE, Counter, array, is_counted, joined
from zeromag.acquire.keys import Role, allow, allowed, new_keys, revoke
from zeromag.acquire.message import Description
from zeromag.acquire.pace import paced
from zeromag.acquire.publisher import Publisher
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.errors import InputError, LinkError, SourceLostError, StorageError

DESCRIPTION = Description(array(), RATE)


@pytest.fixture
def server(tmp_path: Path) -> Path:
    new_keys(tmp_path / "server", "server")
    return tmp_path / "server"


def reader(server: Path, name: str) -> Path:
    """Make a reader's folder that knows the publisher but is not allowed yet."""
    folder = server.parent / name
    new_keys(folder, "client")
    shutil.copy(server / "server.pub", folder)
    return folder


def public(folder: Path) -> str:
    return (folder / "client.pub").read_text().strip()


def audited(server: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (server / "audit.log").read_text().splitlines()]


def test_who_is_allowed_gets_everything_also_again(server: Path) -> None:
    friend = reader(server, "friend")
    allow(server, public(friend), name="ward 3")
    with Publisher(DESCRIPTION, bind="tcp://0.0.0.0:*", keys=server) as publisher:
        endpoint = publisher.endpoint.replace("0.0.0.0", "127.0.0.1")
        for block in Counter(2000).blocks():
            publisher(block)
        publisher.end(2000)
        source = Subscription(endpoint, friend)
        blocks = list(source.blocks())
    assert is_counted(blocks)
    assert len(joined(blocks)) == 2000
    assert source.repaired > 0  # so the replay line was let in too
    lines = [line for line in audited(server) if line["action"] == "connect"]
    assert {(line["result"], line["name"], line["from"]) for line in lines} == {("accepted", "ward 3", "127.0.0.1")}


def plain(_: Path) -> zmq.Socket[bytes]:
    return zmq.Context.instance().socket(zmq.SUB)


def with_keys(change: Callable[[Path, Path], None]) -> Callable[[Path], zmq.Socket[bytes]]:
    def connected(server: Path) -> zmq.Socket[bytes]:
        from zeromag.acquire.keys import be_client

        folder = reader(server, "stranger")
        change(server, folder)
        sub = zmq.Context.instance().socket(zmq.SUB)
        be_client(sub, folder)
        return sub

    return connected


def unlisted(_server: Path, _folder: Path) -> None:
    pass


def revoked(server: Path, folder: Path) -> None:
    allow(server, public(folder), name="gone")
    revoke(server, "gone")


def wrong_server_key(server: Path, folder: Path) -> None:
    allow(server, public(folder))
    (folder / "server.pub").write_text(zmq.curve_keypair()[0].decode())


def damaged_list(server: Path, folder: Path) -> None:
    allow(server, public(folder))
    with (server / "allowed.tsv").open("a") as file:
        file.write("nonsense\n")


@pytest.mark.parametrize(
    "stranger",
    [plain, *map(with_keys, (unlisted, revoked, wrong_server_key, damaged_list))],
    ids=["plain", "unlisted", "revoked", "wrong server key", "damaged list"],
)
def test_nobody_else_gets_a_byte(server: Path, stranger: Callable[[Path], zmq.Socket[bytes]]) -> None:
    with Publisher(DESCRIPTION, keys=server) as publisher:
        sub = stranger(server)
        sub.setsockopt(zmq.LINGER, 0)
        sub.setsockopt(zmq.SUBSCRIBE, b"")
        sub.connect(publisher.endpoint)
        for block in Counter(100).blocks():
            publisher(block)
        delivered = sub.poll(1500)
        sub.close()
        assert delivered == 0
        assert publisher.gate.accepted == 0


def test_a_subscription_without_the_right_key_says_so_in_one_sentence(server: Path) -> None:
    stranger = reader(server, "stranger")
    with Publisher(DESCRIPTION, keys=server) as publisher:
        with pytest.raises(LinkError, match="no zeromag stream answered"):
            Subscription(publisher.endpoint, stranger, timeout=1.0)
        with pytest.raises(LinkError, match="no zeromag stream answered"):
            Subscription(publisher.endpoint, timeout=0.5)
    assert "refused" in {line.get("result") for line in audited(server)}


@pytest.mark.parametrize("connections", [300, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_garbage_connections_shut_nobody_out(server: Path, connections: int) -> None:
    friend = reader(server, "friend")
    allow(server, public(friend))
    with Publisher(DESCRIPTION, keys=server) as publisher:
        port = int(publisher.endpoint.rpartition(":")[2])
        for k in range(connections):
            with socket.create_connection(("127.0.0.1", port)) as rogue:
                rogue.sendall(os.urandom(64) if k % 2 else b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f" + os.urandom(54))
        for block in Counter(1000).blocks():
            publisher(block)
        publisher.end(1000)
        blocks = list(Subscription(publisher.endpoint, friend).blocks())
    assert len(joined(blocks)) == 1000


def test_a_revoked_key_is_cut_off_and_the_others_lose_nothing(server: Path) -> None:
    friend, other = reader(server, "friend"), reader(server, "other")
    for folder in (friend, other):
        allow(server, public(folder), name=folder.name)
    kept: list[Block] = []
    gone: list[Block] = []
    stop = threading.Event()
    with Publisher(DESCRIPTION, keys=server) as publisher:
        stays = Subscription(publisher.endpoint, friend)
        leaves = Subscription(publisher.endpoint, other, silence=3.0)

        def follow() -> None:
            with pytest.raises(SourceLostError, match="no sign of life"):
                gone.extend(leaves.blocks())

        def publish() -> None:
            for block in paced(Counter(10**9).blocks()):
                publisher(block)
                if stop.is_set():
                    publisher.end(block.stop)
                    return

        threads = [threading.Thread(target=work) for work in (follow, publish, lambda: kept.extend(stays.blocks()))]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(gone) > 50 and len(kept) > 50)
        revoke(server, "other")
        at = kept[-1].stop
        threads[0].join(20)  # it hears nothing any more, though blocks go on
        wait_until(lambda: kept[-1].stop > at + 3000)
        stop.set()
        for thread in threads:
            thread.join(20)
    assert gone[-1].stop < at + 1500  # looked for twice a second
    assert is_counted(kept)
    assert len(joined(kept)) == kept[-1].stop > at + 3000
    assert stays.lost == 0


def wait_until(happened: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_secret_keys_are_for_the_owner_only(server: Path) -> None:
    if os.name == "nt":
        pytest.skip("file modes are POSIX")
    assert (server / "server.key").stat().st_mode & 0o777 == 0o600
    (server / "server.key").chmod(0o644)
    with pytest.raises(LinkError, match="chmod 600"):
        Publisher(DESCRIPTION, keys=server)


def test_a_key_is_never_overwritten(server: Path) -> None:
    before = (server / "server.key").read_bytes()
    with pytest.raises(StorageError, match="already"):
        new_keys(server, "server")
    assert (server / "server.key").read_bytes() == before


def test_the_list(server: Path) -> None:
    key = zmq.curve_keypair()[0].decode()
    allow(server, key, "control", "ann")
    allow(server, key, "view", "ann")
    assert [(entry.public, entry.role, entry.name) for entry in allowed(server)] == [(key, "view", "ann")]
    revoke(server, key)
    assert allowed(server) == []
    with pytest.raises(InputError, match="keys list"):
        revoke(server, "ann")
    with pytest.raises(InputError, match="Z85"):
        allow(server, "too short")
    with pytest.raises(InputError, match="view, control"):
        allow(server, key, cast("Role", "admin"))  # as a file or a command from outside may say
    assert [line["action"] for line in audited(server)] == ["new", "allow", "allow", "revoke"]


def test_no_keys_where_keys_should_be(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="zeromag keys new"):
        Publisher(DESCRIPTION, keys=tmp_path)
    with pytest.raises(LinkError, match="zeromag keys new"):
        Subscription("tcp://127.0.0.1:9", tmp_path)

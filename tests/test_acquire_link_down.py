"""A network that is down for eight seconds: nothing lost for who repairs, back to now for who looks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.acquire_streams import RATE, Counter
from zeromag.acquire.keys import allow, new_keys
from zeromag.acquire.message import Description
from zeromag.acquire.pace import paced
from zeromag.acquire.publisher import Publisher

ROOT = Path(__file__).resolve().parent.parent
SPACE, HERE, THERE = "zmtest", "10.97.31.1", "10.97.31.2"
DOWN, UP, END = 3000, 11_000, 16_000  # samples

READ = """
import json, sys, time
from pathlib import Path
from tests.acquire_streams import is_counted, joined
from zeromag.acquire.subscription import Subscription
from zeromag.block import Block
from zeromag.acquire.message import End
source = Subscription(sys.argv[1], Path(sys.argv[2]), newest_only=sys.argv[3] == "eye", reconnect=True)
got, fresh = [], []
while True:
    message = source.receive(1.0)
    if isinstance(message, Block):
        got.append(message)
        if time.monotonic_ns() - message.t_ns < 200_000_000:
            fresh.append(message.stop)
    elif isinstance(message, End):
        break
print(json.dumps({"samples": len(joined(got)), "right": is_counted(got), "lost": source.lost,
                  "repaired": source.repaired, "fresh": fresh, "skipped": source.skipped}))
"""


@pytest.fixture
def link() -> Generator[str, None, None]:
    """A network of two machines, the other one a namespace; gives the name of this end."""

    def ip(*words: str, check: bool = True) -> bool:
        return subprocess.run(["ip", *words], capture_output=True, check=check).returncode == 0

    if shutil.which("ip") is None or not ip("netns", "add", SPACE, check=False):
        pytest.skip("a network that goes down needs root and iproute2 (apt-get install iproute2)")
    try:
        ip("link", "add", "zm0", "type", "veth", "peer", "name", "zm1", "netns", SPACE)
        ip("addr", "add", f"{HERE}/24", "dev", "zm0")
        ip("link", "set", "zm0", "up")
        ip("-n", SPACE, "addr", "add", f"{THERE}/24", "dev", "zm1")
        ip("-n", SPACE, "link", "set", "zm1", "up")
        yield "zm0"
    finally:
        ip("netns", "del", SPACE, check=False)
        ip("link", "del", "zm0", check=False)


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")
def test_eight_seconds_without_a_network(link: str, tmp_path: Path) -> None:
    server, client = tmp_path / "server", tmp_path / "client"
    new_keys(server, "server")
    allow(server, new_keys(client, "client"), name="other machine")
    shutil.copy(server / "server.pub", client)
    source = Counter(END)
    with Publisher(Description(source.sensors, RATE), bind=f"tcp://{HERE}:*", keys=server) as publisher:
        readers = {
            how: subprocess.Popen(
                ["ip", "netns", "exec", SPACE, sys.executable, "-c", READ, publisher.endpoint, str(client), how],
                stdout=subprocess.PIPE,
                cwd=ROOT,
            )
            for how in ("processor", "eye")
        }
        give_up = time.monotonic() + 30
        while publisher.greeted < 2:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        for block in paced(source.blocks()):
            if block.first in {DOWN, UP}:
                state = "down" if block.first == DOWN else "up"
                threading.Thread(target=subprocess.run, args=(["ip", "link", "set", link, state],)).start()
            publisher(block)
        publisher.end(END)
        publisher.wait_for_consumers(30)
        told = {how: json.loads(reader.communicate(timeout=30)[0]) for how, reader in readers.items()}
    assert told["processor"]["samples"] == END
    assert told["processor"]["right"]
    assert told["processor"]["lost"] == 0
    assert told["processor"]["repaired"] > 0
    assert told["eye"]["right"]
    back = [stop for stop in told["eye"]["fresh"] if stop > UP]
    assert back
    assert min(back) <= UP + 2000  # back within two seconds
    assert max(back) > END - 500

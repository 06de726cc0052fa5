"""Endpoints: which are safe without keys, and where the replay server of a stream is reached."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from zeromag.errors import LinkError


def host_of(endpoint: str) -> str:
    """Return the host of `tcp://host:port`, without brackets."""
    scheme, found, rest = endpoint.partition("://")
    host, colon, _ = rest.rpartition(":")
    if scheme != "tcp" or not found or not colon or not host:
        raise LinkError(f"an endpoint looks like tcp://HOST:PORT, got '{endpoint}'")
    return host.strip("[]")


def is_local(endpoint: str) -> bool:
    """Return whether only this machine can reach an endpoint."""
    if endpoint.startswith(("ipc://", "inproc://")):
        return True
    host = host_of(endpoint)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name or an interface
        return False


def beside(endpoint: str, what: str = "replay") -> list[str]:
    """Return where to bind a further socket, best first: one of the ports after the given one, else any."""
    if endpoint.startswith("ipc://"):
        return [f"{endpoint}.{what}"]
    base, _, port = endpoint.rpartition(":")
    further = 1 if what == "replay" else 2
    after = [f"{base}:{int(port) + further}"] if port.isdigit() and 0 < int(port) <= 65535 - further else []
    return [*after, f"{base}:*"]


def as_reached(announced: str, used: str) -> str:
    """Return an announced endpoint with the host that reached its neighbour: the sender may know itself as 0.0.0.0."""
    if not (announced.startswith("tcp://") and used.startswith("tcp://")):
        return announced
    host = urlsplit(used).netloc.rpartition(":")[0]
    return f"tcp://{host}:{announced.rpartition(':')[2]}"

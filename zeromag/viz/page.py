"""The web page: the same picture in any browser, read only; off this machine by HTTPS and a token."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from zeromag.acquire.endpoint import is_local
from zeromag.errors import LinkError
from zeromag.viz.certificate import fingerprint, own_certificate
from zeromag.viz.feed import Feed
from zeromag.viz.mail import Mail
from zeromag.viz.receiver import following
from zeromag.viz.review import Review
from zeromag.viz.sign_in import SignIn

PERIOD = 1 / 30  # s between two pictures
PERIOD_NS = round(PERIOD * 1e9)
FILES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Announce = Callable[[Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Door:
    """Where the page is served; off loopback by HTTPS, to those whose token is in the folder of keys."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    keys: Path | None = None
    certificate: Path | None = None  # PEM; None: one is made beside the keys
    certificate_key: Path | None = None

    def folder(self) -> Path:
        """Return the folder of keys."""
        if self.keys is None:
            raise LinkError(
                f"a page on {self.host} can be reached from other machines: give --keys DIR, in which "
                "`zeromag keys token` makes the tokens to sign in with"
            )
        return self.keys

    def certificates(self) -> tuple[Path, Path] | None:
        """Return certificate and key for HTTPS, None on loopback; raises LinkError when they are not to be had."""
        if is_local(f"tcp://{self.host}:1"):
            return None
        folder = self.folder()
        if self.certificate is None:
            return own_certificate(folder, self.host)
        found = self.certificate, self.certificate_key or self.certificate
        for path in found:
            if not path.is_file():
                raise LinkError(f"there is no certificate {path}: name a PEM file, or leave it out for one made here")
        return found


LOCAL = Door()


def serve_page(
    endpoint: str,
    *,
    stop: threading.Event,
    announce: Announce,
    keys: Path | None = None,
    door: Door = LOCAL,
) -> int:
    """Serve a running stream until `stop` is set; `announce` gets `{"url": …}`.

    Raises
    ------
    LinkError
        If the endpoint is not written like one, the port is taken, or the door lacks what it needs off loopback.
    """
    with following(endpoint, keys) as feed:
        return serve_feed(feed, stop=stop, announce=announce, door=door)


def serve_review(review: Review, *, stop: threading.Event, announce: Announce, door: Door = LOCAL) -> int:
    """Serve a recording, played again and again from its beginning, until `stop` is set, and return 0."""

    def play() -> None:
        while not stop.wait(PERIOD):
            review.tick(time.monotonic_ns())
            if not review.playing and review.position > 0:
                review.seek(review.timeline.first)
                review.toggle_play(time.monotonic_ns())

    player = threading.Thread(target=play, name="zeromag review", daemon=True)
    player.start()
    try:
        return serve_feed(review.feed, stop=stop, announce=announce, door=door)
    finally:
        stop.set()
        player.join(timeout=5.0)


def serve_feed(feed: Feed, *, stop: threading.Event, announce: Announce, door: Door = LOCAL) -> int:
    """Serve a feed until `stop` is set and return 0."""
    tls = door.certificates()
    try:
        listener = socket.create_server((door.host, door.port))
    except OSError as error:
        raise LinkError(
            f"the page cannot be served on {door.host}:{door.port}: {error.strerror}; choose another port"
        ) from error
    with listener:
        number = listener.getsockname()[1]
        app = page_app(feed, number) if tls is None else SignIn(_SameOrigin(pages(feed)), door.folder())
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, ws="websockets-sansio", lifespan="off",
            ws_per_message_deflate=False,  # pressing is done for each viewer anew, and costs more than all the rest
            timeout_graceful_shutdown=1, ws_max_size=1024, server_header=False,
            ssl_certfile=tls and tls[0], ssl_keyfile=tls and tls[1],
        )  # fmt: skip
        server = uvicorn.Server(config)
        # On a thread of its own uvicorn leaves the signals to those who started us.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="zeromag page", daemon=True)
        thread.start()
        if tls is not None:
            announce({"say": f"the page's certificate has the SHA-256 {fingerprint(tls[0])}"})
        announce({"url": f"{'http' if tls is None else 'https'}://{door.host}:{number}/"})
        while thread.is_alive() and not stop.wait(0.1):
            pass
        server.should_exit = True
        thread.join(timeout=5.0)
    return 0


def page_app(feed: Feed, port: int) -> ASGIApp:
    """Return the application; only this machine's own names for itself are served (DNS rebinding)."""
    return _OwnNameOnly(pages(feed), {f"127.0.0.1:{port}", f"localhost:{port}"})


def pages(feed: Feed) -> ASGIApp:
    """Return the page and its stream, for whoever reaches them."""

    async def file(request: Request) -> Response:
        name, kind = FILES[request.url.path]
        text = files("zeromag.viz").joinpath("static", name).read_text(encoding="utf-8")
        return Response(text, media_type=kind, headers=HEADERS)

    async def stream(viewer: WebSocket) -> None:
        await viewer.accept()
        mail = Mail()
        echo = asyncio.create_task(_hear(viewer, mail))
        try:
            await viewer.send_bytes(mail.hello())
            while not echo.done():
                now_ns = time.monotonic_ns()
                picture_ns = now_ns - now_ns % PERIOD_NS  # one for all viewers: they share what is packed
                if mail.has_room():
                    await viewer.send_bytes(mail.due(feed, picture_ns))
                await asyncio.sleep((picture_ns + PERIOD_NS - time.monotonic_ns()) * 1e-9)
        except (WebSocketDisconnect, OSError):
            return  # gone, or signed out
        finally:
            echo.cancel()

    routes = [Route(path, file) for path in FILES]
    return Starlette(routes=[*routes, WebSocketRoute("/stream", stream)])


async def _hear(viewer: WebSocket, mail: Mail) -> None:
    """Take the viewer's word on what has arrived and what is drawn, until it leaves; it has nothing else to say."""
    while (message := await viewer.receive())["type"] == "websocket.receive":
        mail.hear(message.get("text") or "", time.monotonic_ns())


class _OwnNameOnly:
    """Refuses requests under a foreign Host, and WebSockets of a foreign Origin."""

    def __init__(self, app: ASGIApp, names: set[str]) -> None:
        self._app = app
        self._names = {name.encode() for name in names}
        self._origins = {b"http://" + name for name in self._names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        foreign = headers.get(b"host") not in self._names
        if scope["type"] == "websocket":
            foreign = foreign or headers.get(b"origin") not in self._origins
            if foreign:
                await send({"type": "websocket.close", "code": 1008})
                return
        elif foreign:
            await PlainTextResponse("This page is served under its own name only.", 421)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class _SameOrigin:
    """Refuses WebSockets of another page: cookies alone do not tell whose script is asking."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        own = b"https://" + headers.get(b"host", b"")
        if scope["type"] == "websocket" and headers.get(b"origin") != own:
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._app(scope, receive, send)

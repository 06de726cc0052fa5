"""The web page: the same picture in any browser of this machine, read only."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from zeromag.errors import LinkError
from zeromag.viz.feed import Feed
from zeromag.viz.mail import Mail
from zeromag.viz.receiver import following
from zeromag.viz.review import Review

PERIOD = 1 / 30  # s between two pictures
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


def serve_page(
    endpoint: str,
    *,
    stop: threading.Event,
    announce: Announce,
    host: str = "127.0.0.1",
    port: int = 0,
    keys: Path | None = None,
) -> int:
    """Serve a running stream until `stop` is set; `announce` gets `{"url": …}`.

    Raises
    ------
    LinkError
        If the endpoint is not written like one, or the port is taken.
    """
    with following(endpoint, keys) as feed:
        return serve_feed(feed, stop=stop, announce=announce, host=host, port=port)


def serve_review(review: Review, *, stop: threading.Event, announce: Announce) -> int:
    """Serve a recording, played from its beginning as it is scanned, until `stop` is set, and return 0."""

    def play() -> None:
        begun = False
        while not stop.wait(PERIOD):
            review.tick(time.monotonic_ns())
            if not begun and review.position > 0:
                begun = True
                review.seek(review.timeline.first)
                review.toggle_play(time.monotonic_ns())

    player = threading.Thread(target=play, name="zeromag review", daemon=True)
    player.start()
    try:
        return serve_feed(review.feed, stop=stop, announce=announce)
    finally:
        stop.set()
        player.join(timeout=5.0)


def serve_feed(feed: Feed, *, stop: threading.Event, announce: Announce, host: str = "127.0.0.1", port: int = 0) -> int:
    """Serve a feed until `stop` is set and return 0."""
    if host not in ("127.0.0.1", "localhost"):
        raise LinkError(f"the page has no sign-in and is served on 127.0.0.1 only, not on {host}")
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise LinkError(
            f"the page cannot be served on 127.0.0.1:{port}: {error.strerror}; choose another port"
        ) from error
    with listener:
        number = listener.getsockname()[1]
        config = uvicorn.Config(
            page_app(feed, number), log_level="warning", access_log=False, ws="websockets-sansio", lifespan="off",
            timeout_graceful_shutdown=1, ws_max_size=1024,
        )  # fmt: skip
        server = uvicorn.Server(config)
        # On a thread of its own uvicorn leaves the signals to those who started us.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="zeromag page", daemon=True)
        thread.start()
        announce({"url": f"http://127.0.0.1:{number}/"})
        while thread.is_alive() and not stop.wait(0.1):
            pass
        server.should_exit = True
        thread.join(timeout=5.0)
    return 0


def page_app(feed: Feed, port: int) -> ASGIApp:
    """Return the application; only this machine's own names for itself are served (DNS rebinding)."""

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
                for message in mail.due(feed):
                    await viewer.send_bytes(message)
                await asyncio.sleep(PERIOD)
        except WebSocketDisconnect:
            return
        finally:
            echo.cancel()

    routes = [Route(path, file) for path in FILES]
    app = Starlette(routes=[*routes, WebSocketRoute("/stream", stream)])
    return _OwnNameOnly(app, {f"127.0.0.1:{port}", f"localhost:{port}"})


async def _hear(viewer: WebSocket, mail: Mail) -> None:
    """Take the viewer's word when it has drawn something, until it leaves; it has nothing else to say."""
    while (message := await viewer.receive())["type"] == "websocket.receive":
        mail.drawn(message.get("text") or "", time.monotonic_ns())


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

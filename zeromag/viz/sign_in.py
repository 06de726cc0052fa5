"""The door of the page off this machine: a token once, then a cookie; a revoked token is out within a second."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zeromag.acquire.audit import audit
from zeromag.acquire.tokens import holder, tokens
from zeromag.errors import ZeromagError

COOKIE = "zeromag"
HOURS = 12.0  # a cookie holds
LOOK = 1.0  # s between two looks whether an open page's token still holds
WRONG = 1.0  # s that a wrong token takes
MOST = 1024  # bytes of the form
LEFT = 1008  # WebSocket: not allowed here
CSP = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


class SignIn:
    """Lets in who holds a token of the folder; the list is read anew, so that a revoked one is out at once."""

    def __init__(self, app: ASGIApp, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._folder, self._clock = app, folder, clock
        self._inside: dict[str, tuple[str, float]] = {}  # cookie: the token's hash, until when

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the door, or hand on who is inside."""
        about = HTTPConnection(scope)
        cookie = about.cookies.get(COOKIE, "")
        if scope["type"] == "websocket":
            if not self._holds(cookie):
                await send({"type": "websocket.close", "code": LEFT})
            else:
                await self._app(scope, receive, self._watched(cookie, send))
            return
        request = Request(scope, receive)
        if request.url.path == "/sign-in" and request.method == "POST":
            await (await self._signed_in(request))(scope, receive, send)
        elif request.url.path == "/sign-in":
            await _door("")(scope, receive, send)
        elif request.url.path == "/page.css" or self._holds(cookie):
            await self._app(scope, receive, send)
        else:
            await RedirectResponse("/sign-in", 303)(scope, receive, send)

    async def _signed_in(self, request: Request) -> Response:
        """Take a token and return the way to the page, or the door again."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST:
                return _door("That is no token.", 413)
        token = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()
        try:
            entry = holder(self._folder, token)
            line = {"action": "sign in", "from": request.client.host if request.client else ""}
            audit(self._folder, line | ({"result": "accepted", "name": entry.name} if entry else {"result": "refused"}))
        except (ZeromagError, OSError):
            entry = None  # a damaged list lets nobody in, nor anyone who cannot be written down
        if entry is None:
            await asyncio.sleep(WRONG)
            return _door("This token is not known here, or it was revoked.", 403)
        cookie = secrets.token_urlsafe(24)
        now = self._clock()
        self._inside = {name: (key, end) for name, (key, end) in self._inside.items() if end > now}
        self._inside[cookie] = (entry.public, now + HOURS * 3600)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, cookie, max_age=round(HOURS * 3600), secure=True, httponly=True, samesite="strict")
        return answer

    def _holds(self, cookie: str) -> bool:
        key, end = self._inside.get(cookie, ("", 0.0))
        if self._clock() >= end:
            return False
        try:
            return any(entry.public == key for entry in tokens(self._folder))
        except (ZeromagError, OSError):
            return False

    def _watched(self, cookie: str, send: Send) -> Send:
        """Return a `send` that closes the stream once the token does not hold any more."""
        looked, closed = self._clock(), False

        async def guarded(message: Message) -> None:
            nonlocal looked, closed
            if closed:
                raise OSError("the viewer was signed out")
            if self._clock() - looked >= LOOK:
                looked = self._clock()
                if not self._holds(cookie):
                    closed = True
                    await send({"type": "websocket.close", "code": LEFT})
                    return
            await send(message)

        return guarded


def _door(why: str, code: int = 200) -> Response:
    text = files("zeromag.viz").joinpath("static", "sign_in.html").read_text(encoding="utf-8")
    headers = {"Content-Security-Policy": CSP, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(text.replace("<!-- why -->", why), code, headers, "text/html")

"""The page off this machine: HTTPS with a certificate of its own, a token to come in, out again when it is revoked."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.browser import Browser, chromium
from tests.viz_scene import fill
from zeromag.acquire.tokens import new_token, revoke_token
from zeromag.cli import main
from zeromag.errors import InputError, LinkError
from zeromag.viz import sign_in
from zeromag.viz.certificate import fingerprint, own_certificate
from zeromag.viz.feed import Feed
from zeromag.viz.page import Door, serve_feed


class Served:
    """A page on every interface, the token of one viewer, and what was announced."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.token = folder, new_token(folder, "view", "ward 3")
        self.feed = fill(Feed())
        self.told: list[dict[str, object]] = []
        self.stop, self.ready = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=self._serve), threading.Thread(target=self._pulse)]
        for thread in self.threads:
            thread.start()
        assert self.ready.wait(20)
        self.port = int(str(self.told[-1]["url"]).rstrip("/").rpartition(":")[2])
        self.trust = ssl.create_default_context(cafile=str(folder / "page.crt"))

    def _serve(self) -> None:
        serve_feed(self.feed, stop=self.stop, announce=self._hear, door=Door("0.0.0.0", keys=self.folder))

    def _hear(self, news) -> None:
        self.told.append(dict(news))
        if "url" in news:
            self.ready.set()

    def _pulse(self) -> None:
        while not self.stop.wait(0.03):
            self.feed.arrived_ns = time.monotonic_ns()

    def close(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()

    def ask(self, method: str, path: str, body: str = "", cookie: str = "") -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.trust)
        connection.request(method, path, body or None, {"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return answer

    def cookie(self) -> str:
        answer = self.ask("POST", "/sign-in", urlencode({"token": self.token}))
        assert answer.status == 303
        return str(answer.headers["Set-Cookie"])

    def stream(self, cookie: str, origin: str | None = None):
        return connect(
            f"wss://127.0.0.1:{self.port}/stream", ssl=self.trust, origin=origin or f"https://127.0.0.1:{self.port}",
            additional_headers={"Cookie": cookie} if cookie else {},
        )  # fmt: skip


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setattr(sign_in, "WRONG", 0.0)
    monkeypatch.setattr(sign_in, "LOOK", 0.1)
    page = Served(tmp_path)
    yield page
    page.close()


def test_without_a_token_there_is_the_door_and_nothing_else(served):
    for path in ("/", "/page.js", "/stream"):
        answer = served.ask("GET", path)
        assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    door = served.ask("GET", "/sign-in")
    assert door.status == 200
    assert "Not a medical device" in door.text
    assert "form-action 'self'" in door.headers["Content-Security-Policy"]
    assert served.ask("POST", "/sign-in", urlencode({"token": "guessed"})).status == 403
    assert served.ask("POST", "/sign-in", "x" * 5000).status == 413
    with pytest.raises(InvalidStatus, match="403"):
        served.stream("")
    plain = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.request("GET", "/") or plain.getresponse()
    plain.close()


def test_a_token_opens_the_page_until_it_is_revoked(served):
    given = served.cookie()
    for flag in ("HttpOnly", "Secure", "samesite=strict"):
        assert flag.lower() in given.lower()
    cookie = given.split(";")[0]
    assert served.ask("GET", "/", cookie=cookie).status == 200
    with pytest.raises(InvalidStatus, match="403"):
        served.stream(cookie, origin="https://evil.example")
    with served.stream(cookie) as stream:
        assert b'"hello"' in stream.recv(timeout=20)
        assert revoke_token(served.folder, "ward 3")
        with pytest.raises(ConnectionClosed) as closed:
            all(stream.recv(timeout=20) for _ in range(2000))
        assert closed.value.rcvd.code == 1008
    assert served.ask("GET", "/", cookie=cookie).status == 303
    log = [json.loads(line) for line in (served.folder / "audit.log").read_text().splitlines()]
    assert {"sign in", "revoke token"} <= {line["action"] for line in log}
    assert [line["name"] for line in log if line.get("result") == "accepted"] == ["ward 3"]


def test_the_folder_holds_no_token_in_the_clear(served):
    for file in served.folder.iterdir():
        assert served.token not in file.read_text(errors="replace"), file
    assert (served.folder / "page.key").stat().st_mode & 0o077 == 0
    assert (served.folder / "tokens.tsv").stat().st_mode & 0o077 == 0


def test_the_certificate_is_told_kept_and_made_anew_when_it_ends(served, monkeypatch):
    told = str(next(news["say"] for news in served.told if "say" in news))
    assert told.endswith(fingerprint(served.folder / "page.crt"))
    der = ssl.get_server_certificate(("127.0.0.1", served.port))
    assert der.strip() == (served.folder / "page.crt").read_text().strip()
    before = (served.folder / "page.crt").read_bytes()
    own_certificate(served.folder, "0.0.0.0")
    assert (served.folder / "page.crt").read_bytes() == before
    monkeypatch.setattr("zeromag.viz.certificate._holds", lambda _: False)
    own_certificate(served.folder, "0.0.0.0")
    assert (served.folder / "page.crt").read_bytes() != before


@pytest.mark.skipif(chromium() is None, reason="no browser: apt-get install -y chromium")
def test_one_signs_in_with_a_browser_and_is_shown_the_door_when_revoked(served):
    with Browser(f"https://127.0.0.1:{served.port}/") as browser:
        browser.until("document.readyState === 'complete' && !!document.getElementById('token')")
        browser.value(f"document.getElementById('token').value = {served.token!r}; document.forms[0].submit()")
        browser.until("typeof seen !== 'undefined' && !!seen.state && $('badge').textContent === 'LIVE'")
        revoke_token(served.folder, "ward 3")
        browser.until("location.pathname === '/sign-in'")


def test_tokens_are_made_listed_and_revoked_by_the_command(tmp_path, capsys):
    folder = ["--folder", str(tmp_path)]
    assert main(["keys", "token", "ward 3", *folder]) == 0
    assert "shown this once: " in capsys.readouterr().out
    assert main(["keys", "token", "ward 3", *folder]) == 1
    assert "already: revoke it first" in capsys.readouterr().err
    assert main(["keys", "list", *folder]) == 0
    assert "token of the page" in capsys.readouterr().out
    assert main(["keys", "revoke", "ward 3", *folder]) == 0
    assert main(["keys", "revoke", "ward 3", *folder]) == 1


def test_a_damaged_list_lets_nobody_in(served):
    cookie = served.cookie().split(";")[0]
    (served.folder / "tokens.tsv").write_text("what is this\n")
    assert served.ask("GET", "/", cookie=cookie).status == 303
    assert served.ask("POST", "/sign-in", urlencode({"token": served.token})).status == 403
    with pytest.raises(InputError, match="no hash, role and name"):
        new_token(served.folder, "view", "other")


def test_a_door_without_what_it_needs_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(LinkError, match="give --keys DIR"):
        Door("0.0.0.0").certificates()
    with pytest.raises(LinkError, match="there is no certificate"):
        Door("0.0.0.0", keys=tmp_path, certificate=tmp_path / "none.pem").certificates()
    assert Door("127.0.0.1").certificates() is None

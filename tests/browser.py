"""A headless Chromium for tests and screenshots, spoken to in its own DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    """Return the browser's path, None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page in a browser of its own, gone with the `with`."""

    def __init__(self, url: str, *, width: int = 1280, height: int = 800, dark: bool = True) -> None:
        program = chromium()
        if program is None:
            raise FileNotFoundError("chromium")
        self._folder = tempfile.TemporaryDirectory(prefix="zeromag-browser", ignore_cleanup_errors=True)
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        if url.startswith("https"):
            flags.append("--ignore-certificate-errors")  # the page made its own
        self._process = subprocess.Popen(
            [program, *flags, "--remote-debugging-port=0", f"--user-data-dir={self._folder.name}",
             f"--window-size={width},{height}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._count = itertools.count(1)
        self._open = ExitStack()
        try:
            self._socket = self._open.enter_context(connect(self._page_address(), max_size=None))
            self.ask("Page.enable")
            self.ask(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            )
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            self.ask("Emulation.setEmulatedMedia", features=[scheme])
            self.ask("Page.navigate", url=url)
        except BaseException:
            self.close()
            raise

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._count)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=30))
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def value(self, script: str) -> Any:
        """Return what a JavaScript expression gives (a promise is awaited)."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", answer["exceptionDetails"]))
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 20.0) -> Any:
        """Return the expression's value as soon as it is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.value(script)):
            if time.monotonic() > deadline:
                raise TimeoutError(script)
            time.sleep(0.02)
        return value

    def picture(self) -> bytes:
        """Return the page as PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        """End the browser."""
        self._open.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _page_address(self) -> str:
        told = Path(self._folder.name) / "DevToolsActivePort"
        deadline = time.monotonic() + 60
        while not (told.exists() and told.read_text().count("\n") >= 1):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError("Chromium did not start")
            time.sleep(0.05)
        port = told.read_text().splitlines()[0]
        from urllib.request import urlopen

        while True:
            with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
                pages = [page for page in json.load(answer) if page["type"] == "page"]
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
            time.sleep(0.05)

"""A real browser, spoken to by its DevTools protocol: enough to load a page, ask it things and hear what it did."""

import asyncio
import base64
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest

T = TypeVar("T")

_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0")  # fmt: skip


def chromium_path() -> str:
    """Return the browser; without one the test is skipped, and fails where CI=true."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "no chromium on the PATH; apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


class Tab:
    """One page. events: everything that the browser told since the tab was opened, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last = 0
        self.events: list[dict[str, Any]] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=60)
            if message.get("id") == self._last:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    async def open(self, page: Path, *, width: int, scheme: str = "light") -> None:
        for domain in ("Page", "Network", "Log", "Debugger", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        await self.call("Page.navigate", url=page.as_uri())
        while not self.told("Page.loadEventFired"):
            self.events.append(await self._socket.receive_json(timeout=60))

    async def ask(self, expression: str) -> Any:
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def pdf(self) -> bytes:
        return base64.b64decode((await self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True))["data"])

    def told(self, method: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self.events if event.get("method") == method]


def in_chromium(work: Callable[[Tab], Awaitable[T]]) -> T:
    """Do the work in a tab of its own, and close it. The browser lives on for the tests of the module: see `one_browser`."""
    if not _BROWSERS:
        _BROWSERS.append(_Browser(chromium_path()))
    return asyncio.run(_in_tab(_BROWSERS[0].address, work))


@pytest.fixture(scope="module", autouse=True)
def one_browser() -> Iterator[None]:
    """For a module that imports it: a browser started by the first test that asks for one, ended after the last."""
    yield
    close_browser()


def close_browser() -> None:
    """End the browser, if one was started."""
    while _BROWSERS:
        _BROWSERS.pop().end()


class _Browser:
    """A browser with a profile of its own, which is removed with it. address: where it takes orders, on loopback."""

    def __init__(self, path: str) -> None:
        self._profile = Path(tempfile.mkdtemp(prefix="chromium-"))
        command = [path, *_FLAGS, f"--user-data-dir={self._profile}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.address = f"http://127.0.0.1:{self._port()}"

    def _port(self) -> int:
        told = self._profile / "DevToolsActivePort"
        for _ in range(3000):
            if told.is_file() and len(lines := told.read_text().split()) == 2:
                return int(lines[0])
            assert self._process.poll() is None, "the browser ended before it told its address"
            time.sleep(0.02)
        self.end()
        raise AssertionError("the browser told no address within 60 s")

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self._profile, ignore_errors=True)


_BROWSERS: list[_Browser] = []
"""None, or the one of the module that is running."""


async def _in_tab(address: str, work: Callable[[Tab], Awaitable[T]]) -> T:
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{address}/json/new?about:blank") as answer:
            tab = await answer.json()
        try:
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                return await work(Tab(socket))
        finally:
            await (await session.get(f"{address}/json/close/{tab['id']}")).read()

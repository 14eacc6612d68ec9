"""A real browser, spoken to by its DevTools protocol: enough to load a page, ask it things and hear what it did."""

import asyncio
import base64
import os
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable
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
    """Start a browser with a profile of its own, do the work in one tab, end the browser and remove the profile."""
    return asyncio.run(_in_chromium(chromium_path(), work))


async def _in_chromium(path: str, work: Callable[[Tab], Awaitable[T]]) -> T:
    profile = tempfile.mkdtemp(prefix="chromium-")
    browser = await asyncio.create_subprocess_exec(
        path,
        *_FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        base = await asyncio.wait_for(_address(browser), 60)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{base}/json") as answer:
                tabs = [tab for tab in await answer.json() if tab["type"] == "page"]
            async with session.ws_connect(tabs[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                return await work(Tab(socket))
    finally:
        browser.terminate()
        await browser.wait()
        shutil.rmtree(profile, ignore_errors=True)


async def _address(browser: asyncio.subprocess.Process) -> str:
    assert browser.stderr is not None
    while line := await browser.stderr.readline():
        if found := re.search(rb"ws://([^/]+)/", line):
            return f"http://{found[1].decode()}"
    raise AssertionError("the browser ended before it told its address")

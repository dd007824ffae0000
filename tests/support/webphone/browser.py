"""A secretary whose softphone is a page in headless Chromium, for asyncio.

    async with Browser() as browser:
        lea = await browser.phone("lea", "lea-demo", "ws://127.0.0.1:8088/ws", say=620)
        await lea.until(lambda page: page["calls"])            # it rings
        await lea.do("answer")
        await lea.hears(740)

Needs Debian's `chromium` and the package `playwright` (without its own browsers). The page is served on
a loopback port: only https pages and those of this machine get a microphone. What a page answers to
`look` is documented in `page.js`. Not safe to share between two tests.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from aiohttp import web
from playwright.async_api import Page, async_playwright

HERE = Path(__file__).parent
TOLERANCE = 12  # hertz; the ear's bins are 6 wide
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--mute-audio",
)

Look = dict[str, Any]


class WebPhone:
    """One page, one account."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []  # what the page wrote on its console, and errors nobody caught
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _on_console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    async def do(self, what: str, *arguments: str) -> None:
        """answer, hangup, dial WHAT, offline, online."""
        # without waiting for its result: what came of it is looked at
        await self.page.evaluate("([what, given]) => { phone[what](...given); }", [what, list(arguments)])

    async def look(self) -> Look:
        """The page's `phone`, without its objects."""
        seen: Look = await self.page.evaluate("() => phone.look()")
        return seen

    async def until(self, fits: Callable[[Look], object], within: float = 10.0) -> Look:
        """Look until it fits; AssertionError with what was seen last."""
        seen: Look = {}
        try:
            async with asyncio.timeout(within):
                while not fits(seen := await self.look()):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"the page is not so within {within} s: {seen} {self.complaints}") from None
        return seen

    async def hears(self, hertz: int, within: float = 5.0) -> Look:
        """Wait for this tone in her ear."""
        return await self.until(lambda page: abs(page["hears"] - hertz) < TOLERANCE, within)


class Browser:
    """One Chromium and the server of its page."""

    def __init__(self, chromium: str | None = None) -> None:
        found = chromium or shutil.which("chromium")
        assert found, "no chromium: apt-get install --no-install-recommends chromium"
        self.chromium = found
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            application = web.Application()
            application.router.add_static("/", HERE)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            opening.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.2)
            await site.start()
            host, port = runner.addresses[0][:2]
            self._home = f"http://{host}:{port}"
            playwright = await opening.enter_async_context(async_playwright())
            self._browser = await playwright.chromium.launch(
                executable_path=self.chromium, headless=True, args=list(OPTIONS)
            )
            opening.push_async_callback(self._browser.close)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    @property
    def version(self) -> str:
        """Of Chromium."""
        return self._browser.version

    async def phone(
        self, user: str, password: str, url: str, *, say: int, domain: str = "web", registered: bool = True
    ) -> WebPhone:
        """A page that registers at the web socket `url`; waits for it unless told otherwise."""
        context = await self._browser.new_context()
        await context.grant_permissions(["microphone"])
        phone = WebPhone(await context.new_page())
        asked = {"user": user, "password": password, "url": url, "tone": say, "domain": domain}
        await phone.page.goto(f"{self._home}/page.html?{urlencode(asked)}")
        if registered:
            await phone.until(lambda page: page["state"] == "registered")
        return phone

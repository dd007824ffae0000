"""A secretary whose softphone is autocom's own page `/phone` in headless Chromium, for asyncio.

    async with Browser(say=620) as browser:
        lea = await browser.phone("http://127.0.0.1:8080", "lea", "lea-demo")
        await lea.shows("incoming call")
        await lea.press("Answer")
        await lea.hears(740)

Needs `chromium` (Debian's, or named in CHROMIUM) and the package `playwright`, without its own browsers. Her voice
is a file that plays for ever as the microphone; what she hears is measured on the page's own audio elements. Not
safe to share between two tests.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.async_api import Page, async_playwright

from tests.support import PATIENCE, tones

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
# What a page hears is told by an analyser on whatever its audio elements play; the page itself is as it is shipped.
EAR = """
(() => {
  const ears = [];
  const sounds = () => (globalThis.earSounds ??= new AudioContext());
  const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    get() { return source.get.call(this); },
    set(stream) {
      source.set.call(this, stream);
      if (!stream) return;
      const analyser = sounds().createAnalyser();
      analyser.fftSize = 8192;
      analyser.smoothingTimeConstant = 0;
      sounds().createMediaStreamSource(stream).connect(analyser);
      ears.push({ analyser, stream });
    },
  });
  const connections = (globalThis.earConnections = []);
  const Real = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Real {
    constructor(...given) { super(...given); connections.push(this); }
  };
  globalThis.earHears = () => ears.map(({ analyser }) => {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(bins.reduce((a, b) => Math.max(a, b)));
    return bins[loudest] > -60 ? Math.round((loudest * sounds().sampleRate) / analyser.fftSize) : 0;
  });
  globalThis.earFigures = async () => {
    const out = {};
    for (const connection of connections.filter((each) => each.connectionState === 'connected')) {
      const report = await connection.getStats();
      for (const each of report.values()) {
        if (each.type === 'inbound-rtp') Object.assign(out, { received: each.packetsReceived, codec: report.get(each.codecId)?.mimeType });
        if (each.type === 'outbound-rtp') out.sent = each.packetsSent;
        if (each.type === 'transport') Object.assign(out, { dtls: each.dtlsState, srtp: each.srtpCipher });
      }
    }
    return out;
  };
})();
"""


def chromium() -> str:
    """The browser. It is part of the tests' set-up: where there is none, they fail and say how to get one."""
    unpacked = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autocom/chromium/bin/chromium"
    )
    found = (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("google-chrome")
        or (str(unpacked) if unpacked.exists() else None)
    )
    assert found, (
        "no browser to test the page with: `tools/get-chromium.sh` (part of `make setup-dev`) brings one on Debian; "
        "elsewhere install Chromium or Chrome, or name one in CHROMIUM"
    )
    return found


class WebPhone:
    """One page, one account. Buttons and words are the page's English ones."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []  # what the page wrote on its console, and errors nobody caught
        self.sent: list[str] = []  # SIP messages that left the page
        page.on("console", self._on_console)
        page.on(
            "websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(str(frame)))
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _on_console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    async def press(self, button: str) -> None:
        """The visible button of this name; the newest call's where several have it."""
        await self.page.get_by_role("button", name=button, exact=True).last.click(timeout=5000)

    async def fill(self, label: str, text: str) -> None:
        """The field of this label."""
        await self.page.get_by_label(label, exact=True).last.fill(text, timeout=5000)

    async def shows(self, words: str, within: float = PATIENCE) -> None:
        """Wait until these words are to be seen."""
        try:
            await self.page.get_by_text(words).first.wait_for(timeout=within * 1000)
        except Exception as error:
            raise AssertionError(f"not seen within {within} s: {words!r}\n{await self.seen()}") from error

    async def seen(self) -> str:
        """What there is to read, and what the page complained of."""
        return f"{await self.page.inner_text('body')}\n{self.complaints}"

    async def hears(self, hertz: int, within: float = PATIENCE) -> dict[str, Any]:
        """Wait for this tone in her ear; returns the figures of the connection."""
        heard: list[int] = []
        try:
            async with asyncio.timeout(within):
                while not any(abs(tone - hertz) < TOLERANCE for tone in heard):
                    await asyncio.sleep(0.05)
                    heard = await self.page.evaluate("() => earHears()")
        except TimeoutError:
            raise AssertionError(
                f"{hertz} Hz not heard within {within} s: {heard}\n{await self.seen()}"
            ) from None
        figures: dict[str, Any] = await self.page.evaluate("() => earFigures()")
        return figures


def _pin(certificate: Path) -> str:
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


class Browser:
    """One Chromium whose microphone says one tone."""

    def __init__(self, *, say: int, trusts: Path | None = None) -> None:
        """`trusts`: a server's certificate that is good although nobody known signed it."""
        self.say, self.trusts = say, trusts
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            folder = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="autocom-voice-")))
            tones.write_wav(folder / "voice.wav", tones.sine(self.say, 4, rate=48000), rate=48000)
            options = [*OPTIONS, f"--use-file-for-fake-audio-capture={folder}/voice.wav"]
            if self.trusts:
                options.append(f"--ignore-certificate-errors-spki-list={_pin(self.trusts)}")
            playwright = await opening.enter_async_context(async_playwright())
            self._browser = await playwright.chromium.launch(
                executable_path=chromium(), headless=True, args=options
            )
            opening.push_async_callback(self._browser.close)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def page(self, url: str, language: str = "en") -> WebPhone:
        """A page of its own, with a microphone and no memory but its language."""
        context = await self._browser.new_context()
        await context.grant_permissions(["microphone"])
        await context.add_init_script(EAR)
        await context.add_init_script(
            f"localStorage.getItem('language') ?? localStorage.setItem('language', '{language}')"
        )
        phone = WebPhone(await context.new_page())
        await phone.page.goto(url)
        return phone

    async def phone(self, base: str, user: str, password: str) -> WebPhone:
        """Logged in and registered."""
        phone = await self.page(f"{base}/phone")
        await phone.fill("Id", user)
        await phone.fill("Password of the phone", password)
        await phone.press("Enter")
        await phone.shows("phone on line")
        return phone

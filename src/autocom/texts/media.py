"""Fetches the attachments that a provider left an address for, and nothing from anywhere else.

An address is a stranger's word, so it is asked only where its host stands in the provider's `media_hosts`,
over TLS (or on this machine's own loopback), once resolved, never at a private address that a name leads to,
without redirects, for a limited time and size. Must not know whose the text is. Invariant: a text is shown
without waiting for its attachments, and whatever an address answers ends in "kept" or "refused".
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from functools import partial
from urllib.parse import SplitResult, urlsplit

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from autocom.calls.containment import contained
from autocom.core.texts import Attachment, Incoming, TextProvider
from autocom.news import IDLE, until
from autocom.texts.ledger import Ledger
from autocom.texts.reception import Reception
from autocom.texts.shelf import LARGEST, MOST, AttachmentShelf, Unwanted

log = structlog.get_logger()

PATIENCE = 20.0
TRIES = 6
FIRST = 5.0


class NotNow(Exception):  # noqa: N818 - says what is the case
    """It may be there later."""


class Media:
    """One for each exchange; `run` it in a task group."""

    def __init__(self, ledger: Ledger, reception: Reception, shelf: AttachmentShelf) -> None:
        self._ledger, self._reception, self._shelf = ledger, reception, shelf
        self._news = ledger.news()

    async def run(self) -> None:
        """Until cancelled."""
        clock = self._ledger.clock
        while True:
            self._news.clear()
            now = clock.now()
            open_ = [text for text in self._ledger.busy() if isinstance(text, Incoming) and text.media]
            for text in open_:
                if text.due <= now:
                    with contained("attachments crashed", partial(self._lost, text), text=text.id):
                        await self._look_at(text)
            later = [text.due for text in open_ if text.due > now]
            await until(clock, min([clock.now() + IDLE, *later]), self._news)

    async def _look_at(self, text: Incoming) -> None:
        provider = self._ledger.configuration().texts.providers.get(text.provider)
        kept: list[Attachment] = []
        whys: list[str] = []
        for address in text.media[:MOST]:
            try:
                content = await fetch(address, provider)
                kept.append(await asyncio.to_thread(self._shelf.put, content))
            except Unwanted as why:
                whys.append(str(why))
            except (NotNow, OSError) as why:
                if text.tries + 1 < TRIES:
                    log.info("attachment not fetched, tried again", text=text.id, why=str(why))
                    self._reception.fetch_later(text.id, FIRST * 2**text.tries)
                    return
                whys.append(str(why))
        lost = len(text.media) - len(kept)
        self._reception.attached(text.id, kept, lost=lost, why="; ".join(dict.fromkeys(whys)))

    def _lost(self, text: Incoming, error: str) -> None:
        self._reception.attached(text.id, (), lost=len(text.media), why=error)


async def fetch(address: str, provider: TextProvider | None, patience: float = PATIENCE) -> bytes:
    """What lies at this address. Raises Unwanted where it must not or never can be had, NotNow where it may."""
    url = _allowed(address, provider)
    connector = aiohttp.TCPConnector(resolver=_PublicResolver(), use_dns_cache=False)
    timeout = aiohttp.ClientTimeout(total=patience)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session,
            session.get(url.geturl(), allow_redirects=False) as answer,
        ):
            if answer.status >= 500 or answer.status in (408, 425, 429):
                raise NotNow(f"the host answers {answer.status}")
            if answer.status != 200:
                raise Unwanted(f"the host answers {answer.status}")
            content = b""
            async for chunk in answer.content.iter_chunked(64 * 1024):
                content += chunk
                if len(content) > LARGEST:
                    raise Unwanted(f"larger than {LARGEST} bytes")
    except aiohttp.ClientConnectorDNSError as error:
        if isinstance(error.os_error, _Private):
            raise Unwanted("its name leads to a private address") from error
        raise NotNow("its name is not found") from error
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        if isinstance(error, Unwanted):
            raise
        raise NotNow(f"no answer ({type(error).__name__})") from error
    return content


def _allowed(address: str, provider: TextProvider | None) -> SplitResult:
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError as error:
        raise Unwanted("no address") from error
    host = (url.hostname or "").lower()
    named = host if port is None else f"{host}:{port}"
    if provider is None or named not in provider.media_hosts or url.username or url.password:
        raise Unwanted("its host is not one of `media_hosts`")
    if url.scheme != "https" and not (url.scheme == "http" and _loopback(host)):
        raise Unwanted("not over https")
    return url


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Private(OSError):  # noqa: N818 - says what is the case
    """A name that leads into a private network."""


class _PublicResolver(AbstractResolver):
    """Names lead to public addresses or nowhere. Whoever wants a private one writes the address itself into
    `media_hosts`: then no name is looked up."""

    def __init__(self) -> None:
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look the name up; the connection is made to one of these very addresses."""
        found = await self._system.resolve(host, port, family)
        if not all(ipaddress.ip_address(each["host"]).is_global for each in found):
            raise _Private(host)
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._system.close()

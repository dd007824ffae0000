"""The HTTP doors of a running instance: what this machine's programs and pages ask, and what the outside may.

On `AUTOCOM_HTTP_BIND` the API (its token keeps it), the phones' page and the door of texts' providers; on
`AUTOCOM_HTTPS_BIND` the page and that door, over TLS: the API is not offered to the outside. The exit stack closes them. Must not know what is answered.
"""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack

from aiohttp import web

from autocom.banning import Banning
from autocom.call_lists import CallLists
from autocom.exchange import RunningExchange
from autocom.foundations import CannotServe
from autocom.heard import Listened
from autocom.leaving import Leaving
from autocom.papers import Papers
from autocom.phone_desk import Desk
from autocom.posts import Posts
from autocom.settings import Bind, Settings
from autocom.tape_room import Recorded, vault
from autocom.tokens import TokenFile
from autocom.web.api import Api
from autocom.web.bans import BanRoutes
from autocom.web.call_lists import ListRoutes
from autocom.web.door import IDLE, Door, Seen, strangers
from autocom.web.handover import HandOverRoutes
from autocom.web.messages import MessageRoutes
from autocom.web.metrics import MetricRoutes
from autocom.web.phone import PhonePage
from autocom.web.posts import PostRoutes
from autocom.web.recordings import RecordingRoutes
from autocom.web.roles import put_guards
from autocom.web.supervision import SupervisionRoutes
from autocom.web.texts import TextRoutes, Texts

BODY = 64 * 1024


async def open_doors(
    settings: Settings,
    exchange: RunningExchange,
    token: str,
    papers: Papers | None,
    texts: Texts,
    stack: AsyncExitStack,
    bans: Banning,
    leaving: Leaving,
) -> None:
    """Listen. Raises CannotServe."""
    page = PhonePage(Desk.of(settings, exchange))
    inside = Api(exchange, token, TokenFile(settings.state)).application()
    page.add(inside)
    page.add_orders(inside)
    PostRoutes(Posts(exchange.switchboard)).add(inside)
    MessageRoutes(Listened(exchange.journal, exchange.switchboard.ports.clock)).add(inside)
    ListRoutes(CallLists(exchange.switchboard)).add(inside)
    BanRoutes(bans).add(inside)
    HandOverRoutes(leaving).add(inside)
    MetricRoutes(lambda: exchange.metrics(), lambda: exchange.alerts()).add(inside)  # noqa: PLW0108 - both are set later
    clock = exchange.switchboard.ports.clock
    RecordingRoutes(Recorded(exchange.journal, clock, vault(settings))).add(inside)
    SupervisionRoutes(exchange.switchboard.overseers).add(inside)
    text_routes = TextRoutes(texts)
    text_routes.add(inside)
    await _listen(inside, settings.http_bind, "AUTOCOM_HTTP_BIND", stack)
    if settings.https_bind is not None:
        outside = web.Application(client_max_size=BODY)
        outside.on_response_prepare.append(put_guards)
        page.add(outside)
        text_routes.add_door(outside)
        await _listen(
            outside, settings.https_bind, "AUTOCOM_HTTPS_BIND", stack, papers.context() if papers else None
        )


async def _listen(
    application: web.Application,
    bind: Bind,
    setting: str,
    stack: AsyncExitStack,
    tls: ssl.SSLContext | None = None,
) -> None:
    seen = Seen()
    application.middlewares.insert(0, seen.note)
    runner = web.AppRunner(
        application, access_log=None, shutdown_timeout=1.0, keepalive_timeout=IDLE, logger=strangers()
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await Door(runner, bind.host, bind.port, seen, tls).start()
    except OSError as error:
        raise CannotServe(f"{setting}: cannot listen on {bind}: {error.strerror or error}") from None

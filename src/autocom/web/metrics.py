"""`GET /metrics` for Prometheus, and `GET /v1/alerts`.

The figures hold words of the configuration and no caller: whoever is on this machine reads them without a token, who
asks from elsewhere needs one with the role `metrics` (`roles`). Must not know where the figures come from.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from autocom.core.journal import Json
from autocom.web.roles import METRICS


class MetricRoutes:
    """`text`: Prometheus' text format; `alerts`: what `autocom alerts` shows."""

    def __init__(self, text: Callable[[], bytes], alerts: Callable[[], Json]) -> None:
        self._text, self._alerts = text, alerts

    def add(self, app: web.Application) -> None:
        """The routes."""
        app.router.add_get(METRICS, self._metrics)
        app.router.add_get("/v1/alerts", self._list)

    async def _metrics(self, _: web.Request) -> web.Response:
        # prometheus_client's own constant is of its newer format; this one every Prometheus reads
        return web.Response(
            body=self._text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(self._alerts())

"""`/metrics` for anybody on this machine, `/v1/alerts` for whoever has a token."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from autocom.web.metrics import MetricRoutes
from autocom.web.roles import Guard, NoTokens

ALERTS = {"active": [{"alert": "disk_low"}], "recent": []}


async def test_figures_need_no_token_and_alerts_do() -> None:
    app = web.Application(middlewares=[Guard("the-token", NoTokens()).keep])
    MetricRoutes(lambda: b"autocom_ready 1.0\n", lambda: ALERTS).add(app)  # type: ignore[arg-type]
    async with TestClient(TestServer(app)) as http:
        answer = await http.get("/metrics")
        assert (answer.status, await answer.text()) == (200, "autocom_ready 1.0\n")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert (await http.get("/v1/alerts")).status == 401
        known = await http.get("/v1/alerts", headers={"Authorization": "Bearer the-token"})
        assert (known.status, await known.json()) == (200, ALERTS)

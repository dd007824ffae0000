"""`/metrics` for programs of this machine and for who has a token, `/v1/alerts` for who has one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from autocom.web import roles
from autocom.web.metrics import MetricRoutes
from autocom.web.roles import Guard, Holder

ALERTS = {"active": [{"alert": "disk_low"}], "recent": []}
FIGURES = b"autocom_ready 1.0\n"


class Known:
    def holder(self, given: str) -> Holder | None:
        return Holder("prometheus", "metrics") if given == "scrapes" else None


@pytest.fixture
async def http() -> AsyncIterator[TestClient]:
    app = web.Application(middlewares=[Guard("the-token", Known()).keep])
    MetricRoutes(lambda: FIGURES, lambda: ALERTS).add(app)  # type: ignore[arg-type]
    async with TestClient(TestServer(app)) as client:
        yield client


async def status(http: TestClient, path: str, token: str = "", **headers: str) -> int:
    bearer = {"Authorization": f"Bearer {token}"} if token else {}
    return (await http.get(path, headers={**bearer, **headers})).status


async def test_figures_need_no_token_on_this_machine_and_alerts_do(http: TestClient) -> None:
    answer = await http.get("/metrics")
    assert (answer.status, await answer.read()) == (200, FIGURES)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert await status(http, "/v1/alerts") == 401
    known = await http.get("/v1/alerts", headers={"Authorization": "Bearer the-token"})
    assert (known.status, await known.json()) == (200, ALERTS)


@pytest.mark.parametrize("name", roles.PASSED_ON)
async def test_a_proxy_on_this_machine_opens_nothing_for_others(http: TestClient, name: str) -> None:
    assert await status(http, "/metrics", **{name: "192.0.2.7"}) == 401
    assert await status(http, "/metrics", "scrapes", **{name: "192.0.2.7"}) == 200


async def test_from_elsewhere_a_token_is_needed(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "is_here", lambda _: False)
    assert await status(http, "/metrics") == 401
    assert await status(http, "/metrics", "wrong") == 401
    assert await status(http, "/metrics", "scrapes") == 200


async def test_a_token_for_figures_opens_nothing_else(http: TestClient) -> None:
    assert await status(http, "/v1/alerts", "scrapes") == 403

"""Role times route times client, over the routes that the running exchange really has."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from autocom import web as web_rooms
from autocom.core.journal import Entry
from autocom.web import answers, api, metrics, phone, roles
from autocom.web.roles import BY_QUERY, RANK, ROLES, WRONG, Guard, Holder, NoTokens

SECRET = "admin-secret"


class Anybody:
    """An exchange that answers whatever it is asked, and keeps by whom."""

    def __init__(self) -> None:
        self.by: list[object] = []

    def __getattr__(self, name: str) -> Any:
        def act(*asked: object, **named: object) -> object:
            self.by += [each.get("author") if isinstance(each, Mapping) else each for each in asked]
            return [] if name in {"rows", "kept", "left", "show", "add", "parked", "rooms"} else {}

        async def later(*asked: object, **named: object) -> object:
            act(*asked, **named)
            return {"sound": ("x", b"RIFF"), "listed": []}.get(name, {})

        async def nothing() -> AsyncIterator[Entry]:
            for entry in ():
                yield entry

        if name == "follow":
            return nothing
        return (
            later
            if name in {"reload", "rollback", "flush", "sound", "listed", "read", "hand_over", "upgrade"}
            else act
        )


class Known:
    """Tokens by their text."""

    def holder(self, given: str) -> Holder | None:
        role, _, client = given.partition("/")
        if role not in RANK:
            return None
        limited = frozenset({client}) if client else None
        return Holder(f"the-{role}", cast("roles.Role", role), limited)


def everything(exchange: Anybody) -> web.Application:
    """The door for this machine as `doors.py` puts it together."""
    app = api.Api(exchange, SECRET, Known()).application()
    phone.PhonePage(exchange).add_orders(app)
    for made in all_routes():
        routes = made(lambda: b"", list) if made is metrics.MetricRoutes else made(exchange)
        routes.add(app)
    return app


def all_routes() -> list[Any]:
    """Every `…Routes` of the package, so that none is forgotten here that `doors.py` opens."""
    modules = [
        importlib.import_module(each.name)
        for each in pkgutil.iter_modules(web_rooms.__path__, "autocom.web.")
    ]
    return [
        getattr(module, name)
        for module in modules
        for name in sorted(vars(module))
        if name.endswith("Routes") and getattr(module, name).__module__ == module.__name__
    ]


@pytest.fixture
def exchange() -> Anybody:
    return Anybody()


@pytest.fixture
async def http(exchange: Anybody) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(everything(exchange))) as client:
        yield client


def routes() -> set[tuple[str, str]]:
    """Every method and path that a guard may keep: all but the health probes and the providers' door."""
    return {
        (route.method, route.resource.canonical)
        for route in everything(Anybody()).router.routes()
        if route.resource is not None
        and not route.resource.canonical.startswith(("/health/", "/texts/"))
        and route.method != "HEAD"
    }


def path_of(canonical: str, client: str = "lilas") -> str:
    return re.sub(r"\{\w+\}", "1", canonical.replace("{client}", client))


def test_every_route_has_a_role_and_every_role_a_route() -> None:
    assert routes() == set(ROLES)


@pytest.mark.parametrize("role", RANK)
@pytest.mark.parametrize(("method", "canonical"), sorted(ROLES))
async def test_a_token_opens_what_its_role_may_and_nothing_else(
    http: TestClient, role: roles.Role, method: str, canonical: str
) -> None:
    answer = await http.request(
        method,
        path_of(canonical),
        headers={"Authorization": f"Bearer {role}"},
        json={} if method == "POST" else None,
    )
    allowed = RANK[role] >= RANK[ROLES[method, canonical]]
    assert (answer.status == 403) != allowed, await answer.text()
    assert answer.status != 401


@pytest.mark.parametrize(("method", "canonical"), sorted(ROLES))
async def test_nothing_opens_without_a_token(http: TestClient, method: str, canonical: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Basic admin"},
    ):
        from_elsewhere = {"X-Forwarded-For": "192.0.2.7", **headers}
        answer = await http.request(method, path_of(canonical), headers=from_elsewhere)
        assert answer.status in {401, 429}


async def test_a_head_request_needs_what_get_needs(http: TestClient) -> None:
    answer = await http.head("/v1/bans", headers={"Authorization": "Bearer reader"})
    assert answer.status == 403


@pytest.mark.parametrize(
    "path", ["//v1/status", "/%761/status", "/v1/../v1/status", "/V1/status", "/./v1/status"]
)
async def test_an_odd_spelling_of_a_path_opens_nothing(http: TestClient, path: str) -> None:
    reader, writer = await asyncio.open_connection(http.host, http.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    status = (await reader.readline()).split()[1]
    assert status in {b"401", b"404", b"400"}
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("role", RANK)
@pytest.mark.parametrize(("method", "canonical"), sorted(ROLES))
async def test_a_token_for_one_client_opens_routes_that_name_it_and_nothing_else(
    http: TestClient, role: roles.Role, method: str, canonical: str
) -> None:
    names = "{client}" in canonical or (method, canonical) in BY_QUERY
    headers = {"Authorization": f"Bearer {role}/lilas"}
    enough = RANK[role] >= RANK[ROLES[method, canonical]]
    for client, opens in (("lilas", names and enough), ("roses", False), ("", False)):
        path = path_of(canonical, client or "roses")
        if (method, canonical) in BY_QUERY and client:
            path += f"?client={client}"
        answer = await http.request(method, path, headers=headers, json={} if method == "POST" else None)
        assert (answer.status != 403) == opens, (path, await answer.text())
    if (method, canonical) in BY_QUERY and enough:
        twice = await http.request(method, f"{path_of(canonical)}?client=lilas&client=roses", headers=headers)
        assert twice.status == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/overrides", {"client": "lilas", "override": "open", "author": "boss"}),
        ("POST", "/v1/overrides", {"client": "lilas", "override": "open"}),
        ("DELETE", "/v1/overrides/lilas?author=boss", None),
        ("POST", "/v1/lists/lilas?author=boss", []),
        ("DELETE", "/v1/lists/lilas?author=boss", None),
        ("POST", "/v1/voicemail/1/heard?by=boss", None),
        ("GET", "/v1/recordings/1/sound?by=boss", None),
        ("POST", "/v1/texts", {"text": "x", "author": "boss"}),
        ("GET", "/v1/texts/1?reader=boss", None),
        ("POST", "/v1/reload?author=boss", None),
        ("POST", "/v1/rollback?author=boss", None),
        ("DELETE", "/v1/bans/192.0.2.1?author=boss", None),
    ],
)
async def test_who_acts_is_the_token_whatever_the_request_says(
    http: TestClient, exchange: Anybody, method: str, path: str, body: object
) -> None:
    answer = await http.request(method, path, headers={"Authorization": "Bearer admin"}, json=body)
    assert answer.status < 300, await answer.text()
    assert "the-admin" in exchange.by
    assert "boss" not in exchange.by
    exchange.by.clear()
    await http.request(method, path, headers={"Authorization": f"Bearer {SECRET}"}, json=body)
    assert "the-admin" not in exchange.by  # whoever may read the state folder says himself who he is


async def test_wrong_tokens_are_told_to_wait_and_the_right_one_never() -> None:
    now = 0.0
    guard = Guard(SECRET, NoTokens(), lambda: now)
    app = web.Application(middlewares=[guard.keep])

    async def fine(_: web.Request) -> web.Response:
        return web.Response()

    app.router.add_get("/v1/status", fine)
    async with TestClient(TestServer(app)) as http:
        seen = [
            (await http.get("/v1/status", headers={"Authorization": "Bearer x"})).status
            for _ in range(WRONG + 3)
        ]
        assert seen == [401] * WRONG + [429] * 3
        assert (await http.get("/v1/status", headers={"Authorization": f"Bearer {SECRET}"})).status == 200
        now = roles.WINDOW + 1
        assert (await http.get("/v1/status")).status == 401


async def test_a_route_that_nobody_thought_of_is_for_admins_alone() -> None:
    app = api.Api(Anybody(), SECRET, Known()).application()

    async def forgotten(_: web.Request) -> web.Response:
        return web.Response()

    app.router.add_get("/v1/forgotten", forgotten)
    async with TestClient(TestServer(app)) as http:
        for role, status in (("reader", 403), ("lead", 403), ("admin", 200)):
            assert (
                await http.get("/v1/forgotten", headers={"Authorization": f"Bearer {role}"})
            ).status == status


async def test_every_answer_forbids_caches_frames_and_guesses_at_its_kind(http: TestClient) -> None:
    for path in ("/health/live", "/v1/status", "/v1/nothing", "/nothing"):
        answer = await http.get(path, headers={"Authorization": "Bearer admin"})
        for name, value in roles.GUARDS.items():
            if (
                answer.status != 404
            ):  # aiohttp's own exception passes no signal before 3.15 where nothing matched
                assert answer.headers[name] == value, path


async def test_a_body_that_is_too_large_or_too_slow_is_refused(
    http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Authorization": "Bearer admin"}
    large = await http.post("/v1/overrides", headers=headers, data=b"x" * 70_000)
    assert large.status == 413
    monkeypatch.setattr(answers, "BODY_WITHIN", 0.05)
    reader, writer = await asyncio.open_connection(http.host, http.port)
    writer.write(
        b"POST /v1/overrides HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Length: 100\r\n\r\n{"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("text", ["x\r\nX-Evil: 1", "x\r\n\r\n<script>", "é\x00", "a" * 5000])
async def test_nothing_that_is_asked_becomes_a_header(http: TestClient, text: str) -> None:
    for path in ("/v1/recordings/1/sound", "/v1/lists/lilas", "/v1/texts"):
        answer = await http.get(
            path, params={"by": text, "client": text}, headers={"Authorization": "Bearer admin"}
        )
        assert "X-Evil" not in answer.headers
        assert answer.status < 500
    with pytest.raises((ValueError, aiohttp.ClientError)):
        await http.get("/v1/status", headers={"Authorization": "Bearer x\r\nX-Evil: 1"})


@pytest.mark.parametrize("path", ["/v1/overrides", "/v1/lists/lilas", "/v1/texts", "/v1/supervisions"])
@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"[" * 60_000, {}), (b"abc", {"Content-Encoding": "gzip"}), (b'{"a":', {}), (b"\xff\xfe", {})],
)
async def test_a_body_that_is_nonsense_is_refused_and_no_error_of_ours(
    http: TestClient, path: str, body: bytes, headers: dict[str, str]
) -> None:
    answer = await http.post(path, data=body, headers={"Authorization": "Bearer admin", **headers})
    assert answer.status == 400, await answer.text()

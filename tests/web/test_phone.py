"""The page's server over a desk made of values, and an Asterisk that only echoes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from autocom.core.journal import Json
from autocom.web import answers
from autocom.web.phone import COOKIE, PAGE, PhonePage, TooManyGuesses
from autocom.web.sip_socket import BURST, MOST_EACH, Pace
from tests.web.test_sip_frames import frame

LOGIN = {"id": "lea", "password": "lea-fiction"}


class Values:
    """A desk that knows one secretary."""

    def __init__(self) -> None:
        self.upstream: str | None = None
        self.guesses = 0
        self.addresses: list[str] = []
        self.tickets = {"good-page", "good-phone"}

    def enter(self, who: str, password: str, address: str) -> str | None:
        self.addresses.append(address)
        if self.guesses > 2:
            raise TooManyGuesses(30.0)
        if (who, password) != ("lea", "lea-fiction"):
            self.guesses += 1
            return None
        return "session-lea"

    def redeem(self, ticket: str, address: str) -> str | None:
        if ticket != "good-page" or ticket not in self.tickets:
            return None
        self.tickets.discard(ticket)
        return "session-lea"

    def who(self, session: str) -> str | None:
        return "lea" if session == "session-lea" else None

    def account(self, who: str) -> Mapping[str, Json]:
        return {"user": who, "ha1": "digest", "session": "session-lea"}

    def state(self, who: str) -> Mapping[str, Json]:
        return {"state": "free"}

    def linphone(self, ticket: str, address: str) -> str | None:
        if ticket != "good-phone" or ticket not in self.tickets:
            return None
        self.tickets.discard(ticket)
        return "<config/>"

    def link(self, who: str, purpose: str) -> Mapping[str, Json]:
        if who != "lea":
            raise LookupError(f"there is no secretary {who!r}")
        if purpose not in {"page", "linphone"}:
            raise ValueError(f"{purpose!r} is neither page nor linphone")
        return {"url": f"http://here/phone#{purpose}", "seconds": 900.0}

    def websocket(self) -> str | None:
        return self.upstream


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Asterisk's side: what it hears, it says."""
    socket = web.WebSocketResponse(protocols=("sip",))
    await socket.prepare(request)
    async for said in socket:
        await socket.send_str(said.data)
    return socket


@pytest.fixture
async def values() -> Values:
    return Values()


@pytest.fixture
async def http(values: Values) -> AsyncIterator[TestClient]:
    asterisk = web.Application()
    asterisk.router.add_get("/ws", echo)
    app = web.Application()
    page = PhonePage(values)
    page.add(app)
    page.add_orders(app)
    async with TestServer(asterisk) as upstream, TestClient(TestServer(app)) as client:
        values.upstream = str(upstream.make_url("/ws"))
        yield client


def origin(http: TestClient) -> dict[str, str]:
    return {"Origin": f"http://{http.host}:{http.port}"}


async def login(http: TestClient) -> None:
    answer = await http.post("/phone/login", json=LOGIN, headers=origin(http))
    assert answer.status == 204


async def socket(http: TestClient) -> aiohttp.ClientWebSocketResponse:
    return await http.ws_connect("/ws", protocols=("sip",), headers=origin(http))


async def test_the_page_and_its_files_come_with_a_policy_that_forbids_everything_else(
    http: TestClient,
) -> None:
    page = await http.get("/phone")
    text = await page.text()
    files = [file.name for file in PAGE.iterdir()]
    assert {"index.html", "phone.js", "line.js", "words.js", "jssip.min.js", "jssip-license.txt"} <= set(
        files
    )
    for file in files:
        answer = await http.get(f"/phone/{file}")
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert (
            await http.get(f"/phone/{file}", headers={"If-None-Match": answer.headers["ETag"]})
        ).status == 304
    assert "<script>" not in text
    assert " style=" not in text
    assert "://" not in text.replace("http://www.w3.org", ""), "nothing comes from elsewhere"
    assert (await http.get("/phone/", allow_redirects=False)).headers["Location"] == "/phone"


@pytest.mark.parametrize(
    "path", ["/phone/../api.py", "/phone/%2e%2e%2fapi.py", "/phone/nothing.js", "/phone/phone.py"]
)
async def test_nothing_but_the_pages_own_files_is_served(http: TestClient, path: str) -> None:
    assert (await http.get(path)).status == 404


async def test_a_session_opens_the_account_and_leaving_ends_it(http: TestClient) -> None:
    assert (await http.get("/phone/account")).status == 204
    assert (await http.get("/phone/state")).status == 401
    await login(http)
    account = await http.get("/phone/account")
    assert await account.json() == {"user": "lea", "ha1": "digest"}
    assert account.headers["Cache-Control"] == "no-store"
    cookie = account.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Strict", "")
    assert await (await http.get("/phone/state")).json() == {"state": "free"}
    assert (await http.post("/phone/logout")).status == 204
    assert (await http.get("/phone/account")).status == 204


async def test_behind_a_tls_proxy_the_cookie_is_for_tls_alone(http: TestClient) -> None:
    answer = await http.post(
        "/phone/login", json=LOGIN, headers={**origin(http), "X-Forwarded-Proto": "https"}
    )
    assert answer.cookies[COOKIE]["secure"]


async def test_a_proxy_of_this_machine_says_for_whom_it_asks_and_that_nobody_read_along(
    http: TestClient, values: Values
) -> None:
    forwarded = {"X-Forwarded-For": "6.6.6.6, 192.0.2.9", "X-Forwarded-Proto": "https"}
    assert (await http.post("/phone/login", json=LOGIN, headers={**origin(http), **forwarded})).status == 204
    plain = {"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "http"}
    assert (await http.post("/phone/login", json=LOGIN, headers={**origin(http), **plain})).status == 403
    odd = {"X-Forwarded-For": "<odd>", "X-Forwarded-Proto": "https"}
    await http.post("/phone/login", json=LOGIN, headers={**origin(http), **odd})
    assert values.addresses == ["192.0.2.9", "127.0.0.1"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "lea", "password": "guess"}, 401),
        ({"id": "nobody", "password": "lea-fiction"}, 401),
        ({"ticket": "bad"}, 401),
        ({}, 401),
        ({"id": 1}, 400),
        ([], 400),
        ("{", 400),
    ],
)
async def test_a_wrong_login_gives_nothing(http: TestClient, body: object, status: int) -> None:
    answer = await http.post("/phone/login", json=body, headers=origin(http))
    assert answer.status == status
    assert COOKIE not in answer.cookies


@pytest.mark.parametrize(
    ("body", "headers"), [(b"[" * 60_000, {}), (b"no gzip", {"Content-Encoding": "gzip"})]
)
async def test_a_strangers_nonsense_is_no_error_of_ours(
    http: TestClient, body: bytes, headers: dict[str, str]
) -> None:
    answer = await http.post("/phone/login", data=body, headers={**origin(http), **headers})
    assert answer.status == 400


async def test_who_sends_her_password_a_byte_at_a_time_is_not_waited_for(
    http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "BODY_WITHIN", 0.05)
    reader, writer = await asyncio.open_connection(http.host, http.port)
    host = origin(http)["Origin"]
    writer.write(
        f"POST /phone/login HTTP/1.1\r\nHost: {host.removeprefix('http://')}\r\nOrigin: {host}\r\n"
        "Content-Length: 100\r\n\r\n{".encode()
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    await writer.wait_closed()


async def test_another_site_cannot_log_in_for_her(http: TestClient) -> None:
    for foreign in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        assert (await http.post("/phone/login", json=LOGIN, headers=foreign)).status == 403


async def test_too_many_guesses_are_told_to_wait(http: TestClient) -> None:
    for _ in range(3):
        await http.post("/phone/login", json={"id": "lea", "password": "guess"}, headers=origin(http))
    answer = await http.post("/phone/login", json=LOGIN, headers=origin(http))
    assert (answer.status, answer.headers["Retry-After"]) == (429, "31")


async def test_a_ticket_logs_in_once(http: TestClient) -> None:
    for status in (204, 401):
        answer = await http.post("/phone/login", json={"ticket": "good-page"}, headers=origin(http))
        assert answer.status == status


async def test_linphone_fetches_its_settings_once_and_looking_whether_they_are_there_does_not_use_them_up(
    http: TestClient,
) -> None:
    assert (await http.head("/phone/provision/good-phone")).status == 405
    answer = await http.get("/phone/provision/good-phone")
    assert (answer.content_type, await answer.text()) == ("application/xml", "<config/>")
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await http.get("/phone/provision/good-phone")).status == 404


async def test_the_commands_get_links_or_are_told_what_is_wrong(http: TestClient) -> None:
    assert (await (await http.post("/v1/phones/lea/page")).json())["url"].endswith("/phone#page")
    assert (await http.post("/v1/phones/nobody/page")).status == 404
    assert (await http.post("/v1/phones/lea/fax")).status == 400


# --- the socket ---------------------------------------------------------------------------------


async def test_sip_goes_to_asterisk_and_back_as_it_is(http: TestClient) -> None:
    await login(http)
    async with await socket(http) as phone:
        assert phone.protocol == "sip"
        said = frame("MESSAGE", body="Rappeler à 15 h ✓")
        await phone.send_str(said)
        assert await phone.receive_str(timeout=2) == said


async def test_without_a_session_or_from_another_page_there_is_no_socket(http: TestClient) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await socket(http)
    await login(http)
    for foreign in ({"Origin": "https://evil.example"}, {}):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await http.ws_connect("/ws", protocols=("sip",), headers=foreign)


async def test_who_speaks_for_somebody_else_is_cut_off_and_asterisk_hears_nothing_of_it(
    http: TestClient,
) -> None:
    await login(http)
    async with await socket(http) as phone:
        await phone.send_str(frame(sender="<sip:ines@web>;tag=a"))
        end = await phone.receive(timeout=2)
        assert (end.type, end.data) == (WSMsgType.CLOSE, aiohttp.WSCloseCode.POLICY_VIOLATION)


async def test_bytes_are_not_sip(http: TestClient) -> None:
    await login(http)
    async with await socket(http) as phone:
        await phone.send_bytes(b"INVITE")
        assert (await phone.receive(timeout=2)).data == aiohttp.WSCloseCode.UNSUPPORTED_DATA


async def test_a_flood_is_cut_off(http: TestClient) -> None:
    await login(http)
    async with await socket(http) as phone:
        for _ in range(int(BURST) + 30):
            await phone.send_str("\r\n\r\n")
        async with asyncio.timeout(5):
            while (got := await phone.receive()).type is WSMsgType.TEXT:
                pass
        assert got.data == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_one_secretary_has_a_few_sockets_and_a_closed_one_makes_room(http: TestClient) -> None:
    await login(http)
    phones = [await socket(http) for _ in range(MOST_EACH)]
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        await socket(http)
    await phones[0].close()
    async with asyncio.timeout(5):
        while True:
            try:
                phones[0] = await socket(http)
                break
            except aiohttp.WSServerHandshakeError:
                await asyncio.sleep(0.02)  # the server has not seen it go yet
    for phone in phones:
        await phone.close()


async def test_without_asterisk_the_page_is_told_to_come_again(http: TestClient, values: Values) -> None:
    await login(http)
    for upstream in (None, "ws://127.0.0.1:1/ws"):
        values.upstream = upstream
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await socket(http)


def test_frames_pass_in_a_burst_and_then_at_a_pace() -> None:
    pace = Pace(0.0, burst=3, rate=1)
    assert [pace.allows(0.0) for _ in range(4)] == [True, True, True, False]
    assert pace.allows(1.0)
    assert not pace.allows(1.5)
    assert [pace.allows(60.0) for _ in range(4)] == [True, True, True, False]

"""Asking a real HTTP server for a rule: its answers, its faults, its silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from autocom.advice import HttpAdvice
from autocom.calls.ports import NoAdvice

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def system(answer: Answer) -> AsyncIterator[str]:
    """The client's system on a free port; yields its address."""
    app = web.Application()
    app.router.add_post("/route", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/route"
    finally:
        await runner.cleanup()


async def asked(url: str, within: float = 1.0) -> str | None:
    advice = HttpAdvice()
    try:
        return await advice.rule(url, {"call": "c1"}, within)
    finally:
        await advice.close()


async def test_the_facts_go_out_and_the_name_of_a_rule_comes_back() -> None:
    async def answer(request: web.Request) -> web.Response:
        told = await request.json()
        return web.json_response({"rule": f"for-{told['call']}"})

    async with system(answer) as url:
        assert await asked(url) == "for-c1"


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (lambda: web.Response(status=500), "it answered 500"),
        (lambda: web.Response(status=302, headers={"Location": "/elsewhere"}), "it answered 302"),
        (lambda: web.Response(text="oui"), "its answer is no JSON"),
        (lambda: web.json_response([1]), 'its answer is not {"rule": "NAME"}'),
        (lambda: web.json_response({"rule": 7}), 'its answer is not {"rule": "NAME"}'),
    ],
)
async def test_an_answer_that_is_none_says_why(response: Callable[[], web.Response], why: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return response()

    async with system(answer) as url:
        with pytest.raises(NoAdvice) as caught:
            await asked(url)
    assert str(caught.value) == why


async def test_no_opinion_is_an_answer() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"rule": None})

    async with system(answer) as url:
        assert await asked(url) is None


async def test_a_system_that_is_silent_costs_no_more_than_the_budget() -> None:
    never = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    async with system(answer) as url:
        with pytest.raises(NoAdvice, match="no answer within 100 ms"):
            await asked(url, 0.1)
        never.set()


async def test_a_system_that_is_away_is_told_so() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    async with system(answer) as url:
        pass
    with pytest.raises(NoAdvice, match="cannot be reached"):
        await asked(url)

"""`autocom upgrade`: what is said of an exchange that is long in answering, because its successor is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner

from autocom import leaving
from autocom.commands import upgrade
from autocom.state import Card, write_card


def test_the_exchange_has_its_say_before_the_command_gives_up() -> None:
    assert upgrade.ANSWERED_WITHIN >= leaving.PREPARED_WITHIN + 15


async def test_the_command_waits_that_long_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        await asyncio.sleep(1.0)
        return web.json_response({"error": "the new process ended with code 1"}, status=409)

    served = web.Application()
    served.add_routes([web.post("/v1/upgrade", refuse)])
    runner = web.AppRunner(served, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    write_card(tmp_path, Card(1, f"http://127.0.0.1:{port}", "t", None, language="en"))
    monkeypatch.setenv("AUTOCOM_STATE", str(tmp_path))
    try:
        patient = await asyncio.to_thread(CliRunner().invoke, upgrade.upgrade)
        assert "the new process ended with code 1" in patient.output
        monkeypatch.setattr(upgrade, "ANSWERED_WITHIN", 0.2)
        hasty = await asyncio.to_thread(CliRunner().invoke, upgrade.upgrade)
        assert "no autocom answers" in hasty.output
    finally:
        await runner.cleanup()

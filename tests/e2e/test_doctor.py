"""`autocom doctor` beside a running exchange on its real Asterisk and PostgreSQL, and after that one was frozen."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from autocom.doctor.rounds import CHECKS
from tests.support.bureau import Bureau
from tests.support.exchange import Exchange
from tests.support.phones import Phones

pytestmark = pytest.mark.timeout(120)
NOT_HERE = {"SIP over TLS", "HTTPS", "certificate", "recording key", "mail", "texts", "trunk hosts"}
MAY_WARN = {"clock", "reach", "disk", "music", "state folder", "asterisk log", "rescuer"}


async def examined(exchange: Exchange, code: int) -> dict[str, dict[str, Any]]:
    done = await exchange.run("doctor", "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return {row["check"]: row for row in json.loads(done.stdout)}


async def test_a_running_exchange_is_well_and_a_frozen_one_is_told(
    exchange: Exchange, bureau: Bureau
) -> None:
    lea = bureau.secretaries[0]
    async with Phones() as phones:
        await phones.secretary(lea.id, lea.password, bureau.sip)
        await exchange.free("lea")
        rows = await examined(exchange, 0)
        assert {name for name, _ in CHECKS} - set(rows) == NOT_HERE
        assert {name for name, row in rows.items() if row["level"] != "ok"} <= MAY_WARN
        exchange.send(signal.SIGSTOP)
        try:
            frozen = await examined(exchange, 1)
        finally:
            exchange.send(signal.SIGCONT)
        assert frozen["service"]["level"] == "bad"
        assert frozen["asterisk"]["level"] == "ok"

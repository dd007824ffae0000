"""The configuration replaced again and again under load, by good files and by bad ones, and a client taken away (F30–F32).

One exchange under a storm of callers. Every call keeps the version that it came under, none is lost, and what is no
good changes nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.support import asked, oracle, storm
from tests.support.bureau import MUSIC, UNKNOWN, VOICES, Bureau, client
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.storm import Storm

pytestmark = [pytest.mark.timeout(600)]
BAD = (
    b"id: lilas\nname: [",
    b"\xff\xfe not utf-8",
    b"id: lilas\nid: lilas\n",
    b"a: &a [x, x]\nb: [*a, *a]\n",
    b"",
    b"{" * 5000,
    b'id: lilas\nname: "half a fi',
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    async with Exchange(storm.ready(Bureau.at(tmp_path_factory.mktemp("reloads"), secretaries=4))) as running:
        yield running


async def in_force(bureau: Bureau, version: str) -> float:
    """Wait until the version is another one; seconds until then."""
    began = time.monotonic()
    await asked.until(bureau, lambda s: s["config_version"] != version, 20)
    return time.monotonic() - began


@pytest.mark.fault("F32")
async def test_a_client_that_is_removed_while_its_callers_wait_is_served_to_the_end(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    version = (await asked.status(bureau))["config_version"]
    bureau.add(client("partant", "+33199001002"))
    bureau.write()
    await in_force(bureau, version)
    before = (await asked.status(bureau))["config_version"]
    lea = bureau.secretaries[0]
    async with Phones() as phones:
        waiting = await phones.dial(bureau.uri("0199001002"))
        await waiting.hears(MUSIC)
        del bureau.clients["partant"]
        bureau.write()
        await in_force(bureau, before)
        await waiting.hears(MUSIC, for_seconds=1.0)
        phone = await phones.secretary(lea.id, lea.password, bureau.sip, say=lea.voice, answer_after=0.2)
        await waiting.hears(VOICES[0])
        assert "Cab. Partant" in (await phone.rings()).invite.from_display
        late = await phones.dial(bureau.uri("0199001002"), "0639980102")
        await late.hears(UNKNOWN)
        await waiting.hangup()
        await late.hangup()
        await exchange.finished_call(2)
    calls = {call["caller"][-2:]: call for call in await exchange.calls()}
    assert (calls["01"]["client"], calls["01"]["outcome"], calls["01"]["config_version"]) == (
        "partant",
        "served",
        before,
    )
    assert calls["02"]["client"] == "accueil", "his number is nobody's any more"
    await oracle.each_call_ended_once(exchange)
    await oracle.nothing_is_left(exchange)


@pytest.mark.fault("F30", "F31")
async def test_good_and_bad_files_in_turn_under_load(
    exchange: Exchange, measured: Any, rounds: Callable[[Any, Any], Any]
) -> None:
    bureau = exchange.bureau
    file = bureau.config / "clients" / "lilas.yaml"
    applied: list[float] = []
    refused: list[float] = []
    async with Storm(bureau, per_second=3.0, talk=(1.0, 3.0), seed=31, patience=(8.0, 12.0)) as load:
        versions = [(await asked.status(bureau))["config_version"]]
        for n in range(rounds(4, 100)):
            bureau.client("lilas")["display"] = f"Lilas {n}"
            file.write_text(json.dumps(bureau.client("lilas")))
            applied.append(await in_force(bureau, versions[-1]))
            versions.append((await asked.status(bureau))["config_version"])

            began = time.monotonic()
            file.write_bytes(BAD[n % len(BAD)])
            await asked.until(bureau, lambda s: s["configuration_refused"] is not None, 20)
            refused.append(time.monotonic() - began)
            status = await asked.status(bureau)
            assert status["config_version"] == versions[-1]
            assert (
                status["configuration_refused"]["first"].startswith("lilas.yaml:")
                or "lilas.yaml" in status["configuration_refused"]["first"]
            )
        file.write_text(json.dumps(bureau.client("lilas")))
        await asked.until(bureau, lambda s: s["configuration_refused"] is None, 20)
        await load.drained()
        await load.balance(exchange)
        calls = [call for call in await exchange.calls() if call["client"] == "lilas"]
        assert len(set(versions)) == len(versions)
        assert {call["config_version"] for call in calls} <= set(versions)
        assert len({call["config_version"] for call in calls}) > 1
        late = [event for event in oracle.events(exchange, "warning") if event["event"] == "loop_late"]
        # beside other tests the processor is theirs
        assert not rounds([], late), "a reload holds the loop up"
    measured("good file applied", max(applied), "s", at_most=2.0)
    measured("bad file refused", max(refused), "s", at_most=2.0)

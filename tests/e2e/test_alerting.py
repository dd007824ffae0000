"""What is wrong is told by mail and webhook, once, also over kill -9: on the real Asterisk and PostgreSQL."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support import PATIENCE, asked
from tests.support.bureau import CALLER, MUSIC, Bureau
from tests.support.exchange import Exchange
from tests.support.fault_matrix import Measured
from tests.support.listener import SECRET, Listener
from tests.support.mail_server import MailServer
from tests.support.phones import Phones
from tests.support.ports import free_port
from tests.support.postgres import fresh_database, frozen, private_postgres
from tests.support.staff import all_at_work

pytestmark = [pytest.mark.timeout(150)]
DID = "0199001001"
CHIEF = "chef@tilleuls.example"


class Told:
    """An exchange whose alerts go to a mail server and a webhook of the test's."""

    def __init__(self, bureau: Bureau, mail: MailServer, hook: Listener) -> None:
        self.bureau, self.mail, self.hook = bureau, mail, hook

    def posted(self) -> list[tuple[str, str]]:
        """Alert and event of every posting, each once."""
        found = {body["id"]: (body["alert"], body["event"]) for body in self.hook.told}
        return list(found.values())

    async def until(self, fits: Callable[[], bool], within: float) -> float:
        """How long it took."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(within):
                while not fits():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not within {within} s: {self.posted()}, {self.subjects()}") from None
        return time.monotonic() - began

    async def both(self, alert: str, event: str, subject: str, within: float = PATIENCE) -> float:
        """Wait until mail and webhook have told it."""
        return await self.until(
            lambda: (alert, event) in self.posted() and any(subject in s for s in self.subjects()), within
        )

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mail.taken]


@pytest.fixture
async def told(bureau: Bureau) -> AsyncIterator[Told]:
    async with AsyncExitStack() as stack:
        mail = await stack.enter_async_context(MailServer())
        hook = await stack.enter_async_context(Listener())
        bureau.settings |= mail.settings
        bureau.bureau["alerts"] = {
            "mail": [CHIEF],
            "webhook": {"url": hook.hook.url, "secret": SECRET, "signature": "X-Proof"},
            "rules": {"no_secretary": {"after": "2s"}, "long_wait": {"clients": {"lilas": "3s"}}},
        }
        bureau.write()
        yield Told(bureau, mail, hook)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A PostgreSQL that is not the exchange's own, and its folder."""
    folder = tmp_path_factory.mktemp("pg")
    with private_postgres(folder) as server, fresh_database(server) as url:
        yield url, folder


async def test_a_database_that_is_away_is_told_within_ten_seconds_and_once_over_kill_9(
    told: Told, database: tuple[str, Path], measured: Measured
) -> None:
    url, folder = database
    told.bureau.settings["AUTOCOM_DATABASE_URL"] = url
    off = {"enabled": "false"}
    told.bureau.bureau["alerts"]["rules"] |= {"no_secretary": off, "rescued": off}
    told.bureau.write()
    async with Exchange(told.bureau) as exchange:
        await asked.until(
            told.bureau, lambda s: s["database"]["state"] == "up" and not s["database"]["behind"]
        )
        with frozen(folder):
            # nothing happens in the bureau: no fact would tell the shipper
            noticed = await told.both("database_down", "raised", "Base de données absente", within=40)
            measured("a database that is away is told after", noticed, at_most=10)
            status = await exchange.status()
            assert [a["alert"] for a in status["alerts"]] == ["database_down"]
            await exchange.kill9()
            await exchange.start()
            await asyncio.sleep(8)
            assert told.posted() == [("database_down", "raised")]
        took = await told.both("database_down", "over", "Terminé : Base de données absente", within=25)
        assert Counter(told.posted()) == {("database_down", "raised"): 1, ("database_down", "over"): 1}
        assert told.subjects() == ["Base de données absente", "Terminé : Base de données absente"]
        assert took < 25
        headers, raw = told.hook.taken[0]
        assert headers["X-Proof"] == f"sha256={hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()}"
        (mail, _) = told.mail.taken
        assert mail["To"] == CHIEF
        assert "Les appels continuent" in mail.get_content()


async def test_nobody_at_work_a_long_wait_and_calls_of_the_fallback_are_told_each_once(told: Told) -> None:
    bureau = told.bureau
    async with Exchange(bureau) as exchange, Phones() as phones:
        await told.both("no_secretary", "raised", "Personne pour general")
        assert "Nobody for general" in await exchange.cli("alerts")
        assert "ALERT Nobody for general, since 2" in await exchange.cli("status")
        account = bureau.secretaries[0]
        lea = await phones.secretary(account.id, account.password, bureau.sip, say=account.voice)
        await asked.are(bureau, lea="free")
        await told.both("no_secretary", "over", "Terminé : Personne pour general", within=30)

        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(MUSIC)
        await told.both("long_wait", "raised", "Attente trop longue Cabinet lilas")
        found = await metrics(bureau)
        assert found["autocom_waiting"][("general",)] == 1
        assert found["autocom_oldest_wait_seconds"][()] > 3
        assert found["autocom_alerts_active"][("long_wait", "warning")] == 1
        await caller.hangup()
        await told.until(lambda: ("long_wait", "over") in told.posted(), PATIENCE)

        await exchange.kill9()
        alone = await phones.dial(bureau.uri(DID), "0639980102", say=CALLER)
        await asyncio.sleep(4)
        await alone.hangup()
        await exchange.start()
        await told.both("fallback_used", "raised", "Appels pris par le secours : 1")
        ours = [(alert, event) for alert, event in told.posted() if alert != "rescued"]
        assert Counter(ours) == Counter(
            [
                ("no_secretary", "raised"),
                ("no_secretary", "over"),
                ("long_wait", "raised"),
                ("long_wait", "over"),
                ("fallback_used", "raised"),
            ]
        )
        # mail and webhook go their own ways: the one may be behind, and `rescued` comes at its own time
        await told.until(lambda: len(told.subjects()) == len(told.posted()), PATIENCE)
        answer = json.loads(await exchange.cli("alerts", "--json"))
        assert {a["alert"] for a in answer["active"]} - {"rescued"} == {"fallback_used"}
        assert {a["alert"] for a in answer["recent"]} == {"no_secretary", "long_wait"}
        assert "06399801" not in json.dumps(answer) + "".join(str(m) for m in told.mail.taken)
    assert lea is not None


async def test_an_operator_that_does_not_answer_is_told(told: Told) -> None:
    bureau = told.bureau
    bureau.bureau["trunks"][0] |= {"host": f"127.0.0.1:{free_port()}", "qualify": "true"}
    bureau.bureau["alerts"]["rules"] = {"no_secretary": {"enabled": "false"}, "trunk_down": {"after": "1s"}}
    bureau.write()
    async with Exchange(bureau) as exchange:
        await told.both("trunk_down", "raised", "Ligne opérateur operator en panne", within=45)
        (alert,) = (await exchange.status())["alerts"]
        assert (alert["subject"], alert["severity"], alert["detail"]) == ("operator", "critical", "OPTIONS")


async def test_health_says_why_and_a_scrape_under_load_is_quick(told: Told, measured: Measured) -> None:
    bureau = told.bureau
    async with Exchange(bureau), Phones() as phones:
        assert await health(bureau) == (200, {"ready": True, "lacks": []})
        staff = await all_at_work(phones, bureau, answer_after=0.2)
        callers = [await phones.dial(bureau.uri(DID), f"06399801{n:02d}", say=CALLER) for n in range(6)]
        await asked.are(bureau, lea="talking", ines="talking")
        taken = []
        for _ in range(20):
            began = time.monotonic()
            found = await metrics(bureau)
            taken.append(time.monotonic() - began)
            await asyncio.sleep(0.15)
        measured("a scrape, as a rule", sorted(taken)[len(taken) // 2], at_most=0.25)
        found = await metrics(bureau)
        async with asyncio.timeout(PATIENCE):  # she picks up; the two are joined a moment later
            while found["autocom_answer_to_bridge_seconds_count"][()] < 2:
                await asyncio.sleep(0.05)
                found = await metrics(bureau)
        assert found["autocom_calls_open"][()] == 6
        assert (
            found["autocom_ready"][()] == found["autocom_asterisk_up"][()] == found["autocom_ami_up"][()] == 1
        )
        assert found["autocom_trunk_calls"][("operator",)] == 6
        assert sum(found["autocom_ari_requests_total"].values()) > 20
        assert found["autocom_setup_seconds_count"][()] >= 2
        assert found["autocom_ari_event_age_seconds_count"][()] > 10
        assert found["autocom_loop_lag_seconds_count"][()] > 5
        assert found["process_resident_memory_bytes"][()] > 1e7
        for caller in callers:
            await caller.hangup()
        assert len(staff) == 2
        await asked.until(bureau, lambda s: s["calls"] == 0)
        async with asyncio.timeout(PATIENCE):
            while sum((await metrics(bureau))["autocom_calls_total"].values()) < 6:
                await asyncio.sleep(0.2)


async def metrics(bureau: Bureau) -> dict[str, dict[tuple[str, ...], float]]:
    """Scraped as Prometheus does, read with its own parser."""
    async with aiohttp.ClientSession() as http, http.get(f"http://{bureau.http}/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = await answer.text()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


async def health(bureau: Bureau) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"http://{bureau.http}/health/ready") as answer:
        return answer.status, await answer.json()

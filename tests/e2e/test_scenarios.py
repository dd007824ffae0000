"""More scenarios of the trade, and of other people's queues, from outside: one exchange, real Asterisk.

S8 to S20 are those of the domain study that `test_main_job.py` leaves out; A and B numbers are scenarios
that others' queues failed at. S15 (a phone that vanishes) is in `test_queue.py`, S16 to S19 (people outside)
in `test_outside.py`, S21 (the event socket, PostgreSQL) in `test_faults.py`. Each scenario has clients and
secretaries of its own in one big bureau, so that all share one exchange. Raw SIP phones keep what was sent
to them to the letter; who only has to wait is a raw caller.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from autocom.config import load
from autocom.core.model import Configuration
from autocom.core.routing import Circumstances, choose
from autocom.state import read_card
from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import CLOSED, MESSAGE, MUSIC, Bureau, client, play, queue
from tests.support.callers import Callers
from tests.support.exchange import Exchange
from tests.support.fax import CNG, say_cng
from tests.support.phones import Phones
from tests.support.sip_phone import SipPhone
from tests.support.sip_text import SipMessage

pytestmark = [pytest.mark.timeout(120)]
MOBILE = "<sip:0639980101@operator.example>"
CLOSED_RULE = {"name": "closed", "when": {"hours": "closed"}, "do": [play("closed-tone", mode="answered")]}
TEAMS = {"duo": 2, "trio": 3, "solo": 1, "other": 1, "fax": 2}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """One exchange for all of it; every scenario has its own clients and team."""
    bureau = Bureau.at(tmp_path_factory.mktemp("scenarios"), secretaries=sum(TEAMS.values()))
    fill(bureau)
    bureau.write()
    running = Exchange(bureau)
    asyncio.run(running.start())
    try:
        yield running
        asyncio.run(oracle.nothing_is_left(running))
        asyncio.run(oracle.each_call_ended_once(running))
        # a phone that left while somebody waited for it, or while it was to be told something
        oracle.no_troubles(
            bureau,
            "Could not create dialog to invalid URI",
            "create outgoing session to",
            "PJSIP MESSAGE - Could not find endpoint",
            "didn't find an aor/contact for it",
        )
    finally:
        asyncio.run(running.stop())
        leaked = running.sweep()
        bureau.tidy()
    assert not leaked


@pytest.fixture(scope="module")
def written(exchange: Exchange) -> Configuration:
    """The bureau's files as the exchange reads them."""
    return load(exchange.bureau.config, None, 2026).configuration


def fill(bureau: Bureau) -> None:
    """Everybody's team, and the clients of each scenario."""
    turns = iter(bureau.bureau["secretaries"])
    for team, size in TEAMS.items():
        bureau.bureau["teams"][team] = {}
        for _ in range(size):
            next(turns)["teams"] = {team: 1}
    closed = [play("closed-tone", mode="answered"), {"hangup": "normal"}]
    waits: dict[str, dict[str, Any]] = {
        "served": {"team": "duo"},
        "nobody-picks-up": {"team": "duo", "ring_for": "1s", "max_wait": "4s", "on_timeout": closed},
        "paused": {"team": "duo", "max_wait": "2s", "on_timeout": closed},
        "half": {"team": "duo", "ring_for": "1s", "max_wait": "3s", "on_timeout": closed},
        "elsewhere": {"team": "solo", "max_wait": "2s", "on_timeout": closed},
        "all": {"team": "trio", "ring": "all"},
        "once": {"team": "duo"},
        "cycle": {"team": "trio", "ring_for": "1s", "max_wait": "7s", "on_timeout": closed},
    }
    for n, (name, keys) in enumerate(waits.items(), start=1):
        rule = {"name": "open", "do": [queue(**keys)]}
        bureau.add(client(name, did(n), rules=[rule]))
    for n, wrap_up in enumerate(("1s", "3s", "0s", "1s", "2s", "0s"), start=20):
        bureau.add(
            client(
                f"shared-{n}",
                did(n),
                rules=[{"name": "open", "do": [queue(team="solo")]}],
                wrap_up={"min": wrap_up, "max": wrap_up},
            )
        )
    weekdays = {"mon-fri": ["08:30-12:30", "13:30-18:30"]}
    always = {"name": "open", "do": [queue()]}
    bureau.add(client("nantes", did(30), hours=weekdays, rules=[CLOSED_RULE, always]))
    for n, subdivision in ((31, "FR-57"), (32, "FR-6AE")):
        bureau.add(
            client(f"moselle-{n}", did(n), hours=weekdays, holidays=subdivision, rules=[CLOSED_RULE, always])
        )
    reunion = {"every-day": ["06:00-20:00"]}
    bureau.add(
        client("filaos", did(33), hours=reunion, timezone="Indian/Reunion", rules=[CLOSED_RULE, always])
    )
    nights = {"every-day": ["22:00-02:30"]}
    bureau.add(client("night", did(34), hours=nights, rules=[CLOSED_RULE, always]))
    to_platforms = {"name": "platforms", "when": {"caller": ["platform"]}, "do": closed}
    bureau.add(client("syndic", did(40), rules=[to_platforms, always]))
    answered = {"name": "open", "do": [play("message", mode="answered"), queue(team="fax")]}
    bureau.add(client("fax", did(41), rules=[answered]))
    own = {"do": [play("closed-tone", mode="answered"), {"hangup": "busy"}]}
    bureau.add(client("faxes-welcome", did(42), rules=[answered], fax=own))
    bureau.add(client("no-fax", did(43), rules=[answered], fax={"detect": False}))


def did(n: int) -> str:
    """The number of the n-th client."""
    return f"+331990020{n:02}"


async def call(line: Callers, n: int, frm: str = MOBILE) -> SipMessage:
    """A raw caller of client `n`; the first answer to his INVITE."""
    return await line.invite(f"01990020{n:02}", frm=frm)


async def ended(exchange: Exchange, name: str, count: int = 1, within: float = PATIENCE) -> dict[str, Any]:
    """The newest call of this client, with its story, once `count` of them are over."""
    async with asyncio.timeout(within):
        while True:
            stories = await asked.calls(exchange.bureau, stories=True)
            over = [c for c in stories if c["client"] == name and c["ended_at"]]
            if len(over) >= count:
                return over[0]
            await asyncio.sleep(0.1)


async def talking(exchange: Exchange, who: str) -> None:
    """Wait until she is joined with a caller: her phone was picked up, and he waits no more."""

    def joined(state: dict[str, Any]) -> bool:
        hers = next(s for s in state["secretaries"] if s["id"] == who)
        return hers["state"] == "talking" and hers["call"] not in {w["call"] for w in state["waiting"]}

    await asked.until(exchange.bureau, joined)


def of_kind(story: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [event for event in story["events"] if event["kind"] == kind]


class Staff:
    """The raw phones of a team, in its order, free for the length of a scenario."""

    def __init__(self, exchange: Exchange, team: str) -> None:
        self.exchange = exchange
        accounts = [
            account
            for account, written in zip(
                exchange.bureau.secretaries, exchange.bureau.bureau["secretaries"], strict=True
            )
            if team in written["teams"]
        ]
        self.phones = [SipPhone(exchange.bureau.sip, each.id, each.password) for each in accounts]
        self.names = [each.id for each in accounts]
        self._open = AsyncExitStack()

    async def __aenter__(self) -> list[SipPhone]:
        for phone in self.phones:
            await self._open.enter_async_context(phone)
        await asked.are(self.exchange.bureau, **dict.fromkeys(self.names, "free"))
        return self.phones

    async def __aexit__(self, *error: object) -> None:
        for name in self.names:
            await say(self.exchange, name, "resume")
        await self._open.aclose()


async def say(exchange: Exchange, who: str, verb: str, **asked: str) -> None:
    """What `autocom secretary` does, without its start."""
    card = read_card(exchange.bureau.state)
    url = f"{card.http}/v1/secretaries/{who}/{verb}"
    bearer = {"Authorization": f"Bearer {card.token}"}
    async with aiohttp.ClientSession(headers=bearer) as http, http.post(url, params=asked) as answer:
        assert answer.status == 200, await answer.text()


async def state_of(exchange: Exchange, name: str) -> tuple[str, str | None]:
    """What a secretary is, and why."""
    found = next(s for s in (await asked.status(exchange.bureau))["secretaries"] if s["id"] == name)
    return found["state"], found["reason"]


# --- the trade --------------------------------------------------------------------------------


async def test_s8_an_automated_platform_hears_the_message_and_is_flagged(exchange: Exchange) -> None:
    async with Phones() as phones:
        caller = await phones.dial(exchange.bureau.uri("0199002040"), "0162001234")
        await caller.hears(CLOSED)
        await caller.closed()
    story = await ended(exchange, "syndic")
    assert (story["outcome"], story["rule"], story["flags"]) == ("rejected", "platforms", ["platform"])
    assert not of_kind(story, "queued")


async def test_s9_a_fax_machine_is_recognised_within_four_seconds_and_rings_nobody(
    exchange: Exchange,
) -> None:
    async with Staff(exchange, "fax") as phones, Callers(exchange.bureau.sip) as line:
        answer = await call(line, 41)
        assert answer.status == 200
        ringing = await first_rung(phones)
        await say_cng(answer.body)
        assert (await ringing.cancelled()).completed_elsewhere, "no missed call of a machine"
        await line.dismissed(answer)
        story = await ended(exchange, "fax")
        assert sum(len(phone.invites) for phone in phones) == 1
    assert (story["outcome"], story["flags"]) == ("rejected", ["fax"])
    assert of_kind(story, "dequeued")[0]["why"] == "fax"
    heard, answered = (moment(of_kind(story, kind)[0]) for kind in ("fax_heard", "answered"))
    assert (heard - answered).total_seconds() < 4.0


async def first_rung(phones: list[SipPhone]) -> SipPhone:
    """Whichever of them rings first."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for phone in phones:
                if phone.invites:
                    return phone
            await asyncio.sleep(0.02)


def moment(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["at"])


async def test_s9_a_client_who_takes_faxes_says_what_becomes_of_them(exchange: Exchange) -> None:
    async with Phones() as phones:
        leg = await phones.dial(exchange.bureau.uri("0199002042"))
        await leg.hears(MUSIC)
        leg.say(CNG)
        await leg.hears(CLOSED)
        await leg.closed()
    assert (await ended(exchange, "faxes-welcome"))["outcome"] == "rejected"


async def test_s9_where_nobody_listens_for_faxes_the_tone_changes_nothing(exchange: Exchange) -> None:
    async with Phones() as phones:
        leg = await phones.dial(exchange.bureau.uri("0199002043"))
        await leg.hears(MUSIC)
        leg.say(CNG)
        await asyncio.sleep(2)
        assert leg.close_reason is None
        assert leg.heard() == [(MESSAGE,), (MUSIC,)]
        await leg.hangup()
    assert (await ended(exchange, "no-fax"))["flags"] == []


@pytest.mark.parametrize(
    ("at", "number", "is_open"),
    [
        ("2027-03-26T10:00+01:00", "0199002030", True),
        ("2027-03-26T10:00+01:00", "0199002031", False),
        ("2027-03-26T10:00+01:00", "0199002032", False),
        ("2026-12-26T10:00+01:00", "0199002031", False),
        ("2026-11-22T06:30+01:00", "0199002033", True),
        ("2026-11-22T17:30+01:00", "0199002033", False),
        ("2026-10-25T02:29+02:00", "0199002034", True),
        ("2026-10-25T02:30+02:00", "0199002034", False),
        ("2026-10-25T02:29+01:00", "0199002034", True),
        ("2026-10-25T02:30+01:00", "0199002034", False),
    ],
    ids=[
        "S10 Good Friday in Nantes",
        "S10 in the Moselle",
        "S10 in Alsace",
        "26 December in the Moselle",
        "S12 half past nine on La Reunion",
        "S12 half past eight in the evening there",
        "S11 the last minute of the night",
        "S11 after it",
        "S11 the last minute comes again",
        "S11 after it for good",
    ],
)
def test_s10_s11_s12_hours_at_an_instant(written: Configuration, at: str, number: str, is_open: bool) -> None:
    asked = next(c for c in written.clients.values() if c.lines[0].did.endswith(number[1:]))
    choice = choose(asked, Circumstances(datetime.fromisoformat(at).timestamp()))
    assert choice.rule.name == ("open" if is_open else "closed"), choice


async def test_s10_the_command_says_the_same(exchange: Exchange) -> None:
    asked = ("explain", "--at", "2027-03-26 10:00", "--json", "--did")
    rules = [json.loads(await exchange.cli(*asked, f"01990020{n}"))["rule"] for n in (30, 31)]
    assert rules == ["open", "closed"]


async def test_s20_thirty_calls_go_on_while_a_bad_file_is_pushed(exchange: Exchange) -> None:
    bureau = exchange.bureau
    file = bureau.config / "clients" / "served.yaml"
    good = file.read_text(encoding="utf-8")
    version = (await asked.status(bureau))["config_version"]
    async with Callers(bureau.sip) as line:
        answers = [await call(line, 1, f"<sip:06399802{n:02}@op.example>") for n in range(30)]
        before = {
            w["call"] for w in (await asked.until(bureau, lambda s: len(s["waiting"]) >= 30))["waiting"]
        }
        try:
            file.write_text(good.replace('"hours"', '"huors"'), encoding="utf-8")
            refused = await exchange.run("reload")
        finally:
            file.write_text(good, encoding="utf-8")
        assert refused.returncode == 1
        assert "served.yaml:" in refused.stderr
        assert "huors" in refused.stderr
        state = await asked.status(bureau)
        assert state["config_version"] == version
        assert before <= {w["call"] for w in state["waiting"]}
        assert len({a.call_id for a in answers}) == 30
        for answer in answers:
            line.end(answer)
        await asked.until(bureau, lambda s: not s["waiting"])
        await ended(exchange, "served", 30)


# --- other people's queues --------------------------------------------------------------------


async def test_a1_joined_offered_connected_and_completed_are_each_told_once(exchange: Exchange) -> None:
    async with Staff(exchange, "duo") as (lea, ines), Callers(exchange.bureau.sip) as line:
        lea.answer = 200
        await say(exchange, ines.user, "pause")
        answer = await call(line, 7)
        await talking(exchange, lea.user)
        line.end(await line.answered(answer))
        await asked.are(exchange.bureau, **{lea.user: "free"})
        assert (len(lea.invites), len(ines.invites)) == (1, 0)
    story = await ended(exchange, "once")
    for kind in ("queued", "offered", "bridged", "talk_ended", "ended"):
        assert len(of_kind(story, kind)) == 1, kind


async def test_a3_where_all_are_paused_no_phone_rings_and_the_wait_ends_by_rule(exchange: Exchange) -> None:
    async with Staff(exchange, "duo") as (lea, ines), Callers(exchange.bureau.sip) as line:
        for phone in (lea, ines):
            await say(exchange, phone.user, "pause", reason="training")
        answer = await call(line, 3)
        await line.dismissed(answer)
        assert not lea.invites
        assert not ines.invites
    story = await ended(exchange, "paused")
    assert (story["outcome"], story["offers"]) == ("timeout", 0)


async def test_a4_where_nobody_picks_up_each_has_rung_and_the_wait_ends_by_rule(exchange: Exchange) -> None:
    async with Staff(exchange, "duo") as (lea, ines), Callers(exchange.bureau.sip) as line:
        answer = await call(line, 2)
        await line.dismissed(answer)
        assert lea.invites
        assert ines.invites
    story = await ended(exchange, "nobody-picks-up")
    assert story["outcome"] == "timeout"
    results = [e["result"] for e in of_kind(story, "offer_ended")]
    assert results.count("no_answer") >= 2


async def test_a5_who_is_paused_does_not_ring_while_her_colleague_does(exchange: Exchange) -> None:
    async with Staff(exchange, "duo") as (lea, ines), Callers(exchange.bureau.sip) as line:
        await say(exchange, lea.user, "pause", reason="lunch")
        answer = await call(line, 4)
        await line.dismissed(answer)
        assert not lea.invites
        assert ines.invites


async def test_a6_secretaries_of_another_team_are_not_rung(exchange: Exchange) -> None:
    async with Staff(exchange, "other") as (stranger,), Callers(exchange.bureau.sip) as line:
        answer = await call(line, 5)
        await line.dismissed(answer)
        assert not stranger.invites
    assert (await ended(exchange, "elsewhere"))["outcome"] == "timeout"


async def test_a11_a_pause_is_shown_and_written_down_with_its_reason(exchange: Exchange) -> None:
    async with Staff(exchange, "other") as (who,):
        await say(exchange, who.user, "pause", reason="training")
        assert await state_of(exchange, who.user) == ("paused", "training")
        report = json.loads((await exchange.cli("pauses", "--secretary", who.user, "--json")).splitlines()[0])
        assert (report["secretary"], report["reason"], report["times"]) == (who.user, "training", 1)


async def test_a40_one_answer_wins_whatever_the_other_phones_do(exchange: Exchange) -> None:
    async with Staff(exchange, "trio") as (lea, ines, chloe), Callers(exchange.bureau.sip) as line:
        lea.answer, ines.answer, chloe.answer, chloe.after = 486, 480, 200, 1.0
        answer = await call(line, 6)
        await talking(exchange, chloe.user)
        line.end(await line.answered(answer))
    story = await ended(exchange, "all")
    assert (story["outcome"], story["secretary"]) == ("served", chloe.user)
    results = {e["secretary"]: e["result"] for e in of_kind(story, "offer_ended")}
    assert results[lea.user] in ("refused", "unreachable")
    assert results[chloe.user] == "answered"


async def test_a41_the_phones_that_lose_are_told_that_another_has_the_call(exchange: Exchange) -> None:
    async with Staff(exchange, "trio") as (lea, ines, chloe), Callers(exchange.bureau.sip) as line:
        answer = await call(line, 6)
        for phone in (lea, ines, chloe):
            await phone.invited()
        chloe.pick_up()
        for loser in (lea, ines):
            assert (await loser.cancelled()).completed_elsewhere
        line.end(await line.answered(answer))


async def test_b5_when_the_last_of_the_list_is_on_a_break_the_round_begins_again(exchange: Exchange) -> None:
    async with Staff(exchange, "trio") as (lea, ines, chloe), Callers(exchange.bureau.sip) as line:
        await say(exchange, chloe.user, "pause")
        answer = await call(line, 8)
        await line.dismissed(answer)
        assert not chloe.invites
        assert len(lea.invites) >= 2
        assert len(ines.invites) >= 2


async def test_a9_b8_wrap_up_is_the_clients_to_the_half_second_and_counters_are_exact(
    exchange: Exchange,
) -> None:
    async with Staff(exchange, "solo") as (solo,), Callers(exchange.bureau.sip) as line:
        solo.answer = 200
        work = (1.0, 3.0, 0.0, 1.0, 2.0, 0.0)
        answers = [await call(line, n, f"<sip:06399803{n:02}@op.example>") for n in range(20, 26)]
        for nth, answer in enumerate(answers, start=1):
            await solo.invited(nth)
            await talking(exchange, solo.user)
            line.end(await line.answered(answer))
        assert len(solo.invites) == 6
    stories = [await ended(exchange, f"shared-{n}") for n in range(20, 26)]
    for story in stories:
        assert (story["outcome"], story["offers"], story["secretary"]) == ("served", 1, solo.user)
    for one, following, wrap_up in zip(stories, stories[1:], work, strict=False):
        worked = moment(of_kind(following, "offered")[0]) - moment(of_kind(one, "talk_ended")[0])
        assert worked.total_seconds() == pytest.approx(wrap_up, abs=0.5)

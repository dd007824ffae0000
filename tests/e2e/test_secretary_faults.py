"""Secretaries' phones that refuse, keep silent, answer with nonsense, together, too late, or come and go.

Each phone that does so has a colleague of the second level, who picks up: the caller must be hers, soon, and the journal
must say why the first one was not. What the network does to a phone is `test_secretary_network.py`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import MUSIC, Bureau, client, queue
from tests.support.callers import Callers
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.leg import AUDIBLE, heard_without_a_gap
from tests.support.odd_phone import (
    OddPhone,
    Script,
    answers,
    answers_late,
    answers_twice,
    keeps_silent,
    offers_anew,
    only_rings,
    picks_up,
    says_goodbye,
    sounds_early,
)
from tests.support.phones import Phones
from tests.support.sip_phone import SipPhone
from tests.support.sip_text import SipMessage

pytestmark = [pytest.mark.timeout(600)]

RING_FOR = 3.0
PREMIUM = "sip:+33899700123@127.0.0.1"


@dataclass(frozen=True, slots=True)
class Case:
    """What the phone does; what the journal says of it: result, cause and SIP status of its offer. `takes`: the call is
    hers all the same; `soon`: the next phone is to ring at once, not when her turn is over; `ended_unread`: what the
    journal says where Asterisk ends the answered call itself, at once, before it has read the answer: a channel that is
    to hang up hands out no frame any more, also none that waited (main/channel.c, __ast_read, 22.10.1)."""

    script: Script
    said: tuple[str, int | None, int | None] = ("answered", None, None)
    takes: bool = False
    soon: bool = True
    ended_unread: tuple[str, int | None, int | None] | None = None


REFUSALS = {
    "486": Case(answers(486), ("refused", 17, 486)),
    "603": Case(answers(603), ("refused", 21, 603)),
    "480": Case(answers(480), ("refused", 19, 480)),
    "503": Case(answers(503), ("unreachable", 34, 503)),
    "408": Case(answers(408), ("unreachable", 18, 408)),
    "302 to itself": Case(answers(302), ("unreachable", 23, 302)),
    "302 to a colleague": Case(answers(302, contact="sip:202@127.0.0.1"), ("unreachable", 23, 302)),
    "302 to a premium number": Case(answers(302, contact=PREMIUM), ("unreachable", 23, 302)),
    "299": Case(answers(299), ("unreachable", 127, 406)),
    "699": Case(answers(699), ("unreachable", 127, 699)),
}
SILENCES = {
    "180 and no more": Case(only_rings, ("no_answer", None, None), soon=False),
    "not a word": Case(keeps_silent, ("no_answer", None, None), soon=False),
}
ODDITIES = {
    "no SDP": Case(picks_up(body=""), ended_unread=("unreachable", 127, 406)),
    "port 0": Case(picks_up(port=0), ("unreachable", 58, None)),
    "SDP that is none": Case(picks_up(body="hello"), ("unreachable", 58, None)),
    "a codec nobody has": Case(picks_up(codec="18"), ("unreachable", 58, None)),
    "BYE for an answer": Case(says_goodbye, ("refused", 16, None), soon=False),
    "sound before a refusal": Case(sounds_early, ("refused", 17, 486)),
    "three answers": Case(answers_twice, takes=True),
    "re-INVITE while it rings": Case(offers_anew, takes=True),
    "on hold at once": Case(picks_up(flow="inactive"), takes=True),
}
CASES = REFUSALS | SILENCES | ODDITIES
HEARD = ("486", "not a word", "no SDP", "sound before a refusal")
"""Whose callers have ears; the others are silent."""


@dataclass(slots=True)
class Desk:
    """A phone that does one of the cases, her colleague, and the client whose calls they take."""

    what: str
    case: Case
    did: str
    odd: OddPhone
    colleague: SipPhone


def pairs_of(bureau: Bureau, clients: int, **how: Any) -> None:
    """A client and a team for each two secretaries, the second of them of the second level."""
    for n in range(clients):
        bureau.bureau["teams"][f"t{n}"] = {}
        for level, secretary in enumerate(bureau.bureau["secretaries"][2 * n : 2 * n + 2], start=1):
            secretary["teams"] = {f"t{n}": level}
        rules = [{"name": "open", "do": [queue(team=f"t{n}", **how)]}]
        bureau.add(client(f"c{n}", f"+331990020{n:02}", rules=rules))
    bureau.write()


@asynccontextmanager
async def desks(exchange: Exchange, cases: dict[str, Case]) -> AsyncIterator[list[Desk]]:
    """All of them at work."""
    bureau = exchange.bureau
    async with AsyncExitStack() as open_phones:
        made = []
        for n, (what, case) in enumerate(cases.items()):
            first, second = bureau.secretaries[2 * n : 2 * n + 2]
            odd = OddPhone(bureau.sip, first.id, first.password, case.script)
            colleague = SipPhone(bureau.sip, second.id, second.password)
            colleague.answer, colleague.after = 200, 0.1
            made.append(Desk(what, case, f"01990020{n:02}", odd, colleague))
            await open_phones.enter_async_context(odd)
            await open_phones.enter_async_context(colleague)
        await exchange.free(*(phone.user for desk in made for phone in (desk.odd, desk.colleague)))
        yield made


@pytest.mark.fault("F22", "F23")
async def test_whatever_a_phone_answers_its_caller_is_soon_the_next_ones(
    tmp_path: Path, start_exchange: Any, measured: Any
) -> None:
    bureau = Bureau.at(tmp_path, secretaries=2 * len(CASES))
    pairs_of(bureau, len(CASES), ring_for=f"{RING_FOR:g}s")
    exchange: Exchange = await start_exchange(bureau)
    await oracle.set_rtp_timeout(bureau, 120)  # who picks up is silent, however long the others take
    async with desks(exchange, CASES) as made, Callers(bureau.sip) as line, Phones() as phones:
        heard, answers_of = {}, {}
        for n, desk in enumerate(made):
            if desk.what in HEARD:
                heard[desk.what] = await phones.dial(bureau.uri(desk.did), f"06399802{n:02}")
            else:
                frm = f"<sip:06399802{n:02}@operator.example>"
                answers_of[desk.what] = await line.invite(desk.did, frm=frm)
        state = {desk.odd.user: "talking" if desk.case.takes else "free" for desk in made}
        state |= {desk.colleague.user: "free" if desk.case.takes else "talking" for desk in made}
        await asked.are(bureau, **state)
        gone = [call for call in answers_of.values() if has_ended(line, call)]
        assert not gone, "a caller was cut off"
        for desk in made:
            assert len(desk.odd.calls) == 1, f"{desk.what}: rung {len(desk.odd.calls)} times"
            assert bool(desk.colleague.invites) is not desk.case.takes, desk.what
        refusing = [desk for desk in made if desk.case.soon and not desk.case.takes]
        slowest = max(desk.colleague.invites[0].at - desk.odd.final_at for desk in refusing)
        measured("the next phone after a refusal", slowest, "s", at_most=0.3)
        for desk in made:
            if desk.what in SILENCES:
                turn = desk.colleague.invites[0].at - desk.odd.calls[0].invite.at
                measured(f"the next phone after {desk.what}", abs(turn - RING_FOR), "s off", at_most=0.5)
        for what, caller in heard.items():
            assert caller.heard(0.1) == [(MUSIC,)], f"{what}: {caller.timeline()}"
            gap = heard_without_a_gap(caller)
            measured(f"a break in his music beside {what}", gap, at_most=AUDIBLE)
            await caller.hangup()
        for call in answers_of.values():
            line.end(await line.answered(call))
        await asked.are(bureau, **dict.fromkeys(state, "free"))
        await exchange.finished_call(len(made))
        await oracle.nothing_is_left(exchange)
        stories = {c["client"]: c for c in await asked.calls(bureau, stories=True)}
    for n, desk in enumerate(made):
        story = stories[f"c{n}"]
        hers = desk.odd.user if desk.case.takes else desk.colleague.user
        assert (story["outcome"], story["secretary"]) == ("served", hers), desk.what
        offers = [e for e in story["events"] if e["kind"] == "offer_ended"]
        first = next(e for e in offers if e["secretary"] == desk.odd.user)
        said = (first["result"], first.get("cause"), first.get("sip"))
        assert said in (desk.case.said, desk.case.ended_unread), (desk.what, said)
        unjoined = [e["leg"].rpartition("-")[2] for e in story["events"] if e["kind"] == "unjoined"]
        in_vain = said[0] == "answered" and not desk.case.takes
        assert unjoined == [desk.odd.user] * in_vain, desk.what
    await oracle.each_call_ended_once(exchange)


def has_ended(line: Callers, call: SipMessage) -> bool:
    """Whether the exchange has refused or ended this call."""
    own = [m for m in line.received if m.call_id == call.call_id]
    return any(m.method == "BYE" or (m.status or 0) >= 300 for m in own)


# --- together, and in the instant in which he goes -----------------------------------------------

PAIRS, EACH = 4, 5


async def ended_by(phone: SipPhone, call_id: str, within: float = PATIENCE) -> SipMessage:
    """The CANCEL or BYE of this call at her phone."""
    return await phone.wait_for(lambda m: m.call_id == call_id and m.method in {"CANCEL", "BYE"}, within)


async def hang_up(line: Callers, first: SipMessage) -> None:
    """The caller goes: CANCEL or BYE; where his CANCEL crosses an answer, BYE behind it."""

    def final(message: SipMessage) -> bool:
        own = message.call_id == first.call_id and message.cseq_method == "INVITE"
        return own and (message.status or 0) >= 200

    known = next((m for m in line.received if final(m)), None)
    line.end(known or first)
    if known is None:
        crossed = await line.wait_for(final)
        if crossed.status == 200:
            line.end(crossed)


class Round:
    """What the rounds of a pair share. `lag`: the longest time until a phone stopped."""

    def __init__(
        self, exchange: Exchange, line: Callers, number: int, phones: tuple[SipPhone, SipPhone]
    ) -> None:
        self.exchange, self.line, self.number, self.phones = exchange, line, number, phones
        self.lag = 0.0
        self.callers = itertools.count()

    async def call(self) -> SipMessage:
        nth = next(self.callers)
        frm = f"<sip:0639980{self.number}{nth % 100:02}@operator.example>"
        return await self.line.invite(f"01990020{self.number:02}", frm=frm)

    async def both_free(self) -> None:
        await asked.are(self.exchange.bureau, **{phone.user: "free" for phone in self.phones})


async def answer_together(pair: Round, off_ms: float) -> None:
    lea, ines = pair.phones
    lea.answer = ines.answer = None
    before = [len(phone.invites) for phone in pair.phones]
    call = await pair.call()
    rung = [await phone.invited(count + 1) for phone, count in zip(pair.phones, before, strict=True)]
    first, second = (lea, ines) if off_ms >= 0 else (ines, lea)
    first.pick_up()
    asyncio.get_running_loop().call_later(abs(off_ms) / 1000, second.pick_up)
    await pair.line.answered(call)
    over = [
        asyncio.ensure_future(ended_by(phone, invite.call_id))
        for phone, invite in zip(pair.phones, rung, strict=True)
    ]
    done, rest = await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1, "both were let go"
    loser = over.index(next(iter(done)))
    told = over[loser].result()
    assert told.completed_elsewhere, f"a missed call: {told.text}"
    sent = [m.at for p in pair.phones for m in p.sent if m.status == 200 and m.cseq_method == "INVITE"]
    first_answer = min(at for at in sent if at > rung[0].at)
    pair.lag = max(pair.lag, told.at - first_answer)
    await asked.are(
        pair.exchange.bureau, **{pair.phones[loser].user: "free", pair.phones[1 - loser].user: "talking"}
    )
    await oracle.joined(pair.exchange.bureau, f"-{rung[0].header('X-Autocom-Call')}-")
    assert not (await asyncio.wait(rest, timeout=0))[0], "and then the winner too"
    await hang_up(pair.line, call)
    await asyncio.wait(rest)
    await pair.both_free()


async def leave_at_answer(pair: Round, off_ms: float) -> None:
    """He hangs up so many milliseconds after she has answered."""
    lea, ines = pair.phones
    lea.answer, lea.after = 200, 0.1
    rings, ghosts = len(lea.invites), len(ines.invites)
    call = await pair.call()
    invite = await lea.invited(rings + 1)
    await asyncio.sleep(max(0.0, invite.at + lea.after + off_ms / 1000 - asyncio.get_running_loop().time()))
    gone = asyncio.get_running_loop().time()
    await hang_up(pair.line, call)
    pair.lag = max(pair.lag, (await ended_by(lea, invite.call_id)).at - gone)
    await pair.both_free()
    assert len(ines.invites) == ghosts, "another phone rang for a caller who was gone"
    assert len(lea.invites) == rings + 1, "she was rung again"


Act = Callable[[Round, float], Any]


async def in_rounds(exchange: Exchange, act: Act, times: int, offsets: Iterator[float]) -> list[Round]:
    """So often: new phones (which keep every message that they ever saw), `EACH` rounds for each pair, all pairs at
    once. They leave when everybody who picked up in vain has read so."""
    made: list[Round] = []
    for _ in range(times):
        await _rounds(exchange, act, offsets, made)
    await oracle.nothing_is_left(exchange)
    return made


def told(rounds: list[Round]) -> list[SipMessage]:
    """The texts on the phones of those who are called first."""
    return [m for pair in rounds for m in pair.phones[0].received if m.method == "MESSAGE"]


async def _rounds(exchange: Exchange, act: Act, offsets: Iterator[float], made: list[Round]) -> None:
    bureau = exchange.bureau
    async with AsyncExitStack() as open_phones:
        line = await open_phones.enter_async_context(Callers(bureau.sip))
        for n in range(PAIRS):
            two = [SipPhone(bureau.sip, a.id, a.password) for a in bureau.secretaries[2 * n : 2 * n + 2]]
            for phone in two:
                await open_phones.enter_async_context(phone)
            made.append(Round(exchange, line, n, (two[0], two[1])))
        await exchange.free(*(a.id for a in bureau.secretaries[: 2 * PAIRS]))

        async def one_after_the_other(pair: Round) -> None:
            for _ in range(EACH):
                await act(pair, next(offsets))

        async with asyncio.TaskGroup() as tasks:
            for pair in made[-PAIRS:]:
                tasks.create_task(one_after_the_other(pair))
        await exchange.finished_call(len(made) * EACH)
        in_vain = list(filter(picked_up_in_vain, await asked.calls(bureau, stories=True)))
        await eventually(lambda: len(told(made)) >= len(in_vain), "who picked up in vain is told")


@pytest.mark.fault("F28")
async def test_of_two_who_answer_in_the_same_instant_one_has_him_and_the_other_no_missed_call(
    tmp_path: Path, start_exchange: Any, measured: Any, rounds: Any
) -> None:
    bureau = Bureau.at(tmp_path, secretaries=2 * PAIRS)
    pairs_of(bureau, PAIRS, ring="all", ring_for="20s")
    exchange: Exchange = await start_exchange(bureau)
    offsets = itertools.cycle((0.0, 0.0, 2.0, -2.0, 8.0))
    made = await in_rounds(exchange, answer_together, rounds(1, 25), offsets)
    measured("the loser's phone stops", max(pair.lag for pair in made), "s", at_most=0.5)
    calls = await asked.calls(bureau, stories=True)
    assert {call["outcome"] for call in calls} == {"served"}
    for call in calls:
        results = sorted(e["result"] for e in call["events"] if e["kind"] == "offer_ended")
        assert results == ["answered", "withdrawn"], call["id"]
        assert [e["kind"] for e in call["events"]].count("bridged") == 1
    await oracle.each_call_ended_once(exchange)


@pytest.mark.fault("F29")
async def test_who_answers_in_the_instant_in_which_he_hangs_up_is_free_at_once_and_told_why(
    tmp_path: Path, start_exchange: Any, measured: Any, rounds: Any
) -> None:
    bureau = Bureau.at(tmp_path, secretaries=2 * PAIRS)
    pairs_of(bureau, PAIRS, ring_for="20s")
    exchange: Exchange = await start_exchange(bureau)
    steps = (float(step) for step in itertools.cycle(range(-50, 51, 5)))
    made = await in_rounds(exchange, leave_at_answer, rounds(1, 25), steps)
    measured("she is let go after his hang-up", max(pair.lag for pair in made), "s", at_most=1.0)
    calls = await asked.calls(bureau, stories=True)
    assert {call["outcome"] for call in calls} <= {"abandoned", "served"}
    await oracle.each_call_ended_once(exchange)
    assert len(told(made)) == len(list(filter(picked_up_in_vain, calls)))
    assert all("vient de raccrocher" in m.text for m in told(made))


def picked_up_in_vain(call: dict[str, Any]) -> bool:
    """Whether a secretary answered this call, and he had left."""
    picked_up = any(e["kind"] == "offer_ended" and e["result"] == "answered" for e in call["events"])
    return picked_up and call["outcome"] == "abandoned"


# --- coming and going ----------------------------------------------------------------------------


@pytest.mark.fault("F21")
async def test_a_phone_that_comes_and_goes_or_answers_what_is_over_stops_nobody(
    bureau: Bureau, start_exchange: Any, measured: Any, rounds: Any
) -> None:
    bureau.client("lilas")["rules"][0]["do"] = [queue(ring_for="20s")]
    bureau.write()
    exchange: Exchange = await start_exchange(bureau)
    lea = bureau.secretaries[0]
    async with OddPhone(bureau.sip, lea.id, lea.password, only_rings) as hers, Callers(bureau.sip) as line:
        await exchange.free("lea")
        caller = await line.invite("0199001001", frm="<sip:0639980201@operator.example>")
        await hers.invited()
        times = rounds(20, 300)
        for _ in range(times):  # five times a second
            await hers.register(expires=0)
            await asyncio.sleep(0.1)
            await hers.register()
            await asyncio.sleep(0.1)
        measured(
            "offers in a second to a phone that comes and goes",
            len(hers.calls) / (times / 5),
            "",
            at_most=0.6,
        )
        rung = len(hers.calls)
        hers.script = picks_up()
        hers.finish(486)
        invite = await hers.invited(rung + 1)
        await oracle.joined(bureau, f"-{invite.header('X-Autocom-Call')}-")
        line.end(await line.answered(caller))
        await asked.are(bureau, lea="free")
        hers.script = answers_late
        second = await line.invite("0199001001", frm="<sip:0639980202@operator.example>")
        invite = await hers.invited(rung + 2)
        line.end(second)
        await ended_by(hers, invite.call_id)
        await hers.wait_for(lambda m: m.call_id == invite.call_id and m.method == "ACK")
        await hers.wait_for(lambda m: m.call_id == invite.call_id and m.method == "BYE")
        await asked.are(bureau, lea="free")
        await exchange.finished_call(2)
        await oracle.nothing_is_left(exchange)
    outcomes = {call["caller"][-2:]: call["outcome"] for call in await exchange.calls()}
    assert outcomes == {"01": "served", "02": "abandoned"}
    await oracle.each_call_ended_once(exchange)

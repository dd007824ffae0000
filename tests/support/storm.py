"""Many callers and many secretaries, without sound: the load that a fault has to be survived under.

    bureau = Bureau.at(tmp_path, secretaries=8)                # `storm.ready(bureau)` for short turns
    async with Storm(bureau, per_second=3.0, talk=(2.0, 6.0), seed=1) as storm:
        …                                                      # the fault
        await storm.drained()
        await storm.balance(exchange)

A seeded mix: most callers wait until they are served, the others hang up after some seconds, whatever they hear then
(message, music, a ringing phone); most secretaries pick up within a second, the others refuse, or let it ring. Either
of the two ends a conversation. Of sound there is a packet every few seconds, so that nobody is believed to be gone.
`balance` compares what the phones saw with the journal, and says which call is wrong and its story:
`Ledger`. Callers are 06 39 98 20 00 and following.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from tests.support import asked, oracle
from tests.support.bureau import Account, Bureau
from tests.support.exchange import Exchange
from tests.support.light_sip import Callers, Desk, Dialogue
from tests.support.sip_phone import address_of

FIRST, LAST = 2000, 9999
OWN_END = 0.5
"""Seconds of conversation after which it counts as one: both had been joined."""
BREATH = 3.0
GLARE = 1.0
"""Seconds after a restart in which autocom may not have heard yet that the dialplan rings somebody."""
RECORDED_WITHIN = 15.0
PERMITTED = ("served", "abandoned", "fallback")


@dataclass(slots=True, eq=False)
class Ring:
    """An INVITE at a secretary's phone. `ours`: autocom's, and not the dialplan's. `beside`: she had another call."""

    secretary: str
    dialogue: Dialogue
    ours: bool
    beside: bool
    caller: Caller | None = None

    @property
    def talks(self) -> bool:
        """Picked up, and not over."""
        return "confirmed" in self.dialogue.at and self.dialogue.end is None

    def __str__(self) -> str:
        marks = " ".join(f"{what}@{at:.2f}" for what, at in self.dialogue.at.items())
        return f"{'autocom' if self.ours else 'dialplan'} for {self.dialogue.number} ({marks})"


@dataclass(slots=True, eq=False)
class Caller:
    """One caller of the storm: what he means to do, and what came of it. `patience`: seconds until he hangs up where
    nobody picked up; `talk`: seconds; `first`: whether he ends the conversation; `waits_on`: who ended it, and he was
    rung on for all the same: right only where she was gone before anybody had written down that they were joined."""

    number: str
    did: str
    patience: float
    talk: float
    first: bool
    dialogue: Dialogue
    somebody_free: bool
    rings: list[Ring] = field(default_factory=list)
    talks: Ring | None = None
    joined: float | None = None
    waits_on: list[Ring] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        """For his story."""
        self.told.append(f"{time.time() - self.dialogue.at['invite']:.2f} {what}")

    @property
    def talked(self) -> float:
        """Seconds in which both sides were picked up."""
        if self.joined is None or self.talks is None:
            return 0.0
        now = time.time()
        ends = [side.at.get("over", now) for side in (self.dialogue, self.talks.dialogue)]
        return max(0.0, min(ends) - self.joined)

    def __str__(self) -> str:
        marks = " ".join(f"{what}@{at:.2f}" for what, at in self.dialogue.at.items())
        return f"{self.number} ({marks}, {self.dialogue.end}): {'; '.join(self.told)}"


class Storm:
    """`staff`, `dids`: all of the bureau's, unless told otherwise. `patient`, `answers`: which part of the callers
    wait, and of the rings are picked up."""

    def __init__(
        self,
        bureau: Bureau,
        *,
        per_second: float = 3.0,
        talk: tuple[float, float] = (2.0, 6.0),
        seed: int = 1,
        staff: Sequence[Account] | None = None,
        dids: Sequence[str] | None = None,
        patient: float = 0.7,
        answers: float = 0.85,
        patience: tuple[float, float] = (25.0, 40.0),
    ) -> None:
        self.bureau, self.per_second, self.talk, self.patience = bureau, per_second, talk, patience
        self.patient, self.answers = patient, answers
        self.staff = tuple(bureau.secretaries if staff is None else staff)
        self.dids = tuple(dids or (did for client in bureau.clients.values() for did in _dids(client)))
        self.callers: dict[str, Caller] = {}
        self.rings: list[Ring] = []
        self.faults: list[str] = []
        self.glares = 0  # autocom and the dialplan rang one phone in the same instant
        self._dice = random.Random(seed)
        self._numbers = (f"063998{n:04d}" for n in itertools.count(FIRST))
        self._desks: dict[str, Desk] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._next: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        server = address_of(self.bureau.sip)
        self._trunk = Callers(server)
        self._trunk.on_answered = self._answered
        self._trunk.on_end = self._caller_over
        for account in self.staff:
            desk = self._desks[account.id] = Desk(server, account.id, account.password)
            desk.on_invite = lambda dialogue, who=account.id: self._rings(who, dialogue)
            desk.on_talk = self._picked_up
            desk.on_end = self._desk_over
        await asyncio.gather(*(desk.register() for desk in self._desks.values()))
        await asked.are(self.bureau, **dict.fromkeys(self._desks, "free"))
        self.start()
        self._breathe()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for timer in self._timers:
            timer.cancel()
        for party in (self._trunk, *self._desks.values()):
            party.close()
        if kind is not None:
            faults = "; ".join(self.faults)
            print(f"storm: {len(self.callers)} callers, {len(self.open)} still there; {faults}")

    def _breathe(self) -> None:
        for party in (self._trunk, *self._desks.values()):
            party.breathe()
        self._later(BREATH, self._breathe)

    # --- who calls

    def start(self) -> None:
        """Callers come, from now on."""
        self._expect(asyncio.get_running_loop().time())

    def stop(self) -> None:
        """No new caller."""
        if self._next is not None:
            self._next.cancel()

    def _expect(self, after: float) -> None:
        """The next one, from the instant on that the last one was due: who comes too late because this machine was
        busy comes at once."""
        due = after + self._dice.expovariate(self.per_second)

        def come() -> None:
            self._expect(due)
            self.dial()

        self._next = asyncio.get_running_loop().call_at(due, come)

    def dial(self, did: str | None = None) -> Caller:
        """One more caller, of the same mix."""
        dice = self._dice
        number = next(self._numbers)
        waits = dice.random() < self.patient
        patience = dice.uniform(*self.patience) if waits else dice.uniform(0.02, 8.0)
        did = did or dice.choice(self.dids)
        free = any(not desk.open for desk in self._desks.values())
        dialogue = self._trunk.dial(did, number)
        talk, first = dice.uniform(*self.talk), dice.random() < 0.5
        made = Caller(number, did, patience, talk, first, dialogue, free)
        self.callers[number] = made
        self._later(patience, self._lose_patience, made)
        return made

    def _lose_patience(self, caller: Caller) -> None:
        if caller.joined is None and caller.dialogue.end is None:
            caller.note("hangs up")
            self._trunk.hang_up(caller.dialogue)

    def _answered(self, dialogue: Dialogue) -> None:
        caller = self.callers[dialogue.number]
        caller.note("answered")
        self._maybe_joined(caller)

    def _caller_over(self, dialogue: Dialogue) -> None:
        caller = self.callers[dialogue.number]
        caller.note(f"over: {dialogue.end}")
        if dialogue.end != "left":
            if dialogue.end == "bye" and caller.talks is not None and "left" in caller.talks.dialogue.at:
                pass  # she hung up first
            else:
                self.faults.append(f"let go, and had not hung up: {caller}")
        self._news.set()

    # --- who answers

    def _rings(self, secretary: str, dialogue: Dialogue) -> None:
        desk = self._desks[secretary]
        caller = self.callers.get(f"0{dialogue.number[-9:]}")
        assert dialogue.invite is not None
        ours = "x-autocom-call" in dialogue.invite.headers
        ring = Ring(secretary, dialogue, ours, len(desk.open) > 1, caller)
        self.rings.append(ring)
        if caller is not None:
            caller.rings.append(ring)
            caller.note(f"rings {secretary}{'' if ours else ' (dialplan)'}")
        if ring.beside:
            others = [
                one for one in self.rings[:-1] if one.secretary == secretary and one.dialogue.end is None
            ]
            desk.refuse(dialogue, 486)
            began = dialogue.at["invite"]
            if ours and any(not one.ours and began - one.dialogue.at["invite"] < GLARE for one in others):
                self.glares += 1
            elif ours:
                self.faults.append(f"{secretary} was rung beside {' and '.join(map(str, others))}: {caller}")
            return
        dice = self._dice
        if dice.random() < self.answers:
            self._later(dice.uniform(0.2, 1.2), desk.answer, dialogue)
        elif dice.random() < 0.5:
            self._later(dice.uniform(0.0, 1.0), desk.refuse, dialogue, dice.choice((486, 603)))

    def _picked_up(self, dialogue: Dialogue) -> None:
        ring = next(ring for ring in reversed(self.rings) if ring.dialogue is dialogue)
        caller = ring.caller
        if caller is not None:
            caller.note(f"{ring.secretary} picked up")
            self._maybe_joined(caller)

    def _maybe_joined(self, caller: Caller) -> None:
        """With the first of whom he still has; the dialplan may ring several at once."""
        if (
            caller.talks is not None
            and "left" in caller.talks.dialogue.at
            and any(r.talks for r in caller.rings)
        ):
            caller.waits_on.append(caller.talks)
            caller.talks, caller.joined = None, None
        if caller.joined is not None or caller.dialogue.end is not None or "left" in caller.dialogue.at:
            return
        caller.talks = next((ring for ring in caller.rings if ring.talks), None)
        if caller.talks is not None and "answered" in caller.dialogue.at:
            caller.joined = time.time()
            self._later(caller.talk, self._end_talk, caller, caller.talks)

    def _end_talk(self, caller: Caller, ring: Ring) -> None:
        if ring.dialogue.end is not None:
            return
        caller.note(f"{'he' if caller.first else ring.secretary} ends it")
        if caller.first:
            self._trunk.hang_up(caller.dialogue)
        else:
            self._desks[ring.secretary].bye(ring.dialogue)

    def _desk_over(self, dialogue: Dialogue) -> None:
        self._news.set()
        ring = next((ring for ring in reversed(self.rings) if ring.dialogue is dialogue), None)
        if ring is None or ring.caller is None:
            return
        caller = ring.caller
        caller.note(f"{ring.secretary}: {dialogue.end}")
        if caller.talks is not ring or dialogue.end != "bye" or "left" in caller.dialogue.at:
            return
        # not joined yet: the lease may fail, and he waits on
        if caller.joined is not None and caller.talked > OWN_END:
            self.faults.append(f"cut: {caller}")
        caller.talks, caller.joined = None, None
        self._maybe_joined(caller)

    def _later(self, after: float, do: Any, *arguments: Any) -> None:
        def now() -> None:
            self._timers.discard(timer)
            do(*arguments)

        timer = asyncio.get_running_loop().call_later(after, now)
        self._timers.add(timer)

    # --- what was seen

    @property
    def open(self) -> list[Caller]:
        """Who is still there."""
        return [caller for caller in self.callers.values() if caller.dialogue.end is None]

    @property
    def talking(self) -> list[Caller]:
        """Who is in conversation."""
        return [
            c for c in self.open if c.joined is not None and c.talks is not None and not c.talks.dialogue.end
        ]

    def first_ring(self, since: float) -> float | None:
        """Seconds from that instant (UTC epoch) to the next ring that autocom began, None without one."""
        at = (ring.dialogue.at["invite"] for ring in self.rings if ring.ours)
        return next((instant - since for instant in at if instant >= since), None)

    def delays(self, since: float = 0.0, until: float = float("inf")) -> list[float]:
        """INVITE in to INVITE out, in seconds, sorted, of who called between these instants (UTC epoch) while
        somebody was free."""
        return sorted(
            caller.rings[0].dialogue.at["invite"] - caller.dialogue.at["invite"]
            for caller in self.callers.values()
            if caller.rings and caller.somebody_free and since <= caller.dialogue.at["invite"] < until
        )

    async def drained(self, within: float = 90.0) -> None:
        """No new caller, and each that is there comes to his own end. AssertionError where one does not."""
        self.stop()
        try:
            async with asyncio.timeout(within):
                while self.open or any(desk.open for desk in self._desks.values()):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            left = [str(caller) for caller in self.open]
            left += [
                f"{who}: {d.number} {d.at}" for who, desk in self._desks.items() for d in desk.open.values()
            ]
            raise AssertionError(f"still there after {within:.0f} s:\n" + "\n".join(left)) from None

    async def balance(self, exchange: Exchange, *, permitted: Sequence[str] = PERMITTED) -> Ledger:
        """Compare with the journal and with Asterisk, after `drained`; AssertionError with every call that is wrong.
        `permitted`: outcomes beside which every other one is a fault."""
        await asked.are(self.bureau, **dict.fromkeys(self._desks, "free"))
        await oracle.nothing_is_left(exchange)
        await asked.until(self.bureau, lambda status: not status["waiting"])
        await self._recorded()
        found = Ledger(self, await asked.calls(self.bureau, stories=True))
        found.check(permitted)
        return found

    async def _recorded(self) -> None:
        """Wait until everybody is in the journal, or must be: the fallback's records are brought there every 2 s."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RECORDED_WITHIN):
                while not self.callers.keys() <= {_national(row) for row in await asked.calls(self.bureau)}:
                    await asyncio.sleep(0.5)


class Ledger:
    """Each caller's records, and what is wrong with them. `outcomes` counts them."""

    def __init__(self, storm: Storm, records: Sequence[dict[str, Any]]) -> None:
        self.storm = storm
        self.outcomes: Counter[str] = Counter()
        self._records: dict[str, list[dict[str, Any]]] = {}
        for record in records:
            self._records.setdefault(_national(record), []).append(record)

    def check(self, permitted: Sequence[str]) -> None:
        """AssertionError with everything that is wrong."""
        wrong = list(self.storm.faults)
        for caller in self.storm.callers.values():
            records = self._records.get(caller.number, [])
            if len(records) != 1:
                wrong.append(f"{len(records)} records: {caller}{''.join(map(_story, records))}")
                continue
            self.outcomes[str(records[0]["outcome"])] += 1
            faults = [*_odd_facts(records[0]), *_odd_outcome(caller, records[0], permitted)]
            faults += [f"rung on for after {r.secretary}" for r in caller.waits_on if _joined(records[0], r)]
            if faults:
                wrong.append(f"{', '.join(faults)}: {caller}{_story(records[0])}")
        count = len(self.storm.callers)
        assert not wrong, f"{len(wrong)} faults in {count} calls, the first:\n" + "\n".join(wrong[:12])


def ready(bureau: Bureau) -> Bureau:
    """Short turns for a storm: phones ring for 4 s; written."""
    for client in bureau.clients.values():
        for rule in client["rules"]:
            for step in rule["do"]:
                if "queue" in step:
                    step["queue"]["ring_for"] = "4s"
    bureau.write()
    return bureau


def _dids(client: dict[str, Any]) -> list[str]:
    return [
        "0" + line["did"].removeprefix("+33") for line in client["numbers"] if "forwarded_from" not in line
    ]


def _national(record: dict[str, Any]) -> str:
    return f"0{(record['caller'] or '')[-9:]}"


def _odd_facts(record: dict[str, Any]) -> list[str]:
    """Facts that are missing, or there twice."""
    kinds = Counter(event["kind"] for event in record["events"])
    odd = [f"{kinds[kind]} {kind}" for kind in ("arrived", "ended") if kinds[kind] != 1]
    odd += [f"{kinds[kind]} {kind}" for kind in ("crashed",) if kinds[kind]]
    for kind in ("offered", "offer_ended", "bridged", "ringing"):
        legs = Counter(_leg(event) for event in record["events"] if event["kind"] == kind)
        odd += [f"{count} {kind} of {leg}" for leg, count in legs.items() if count > 1 and leg]
    offered, over = (
        {_leg(event) for event in record["events"] if event["kind"] == kind}
        for kind in ("offered", "offer_ended")
    )
    odd += [f"offer {leg} without an end" for leg in offered - over]
    if kinds["talk_ended"] != kinds["bridged"]:
        odd.append(f"{kinds['bridged']} bridged, {kinds['talk_ended']} talk_ended")
    if record["outcome"] is None or record["ended_at"] is None:
        odd.append("no end")
    return odd


def _joined(record: dict[str, Any], ring: Ring) -> bool:
    """Whether he was written down as joined with her before she left."""
    return any(
        event["kind"] == "bridged"
        and event.get("secretary") == ring.secretary
        and datetime.fromisoformat(event["at"]).timestamp() < ring.dialogue.at["left"]
        for event in record["events"]
    )


def _leg(event: dict[str, Any]) -> str:
    return str(event.get("leg") or event.get("fields", {}).get("leg") or "")


def _odd_outcome(caller: Caller, record: dict[str, Any], permitted: Sequence[str]) -> list[str]:
    """What his record says against what he saw."""
    outcome = record["outcome"]
    odd = [] if outcome in permitted else [f"outcome {outcome}"]
    served = ("served", "fallback")
    if caller.talked > OWN_END and outcome not in served:
        odd.append(f"talked for {caller.talked:.1f} s and is {outcome}")
    if not any("answered" in ring.dialogue.at for ring in caller.rings) and outcome == "served":
        odd.append("served by nobody")
    return odd


def _story(record: dict[str, Any]) -> str:
    begun = record["events"][0]["at"] if record["events"] else ""
    told = [
        f"{event['at'][11:23]} {event['kind']} "
        + " ".join(
            f"{key}={value}"
            for key, value in event.items()
            if key in ("leg", "result", "by", "why", "outcome", "stage", "cause")
            and isinstance(value, str | int)
        )
        for event in record["events"]
    ]
    return f"\n    {record['id']} {record['outcome']} {begun}\n      " + "\n      ".join(told)

"""One storm of everything: callers, phones that dial, holds, consultations, transfers, parking, rooms, forwards, call
lists, supervision and recording, at any instant and on any call, with kills, gaps and unanswered commands.

On the way nobody hears nothing, no channel is nobody's, no secretary is free while she talks, nobody is recorded
who must not be; at the end nothing is left, every call ended once with a word that fits, and the parts of each
add up. `Storm` is the world of incoming calls that this one is built on.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from autocom.calls.diverting import forward
from autocom.calls.inviting import NotInvited, invite
from autocom.calls.ports import Outbound, always
from autocom.calls.results import NoResult
from autocom.calls.rooms import command
from autocom.calls.summoning import call_out
from autocom.core.floor_words import LoggedIn, LoggedOut, PausedBy, Resumed
from autocom.core.journal import Segment
from autocom.core.model import Audio, Configuration
from autocom.core.naming import call_of_ear
from autocom.core.orders import (
    Consult,
    Drop,
    Hold,
    Join,
    Leave,
    Mark,
    NotPossible,
    Order,
    Park,
    PutThrough,
    Record,
    Resume,
    SendTo,
)
from autocom.core.posts import InTalk, WrapUp
from autocom.core.record import OUTCOMES
from autocom.core.reminders import Item
from autocom.core.rooms import VERBS
from autocom.core.stages import (
    Following,
    InRoom,
    Invited,
    Parked,
    Promised,
    Reaching,
    Recording,
    Summoning,
    Supervising,
    Talking,
    Waiting,
)
from autocom.core.story import Story
from autocom.core.tapes import tapes
from autocom.core.targets import Colleague, Outside, Target, ToRoom, ToTeam
from autocom.core.telephony import PhoneInUse
from tests.calls.storm import PEOPLE, PHONES, Storm
from tests.calls.storm_bureau import NUMBERS, OUTSIDE, STAFF, bureau
from tests.calls.test_supervising import WINDOW
from tests.support.fake_telephone import FakeChannel, Habit

LEAD = "awa"
EVERYBODY = (*STAFF, LEAD)
NEVER = ("0899123456", "15", "0033899123456", "+41221234567", "+8816123456", "112", "+33199001001", "3237")
REFUSED = (
    *(
        "supervision",
        "premium",
        "emergency",
        "international",
        "unknown",
        "malformed",
        "own",
        "limit",
        "no_line",
    ),
    *("no_client", "list_empty", "list_late", "nothing_rings", "slot_empty", "room_full", "room_locked"),
)
NOTICES = (
    *("room_joined", "room_left", "room_entering", "recording_on", "recording_off", "patch_ask"),
    *(f"parked_{slot}" for slot in range(1, 10)),
)
SOUNDS = {name: Audio(name, name, 0.7) for name in NOTICES}
SENTENCES = {name: Audio(f"no-{name}", f"no-{name}", 1.1) for name in REFUSED}
CODES = (
    *("*5", "*5", "*0", "*6", "*71", "*8", "*80", "#", "*1#", "*2#", "*"),
    *("*1{number}#", "*1{number}#", "*1{number}#", "*1{number}#", "*2{number}#", "*9{number}#"),
)
CODES_OF_THREE = ("*3", "*3", "*3", "*4", "*0", "*5", "*5", "*2{number}#")
IN_TALK = ("talk", "hold", "patch", "conference")


def furnished(made: Configuration) -> Configuration:
    """The storms' bureau with everything of this one in it."""
    teams = {
        name: replace(
            team, extension=extension, leads=(LEAD,), supervision=replace(WINDOW, beep=extension == "600")
        )
        for (name, team), extension in zip(sorted(made.teams.items()), ("600", "601"), strict=True)
    }
    lead = replace(made.secretaries["zoe"], id=LEAD, name=LEAD, extension="203", teams={"general": 3})
    wishes = {"keyed": "on_demand", "small": "always", "ringing": "on_demand"}
    clients = {
        name: replace(client, code=f"1{n}", recording=wishes.get(name, "never"), recording_beep=2.5)
        for n, (name, client) in enumerate(sorted(made.clients.items()))
    }
    return replace(
        made,
        bureau=replace(made.bureau, parking_return=4.0, forwarding_outside=True, hold_reminder=3.0),
        secretaries={**made.secretaries, LEAD: lead},
        teams=teams,
        clients=clients,
        stock=replace(made.stock, notices=SOUNDS, refusals=SENTENCES),
    )


@dataclass
class EverythingStorm(Storm):
    """One storm, the same for the same seed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.bench.configuration = furnished(self.bench.configuration)
        telephone = self.bench.telephone
        telephone.lengths |= {audio.media: audio.seconds for audio in (*SOUNDS.values(), *SENTENCES.values())}
        telephone.lengths["tone:busy"] = 30.0
        self.strange: dict[str, float] = {}
        telephone.habits |= dict.fromkeys(EVERYBODY, Habit(0.5)) | dict.fromkeys(OUTSIDE[:4], Habit(0.7))
        self._watch_the_trunk()

    def _watch_the_trunk(self) -> None:
        telephone = self.bench.telephone
        ring = telephone.ring

        async def watched(leg: Outbound, wanted: Callable[[], bool] = always) -> None:
            number, _, trunk = leg.endpoint.removeprefix("PJSIP/").partition("@")
            if trunk and number not in OUTSIDE:
                self._fault(f"{number} is dialled")
            await ring(leg, wanted)

        telephone.ring = watched  # type: ignore[method-assign]

    # --- the world

    @staticmethod
    def _is_leg(channel: str) -> bool:
        return not channel.startswith(("chan-", "back-"))

    @property
    def works(self) -> bool:
        board = self.bench.switchboard
        return board is not None and board.configuration is not None and not (self.bench.over() or self.dying)

    def number(self) -> str:
        chance = self.chance
        wild = ("600", "601", "801", "802", "999", "*5", chance.choice(NEVER))
        people = ("200", "201", "202", "203", *("0" + number[3:] for number in OUTSIDE[:4]))
        return chance.choice(wild) if chance.random() < 0.25 else chance.choice(people)

    def habit(self) -> None:
        """Phones that are answered for the most part, else there are no conversations."""
        habits, chance = self.bench.telephone.habits, self.chance
        willing = Habit(chance.choice((0.3, 1.0, 2.0)), presses=((0.4, "1"),))
        if chance.random() < 0.6:
            habits[chance.choice(EVERYBODY)] = willing if chance.random() < 0.6 else chance.choice(PHONES)
        else:
            habits[chance.choice(OUTSIDE)] = willing if chance.random() < 0.6 else chance.choice(PEOPLE)

    def calls_in(self) -> None:
        if len(self.callers()) >= 5:
            return
        self.calls += 1
        did = self.chance.choice("111555666234")
        self.bench.telephone.call_in(f"chan-{self.calls}", f"019900100{did}", self.chance.choice(NUMBERS))

    def talks(self) -> list[Talking]:
        stages = [story.stage for story in self._stories().values()]
        return [s for s in stages if isinstance(s, Talking) and s.leg in self.bench.telephone.channels]

    def calls_of(self, secretary: str) -> list[str]:
        """The channels at her phone."""
        found = [
            channel.id
            for channel in self.bench.telephone.channels.values()
            if channel.dialled is not None and channel.dialled[0] == secretary
        ]
        at_phone = [
            channel.id
            for channel in self.bench.telephone.channels.values()
            if channel.up and channel.order is not None and channel.order.endpoint == f"PJSIP/{secretary}"
        ]
        return [*found, *at_phone]

    def dials(self) -> None:
        """Those who talk as well: she holds him and dials."""
        chance = self.chance
        talking = [talk.secretary for talk in self.talks()]
        who = chance.choice(talking) if talking and chance.random() < 0.4 else chance.choice(EVERYBODY)
        if len(self.calls_of(who)) >= 2 or who not in self.bench.telephone.registered:
            return
        code = str(chance.choice((10, 11, 12, 13, 99)))
        wanted: tuple[str, ...] = (self.number(), self.number(), f"*9{code}*{self.number()}", f"*49{code}")
        stages = [story.stage for story in self._stories().values()]
        if any(isinstance(stage, Parked) for stage in stages):
            wanted += ("*51", "*51", "*52")
        if any(isinstance(stage, Reaching | Waiting) for stage in stages):
            wanted += ("*8", "*8200", "*8201", "*8203")
        if any(isinstance(stage, InRoom) for stage in stages):
            wanted += ("801", "801", "802")
        self.bench.telephone.dials(who, chance.choice(wanted))

    def listens(self) -> None:
        if not self.calls_of(LEAD):
            self.bench.telephone.dials(LEAD, self.chance.choice(("*3200", "*3201", "*3202", "*3203")))

    def blind(self) -> None:
        if found := self.talks():
            self.bench.telephone.refers(self.chance.choice(found).leg, self.number())

    def attended(self) -> None:
        """Any two calls of hers, in any state, either way round; at times she puts both down at once."""
        both = [mine for who in EVERYBODY if len(mine := self.calls_of(who)) >= 2]
        if not both:
            return
        one, other = self.chance.sample(self.chance.choice(both), 2)
        self.bench.telephone.refers(one, self.number(), replaces=other)
        if self.chance.random() < 0.2:
            self.bench.telephone.refers(other, self.number(), replaces=one)
        if self.chance.random() < 0.3:
            for channel in (one, other):
                self.bench.telephone.caller_hangs_up(channel)

    def holds(self) -> None:
        found = [talk.leg for talk in self.talks() if self.bench.telephone.channels[talk.leg].bridge]
        if found:
            self.bench.telephone.holds(self.chance.choice(found), held=self.chance.random() < 0.5)

    def puts_down(self) -> None:
        channels = self.bench.telephone.channels
        if found := [c for c in channels if c.startswith(("phone-", "out-"))]:
            self.bench.telephone.caller_hangs_up(self.chance.choice(found))

    def her_keys(self) -> None:
        chance, telephone = self.chance, self.bench.telephone
        found = [channel.id for channel in telephone.channels.values() if channel.up]
        if talks := self.talks():
            talk = chance.choice(talks)
            codes = CODES if talk.third is None else CODES_OF_THREE
            telephone.presses(talk.leg, chance.choice(codes).format(number=self.number()))
        elif found:
            telephone.presses(chance.choice(found), chance.choice(CODES).format(number=self.number()))

    def orders(self) -> None:
        board, chance = self.bench.switchboard, self.chance
        talks = self.talks()
        if board is None or not self.works or not talks:
            return
        talk = chance.choice(talks)
        to: Target = chance.choice((Colleague(chance.choice(EVERYBODY)), Outside(chance.choice(OUTSIDE[:4]))))
        far: Target = chance.choice((to, to, ToRoom("801"), ToTeam("general")))
        alone: tuple[Order, ...] = (
            *(Hold(), Resume(), Consult(to), Consult(to), Consult(to), SendTo(far), PutThrough(to)),
            *(Park("note"), Mark("1"), Drop()),
        )
        three: tuple[Order, ...] = (Join(), Join(), Join(), Drop(), Leave(), Hold(), Resume(), SendTo(far))
        tape = Record(chance.choice(("start", "start", "pause", "resume", "stop", "toggle")))
        board.desk.order(talk.secretary, chance.choice((tape, *(alone if talk.third is None else three))))

    def by_program(self) -> None:
        """What the API asks for."""
        board, chance = self.bench.switchboard, self.chance
        if board is None or not self.works:
            return
        who, other = chance.choice(EVERYBODY), chance.choice(EVERYBODY)
        with suppress(LookupError, ValueError, NotPossible, NotInvited, NoResult):
            match chance.randint(0, 6):
                case 0:
                    call_out(board.desk, who, self.number(), chance.choice((None, "keyed", "small")))
                case 1:
                    board.overseers.begin(LEAD, other, chance.choice(("listen", "whisper", "barge")))
                case 2:
                    invite(board.desk, "801", self.number(), chance.choice((None, who)))
                case 3:
                    command(board.house, chance.choice(("801", "802")), chance.choice(VERBS), "lead")
                case 4:
                    when = chance.choice(("always", "busy", "no_answer"))
                    forward(board.house, who, when, chance.choice((None, None, self.number())))
                case 5:
                    board.results.say(who, chance.choice("123"))
                case _:
                    board.reminders.add([Item("", "keyed", chance.choice(OUTSIDE))], "lead")

    def lead_keys(self) -> None:
        if found := [c for c in self.calls_of(LEAD) if self.bench.telephone.channels[c].up]:
            self.bench.telephone.presses(found[0], self.chance.choice("123*"))

    def reloads(self) -> None:
        if self.bench.switchboard is not None and self.works:
            self.bench.configuration = furnished(bureau(f"v{self.chance.randint(1, 3)}"))
            self.bench.switchboard.use(self.bench.configuration)

    def deeds(self) -> tuple[Callable[[], None], ...]:
        return (
            *[self.calls_in] * 5,
            *[self.dials] * 6,
            *[self.orders] * 7,
            *[self.her_keys] * 5,
            *[self.attended] * 5,
            *[self.blind] * 2,
            *[self.by_program] * 3,
            *[self.habit] * 2,
            *[self.holds] * 2,
            self.puts_down,
            self.listens,
            self.lead_keys,
        )

    async def act(self) -> None:
        if self.chance.random() < 0.25:
            await super().act()
            return
        deed = self.chance.choice(self.deeds())
        self.told.append(f"{self.bench.clock.now():.3f} {deed.__name__}")
        deed()

    async def _calm(self) -> None:
        self.bench.telephone.register(LEAD)
        await super()._calm()
        for _ in range(4):
            rooms = [s.channel for s in self._stories().values() if isinstance(s.stage, InRoom)]
            for channel in list(self.bench.telephone.channels):  # a lead would listen for ever
                ends = channel.startswith(("chan-", "phone-", "out-")) or channel.endswith(LEAD)
                if ends or channel in rooms:
                    self.bench.telephone.caller_hangs_up(channel)
            await self.bench.pass_time(12.0)

    def secretary(self) -> None:
        """Phones that come and go; who is at work, and not. Whether a phone is in use is told as it is."""
        board, who = self.bench.switchboard, self.chance.choice(STAFF)
        if self.chance.random() < 0.4:
            self.bench.telephone.register(who, reachable=self.chance.random() < 0.7)
        elif board is not None and self.works:
            words = (LoggedOut(who), LoggedIn(who), LoggedIn(who), PausedBy(who, "break"), Resumed(who))
            board.dispatcher.submit(self.chance.choice(words))

    def _tell_what_is_in_use(self) -> None:
        """Phones that are in a call which is no offer of ours, as AMI tells it (`asterisk.ami_facts`)."""
        board = self.bench.switchboard
        if board is None or self.deaf or not self.works:
            return
        for who, post in board.dispatcher.floor.posts.items():
            in_use = any(not channel.startswith("ring-") for channel in self.calls_of(who))
            if in_use != post.own_call:
                self.bench.telephone._tell(PhoneInUse(who, in_use))

    # --- the oracle, on the way

    def _look_at_leg(self, leg: FakeChannel, stories: dict[str, Story], now: float, *, calm: bool) -> None:
        assert self.bench.switchboard is not None
        owned = {channel for story in stories.values() for channel in parts(story)}
        for post in self.bench.switchboard.dispatcher.floor.posts.values():
            owned.add(getattr(post.engaged, "leg", ""))
        ear = call_of_ear(leg.id)
        if ear is not None and ear in stories and isinstance(stories[ear].stage, Supervising):
            owned.add(leg.id)  # how many there are is looked at elsewhere
        if not calm or leg.id in owned:
            self.orphaned.pop(leg.id, None)
        elif now - self.orphaned.setdefault(leg.id, now) > 1.0:
            self._fault(f"{leg.id} ({'up' if leg.up else 'ringing'}) is nobody's")
        self._look_at_party(leg, stories, now, calm=calm)

    def _look_at_party(self, leg: FakeChannel, stories: dict[str, Story], now: float, *, calm: bool) -> None:
        """A secretary in a conversation, and whoever she consults, hear somebody or something."""
        for story in stories.values():
            stage = story.stage
            if not isinstance(stage, Talking) or stage.joined_at is None:
                continue
            third = stage.third
            if leg.id == stage.leg:
                alone = stage.held is not None and third is None  # he is on hold, and she knows
                aside = third is not None and not third.inside and stage.held is not None
                self._listens(leg, now, "Talking, hers", calm=calm and not (alone or aside))
            elif third is not None and third.answered_at is not None and leg.id == third.leg:
                self._listens(leg, now, "Talking, the third", calm=calm)

    def _look_at_caller(self, caller: FakeChannel, story: Story | None, now: float, *, calm: bool) -> None:
        stage = story.stage if story is not None else None
        by_right = (
            isinstance(stage, Recording | Invited | Summoning)
            or (isinstance(stage, Supervising) and stage.ringing is not None)
            or (
                isinstance(stage, Following) and bool(stage.steps) and type(stage.steps[0]).__name__ == "Menu"
            )
            or (isinstance(stage, InRoom) and self._somebody_enters(stage.room))
            or (story is None and any(caller.id in parts(other) for other in self._stories().values()))
        )
        if story is None and caller.dialled is not None and not by_right and caller.bridge is None:
            by_right = False
        self._listens(caller, now, type(stage).__name__ if stage else "no story", calm=calm and not by_right)
        if story is None:
            self._look_at_party(caller, self._stories(), now, calm=calm)

    def _somebody_enters(self, room: str) -> bool:
        stages = [story.stage for story in self._stories().values()]
        return any(isinstance(s, InRoom) and s.room == room and s.joined_at is None for s in stages)

    def _listens(self, who: FakeChannel, now: float, where: str, *, calm: bool) -> None:
        last = who.heard[-1][1] if who.heard else ""
        hears = (
            who.playing is not None or who.music is not None or last == "ringing" or last.startswith("early:")
        )
        if who.bridge is not None and not hears:
            hears = len(self.bench.telephone.bridges.get(who.bridge, ())) >= 2
            tone = self.bench.telephone.lengths.get(last, 0.0)
            hears = hears or (bool(tone) and who.heard[-1][0] + tone >= now)
        if hears or not calm:
            self.silent.pop(who.id, None)
        elif now - self.silent.setdefault(who.id, now) > 0.6:
            self._fault(f"{who.id} hears nothing in {where}")

    async def _watch(self) -> None:
        async def strange() -> None:
            while True:
                await asyncio.sleep(0.1)
                self._tell_what_is_in_use()
                now = self.bench.clock.now()
                calm = not (self.dying or self.deaf or self.bench.over() or now < self.troubled_until)
                wrong = self._wrong() if calm else set()
                self.strange = {what: self.strange.get(what, now) for what in wrong}
                for what, since in self.strange.items():
                    if now - since > 2.0:
                        self._fault(what)

        async with asyncio.TaskGroup() as both:
            both.create_task(strange())
            both.create_task(super()._watch())

    def _wrong(self) -> set[str]:
        board, telephone = self.bench.switchboard, self.bench.telephone
        assert board is not None
        found: set[str] = set()
        stories = self._stories()
        for post in board.dispatcher.floor.posts.values():
            work = post.engaged
            if isinstance(work, InTalk):
                story = stories.get(work.call)
                at = story.stage if story is not None else None
                hers = isinstance(at, Talking | Promised | InRoom) and at.secretary == post.secretary
                hers = hers or (isinstance(at, Waiting) and at.must_hear)  # she waits for the message's end
                if not hers:
                    found.add(f"{post.secretary} is engaged by {work.call}, which is {type(at).__name__}")
            elif isinstance(work, WrapUp) and work.until is not None and work.until < self.bench.clock.now():
                found.add(f"{post.secretary} wraps up for ever")
        for call, story in stories.items():
            stage = story.stage
            if isinstance(stage, Talking) and stage.joined_at is not None and stage.waiting is not None:
                known = board.dispatcher.floor.posts.get(stage.secretary)
                others = [s for s in stories.values() if s is not story and stage.secretary in _hers(s)]
                engaged = known is None or known.call is not None or known.own_call
                if not engaged and not others:
                    found.add(f"{stage.secretary} talks in {call} and is free")
            file = telephone.recordings.get(story.taped.recording) if story.taped is not None else None
            writes = file is not None and file.ended is None and not (file.pauses and file.pauses[-1][1])
            if writes and not isinstance(stage, Talking):
                found.add(f"{call} is recorded at {type(stage).__name__}")
            elif writes and isinstance(stage, Talking) and (stage.held or stage.third or stage.private):
                found.add(f"{call} is recorded though not alone with her")
        ears = Counter(call_of_ear(c.id) for c in telephone.channels.values() if c.hears is not None)
        for supervision, count in ears.items():
            at = stories[supervision].stage if supervision in stories else None
            if not isinstance(at, Supervising) or at.of is None:
                found.add(f"{supervision} has an ear and hears nobody")
            elif count > 1:
                found.add(f"{supervision} has {count} ears")
        slots = Counter(s.stage.slot for s in stories.values() if isinstance(s.stage, Parked))
        found |= {f"{count} are parked at {slot}" for slot, count in slots.items() if count > 1}
        return found

    def _fault(self, what: str) -> None:
        if "is rung again" in what:  # its end, of this very instant, has not been told yet
            gone = self.bench.telephone.past[what.split(maxsplit=1)[0]].heard[-1][0]
            if self.bench.clock.now() - gone < 0.01:
                return
        # a room has more than two by right, and who was on hold, or taken back, is joined again
        if not what.startswith(("room-", "recordings left")) and " joined " not in what:
            super()._fault(what)

    # --- the oracle, at the end

    def _judge(self) -> None:
        super()._judge()
        board, journal = self.bench.switchboard, self.bench.journal
        assert board is not None
        if board.dispatcher.floor.posts[LEAD].call is not None:
            self._fault(f"{LEAD} is {self.bench.state(LEAD)}")
        beside = board.errands.tasks
        if beside is not None and len(beside._tasks) > 2:  # the floor's and the overrides' own
            self._fault(f"{len(beside._tasks) - 2} errands go on for ever")
        if any(item.call is not None for item in board.reminders.of("keyed")):
            self._fault("an item of a list is under way for ever")
        for key, row in journal.floor.items():
            if key.startswith("tally:") and isinstance(row, dict) and row.get("ended") is None:
                self._fault(f"{key} counts for ever")
        kept, broken = tapes(journal.rows("tape:"))
        if broken or any(tape.ended is None for tape in kept):
            self._fault("a recording that nobody ends")
        if any(file.ended is None for file in self.bench.telephone.recordings.values()):
            self._fault("recorded for ever")
        counts: Counter[tuple[str | None, str]] = Counter((e.call, e.kind) for e in journal.entries)
        for call in {e.call for e in journal.entries if e.call is not None}:
            for what in ("supervision", "recording"):
                if counts[call, f"{what}_started"] != counts[call, f"{what}_ended"]:
                    self._fault(f"{call}: {what} did not end as often as it began")

    def _judge_call(self, call: str, kinds: Counter[tuple[str | None, str]]) -> None:
        record, parts_of_it = self.bench.record(call), self.bench.segments(call)
        if not kinds[call, "dialled"]:
            super()._judge_call(call, kinds)
        elif kinds[call, "ended"] != 1 or record.outcome not in OUTCOMES:
            self._fault(f"{call} ended {kinds[call, 'ended']} times, {record.outcome}")
        together = ("bridged", "patched", "room_joined", "supervision_started")
        if record.outcome == "served" and not any(kinds[call, kind] for kind in together):
            self._fault(f"{call} is served by nobody: {record.direction}")
        self._judge_segments(
            call, parts_of_it, record.arrived_at or 0.0, record.ended_at or 0.0, record.talk_ms or 0
        )

    def _judge_segments(
        self, call: str, found: tuple[Segment, ...], arrived: float, ended: float, talked: int
    ) -> None:
        mine = sorted((s for s in found if s.kind in IN_TALK), key=lambda s: s.start)
        for segment in found:
            if segment.end is None:
                self._fault(f"{call}: {segment.kind} never ends")
            elif segment.end < segment.start or (segment.kind != "wrap_up" and segment.end > ended + 0.001):
                self._fault(
                    f"{call}: {segment.kind} {segment.start:.3f}-{segment.end:.3f}, ended {ended:.3f}"
                )
        for one, other in itertools.pairwise(mine):
            if one.end is not None and other.start < one.end - 0.0005:
                self._fault(f"{call}: {one.kind} and {other.kind} overlap")
        if talked > (ended - arrived) * 1000 + 1:
            self._fault(f"{call} talked for {talked} ms in {ended - arrived:.3f} s")


def _hers(story: Story) -> set[str]:
    match story.stage:
        case Talking(secretary=who):
            return {who}
        case Promised(secretary=str() as who):
            return {who}
        case _:
            return set()


def parts(story: Story) -> set[str]:
    """Every channel that this call holds."""
    found = {story.channel, story.call.channel, *story.foreign}
    if story.released is not None:
        found |= {story.released.leg, *story.released.legs}
    stage = story.stage
    legs = [getattr(stage, name, None) for name in ("leg", "outside")]
    third = stage.third if isinstance(stage, Talking) else None
    if not isinstance(stage, Supervising):
        found |= {leg for leg in legs if isinstance(leg, str)}
    return found | ({third.leg} if third is not None else set())

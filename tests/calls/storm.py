"""A bureau with everything in it, and a world that does anything to it at any instant, in virtual time.

`Storm(seed)` is the same storm each time. It calls, hangs up, presses keys, kills, cuts the event socket, lets
commands go unanswered, moves secretaries about, reloads and overrides, also in the middle of an effect; then
it calms down. `faults` is what a watcher saw on the way that must never be, and what was left at the end.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from autocom.calls.ports import Outbound, TelephoneDown, always
from autocom.core.floor_words import LoggedIn, LoggedOut, PausedBy, Resumed
from autocom.core.letters import voices
from autocom.core.model import (
    Menu,
)
from autocom.core.naming import call_of_outside, leg_of
from autocom.core.overrides import Override
from autocom.core.record import ABANDON_CAUSES, OUTCOMES
from autocom.core.stages import Following, Patched, Promised, Reaching, Recording, Talking
from autocom.core.story import Story
from autocom.core.telephony import Cause, PhoneInUse
from tests.calls.storm_bureau import CLIENTS, NUMBERS, OUTSIDE, SOUNDS, STAFF, bureau
from tests.calls.test_waiting import PHRASES
from tests.support.exchange_in_memory import Bench
from tests.support.fake_telephone import FakeChannel, Habit

PHONES = (
    Habit(None),
    Habit(0.5),
    Habit(2.0),
    Habit(2.0, talks=0.001),
    Habit(1.0, talks=0.9),
    Habit(refuses=Cause.BUSY),
    Habit(offline=True),
)
PEOPLE = (
    Habit(None),
    Habit(0.5, talks=3.0),
    Habit(1.0, presses=((1.0, "1"),)),
    Habit(0.5, presses=((0.001, "1"),), talks=0.002),
    Habit(1.0, presses=((3.0, "5"), (4.0, "1")), talks=9.0),
    Habit(refuses=Cause.BUSY),
    Habit(offline=True),
    Habit(returns_to="0199001001"),
)
CODES = ("*5", "*5", "*1{outside}#", "*1{outside}#", "*1{outside}#", "*1201#", "*1202#", "*0", "*1", "*1999#")
CODES_OF_THREE = ("*5", "*5", "*3", "*3", "*3", "*4", "*0", "#")
PAUSES = (0.0, 0.0005, 0.002, 0.003, 0.02, 0.3, 1.0, 2.7, 5.0)


class Killed(BaseException):
    """kill -9."""


@dataclass
class Storm:
    """One storm. `violent`: with kills, gaps and unanswered commands."""

    seed: int
    violent: bool = True
    acts: int = 30
    faults: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.bench = Bench(bureau())
        telephone = self.bench.telephone
        said = (*SOUNDS, *PHRASES.positions, *(a for _, a in PHRASES.waits), PHRASES.beyond, PHRASES.longer)
        telephone.lengths |= {audio.media: audio.seconds for audio in said if audio is not None}
        telephone.habits = {name: self.chance.choice(PHONES) for name in STAFF}
        telephone.habits |= {number: self.chance.choice(PEOPLE) for number in OUTSIDE}
        telephone.before, telephone.after = self._before, self._after
        self.down_until = self.troubled_until = 0.0
        self.down_carries_out = False
        self.dying = False
        self.deaf = False
        self.trap: tuple[int, str, Callable[[], None]] | None = None
        self.calls = 0
        self.outcomes: Counter[tuple[str | None, bool, bool]] = Counter()
        self.silent: dict[str, float] = {}
        self.orphaned: dict[str, float] = {}
        self._listen_in()

    # --- hooks

    def _before(self, what: str) -> None:
        self._spring("before")
        if self.bench.clock.now() < self.down_until and not self.down_carries_out:
            raise TelephoneDown(what)

    def _after(self, what: str) -> None:
        self._spring("after")
        if self.bench.clock.now() < self.down_until and self.down_carries_out:
            raise TelephoneDown(what)

    def _spring(self, when: str) -> None:
        if self.dying:
            raise Killed
        if self.trap is None or self.trap[1] != when:
            return
        left, _, act = self.trap
        if left:
            self.trap = left - 1, when, act
            return
        self.trap = None
        act()

    def _trouble(self, seconds: float = 0.0) -> None:
        self.troubled_until = max(self.troubled_until, self.bench.clock.now() + seconds + 2.5)

    # --- the world

    def callers(self) -> list[str]:
        """Who is on the line, the one who came first first."""
        return [c for c in self.bench.telephone.channels if not self._is_leg(c)]

    @staticmethod
    def _is_leg(channel: str) -> bool:
        return leg_of(channel) is not None or call_of_outside(channel) is not None

    def calls_in(self) -> None:
        if len(self.callers()) >= 5:
            return
        self.calls += 1
        channel = f"chan-{self.calls}"
        number = self.chance.choice(NUMBERS)
        if self.chance.random() < 0.5:
            self.bench.telephone.says[channel] = self.chance.choice((0.0, 0.5, 3.0))
        self.bench.telephone.call_in(channel, f"019900100{self.chance.randint(1, 6)}", number)

    def presses(self) -> None:
        if found := self.callers():
            self.bench.telephone.presses(self.chance.choice(found), self.chance.choice("1123459#"))

    def her_keys(self) -> None:
        """A secretary in a conversation presses a code, or holds by her phone's button."""
        telephone = self.bench.telephone
        stages = [story.stage for story in self._stories().values() if isinstance(story.stage, Talking)]
        stages = [
            stage for stage in stages if stage.leg in telephone.channels and stage.joined_at is not None
        ]
        if not stages:
            return
        stage = self.chance.choice(stages)
        if self.chance.random() < 0.1 and telephone.channels[stage.leg].bridge:
            telephone.holds(stage.leg, held=self.chance.random() < 0.5)
            return
        code = self.chance.choice(CODES if stage.third is None else CODES_OF_THREE)
        telephone.presses(stage.leg, code.format(outside="0" + self.chance.choice(OUTSIDE)[3:]))

    def hangs_up(self) -> None:
        if found := self.callers():
            self.bench.telephone.caller_hangs_up(self.chance.choice(found))

    def leg_hangs_up(self) -> None:
        found = [c for c in self.bench.telephone.channels if self._is_leg(c)]
        if found:
            leg = self.chance.choice(found)
            cause = self.chance.choice((16, 16, 44, 17, 18))
            self.bench.telephone.vanishes(leg, cause)

    def habit(self) -> None:
        habits = self.bench.telephone.habits
        if self.chance.random() < 0.5:
            habits[self.chance.choice(STAFF)] = self.chance.choice(PHONES)
        else:
            habits[self.chance.choice(OUTSIDE)] = self.chance.choice(PEOPLE)

    def secretary(self) -> None:
        board, who = self.bench.switchboard, self.chance.choice(STAFF)
        assert board is not None
        word = self.chance.randint(0, 6)
        if word == 0:
            self.bench.telephone.register(who, reachable=False)
        elif word in (1, 2):
            self.bench.telephone.register(who)
        elif word == 6:
            self.bench.telephone._tell(PhoneInUse(who, self.chance.random() < 0.3))
        elif not self.bench.over():
            facts = (LoggedOut(who), LoggedIn(who), PausedBy(who, "break"), Resumed(who))
            board.dispatcher.submit(facts[word - 2])

    def overrides(self) -> None:
        board, now = self.bench.switchboard, self.bench.clock.now()
        if board is None or self.bench.over():
            return
        who = self.chance.choice(CLIENTS).id
        if self.chance.random() < 0.3:
            board.overrides.clear(who, "lead")
            return
        kind = self.chance.choice(("team", "closed", "open"))
        until = now + self.chance.choice((0.5, 3.0, 8.0))
        board.overrides.set(
            Override(who, kind, until, "lead", now, team="general" if kind == "team" else None)
        )

    def reloads(self) -> None:
        if self.bench.switchboard is not None and not self.bench.over():
            self.bench.configuration = bureau(f"v{self.chance.randint(1, 3)}")
            self.bench.switchboard.use(self.bench.configuration)

    def faxes(self) -> None:
        if found := self.callers():
            self.bench.telephone.sends_cng(self.chance.choice(found))

    def down(self) -> None:
        seconds = self.chance.choice((0.001, 0.01, 1.5))
        self.down_until = self.bench.clock.now() + seconds
        self.down_carries_out = self.chance.random() < 0.5
        self._trouble(seconds + 1.0)

    def _die(self) -> None:
        self.dying = True
        raise Killed

    async def restarts(self) -> None:
        away = self.chance.choice((0.0, 0.5, 5.0))
        self._trouble(away)
        await self.bench.kill()
        await asyncio.sleep(away)
        self.dying = False
        self._trouble()
        self.bench.start()

    async def gap(self) -> None:
        seconds = self.chance.choice((0.0, 0.01, 0.5, 6.0))
        self._trouble(seconds + 1.0)
        self.deaf = True
        with self.bench.telephone.deaf():
            for _ in range(self.chance.randint(0, 3)):
                await asyncio.sleep(seconds / 4)
                self.chance.choice((self.presses, self.hangs_up, self.leg_hangs_up, self.secretary))()
            await asyncio.sleep(seconds / 4)
        self.deaf = False

    def set_trap(self) -> None:
        """In the middle of an effect of the exchange, soon."""
        acts: list[Callable[[], None]] = [
            self.hangs_up,
            self.leg_hangs_up,
            self.presses,
            self.her_keys,
            self.faxes,
            self.calls_in,
            self.overrides,
            self.reloads,
        ]
        if self.violent:
            acts += [self._die, self.down]
        self.trap = (
            self.chance.randint(0, 8),
            self.chance.choice(("before", "after")),
            self.chance.choice(acts),
        )

    async def act(self) -> None:
        """Anything."""
        calm = (
            *[self.calls_in] * 6,
            *[self.presses] * 4,
            *[self.hangs_up] * 2,
            *[self.leg_hangs_up] * 2,
            *[self.her_keys] * 8,
            self.habit,
            self.habit,
            self.secretary,
            self.secretary,
            self.overrides,
            self.reloads,
            self.faxes,
            self.faxes,
            *[self.set_trap] * 4,
        )
        choice = self.chance.randint(0, len(calm) + 3 if self.violent else len(calm) - 1)
        if choice < len(calm):
            self.told.append(f"{self.bench.clock.now():.3f} {calm[choice].__name__}")
            calm[choice]()
        elif choice < len(calm) + 2:
            self.told.append(f"{self.bench.clock.now():.3f} gap")
            await self.gap()
        elif choice == len(calm) + 2:
            self.told.append(f"{self.bench.clock.now():.3f} restart")
            await self.restarts()
        else:
            self.told.append(f"{self.bench.clock.now():.3f} down")
            self.down()
        if self.dying and self.bench.over():
            await self.restarts()

    # --- the whole

    async def run(self) -> Storm:
        """The storm, then the calm; the oracle's word is in `faults`."""
        bench = self.bench
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work(*STAFF)
        watching = asyncio.ensure_future(self._watch())
        for _ in range(self.acts):
            await self.act()
            await bench.pass_time(self.chance.choice(PAUSES) * self.chance.choice((1.0, 1.0, 0.37)))
            if self.dying:
                await bench.pass_time(0.01)
                await self.restarts()
        await self._calm()
        watching.cancel()
        if bench.failure() is not None:
            self._fault(f"the exchange ended: {bench.failure()!r}")
        else:
            self._judge()
        await bench.kill()
        return self

    async def _calm(self) -> None:
        bench, telephone = self.bench, self.bench.telephone
        self.trap, self.down_until = None, 0.0
        telephone.habits = dict.fromkeys(STAFF, Habit(1.0, talks=4.0))
        telephone.habits |= dict.fromkeys(OUTSIDE, Habit(1.0, presses=((2.0, "1"),), talks=6.0))
        if self.dying:
            await self.restarts()
        for _ in range(3):
            for who in STAFF:
                telephone.register(who)
                telephone._tell(PhoneInUse(who, False))
                if bench.switchboard is not None and not bench.over():
                    bench.switchboard.dispatcher.submit(LoggedIn(who))
                    bench.switchboard.dispatcher.submit(Resumed(who))
            await bench.pass_time(3)
        for _ in range(50):
            await bench.pass_time(4)
            for channel in list(telephone.channels.values()):
                if channel.bridge and leg_of(channel.id) is None:
                    telephone.caller_hangs_up(channel.id)
            for story in self._stories().values():  # who is on hold hears no end of it
                if isinstance(story.stage, Talking) and story.stage.held is not None:
                    telephone.vanishes(story.stage.leg, Cause.NORMAL)

    # --- the oracle

    def _listen_in(self) -> None:
        """Names are used once, and nobody is in two conversations."""
        telephone = self.bench.telephone
        ring, play, connect = telephone.ring, telephone.play, telephone.connect
        played: dict[str, str] = {}

        async def watched_ring(leg: Outbound, wanted: Callable[[], bool] = always) -> None:
            if leg.channel in telephone.past:
                self._fault(f"{leg.channel} is rung again after its end")
            await ring(leg, wanted)

        async def watched_play(channel: str, playback: str, media: str, *, skip_ms: int = 0) -> None:
            now = telephone.channels.get(channel)
            if playback in played and (now is None or now.playing != playback):
                self._fault(f"{playback} is played again after its end")
            played[playback] = media
            await play(channel, playback, media, skip_ms=skip_ms)

        async def watched_connect(bridge: str, channels: Sequence[str]) -> None:
            for name in channels:
                found = telephone.channels.get(name)
                if found is not None and found.bridge not in (None, bridge):
                    others = telephone.bridges.get(found.bridge or "", set()) - {name}
                    if others:
                        self._fault(f"{name} is in {found.bridge} with {others} and joins {bridge}")
            await connect(bridge, channels)
            if len(telephone.bridges.get(bridge, ())) > 3:
                self._fault(f"{bridge} has {telephone.bridges[bridge]}")

        telephone.ring = watched_ring  # type: ignore[method-assign]
        telephone.play = watched_play  # type: ignore[method-assign]
        telephone.connect = watched_connect  # type: ignore[method-assign]

    def _fault(self, what: str) -> None:
        if not any(fault.endswith(what) for fault in self.faults):
            self.faults.append(f"{self.bench.clock.now():.3f} {what}")

    def _stories(self) -> dict[str, Story]:
        board = self.bench.switchboard
        return {} if board is None else {call: line.story for call, line in board.lines.items()}

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            now, telephone = self.bench.clock.now(), self.bench.telephone
            calm = not (self.dying or self.deaf or self.bench.over() or now < self.troubled_until)
            stories = self._stories()
            by_channel = {story.channel: story for story in stories.values()}
            for channel in list(telephone.channels.values()):
                if self._is_leg(channel.id) and channel.id not in by_channel:
                    self._look_at_leg(channel, stories, now, calm=calm)
                else:
                    self._look_at_caller(channel, by_channel.get(channel.id), now, calm=calm)

    def _look_at_leg(self, leg: FakeChannel, stories: dict[str, Story], now: float, *, calm: bool) -> None:
        named = leg_of(leg.id)
        story = stories.get((named.call if named else call_of_outside(leg.id)) or "")
        wanted: tuple[str | None, ...] = ()
        match story.stage if story is not None else None:
            case Talking(leg=hers, third=third):
                wanted = (hers, third.leg if third is not None else None)
            case Patched(leg=hers):
                wanted = (hers,)
            case Reaching(leg=his):
                wanted = (his,)
            case Promised(leg=hers, outside=his):
                wanted = (hers, his)
            case _:
                pass
        assert self.bench.switchboard is not None
        post = self.bench.switchboard.dispatcher.floor.posts.get(named.secretary) if named else None
        engaged = getattr(post.engaged, "leg", None) if post is not None else None
        if leg.id in wanted or engaged == leg.id or not calm:
            self.orphaned.pop(leg.id, None)
        elif now - self.orphaned.setdefault(leg.id, now) > 1.0:
            self._fault(f"{leg.id} ({'up' if leg.up else 'ringing'}) is nobody's")

    def _look_at_caller(self, caller: FakeChannel, story: Story | None, now: float, *, calm: bool) -> None:
        telephone = self.bench.telephone
        hears = (
            caller.playing is not None
            or caller.music is not None
            or (bool(caller.heard) and caller.heard[-1][1] == "ringing")
        )
        if caller.bridge is not None:
            hears = len(telephone.bridges.get(caller.bridge, ())) >= 2
        stage = story.stage if story is not None else None
        quiet_by_right = isinstance(stage, Recording) or (
            isinstance(stage, Following) and bool(stage.steps) and isinstance(stage.steps[0], Menu)
        )
        if hears or quiet_by_right or not calm:
            self.silent.pop(caller.id, None)
        elif now - self.silent.setdefault(caller.id, now) > 0.5:
            self._fault(f"{caller.id} hears nothing in {type(stage).__name__ if stage else 'no story'}")

    def _judge(self) -> None:
        bench = self.bench
        board = bench.switchboard
        assert board is not None
        for what, left in (
            ("channels", list(bench.telephone.channels)),
            ("bridges", list(bench.telephone.bridges)),
            ("open calls", list(bench.journal.calls)),
            ("lines", list(board.lines)),
            ("waiters", list(board.dispatcher.floor.waiters)),
            ("doors", list(board._by_channel)),
        ):
            if left:
                self._fault(f"{what} left: {left}")
        for who in STAFF:
            if bench.state(who) != "free":
                self._fault(f"{who} is {bench.state(who)}")
        for entry in bench.journal.entries:
            if entry.kind == "crashed":
                self._fault(f"crashed: {entry.call} {entry.fields}")
        kinds = Counter((e.call, e.kind) for e in bench.journal.entries)
        for call in sorted({str(c) for c, kind in kinds if kind == "arrived"}):
            self._judge_call(call, kinds)
        kept, _ = voices(bench.journal.floor)
        left = set(bench.telephone.recordings) - {voice.recording for voice in kept}
        if left and not self.violent:  # an empty one may stay where a restart came before its end
            self._fault(f"recordings left: {left}")
        joined = Counter(pair for pair in bench.telephone.joined if len(pair) > 1)  # one: out of hold
        for pair, times in joined.items():
            if times > 1:
                self._fault(f"{pair} joined {times} times")

    def _judge_call(self, call: str, kinds: Counter[tuple[str | None, str]]) -> None:
        if kinds[call, "ended"] != 1:
            self._fault(f"{call} ended {kinds[call, 'ended']} times")
            return
        record = self.bench.record(call)
        if record.outcome not in OUTCOMES or record.outcome in ("failed", "fallback"):
            self._fault(f"{call} has outcome {record.outcome} {record.cause}")
        if (record.outcome == "abandoned") != (record.cause in ABANDON_CAUSES):
            self._fault(f"{call} has outcome {record.outcome} and cause {record.cause}")
        self.outcomes[record.outcome, kinds[call, "bridged"] > 0, kinds[call, "patched"] > 0] += 1
        needs = {"served": "bridged", "forwarded": "patched", "voicemail": "voicemail_ended"}
        needed = needs.get(record.outcome or "")
        if needed is not None and not kinds[call, needed]:
            self._fault(f"{call} is {record.outcome} without {needed}")

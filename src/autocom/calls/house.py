"""What a story asks the house: whose call it is, which rule holds now, whether the client is full.

Everything here is a question answered at this moment from the configuration in force, the floor,
the overrides and the calls in progress; what is kept between two questions could be computed again,
and nothing is saved. Must not command the telephone. Law: a caller who waits keeps the rules he came
under, and follows the hours, absences and staff of the version in force (docs/admins/reload.md).
The switchboard owns the one `House`; the stories reach it by `advance`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from autocom.calls.line import Line
from autocom.calls.notes import Note, TakenBy
from autocom.calls.opening import circumstances
from autocom.calls.renvoi import PostForwards
from autocom.core.dialling import Use
from autocom.core.estimate import Outlook, outlook
from autocom.core.ingress import Identity, NumberBook, identify
from autocom.core.model import Audio, Client, Configuration, Enqueue, Music, StockSounds, Trunk
from autocom.core.numbers import NumberingPlan
from autocom.core.overrides import Override, next_end, of_hours, of_team
from autocom.core.pace import Pace
from autocom.core.posts import Floor, Post, Waiter
from autocom.core.ranking import NOBODY_GRACE
from autocom.core.reach import in_reach, nobody_since
from autocom.core.routing import Choice, Circumstances, choose, ending_outcome, next_change, steps_of
from autocom.core.stages import Following, Leaving, Promised
from autocom.core.story import Call, Story
from autocom.core.telephony import CallEntered

_FAR = 8
"""Changes of the hours that are looked ahead for a closing."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Another rule holds now than the one in force: `closes` where the client was open and is not any more;
    `way_out` is the outcome word where the new steps end the call; `stage` what comes next."""

    choice: Choice
    closes: bool
    way_out: str | None
    stage: Following


@dataclass(slots=True)
class _Known:
    """What is computed once for a client of one version: who he is while the version in force is this one,
    who can take his calls, whether his rules ask for it, and until when the clock changes nothing."""

    client: Client
    reach: frozenset[str]
    asks_nobody: bool
    steady_from: float = 0.0
    steady_until: float | None = 0.0

    def next_change(self, now: float) -> float | None:
        if not (self.steady_from <= now and (self.steady_until is None or now < self.steady_until)):
            self.steady_from, self.steady_until = now, next_change(self.client, now)
        return self.steady_until


class House:
    """`floor` and `stories` answer who is at work, who waits and which calls there are at this moment;
    `overrides` which overrides a client has. `tell` puts a note into a call's mailbox; `take_over`: from now on what
    happens on a channel, which another call was named for, is told to this one; `text` shows a secretary a text on
    her phone; `turn_away` tells one who dialled for a caller why she does not get him; `invite` rings somebody for
    a conference room; `mark` keeps the result of her conversation; `uses` is what people had dialled. They and
    `forwards` are the switchboard's. `ahead`: by how many seconds the wall clock, by which calendars go, has jumped
    ahead of the stories' clock."""

    forwards: PostForwards

    def __init__(
        self,
        plan: NumberingPlan,
        floor: Callable[[], Floor],
        stories: Callable[[], Iterable[Story]],
        overrides: Callable[[str], Iterable[Override]] = lambda _: (),
    ) -> None:
        self.plan, self._floor, self._stories, self._overrides = plan, floor, stories, overrides
        self._configuration: Configuration | None = None
        self._book: NumberBook | None = None
        self._known: dict[tuple[str, str], _Known] = {}
        self.pace: Callable[[], Pace] = Pace
        self.ahead = 0.0
        self.tell: Callable[[str, Note], None] = lambda _call, _note: None
        self.take_over: Callable[[Line, str], None] = lambda _line, _channel: None
        self.text: Callable[[str, str], None] = lambda _secretary, _text: None
        self.turn_away: Callable[[TakenBy, str], None] = lambda _taken, _why: None
        self.invite: Callable[[str, str, str], None] = lambda _room, _dialled, _by: None
        self.uses: Callable[[], Iterable[Use]] = tuple
        self.mark: Callable[[str, str], None] = lambda _secretary, _result: None

    @property
    def configuration(self) -> Configuration | None:
        """The one in force."""
        return self._configuration

    def use(self, configuration: Configuration) -> None:
        """New calls are decided by this configuration."""
        self._configuration = configuration
        self._book = NumberBook.of(configuration)
        self._known.clear()

    @property
    def in_force(self) -> Configuration:
        """The same; RuntimeError before the first."""
        if self._configuration is None:
            raise RuntimeError("no configuration is in use")
        return self._configuration

    @property
    def stories(self) -> Iterable[Story]:
        """Every open call."""
        return self._stories()

    @property
    def version(self) -> str:
        """Of the configuration in force."""
        return self.in_force.version

    @property
    def language(self) -> str:
        """The bureau's."""
        return self.in_force.bureau.language

    def whisper(self, secretary: str, client: Client) -> Audio | None:
        """What she hears before this client's caller is joined, None where she wants none or there is none."""
        hers = self.in_force.secretaries.get(secretary)
        return self.stock.whispers.get(client.id) if hers is not None and hers.whisper else None

    def hold_music(self, story: Story) -> Music:
        """What a caller hears on hold: his client's hold music, else that of his client's first queue."""
        client = self.in_force.clients.get(story.call.client.id, story.call.client)
        return client.hold_music or self.stock.music

    @property
    def stock(self) -> StockSounds:
        """The house's own sounds."""
        return self.in_force.stock

    # --- at the door ---

    def whose(self, fact: CallEntered) -> tuple[Identity, Client]:
        """Who is called, and by whom."""
        configuration = self.in_force
        assert self._book is not None
        trunk = configuration.trunks.get(fact.trunk or "") or Trunk(fact.trunk or "unknown", ())
        identity = identify(fact.headers, trunk, self._book, self.plan)
        return identity, configuration.clients[identity.client]

    def waiting(self, client: Client) -> int:
        """How many of this client's callers are in the queue."""
        return sum(waiter.client == client.id for waiter in self._floor().waiters.values())

    def wall(self, now: float) -> float:
        """What calendars say at this instant of ours: the two differ once the wall clock has jumped."""
        return now + self.ahead

    def choice(
        self, client: Client, identity: Identity, now: float, waiting: int, came: float | None = None
    ) -> Choice:
        """The rule that holds for this caller now, who `came` an instant ago."""
        known = self._about(client, self.version)
        nobody = known.asks_nobody and self._nobody(known, now, None)
        asked = self._asked(client, identity, now, waiting, nobody=nobody, came=came)
        return choose(client, asked, self.in_force.blocked)

    def _asked(
        self, client: Client, by: Identity, now: float, waiting: int, *, nobody: bool, came: float | None
    ) -> Circumstances:
        at = self.wall(now)
        override = of_hours(self._overrides(client.id), at)
        came = None if came is None else self.wall(came)
        return circumstances(by, at, waiting, nobody=nobody, override=override, came=came)

    def team(self, client: Client, now: float) -> str | None:
        """The team this client's callers wait for by override; None: the queue's own."""
        override = of_team(self._overrides(client.id), self.wall(now))
        known = override is not None and override.team in self.in_force.teams
        return override.team if override is not None and known else None

    def full(self, call: Call) -> bool:
        """Whether the client had all the calls he bought when this one came: it counts who came before."""
        limit = call.client.max_calls
        if limit is None:
            return False
        mine = (call.arrived_at, call.id)
        before = sum(
            story.call.client.id == call.client.id
            and story.call.direction == "in"
            and not isinstance(story.stage, Leaving)
            and not story.absent
            and (story.call.arrived_at, story.call.id) < mine
            for story in self._stories()
        )
        return before >= limit

    # --- while he waits ---

    def post(self, secretary: str) -> Post | None:
        """Her place on the floor."""
        return self._floor().posts.get(secretary)

    @property
    def posts(self) -> Iterable[Post]:
        """Everybody's."""
        return self._floor().posts.values()

    def place(self, call: str) -> Waiter | None:
        """His place on the floor, None where he has none."""
        return self._floor().waiters.get(call)

    def offers(self, call: str) -> int:
        """Offers made for him in the queue he is in: the next queue numbers its legs on."""
        waiter = self.place(call)
        return waiter.attempts if waiter is not None else 0

    def promises(self, call: Call) -> dict[str, float]:
        """The promises to call the same person back for the same client: since when he waits, by call."""
        caller = call.identity.caller
        return {
            story.call.id: story.stage.waiting.joined
            for story in self._stories()
            if isinstance(story.stage, Promised)
            and not story.stage.over
            and story.call.id != call.id
            and story.call.client.id == call.client.id
            and story.stage.number == caller
        }

    def closes_at(self, call: Call, now: float) -> float | None:
        """When its client closes: `now` or earlier where it is closed, None where that is not in sight. A
        client without hours never does by itself."""
        client = self._about(call.client, call.config_version).client
        at: float | None = now
        for _ in range(_FAR):
            if at is None:
                return None
            asked = self._asked(client, call.identity, at, call.waiting, nobody=False, came=call.arrived_at)
            has_hours = client.hours.week or client.absences or asked.override is not None
            if not choose(client, asked).open and has_hours:
                return at
            wall = asked.at
            changes = (next_change(client, wall), next_end(self._overrides(client.id), wall))
            change = min((each for each in changes if each is not None and each > wall), default=None)
            at = None if change is None else change - self.ahead
        return None

    def outlook(self, call: str, now: float) -> Outlook | None:
        """What he can be told; None where he has no place, or nobody is at work for him."""
        waiter = self.place(call)
        return None if waiter is None else outlook(waiter, self._floor(), self.pace(), now)

    def next_review(self, story: Story, now: float) -> float | None:
        """When time alone may make another rule hold, an override end, or an empty floor count as empty."""
        known = self._about(story.call.client, story.call.config_version)
        wall = self.wall(now)
        changes = (known.next_change(wall), next_end(self._overrides(story.call.client.id), wall))
        found = [None if change is None else change - self.ahead for change in changes]
        if known.asks_nobody:
            since = nobody_since(known.reach, self._floor().posts)
            found.append(None if since is None else since + NOBODY_GRACE)
        return min((instant for instant in found if instant is not None and instant > now), default=None)

    def review(self, story: Story, queue: Enqueue, now: float) -> Reviewed | None:
        """Ask the rules again for a caller who waits. None: he stays where he is.

        What can change while he waits is asked anew (hours, absence, days, dates, time, who is at work);
        who he is, and how many waited when he came, is not."""
        call = story.call
        if call.direction != "in":
            return None  # a secretary dialled him: no rule let him in
        known = self._about(call.client, call.config_version)
        nobody = known.asks_nobody and self._nobody(known, now, story.waiting_since)
        asked = self._asked(
            known.client, call.identity, now, call.waiting, nobody=nobody, came=call.arrived_at
        )
        choice = choose(known.client, asked)  # whom the bureau blocks was asked at the door
        closes = story.was_open and not choice.open
        if closes and queue.serve_after_closing:
            return None
        if closes and queue.on_closing:
            return Reviewed(choice, closes, "closed", Following(queue.on_closing))
        if choice.rule.name == (story.rule or call.filed or call.rule):
            return None
        steps = steps_of(choice, known.client)
        leads_on = any(isinstance(step, Enqueue) for step in steps)  # another queue has its own ways out
        word = None if leads_on else "closed" if closes else ending_outcome(choice.rule, None)
        return Reviewed(choice, closes, word, Following(steps))

    def _about(self, client: Client, version: str) -> _Known:
        """The client as he is asked about: the rules of the version he came under, the hours and absences of
        the one in force, where he is still in it."""
        known = self._known.get((version, client.id))
        if known is None:
            house = self.in_force
            today = house.clients.get(client.id)
            if version != house.version and today is not None:
                client = replace(client, hours=today.hours, absences=today.absences)
            asks = any(rule.when is not None and rule.when.nobody is not None for rule in client.rules)
            reach = in_reach(client, house.teams, house.secretaries, house.bureau)
            known = self._known[version, client.id] = _Known(client, reach, asks)
        return known

    def _nobody(self, known: _Known, now: float, joined: float | None) -> bool:
        """Whether nobody in reach is at work. For who waits since `joined` it must have been so for a while,
        unless it was so when he came."""
        since = nobody_since(known.reach, self._floor().posts)
        if since is None:
            return False
        return joined is None or since <= joined or since + NOBODY_GRACE <= now

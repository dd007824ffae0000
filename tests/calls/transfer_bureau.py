"""A bureau for transfers: Léa talks to a caller, Inès and Zoé are there, a mobile outside, and what the fake phones
do. Used by the stories of transfers and by their crash test."""

from __future__ import annotations

from dataclasses import replace

from autocom.core.floor_words import LoggedIn
from autocom.core.model import Audio, Client, Enqueue, Music, Play, Team, Trunk
from autocom.core.posts import WrapUp
from tests.support.exchange_in_memory import CALM, Bench, client, configuration
from tests.support.fake_telephone import FakeChannel, Habit

CELL = "+33639981021"
ASK = Audio("patch-ask", "patch-ask", 3.0)
HOLD = Music("hold", "music-hold")
LILAS = client("lilas", "+33199001001", Enqueue("medical", CALM), hold_music=HOLD)
CALLER = "chan-1"


def bureau(*clients: Client) -> Bench:
    """Léa (200), Inès (201) of the medical team (600), Zoé (202) of another one (601); a trunk."""
    made = configuration(*(clients or (LILAS,)), lea={"medical": 1}, ines={"medical": 2}, zoe={"general": 1})
    stock = replace(made.stock, notices={**made.stock.notices, "patch_ask": ASK})
    trunks = {"operator": Trunk("operator", ("127.0.0.1",), host="operator.test")}
    teams = {"medical": Team("medical", extension="600"), "general": Team("general", extension="601")}
    bench = Bench(replace(made, stock=stock, trunks=trunks, teams=teams))
    bench.telephone.lengths["patch-ask"] = ASK.seconds
    bench.telephone.habits = {"lea": Habit(1.0), "ines": Habit(2.0), "zoe": Habit(2.0), CELL: Habit(2.0)}
    return bench


async def opened(bench: Bench, *at_work: str) -> None:
    """Everybody at work."""
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work(*(at_work or ("lea", "ines", "zoe")))


async def talking(bench: Bench, *at_work: str) -> FakeChannel:
    """A caller talks with Léa; her leg. The others come to work once she has him."""
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea")
    bench.telephone.call_in(CALLER, "0199001001")
    await bench.pass_time(2.0)
    leg = bench.telephone.leg_of("lea")
    assert leg is not None
    assert leg.bridge is not None
    await bench.at_work(*(at_work or ("ines", "zoe")))
    return leg


async def dialled(bench: Bench, who: str, number: str) -> FakeChannel:
    """She dials, and is answered; her channel."""
    channel = bench.telephone.dials(who, number)
    await bench.pass_time(2.5)
    assert channel.bridge is not None, f"{who} does not talk with {number}"
    return channel


def with_whom(bench: Bench, channel: str = CALLER) -> set[str]:
    """Who is in the bridge with this channel, by channel."""
    found = bench.telephone.channels.get(channel)
    if found is None or found.bridge is None:
        return set()
    return bench.telephone.bridges[found.bridge] - {channel}


def outside(bench: Bench, number: str = CELL) -> FakeChannel | None:
    """The leg that this number has now."""
    for channel in bench.telephone.channels.values():
        if channel.order is not None and channel.order.endpoint.startswith(f"PJSIP/{number}@"):
            return channel
    return None


def at_phone(bench: Bench, who: str) -> FakeChannel | None:
    """The leg that this secretary's phone has now, whoever rang it."""
    for channel in bench.telephone.channels.values():
        if channel.order is not None and channel.order.endpoint == f"PJSIP/{who}":
            return channel
    return None


def rung(bench: Bench, who: str) -> FakeChannel:
    """The same, where there must be one."""
    channel = at_phone(bench, who)
    assert channel is not None, f"nothing rings at {who}"
    return channel


def kept(bench: Bench, who: str) -> bool:
    """Whether nothing else is offered to her because somebody may come back."""
    assert bench.switchboard is not None
    work = bench.switchboard.dispatcher.floor.posts[who].engaged
    return isinstance(work, WrapUp) and work.kept is not None


def fields(bench: Bench, kind: str, call: str = "c1") -> list[dict[str, object]]:
    """What the entries of this kind say."""
    return [dict(e.fields) for e in bench.of(call) if e.kind == kind]


def back_at_work(bench: Bench, who: str) -> None:
    """She says that she is ready."""
    assert bench.switchboard is not None
    bench.switchboard.dispatcher.submit(LoggedIn(who))


WELCOME_AGAIN = Play(Audio("welcome", "welcome", 4.0))

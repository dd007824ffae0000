"""Conference rooms: who comes is announced once, who is alone hears music, who is left without a secretary goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.calls.inviting import NotInvited, invite
from autocom.calls.rooms import command
from autocom.core.model import Audio, Configuration, Enqueue, Team, Trunk
from autocom.core.orders import SendTo
from autocom.core.rooms import MEMBERS_AT_MOST, members
from autocom.core.stages import InRoom
from autocom.core.targets import ToRoom
from tests.support.exchange_in_memory import CALM, Bench, client, configuration, heard, over
from tests.support.fake_telephone import FakeChannel, Habit
from tests.support.virtual import run

ROOM = "room-801"
JOINED, LEFT = Audio("room-joined", "room-joined", 0.8), Audio("room-left", "room-left", 0.8)
ENTERING = Audio("room-entering", "room-entering", 1.0)
OUTSIDE = "+33639981099"


def bureau() -> Configuration:
    made = configuration(
        client("lilas", "+33199001001", Enqueue("medical", CALM)),
        lea={"medical": 1},
        ines={"medical": 2},
        awa={"medical": 2},
    )
    notices = {"room_joined": JOINED, "room_left": LEFT, "room_entering": ENTERING}
    return replace(
        made,
        stock=replace(made.stock, notices=notices),
        trunks={"operator": Trunk("operator", ("127.0.0.1",), host="operator.test", max_calls=10)},
        teams={"medical": Team("medical", leads=("awa",))},
    )


async def opened(made: Configuration | None = None) -> Bench:
    bench = Bench(made or bureau())
    bench.telephone.lengths |= {a.media: a.seconds for a in (JOINED, LEFT, ENTERING)}
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea", "ines", "awa")
    return bench


async def enters(bench: Bench, who: str, room: str = "801") -> FakeChannel:
    channel = bench.telephone.dials(who, room)
    await bench.pass_time(3.0)
    return channel


def inside(bench: Bench) -> set[str]:
    return bench.telephone.bridges.get(ROOM, set())


def count(channel: FakeChannel, what: str) -> int:
    return sum(sound == what for _, sound in channel.heard)


def test_alone_she_hears_music_and_a_second_one_is_announced_once_and_not_to_herself() -> None:
    async def story() -> None:
        bench = await opened()
        lea = await enters(bench, "lea")
        assert inside(bench) == {lea.id}
        assert lea.heard[-1][1] == "music:music-stock"
        ines = await enters(bench, "ines")
        assert inside(bench) == {lea.id, ines.id}
        assert lea.music is None
        assert [count(c, "room-joined") for c in (lea, ines)] == [1, 0]
        assert [count(c, "room-entering") for c in (lea, ines)] == [1, 1]
        bench.telephone.phone_hangs_up(ines.id)
        await bench.pass_time(1.0)
        assert count(lea, "room-left") == 1
        assert lea.heard[-1][1] == "music:music-stock"
        bench.telephone.phone_hangs_up(lea.id)
        await bench.pass_time(1.0)
        assert ROOM not in bench.telephone.bridges
        joined = [e for e in bench.journal.entries if e.kind in {"room_joined", "room_left"}]
        assert [(e.kind, e.fields["secretary"]) for e in joined] == [
            ("room_joined", "lea"),
            ("room_joined", "ines"),
            ("room_left", "ines"),
            ("room_left", "lea"),
        ]
        assert bench.record("c1").outcome == "served"
        await over(bench)

    run(story())


def test_she_who_opened_the_room_mutes_all_but_herself_and_lets_them_speak_again() -> None:
    async def story() -> None:
        bench = await opened()
        lea, ines = await enters(bench, "lea"), await enters(bench, "ines")
        bench.telephone.presses(ines.id, "*1")  # not hers to say
        await bench.pass_time(0.5)
        assert (lea.muted, ines.muted) == (False, False)
        bench.telephone.presses(lea.id, "*1")
        await bench.pass_time(0.5)
        assert (lea.muted, ines.muted) == (False, True)
        bench.telephone.presses(lea.id, "*2")
        await bench.pass_time(0.5)
        assert not ines.muted
        muted = [e.fields for e in bench.of("c2") if e.kind == "room_muted"]
        assert muted == [
            {"room": "801", "by": "lea", "muted": True},
            {"room": "801", "by": "lea", "muted": False},
        ]
        await over(bench)

    run(story())


def test_everybody_mutes_himself_by_a_key_and_a_team_lead_commands_a_room_she_did_not_open() -> None:
    async def story() -> None:
        bench = await opened()
        lea, awa = await enters(bench, "lea"), await enters(bench, "awa")
        bench.telephone.presses(lea.id, "*6")
        await bench.pass_time(0.5)
        assert lea.muted
        bench.telephone.presses(lea.id, "*6")
        await bench.pass_time(0.5)
        assert not lea.muted
        bench.telephone.presses(awa.id, "*0")
        await bench.pass_time(1.0)
        assert lea.ended_with is not None
        assert awa.ended_with is not None
        assert ROOM not in bench.telephone.bridges
        ended = [e.fields for e in bench.journal.entries if e.kind == "room_ended"]
        assert ended == [{"room": "801", "by": "awa"}] * 2
        await over(bench)

    run(story())


def test_a_locked_room_lets_nobody_in_and_says_so() -> None:
    async def story() -> None:
        bench = await opened()
        lea = await enters(bench, "lea")
        bench.telephone.presses(lea.id, "*4")
        await bench.pass_time(0.2)
        ines = await enters(bench, "ines")
        assert ines.ended_with is not None
        refused = [e.fields["why"] for e in bench.journal.entries if e.kind == "call_refused"]
        assert refused == ["room_locked"]
        bench.telephone.presses(lea.id, "*5")
        await bench.pass_time(0.2)
        again = await enters(bench, "ines")
        assert again.id in inside(bench)
        await over(bench)

    run(story())


def test_a_room_is_full_at_its_limit() -> None:
    async def story() -> None:
        bench = await opened()
        for _ in range(MEMBERS_AT_MOST):
            bench.telephone.dials("lea", "801")
        await bench.pass_time(4.0)
        assert len(inside(bench)) == MEMBERS_AT_MOST
        late = await enters(bench, "ines")
        assert late.ended_with is not None
        await over(bench)

    run(story())


def test_a_caller_is_brought_in_and_let_go_thirty_seconds_after_the_last_secretary_went() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.telephone.habits["ines"] = bench.telephone.habits["awa"] = Habit(answers=None)
        ines = await enters(bench, "ines")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(15.0)
        assert bench.switchboard is not None
        assert bench.switchboard.desk.order("lea", SendTo(ToRoom("801"))) is not None
        await bench.pass_time(4.0)
        assert inside(bench) == {"chan-1", ines.id}
        bench.telephone.phone_hangs_up(ines.id)
        await bench.pass_time(1.0)
        assert heard(bench)[-1] == "music:music-stock"
        await bench.pass_time(25.0)
        assert "chan-1" in bench.telephone.channels
        await bench.pass_time(6.0)
        assert "chan-1" not in bench.telephone.channels
        assert ROOM not in bench.telephone.bridges
        ended = next(e for e in bench.of("c2") if e.kind == "room_ended")
        assert ended.fields["by"] == "service"
        assert bench.record("c2").outcome == "served"
        await over(bench)

    run(story())


def test_a_secretary_who_comes_back_in_time_keeps_the_room() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits[OUTSIDE] = Habit(1.0, presses=((0.5, "1"),))
        lea = await enters(bench, "lea")
        assert bench.switchboard is not None
        invite(bench.switchboard.desk, "801", "0639981099", "lea")
        await bench.pass_time(5.0)
        assert inside(bench) == {lea.id, "out-c2-1"}
        bench.telephone.phone_hangs_up(lea.id)
        await bench.pass_time(20.0)
        back = await enters(bench, "lea")
        await bench.pass_time(60.0)
        assert inside(bench) == {back.id, "out-c2-1"}
        await over(bench)

    run(story())


def test_a_member_invites_a_number_by_key_and_a_colleague_by_command() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits[OUTSIDE] = Habit(1.0, presses=((0.5, "1"),))
        bench.telephone.habits["+33639981098"] = Habit(answers=None)
        lea = await enters(bench, "lea")
        bench.telephone.presses(lea.id, "*30639981099#")
        await bench.pass_time(4.0)
        assert inside(bench) == {lea.id, "out-c2-1"}
        order = bench.telephone.channels["out-c2-1"].order
        assert order is not None
        assert order.number == "+33199001000"
        bench.telephone.presses("out-c2-1", "*0")  # nobody outside commands a room
        await bench.pass_time(1.0)
        assert inside(bench) == {lea.id, "out-c2-1"}
        assert bench.switchboard is not None
        invite(bench.switchboard.desk, "801", "0639981098")
        await bench.pass_time(60.0)
        assert bench.record("c3").outcome == "timeout"
        assert "out-c3-1" not in bench.telephone.channels
        await over(bench)

    run(story())


@pytest.mark.parametrize(
    ("dialled", "why"),
    [
        ("15", "emergency"),
        ("0899001001", "premium"),
        ("+88212345678", "satellite"),
        ("+442079460000", "international"),
        ("*72", "unknown"),
        ("", "unknown"),
        ("0199001001", "own"),
    ],
)
def test_what_nobody_may_dial_is_not_invited_either(dialled: str, why: str) -> None:
    async def story() -> None:
        bench = await opened()
        await enters(bench, "lea")
        assert bench.switchboard is not None
        with pytest.raises(NotInvited, match=why):
            invite(bench.switchboard.desk, "801", dialled, "lea")
        await bench.pass_time(1.0)
        assert not any(channel.startswith("out-") for channel in bench.telephone.channels)
        refused = next(e for e in bench.journal.entries if e.kind == "call_refused")
        assert refused.fields["why"] == why
        await over(bench)

    run(story())


def test_her_limit_of_outgoing_calls_holds_for_whom_she_invites() -> None:
    async def story() -> None:
        made = bureau()
        limits = replace(made.bureau.outgoing.per_secretary, at_once=1)
        rules = replace(made.bureau.outgoing, per_secretary=limits)
        bench = await opened(replace(made, bureau=replace(made.bureau, outgoing=rules)))
        bench.telephone.habits[OUTSIDE] = Habit(1.0, presses=((0.5, "1"),))
        await enters(bench, "lea")
        assert bench.switchboard is not None
        desk = bench.switchboard.desk
        invite(desk, "801", "0639981099", "lea")
        await bench.pass_time(3.0)
        with pytest.raises(NotInvited, match="limit"):
            invite(desk, "801", "0639981098", "lea")
        bench.telephone.caller_hangs_up("out-c2-1")
        await bench.pass_time(1.0)
        invite(desk, "801", "0639981098", "lea")
        await bench.pass_time(1.0)
        await over(bench)

    run(story())


def test_nobody_is_invited_to_an_empty_room_and_no_command_reaches_it() -> None:
    async def story() -> None:
        bench = await opened()
        assert bench.switchboard is not None
        with pytest.raises(NotInvited, match="nobody_there"):
            invite(bench.switchboard.desk, "801", "0639981099", "lea")
        with pytest.raises(LookupError, match="801"):
            command(bench.switchboard.house, "801", "end", "api")
        await over(bench)

    run(story())


def test_a_phone_that_refuses_the_invitation_is_no_member() -> None:
    async def story() -> None:
        bench = await opened()
        bench.telephone.habits[OUTSIDE] = Habit(refuses=17)
        lea = await enters(bench, "lea")
        assert bench.switchboard is not None
        invite(bench.switchboard.desk, "801", "0639981099", "lea")
        await bench.pass_time(2.0)
        assert inside(bench) == {lea.id}
        assert bench.record("c2").outcome == "failed"
        ended = next(e for e in bench.of("c2") if e.kind == "forward_ended")
        assert (ended.fields["result"], ended.fields["cause"]) == ("refused", 17)
        bench.telephone.habits[OUTSIDE] = Habit(offline=True)
        invite(bench.switchboard.desk, "801", "0639981099", "lea")
        await bench.pass_time(2.0)
        assert bench.record("c3").outcome == "failed"
        await over(bench)

    run(story())


@pytest.mark.parametrize("away", [0.0, 1.0, 20.0])
def test_a_restart_leaves_everybody_in_the_room_as_they_were(away: float) -> None:
    async def story() -> None:
        bench = await opened()
        lea, ines = await enters(bench, "lea"), await enters(bench, "ines")
        bench.telephone.presses(lea.id, "*1*4")
        await bench.pass_time(0.5)
        await bench.kill()
        await bench.pass_time(away)
        bench.start()
        await bench.pass_time(1.0)
        assert inside(bench) == {lea.id, ines.id}
        assert ines.muted
        assert [count(c, "room-joined") for c in (lea, ines)] == [1, 0]
        awa = await enters(bench, "awa")
        assert awa.ended_with is not None
        assert bench.switchboard is not None
        assert command(bench.switchboard.house, "801", "end", "api") == 2
        await bench.pass_time(2.0)
        assert not bench.telephone.channels
        await over(bench)

    run(story())


def test_who_hangs_up_while_nobody_looks_is_not_in_the_room_any_more() -> None:
    async def story() -> None:
        bench = await opened()
        lea, ines = await enters(bench, "lea"), await enters(bench, "ines")
        with bench.telephone.deaf():
            bench.telephone.phone_hangs_up(ines.id)
            await bench.pass_time(5.0)
        await bench.pass_time(1.0)
        assert lea.heard[-1][1] == "music:music-stock"
        assert bench.switchboard is not None
        stories = [line.story for line in bench.switchboard.lines.values()]
        assert [isinstance(s.stage, InRoom) for s in stories] == [True]
        assert len(members(stories, "801")) == 1
        await over(bench)

    run(story())

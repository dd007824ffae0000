"""What programs and codes are told of parked callers, conference rooms and forwards, over a whole exchange in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from autocom.core.codes import SetForward, code
from autocom.core.model import Configuration, Enqueue, Trunk
from autocom.core.orders import NotPossible, Park
from autocom.core.parking import SLOTS
from autocom.ordering import order
from autocom.posts import Posts
from tests.support.exchange_in_memory import CALM, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

MOBILE = "+33639981099"


def bureau() -> Configuration:
    made = configuration(client("lilas", "+33199001001", Enqueue("medical", CALM)))
    return replace(
        made,
        bureau=replace(made.bureau, forwarding_outside=True),
        trunks={"operator": Trunk("operator", ("127.0.0.1",), host="operator.test", max_calls=20)},
    )


async def opened() -> tuple[Bench, Posts]:
    bench = Bench(bureau())
    bench.telephone.habits |= {"lea": Habit(1.0), "ines": Habit(None), MOBILE: Habit(1.0)}
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea", "ines")
    assert bench.switchboard is not None
    return bench, Posts(bench.switchboard)


async def over(bench: Bench) -> None:
    for channel in list(bench.telephone.channels):
        bench.telephone.caller_hangs_up(channel)
    await bench.pass_time(2.0)
    assert bench.failure() is None
    assert not bench.journal.calls
    await bench.kill()


def test_parked_callers_by_their_slot() -> None:
    async def story() -> None:
        bench, posts = await opened()
        assert bench.switchboard is not None
        for number in (1, 2):
            bench.telephone.call_in(f"chan-{number}", "0199001001", f"06399801{number:02}")
            await bench.pass_time(3.0)
            bench.switchboard.desk.order("lea", Park(f"note {number}"))
            await bench.pass_time(3.0)
        rows = posts.parked()
        assert [(row["slot"], row["caller"], row["by"], row["note"]) for row in rows] == [  # type: ignore[index, call-overload]
            ("*51", "+33639980101", "lea", "note 1"),
            ("*52", "+33639980102", "lea", "note 2"),
        ]
        await over(bench)

    run(story())


def test_with_every_slot_taken_who_asks_is_told_at_once() -> None:
    async def story() -> None:
        bench, _ = await opened()
        assert bench.switchboard is not None
        for number in range(len(SLOTS)):
            bench.telephone.call_in(f"chan-{number}", "0199001001", f"06399801{number:02}")
            await bench.pass_time(2.0)
            order(bench.switchboard, "lea", "park", "")
            await bench.pass_time(1.0)
        bench.telephone.call_in("chan-9", "0199001001", "0639980199")
        await bench.pass_time(2.0)
        with pytest.raises(NotPossible, match="slot"):
            order(bench.switchboard, "lea", "park", "")
        await over(bench)

    run(story())


def test_rooms_with_their_members_and_what_is_said_to_them() -> None:
    async def story() -> None:
        bench, posts = await opened()
        assert posts.rooms() == []
        bench.telephone.dials("lea", "801")
        await bench.pass_time(2.0)
        answer = posts.room("801", "invite", None, "06 39 98 10 99")
        assert answer["room"] == "801"
        await bench.pass_time(2.5)
        bench.telephone.presses("out-c2-1", "1")
        await bench.pass_time(4.0)
        assert posts.room("801", "mute", "lea", None) == {"room": "801", "verb": "mute", "members": 2}
        posts.room("801", "lock", None, None)
        await bench.pass_time(0.5)
        (room,) = posts.rooms()
        assert isinstance(room, dict)
        assert (room["opened_by"], room["locked"]) == ("lea", True)
        members = room["members"]
        assert isinstance(members, list)
        assert [(m["secretary"], m["caller"], m["muted"]) for m in members] == [  # type: ignore[index, call-overload]
            ("lea", None, False),
            (None, MOBILE, True),
        ]
        with pytest.raises(NotPossible, match="locked"):
            posts.room("801", "invite", "lea", "201")
        await over(bench)

    run(story())


@pytest.mark.parametrize(
    ("room", "verb", "to", "error"),
    [
        ("900", "mute", None, LookupError),
        ("801", "mute", None, LookupError),
        ("801", "sleep", None, ValueError),
        ("801", "invite", None, ValueError),
        ("801", "invite", "201", NotPossible),
    ],
)
def test_wrong_words_about_rooms(room: str, verb: str, to: str | None, error: type[Exception]) -> None:
    async def story() -> None:
        bench, posts = await opened()
        with pytest.raises(error):
            posts.room(room, verb, None, to)
        await over(bench)

    run(story())


@pytest.mark.parametrize(
    ("dialled", "prompt"),
    [
        ("*21*201", "forward-set"),
        ("*21", "forward-cleared"),
        ("*67*0639981099", "forward-set"),
        ("*61*200", "forward-refused"),
        ("*61*0899001001", "forward-refused"),
        ("*61*15", "forward-refused"),
    ],
)
def test_a_code_is_confirmed_or_refused_by_a_sentence(dialled: str, prompt: str) -> None:
    async def story() -> None:
        bench, posts = await opened()
        meant = code(dialled)
        assert isinstance(meant, SetForward)
        assert posts.forward_dialled("lea", meant) == prompt
        await over(bench)

    run(story())


def test_forwards_by_name_and_what_they_may_not_be() -> None:
    async def story() -> None:
        bench, posts = await opened()
        assert posts.forward("lea", "busy", "06 39 98 10 99") == {
            "id": "lea",
            "always": None,
            "busy": MOBILE,
            "no_answer": None,
        }
        with pytest.raises(LookupError):
            posts.forward("nobody", "busy", "201")
        with pytest.raises(ValueError, match="always, busy, no_answer"):
            posts.forward("lea", "never", "201")
        with pytest.raises(NotPossible, match="itself"):
            posts.forward("lea", "always", "200")
        with pytest.raises(NotPossible, match="an emergency number"):
            posts.forward("lea", "always", "15")
        refused = [e.fields for e in bench.journal.entries if e.kind == "call_refused"]
        assert refused[-1] == {"secretary": "lea", "dialled": "15", "why": "emergency"}
        assert posts.forward_dialled("nobody", SetForward("always", "201")) == "forward-refused"
        await asyncio.sleep(0)
        await over(bench)

    run(story())

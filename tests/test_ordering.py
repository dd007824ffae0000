"""Orders from outside a conversation: what is done at once, and what is refused in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from autocom import ordering
from autocom.calls.switchboard import Switchboard
from autocom.commands.exchange import SENTENCES
from autocom.commands.exchange import told as said
from autocom.core.orders import NotPossible
from autocom.speech import Speech
from tests.calls.test_conversing import DOCTOR, LEG, THIRD, Table, told
from tests.support.exchange_in_memory import Bench


def board(bench: Bench) -> Switchboard:
    assert bench.switchboard is not None
    return bench.switchboard


def test_an_order_is_given_and_shows_in_the_status() -> None:
    async def story(table: Table) -> None:
        found = board(table.bench)
        assert ordering.order(found, "lea", "hold", "") == {"id": "lea", "verb": "hold", "call": "c1"}
        await table.bench.pass_time(0.2)
        row = ordering.conversation(found, "lea")
        assert (row["held_by"], row["third"]) == ("order", None)
        assert isinstance(row["held_since"], str)
        assert ordering.order(found, "lea", "resume", "") is not None
        await table.bench.pass_time(0.2)
        assert ordering.conversation(found, "lea")["held_since"] is None
        assert ordering.order(found, "lea", "consult", "1") is not None
        await table.bench.pass_time(0.5)
        third = ordering.conversation(found, "lea")["third"]
        assert third == {"name": "Dr Roux", "number": DOCTOR, "state": "ringing"}
        await table.bench.pass_time(2.0)
        assert ordering.conversation(found, "lea")["third"] == {**third, "state": "talking"}
        ordering.order(found, "lea", "resume", "")
        await table.bench.pass_time(0.2)
        assert ordering.conversation(found, "lea")["third"] == {**third, "state": "on_hold"}
        table.telephone.phone_hangs_up(THIRD)
        await table.bench.pass_time(0.2)
        table.telephone.phone_hangs_up(LEG)
        await table.over()

    told(story)


@pytest.mark.parametrize(
    ("verb", "argument", "why"),
    [
        ("join", "", "nobody"),
        ("leave", "", "nobody"),
        ("drop", "", "nobody"),
        ("consult", "600000", "nobody has that extension"),
        ("transfer", "15", "an emergency number is never dialled"),
        ("patch", "3615", "premium numbers are not dialled"),
        ("consult", "", None),
        ("record", "dance", None),
        ("record", "pause", "nothing is being recorded"),
        ("consult", "801", "only an extension"),
    ],
)
def test_what_cannot_be_is_said_in_words(verb: str, argument: str, why: str | None) -> None:
    async def story(table: Table) -> None:
        kind = NotPossible if why is not None else ValueError
        with pytest.raises(kind, match=why or r".{10}"):
            ordering.order(board(table.bench), "lea", verb, argument)
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story)


@pytest.mark.parametrize(
    ("verb", "argument", "why", "kind"),
    [
        ("record", "start", "does not have calls recorded", "recording_refused"),
        ("consult", "0899123456", "premium numbers are not dialled", "call_refused"),
        ("consult", "+41221234567", "that country is not allowed", "call_refused"),
        ("consult", "200", "nobody has that extension", "call_refused"),
        ("consult", "15", "an emergency number is never dialled", "call_refused"),
        ("transfer", "15", "an emergency number is never dialled", "transfer_failed"),
        ("transfer", "0899123456", "not allowed", "transfer_failed"),
        ("transfer", "200", "your own extension", "transfer_failed"),
        ("patch", "0639980101", "Transfer refused", "transfer_failed"),
    ],
)
def test_what_will_be_refused_is_said_to_who_asks_and_stands_in_the_journal(
    verb: str, argument: str, why: str, kind: str
) -> None:
    async def story(table: Table) -> None:
        with pytest.raises(NotPossible, match=why):
            ordering.order(board(table.bench), "lea", verb, argument)
        await table.bench.pass_time(0.5)
        assert kind in table.bench.kinds()
        assert table.together == {LEG, "chan-1"}, "she stays with him"
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story)


def test_resume_without_a_caller_on_hold_is_about_her_pause() -> None:
    async def story(table: Table) -> None:
        assert ordering.order(board(table.bench), "lea", "resume", "") is None
        assert ordering.order(board(table.bench), "ines", "resume", "") is None
        assert ordering.order(board(table.bench), "lea", "pause", "") is None
        with pytest.raises(NotPossible, match="no conversation"):
            ordering.order(board(table.bench), "ines", "hold", "")
        with pytest.raises(LookupError, match="nobody"):
            ordering.order(board(table.bench), "nobody", "hold", "")
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story)


def test_of_two_conversations_the_later_one_is_meant() -> None:
    async def story(table: Table) -> None:
        table.telephone.holds(LEG)
        table.telephone.dials("lea", "0639981021")
        await table.bench.pass_time(4.0)
        found = board(table.bench)
        answer = ordering.order(found, "lea", "hold", "")
        assert answer is not None
        assert answer["call"] == "c2"
        await table.bench.pass_time(0.5)
        for channel in list(table.telephone.channels):
            table.telephone.vanishes(channel, 16)
        await table.bench.pass_time(3.0)
        assert table.bench.failure() is None
        await table.bench.kill()

    told(story)


def test_nobody_in_a_conversation_shows_nothing() -> None:
    async def story(table: Table) -> None:
        empty = {"held_since": None, "held_by": None, "third": None}
        assert ordering.conversation(board(table.bench), "ines") == empty
        assert ordering.conversation(board(table.bench), "lea") == empty
        table.telephone.caller_hangs_up("chan-1")
        await table.over()

    told(story)


def test_the_status_line_says_who_is_on_hold_and_who_else_is_there() -> None:
    row = {
        "id": "lea",
        "state": "talking",
        "since": "2026-11-22T10:00:00+00:00",
        "reason": None,
        "call": "c1",
        "over_quota": [],
        "forwards": {},
        "held_since": "2026-11-22T10:01:00+00:00",
        "third": {"name": "", "number": DOCTOR, "state": "ringing"},
    }
    status = {
        "database": {"state": "up", "behind": 0},
        "asterisk": {"state": "up"},
        "calls": 1,
        "config_version": "v1",
        "trunks": [],
        "secretaries": [row],
        "parked": [],
        "rooms": [],
        "overrides": [],
        "waiting": [],
    }
    (line,) = [line for line in said(status, Speech(SENTENCES, "en"), ZoneInfo("UTC")) if "lea" in line]
    assert "c1, on hold since 2026-11-22 10:01:00, with +33639981021 (ringing)" in line

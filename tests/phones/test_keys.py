from __future__ import annotations

import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from autocom.phones.keys import MOST_TICKETS, SESSION, TICKET, Guesses, Sessions, Tickets

SECRETS = {"lea": "digest-of-lea", "ines": "digest-of-ines"}


def test_a_ticket_works_once_for_what_it_was_given_and_not_too_late() -> None:
    tickets = Tickets()
    word = tickets.issue("lea", "page", 100.0)
    assert tickets.redeem(word, "linphone", 101.0) is None
    assert tickets.redeem(word, "page", 101.0) == "lea"
    assert tickets.redeem(word, "page", 101.0) is None
    late = tickets.issue("lea", "page", 100.0)
    assert tickets.redeem(late, "page", 100.0 + TICKET) is None


def test_tickets_that_nobody_uses_do_not_pile_up() -> None:
    tickets = Tickets()
    first = tickets.issue("lea", "page", 0.0)
    for _ in range(MOST_TICKETS):
        last = tickets.issue("lea", "page", 0.0)
    assert tickets.redeem(first, "page", 1.0) is None
    assert tickets.redeem(last, "page", 1.0) == "lea"


def test_a_session_outlives_a_restart_and_ends_with_the_password(tmp_path: Path) -> None:
    key = tmp_path / "state" / "sessions.key"
    session = Sessions.kept_in(key).open("lea", SECRETS["lea"], 100.0)
    again = Sessions.kept_in(key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert again.who(session, SECRETS.get, 200.0) == "lea"
    assert again.who(session, SECRETS.get, 101.0 + SESSION) is None
    assert again.who(session, {"lea": "another"}.get, 200.0) is None
    assert again.who(session, {}.get, 200.0) is None


@given(st.text(max_size=120))
def test_what_we_did_not_sign_is_nobodys(word: str) -> None:
    assert Sessions(b"key").who(word, SECRETS.get, 0.0) is None


@given(st.data())
def test_a_session_that_was_touched_is_nobodys(data: st.DataObject) -> None:
    session = Sessions(b"key").open("lea", SECRETS["lea"], 100.0)
    at = data.draw(st.integers(0, len(session) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != session[at]))
    assert Sessions(b"key").who(session[:at] + other + session[at + 1 :], SECRETS.get, 101.0) is None


def test_guesses_wait_once_they_are_too_many_and_are_forgotten_with_time_or_by_a_right_one() -> None:
    guesses = Guesses(3, 60.0)
    for second in range(3):
        assert guesses.wait("lea", second) == 0
        guesses.wrong("lea", second)
    assert guesses.wait("lea", 3.0) == 57.0
    assert guesses.wait("ines", 3.0) == 0
    assert guesses.wait("lea", 60.0) == 0
    guesses.wrong("lea", 60.0)
    guesses.right("lea")
    assert guesses.wait("lea", 60.0) == 0

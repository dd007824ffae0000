"""The bureau of the storms: every kind of step, three secretaries, a roster, and a trunk with few channels."""

from __future__ import annotations

from dataclasses import replace

from autocom.core.model import (
    Announcements,
    Answer,
    Audio,
    Callback,
    Configuration,
    Contact,
    Enqueue,
    Forward,
    Hangup,
    HangupKind,
    Menu,
    Mode,
    OnCall,
    Play,
    Ringback,
    Ringing,
    Roster,
    Rule,
    SendMessage,
    Shift,
    Team,
    Trunk,
    Voicemail,
    When,
    Widening,
)
from tests.calls.test_promise import HOLD, OPEN, PROMISED, REFUSED
from tests.calls.test_waiting import PHRASES
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, client, configuration

CELL, SECOND, LEAD = "+33639981021", "+33639981022", "+33639981029"
ASK = Audio("ask", "ask", 1.5)
LEAVE, BEEP, SAVED = (
    Audio("voicemail", "leave", 3.0),
    Audio("beep", "beep", 0.3),
    Audio("saved", "saved", 2.0),
)
WHISPER, COMFORT, TRYING = (
    Audio("whisper", "whisper", 0.8),
    Audio("comfort", "comfort", 2.0),
    Audio("trying", "trying", 2.0),
)
MENU = Audio("menu", "menu", 2.0)
STAFF = ("lea", "ines", "zoe")
NUMBERS = ("0639980101", "0639980102", "0639980103", "0639980104")
OUTSIDE = (CELL, SECOND, LEAD, *(f"+33{number[1:]}" for number in NUMBERS))
BOX = Voicemail(mail=("a@lilas.example",), max_seconds=12.0)
SOUNDS = (PROMISED, HOLD, REFUSED, ASK, LEAVE, BEEP, SAVED, WHISPER, COMFORT, TRYING, MENU)
KEYED = Enqueue(
    "medical",
    CALM,
    ring_for=4.0,
    announce=Announcements(position=True, wait=True, every=7.0, first_after=3.0),
    max_wait=20.0,
    on_timeout=(BOX,),
    on_nobody=(Forward(CELL, ring_for=5.0, accept="1", ask=ASK), Play(CLOSED), Hangup()),
    keys={
        "1": (Callback(tries=2, retry_after=6.0),),
        "2": (Play(CLOSED), BOX),
        "3": (Forward(SECOND, ring_for=6.0),),
        "4": (Enqueue("general", CALM, ring_for=3.0, max_wait=8.0, on_timeout=(BOX,)),),
    },
)
AGAIN = Enqueue("general", None, ring_for=3.0, ring=Ringing.ALL, max_wait=9.0, on_timeout=(BOX,))
CLIENTS = (
    client("keyed", "+33199001001", Play(WELCOME), KEYED, hours=OPEN, wrap_up_max=2.0),
    client("forwarded", "+33199001002", Forward(CELL, ring_for=6.0, accept="1", ask=ASK), BOX),
    client(
        "called",
        "+33199001003",
        Play(WELCOME, Mode.ANSWERED),
        OnCall("plumbers", ASK),
        SendMessage("a@lilas.example", "{client} {caller}"),
        Play(CLOSED),
    ),
    client(
        "menu",
        "+33199001004",
        Menu(
            MENU,
            {
                "1": (Play(WELCOME, must_hear=True), replace(KEYED, keys={}, announce=None)),
                "2": (BOX,),
                "3": (Ringback(2.0), Answer(), Hangup(HangupKind.BUSY)),
                "4": (Forward(SECOND, ring_for=5.0),),
            },
            wait=3.0,
            otherwise=(OnCall("plumbers", ASK),),
        ),
        on_fax=(SendMessage("a@lilas.example", "fax"), Play(CLOSED), Hangup()),
    ),
    client(
        "ringing",
        "+33199001005",
        Play(WELCOME, if_waiting=5.0),
        Enqueue("medical", None, ring_for=4.0, ringing=True, max_wait=5.0, on_timeout=(AGAIN,)),
        early_limit=3.0,
    ),
    client(
        "small",
        "+33199001006",
        Play(WELCOME, must_hear=True),
        Enqueue("general", CALM, ring=Ringing.ALL, ring_for=5.0, on_nobody=(BOX,), on_closing=(BOX,)),
        hours=OPEN,
        max_calls=2,
        on_full=(Play(CLOSED, Mode.ANSWERED), Hangup(HangupKind.BUSY)),
        wrap_up_min=0.5,
        wrap_up_max=1.5,
        returning_within=20.0,
        rules=(
            Rule("closed", When(open=False), (Play(CLOSED, Mode.ANSWERED), Hangup())),
            Rule(
                "open",
                None,
                (
                    Play(WELCOME, must_hear=True),
                    Enqueue("general", CALM, ring=Ringing.ALL, ring_for=5.0, on_nobody=(BOX,)),
                ),
            ),
        ),
    ),
)


def bureau(version: str = "v1") -> Configuration:
    """Every client, three secretaries, a roster, and a trunk with few channels."""
    staff = {"lea": {"medical": 1}, "ines": {"medical": 2, "general": 1}, "zoe": {"general": 1}}
    plain = configuration(*CLIENTS, **staff)
    stock = replace(
        plain.stock,
        phrases={"fr": PHRASES},
        callback_promised=PROMISED,
        callback_hold=HOLD,
        callback_refused=REFUSED,
        voicemail=LEAVE,
        voicemail_saved=SAVED,
        beep=BEEP,
        comfort=COMFORT,
        still_trying=TRYING,
        whispers={"keyed": WHISPER, "small": WHISPER},
    )
    secretaries = {name: replace(s, whisper=name != "zoe") for name, s in plain.secretaries.items()}
    shift = Shift((Contact("First", CELL), Contact("Second", SECOND)))
    return replace(
        plain,
        version=version,
        stock=stock,
        bureau=replace(plain.bureau, pause_after=0),
        secretaries=secretaries,
        teams={"medical": Team("medical", (Widening(6.0, "general"),)), "general": Team("general")},
        trunks={"operator": Trunk("operator", ("127.0.0.1",), host="telco.test", max_calls=8)},
        rosters={"plumbers": Roster("plumbers", (shift,), 4.0, 2, 1.0, "1", Contact("Lead", LEAD))},
    )

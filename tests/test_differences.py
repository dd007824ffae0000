"""What a change does, in sentences; and which of the journal's calls it would have sent elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from autocom.core.journal import Json
from autocom.core.model import (
    Announcements,
    Audio,
    Callback,
    Client,
    Closure,
    Configuration,
    Enqueue,
    Forward,
    ForwardReason,
    Hangup,
    Hours,
    Line,
    Listed,
    Menu,
    Mode,
    Play,
    Quota,
    Rule,
    Step,
    Team,
    TimeRange,
    Voicemail,
    When,
    Widening,
)
from autocom.core.numbers import FRANCE
from autocom.differences import Difference, differences, in_words
from autocom.replay import replay
from tests.support import exchange_in_memory as memory

MORNING, AFTERNOON = TimeRange(time(8), time(12)), TimeRange(time(14), time(19))
WEEK = dict.fromkeys(range(1, 6), (MORNING, AFTERNOON))
PARIS = ZoneInfo("Europe/Paris")
SAID = Audio("say-1", "", 0.0, "Le cabinet est fermé.")
CLOSED = Rule("closed", When(open=False), (Play(SAID, Mode.ANSWERED), Hangup()))
OPEN = Rule("open", None, (Enqueue("medical", on_timeout=(Hangup(),)),))


def client(*rules: Rule, **changes: object) -> Client:
    made = memory.client(
        "lilas", "+33199001001", rules=rules or (CLOSED, OPEN), hours=Hours("Europe/Paris", WEEK)
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def bureau(*clients: Client) -> Configuration:
    return memory.configuration(*(clients or (client(),)))


def told(old: Configuration, new: Configuration, language: str = "en") -> list[str]:
    return [f"{one.where}: {one.text}" for one in differences(old, new, language)]


def of_client(new: Client, language: str = "en", old: Client | None = None) -> list[str]:
    return [
        text.removeprefix("client lilas: ") for text in told(bureau(old or client()), bureau(new), language)
    ]


def week(**days: object) -> Client:
    numbered = {"mon": 1, "tue": 2, "wed": 3, "sat": 6, "sun": 7}
    changed = {numbered[day]: ranges for day, ranges in days.items()}
    return client(hours=Hours("Europe/Paris", {**WEEK, **changed}))  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("new", "english", "french"),
    [
        (
            week(tue=(MORNING, replace(AFTERNOON, end=time(18)))),
            "Tuesday now closes at 18:00 instead of 19:00",
            "le mardi : ferme désormais à 18:00 au lieu de 19:00",
        ),
        (
            week(tue=(replace(MORNING, start=time(9)), AFTERNOON)),
            "Tuesday now opens at 09:00 instead of 08:00",
            "le mardi : ouvre désormais à 09:00 au lieu de 08:00",
        ),
        (
            week(mon=(MORNING,), tue=(MORNING,), wed=(MORNING,)),
            "Monday to Wednesday now 08:00-12:00 instead of 08:00-12:00, 14:00-19:00",
            "du lundi au mercredi : désormais 08:00-12:00 au lieu de 08:00-12:00, 14:00-19:00",
        ),
        (
            week(tue=()),
            "Tuesday now closed, instead of 08:00-12:00, 14:00-19:00",
            "le mardi : désormais fermé, au lieu de 08:00-12:00, 14:00-19:00",
        ),
        (
            week(sat=(TimeRange(time(8), time(0)),)),
            "Saturday now open 08:00-24:00, closed until now",
            "le samedi : désormais ouvert 08:00-24:00, fermé jusque-là",
        ),
    ],
)
def test_hours_are_told_by_day(new: Client, english: str, french: str) -> None:
    assert of_client(new) == [english]
    assert of_client(new, "fr") == [french]


def test_dated_closures_and_absences_come_and_go() -> None:
    away = Closure(
        datetime.fromisoformat("2026-12-24 12:00"), datetime.fromisoformat("2026-12-27"), "Noël", SAID
    )
    hours = Hours("Europe/Paris", WEEK, {date(2026, 12, 25): "Noël"}, (replace(away, play=None),), (away,))
    texts = of_client(client(hours=hours, absences=(away,)))
    span = "Noël from 2026-12-24 12:00 to 2026-12-27 00:00"
    assert texts == [
        f"closure: {span} (new)",
        f"exceptional opening: {span}, message « Le cabinet est fermé. » (new)",
        "holidays: Noël (new)",
        f"absence: {span}, message « Le cabinet est fermé. » (new)",
    ]
    back = of_client(client(), old=client(hours=hours, absences=(away,)))
    assert f"closure: no longer {span}" in back


def test_numbers_and_plain_keys_are_told_in_the_words_of_the_file() -> None:
    new = client(
        lines=(Line("+33199001001"), Line("+33199001005", "+33261912010")),
        priority=70,
        target=30.0,
        wrap_up_max=20.0,
        max_calls=6,
        vip=("+33639980101",),
        phrases={ForwardReason.BUSY: "Bonjour"},
    )
    assert of_client(new) == [
        "priority: 70 instead of 50",
        "target: 30s instead of 20s",
        "max_calls: 6 (new)",
        "wrap_up.max: 20s instead of 0s",
        "phrases: busy: Bonjour (new)",
        "vip.callers: +33639980101 (new)",
        "number: +33199001005 forwarded by +33261912010 (new)",
    ]


def test_rules_are_added_removed_moved_and_their_conditions_changed() -> None:
    nuisance = Rule("nuisance", When(caller=("+33199006666",)), (Hangup(),))
    night = replace(CLOSED, when=When(open=False, days=(6, 7)))
    texts = of_client(client(nuisance, night, OPEN), old=client(CLOSED, nuisance, OPEN))
    assert texts == [
        "order of the rules: nuisance, closed, open instead of closed, nuisance, open",
        "rule closed, conditions: hours: closed; days: Saturday, Sunday instead of hours: closed",
    ]
    assert of_client(client(nuisance, CLOSED, OPEN)) == [
        "rule nuisance: new (caller: +33199006666)",
        "rule nuisance: hangup normal (new)",
    ]
    assert of_client(client(OPEN)) == ["rule closed: removed"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((Enqueue("legal", on_timeout=(Hangup(),)),), "for team legal"),
        ((Enqueue("medical", max_wait=300.0, on_timeout=(Hangup(),)),), "at most 5m"),
        ((Enqueue("medical", on_timeout=(Voicemail(),)),), "voicemail (at most 2m) instead of hangup normal"),
        ((Enqueue("medical", on_timeout=(Hangup(),), on_closing=(Play(SAID),)),), '"Le cabinet est fermé."'),
        ((Enqueue("medical", on_timeout=(Hangup(),), keys={"1": (Callback(),)}),), "promise to call back"),
        ((Enqueue("medical", on_timeout=(Hangup(),), serve_after_closing=True),), "served after closing"),
        (
            (Enqueue("medical", on_timeout=(Hangup(),), on_answer=SAID),),
            '"Le cabinet est fermé." just before',
        ),
        ((Enqueue("medical", on_timeout=(Hangup(),), nobody_paused=True),), "all paused counts as nobody"),
        (
            (Enqueue("medical", on_timeout=(Hangup(),), max_expected_wait=300.0, on_long_wait=(Hangup(),)),),
            "at most 5m of expected wait",
        ),
        (
            (Enqueue("medical", on_timeout=(Hangup(),), prefer=("lea",), prefer_for=15.0),),
            "lea first for 15s",
        ),
        (
            (Enqueue("medical", on_timeout=(Hangup(),), announce=Announcements(position=True)),),
            "announces the position after 30s, then every 45s",
        ),
        ((Menu(SAID, {"1": (Hangup(),)}), OPEN.do[0]), "menu"),
        (
            (Forward("+33639981011", accept="1"),),
            "forward to +33639981011 (25s, presents client, taken by key 1)",
        ),
    ],
)
def test_a_step_at_any_depth_is_told_in_full(steps: tuple[Step, ...], expected: str) -> None:
    texts = of_client(client(CLOSED, replace(OPEN, do=steps)))
    assert any(expected in text for text in texts), texts
    assert all(text.startswith("rule open: ") for text in texts)


def test_secretaries_teams_and_the_bureau_are_told_and_no_password_is_shown() -> None:
    old = bureau()
    lea = replace(
        old.secretaries["lea"], password="topsecret", teams={"legal": 2}, languages=("fr", "de"), whisper=True
    )
    new = replace(
        old,
        bureau=replace(old.bureau, pause_after=5, quotas={"break": Quota(longest=900.0)}),
        secretaries={"lea": lea},
        teams={"medical": Team("medical", (Widening(20.0, "legal"),)), "legal": Team("legal")},
    )
    texts = told(old, new)
    assert texts == [
        "bureau: no_answer.pause_after: 5 instead of 3",
        "bureau: pauses: break: max 15m (new)",
        "secretary ines: removed",
        "secretary lea: languages: fr, de instead of fr",
        "secretary lea: whisper: yes instead of no",
        "secretary lea: password: changed",
        "secretary lea: joins team legal at level 2",
        "secretary lea: leaves team medical",
        "team legal: new",
        "team medical: widen: legal +20s (new)",
    ]
    assert "topsecret" not in "".join(texts)


def test_a_lists_reasons_and_ends_and_whom_the_bureau_blocks_are_told() -> None:
    def listed(reason: str, last: str) -> When:
        return When(caller=("nobody",), listed=(Listed("+33199006666", "nuisance", reason, 1e9, last),))

    known = Rule("known", listed("démarchage", "2026-12-31"), (Hangup(),))
    longer = replace(known, when=listed("démarchage", "2027-12-31"))
    (text,) = of_client(client(longer, OPEN), old=client(known, OPEN))
    assert text.endswith(
        "caller: +33199006666 (démarchage, until 2027-12-31) instead of "
        "caller: +33199006666 (démarchage, until 2026-12-31)"
    )
    blocking = replace(bureau(), blocked=Rule("blocked", When(caller=("+33162*",)), (Hangup(),)))
    assert told(bureau(), blocking) == ["bureau: blocked: caller: +33162* (new)"]
    assert told(blocking, bureau()) == ["bureau: blocked: no longer caller: +33162*"]
    assert told(blocking, blocking) == []


def test_equal_configurations_have_nothing_to_tell() -> None:
    assert told(bureau(), bureau()) == []
    assert list(in_words("a", "b", (), "fr")) == [
        "de la version a à la version b : rien ne change dans ce qui est décidé"
    ]
    lines = list(in_words("a", "b", (Difference("x", "1"), Difference("x", "2")), "en"))
    assert lines == ["from version a to version b: 2 differences", "x", "  1", "  2"]


@pytest.mark.parametrize("name", [f.name for f in fields(Client) if f.name != "id"])
def test_no_key_of_a_client_changes_in_silence(name: str) -> None:
    other: dict[str, object] = {
        "lines": (Line("+33199001009"),),
        "hours": Hours("Indian/Reunion", WEEK),
        "rules": (OPEN,),
        "absences": (Closure(datetime.fromisoformat("2026-12-24"), datetime.fromisoformat("2026-12-25")),),
        "on_full": (Hangup(),),
        "on_fax": (Hangup(),),
        "phrases": {ForwardReason.BUSY: "x"},
        "vip_listed": (Listed("+33639980101", "vips", "famille"),),
    }
    value = getattr(client(), name)
    if name not in other:
        other[name] = (
            not value
            if isinstance(value, bool)
            else value + 1
            if isinstance(value, int | float)
            else ("x",)
            if isinstance(value, tuple)
            else 7
            if name == "max_calls"
            else "other"
        )
    assert of_client(client(**{name: other[name]})), name


# --- replay -----------------------------------------------------------------------------------


def call(n: int, at: str, **more: Json) -> Mapping[str, Json]:
    row: dict[str, Json] = {
        "id": f"c{n}",
        "did": "+33199001001",
        "caller": "+33639980101",
        "anonymous": False,
        "forwarded_from": None,
        "forward_reason": None,
        "arrived_at": at,
    }
    return row | more


def test_calls_of_the_journal_are_decided_by_both_and_those_that_differ_are_named() -> None:
    earlier = week(tue=(MORNING, replace(AFTERNOON, end=time(18))))
    calls = [
        call(3, "2026-11-24T17:30:00.000Z"),  # a Tuesday, half past six in Paris
        call(2, "2026-11-24T16:30:00.000Z"),
        call(1, "2026-11-23T17:30:00.000Z", caller=None, anonymous=True),
    ]
    found = replay(bureau(), bureau(earlier), calls, FRANCE)
    assert found.calls == 3
    assert [row["call"] for row in found.elsewhere] == ["c3"]
    assert str(found.elsewhere[0]["old"]).startswith("lilas, open: file de l'équipe medical")
    assert str(found.elsewhere[0]["new"]).startswith("lilas, closed: message « Le cabinet est fermé. »")
    assert next(iter(found.in_words("en", PARIS))) == "3 calls replayed: 1 would have gone elsewhere"
    assert replay(bureau(), bureau(), calls, FRANCE).elsewhere == ()


def test_a_number_that_moves_to_another_client_takes_its_calls_along() -> None:
    other = replace(client(), id="roux", lines=(Line("+33199001001"),))
    empty = client(lines=(Line("+33199001002"),))
    calls = [call(1, "2026-11-24T10:30:00.000Z", forwarded_from="+33261912010", forward_reason="busy")]
    found = replay(bureau(), bureau(empty, other), calls, FRANCE)
    assert [str(row["new"]).partition(",")[0] for row in found.elsewhere] == ["roux"]


# --- what counts as elsewhere ------------------------------------------------------------------

MIDDAY = "2026-11-24T10:30:00.000Z"


def moved(steps: tuple[Step, ...], other: tuple[Step, ...], **more: Json) -> int:
    """How many calls go elsewhere where these steps are exchanged for others."""
    old, new = (bureau(client(CLOSED, Rule("open", None, each))) for each in (steps, other))
    return len(replay(old, new, [call(1, MIDDAY, **more)], FRANCE).elsewhere)


def queue(**changes: object) -> tuple[Step, ...]:
    return (replace(Enqueue("medical", on_timeout=(Hangup(),)), **changes),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [
        {"max_wait": 90.0},
        {"announce": Announcements(position=True)},
        {"ring_for": 30.0},
        {"prefer": ("lea",), "prefer_for": 10.0},
        {"on_nobody": (Forward("+33639980105"),)},
    ],
)
def test_what_is_only_heard_or_lasts_otherwise_is_not_elsewhere(changed: dict[str, object]) -> None:
    assert moved(queue(), queue(**changed)) == 0
    assert moved(queue(), (Play(SAID), *queue())) == 0


def test_another_team_a_forward_or_another_end_is_elsewhere() -> None:
    assert moved(queue(), queue(team="legal")) == 1
    assert moved(queue(), (Forward("+33639980105"),)) == 1
    assert moved((Hangup(),), (Voicemail(),)) == 1
    assert moved((Menu(SAID, {"1": queue()}),), (Menu(SAID, {"1": queue(team="legal")}),)) == 1


def test_the_way_out_that_the_call_took_counts_and_no_other_one() -> None:
    sent_on = queue(on_timeout=(Forward("+33639980105"),))
    assert moved(queue(), sent_on, outcome="served") == 0
    assert moved(queue(), sent_on, outcome="timeout") == 1
    assert moved(sent_on, queue(), outcome="forwarded", queued_at=MIDDAY) == 1
    assert moved(queue(on_nobody=(Voicemail(),)), queue(), outcome="timeout") == 0


def test_one_is_not_told_as_several_and_times_are_the_bureaus() -> None:
    old, new = bureau(), bureau(client(CLOSED, Rule("open", None, queue(team="legal"))))
    found = replay(old, new, [call(1, MIDDAY)], FRANCE)
    french, english = (tuple(found.in_words(language, PARIS)) for language in ("fr", "en"))
    assert french[0] == "1 appel rejoué : 1 serait allé ailleurs"
    assert english[0] == "1 call replayed: 1 would have gone elsewhere"
    assert french[1].startswith("  2026-11-24 11:30:00  c1  ")
    one = differences(old, new, "fr")[:1]
    assert next(in_words("a", "b", one, "fr")) == "de la version a à la version b : 1 différence"
    assert next(in_words("a", "b", one, "en")) == "from version a to version b: 1 difference"
    assert next(in_words("a", "b", one * 2, "en")) == "from version a to version b: 2 differences"

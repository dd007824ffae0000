"""The decision trail of a call that has not come yet: complete, true to the rules, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autocom.core.ingress import NumberBook, identify
from autocom.core.model import (
    Audio,
    Client,
    Closure,
    Configuration,
    Contact,
    Decision,
    Enqueue,
    ForwardReason,
    Hangup,
    HangupKind,
    Hours,
    Line,
    Listed,
    Menu,
    Mode,
    OnCall,
    Play,
    Roster,
    Rule,
    Secretary,
    Shift,
    Team,
    TimeRange,
    Trunk,
    When,
    Widening,
)
from autocom.core.numbers import FRANCE
from autocom.core.overrides import Override
from autocom.core.routing import Circumstances, choose
from autocom.core.telephony import RawHeaders
from autocom.explain import Asked, Live, explain
from autocom.explained import lines
from autocom.sentences import _FRENCH, said
from autocom.timeline import iso
from tests.support import exchange_in_memory as memory

PARIS = ZoneInfo("Europe/Paris")
SAID = Audio("say-1", "", 0.0, "Le cabinet est fermé.")
WEEK = dict.fromkeys(range(1, 6), (TimeRange(time(8), time(19)),))
QUEUE = Enqueue("medical", prefer=("ines",), prefer_for=15.0, on_timeout=(Play(SAID), Hangup()))
RULES = (
    Rule("nuisance", When(caller=("+33199006666",)), (Hangup(),), 10),
    Rule("closed", When(open=False), (Play(SAID, Mode.ANSWERED), Hangup()), 12),
    Rule("nobody", When(nobody=True), (Hangup(),), 15),
    Rule("open", None, (Play(SAID), Menu(SAID, {"1": (QUEUE,)}), QUEUE), 18),
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


TUESDAY = at("2026-11-24 10:00")


def bureau(**changes: object) -> Configuration:
    lilas = replace(
        memory.client("lilas", "+33199001001", hours=Hours("Europe/Paris", WEEK)),
        **{"rules": RULES, "languages": ("de", "fr"), **changes},  # type: ignore[arg-type]
    )
    made = memory.configuration(lilas)
    staff = {
        "lea": Secretary("lea", "L", "201", "x", {"medical": 1}),
        "ines": Secretary("ines", "I", "202", "x", {"medical": 2}, ("fr", "de")),
        "zoe": Secretary("zoe", "Z", "203", "x", {"general": 1}),
        "maria": Secretary("maria", "M", "204", "x", {"medical": 1}, ("es",)),
        "eva": Secretary("eva", "E", "205", "x", {"medical": 1}, ("fr", "de")),
    }
    teams = {"medical": Team("medical", (Widening(20.0, "general"),)), "general": Team("general")}
    return replace(made, secretaries=staff, teams=teams | {"legal": Team("legal")})


def trail(live: Live | None = None, moment: float = TUESDAY, **asked: Any) -> dict[str, Any]:
    return explain(bureau(), FRANCE, Asked("0199001001", moment, "0639980101", **asked), live, "en")  # type: ignore[return-value]


def test_every_rule_that_was_tried_is_there_with_its_reason_and_its_line() -> None:
    found = trail()
    assert [(t["rule"], t["matched"], t["line"]) for t in found["trail"]] == [
        ("nuisance", False, 10),
        ("closed", False, 12),
        ("nobody", False, 15),
        ("open", True, 18),
    ]
    assert found["trail"][1]["failed"] == "hours: open: Tuesday 08:00-19:00"
    assert found["next_change"] == {"at": "2026-11-24T18:00:00Z", "local": "2026-11-24 19:00"}


def test_steps_are_told_at_every_depth_and_what_is_spoken_by_its_text() -> None:
    found = trail()
    assert found["steps_in_full"] == [
        'play "Le cabinet est fermé." (early)',
        'menu "Le cabinet est fermé.", 6s to choose',
        "  key 1:",
        "    queue for team medical (longest_idle, 12 s each, ines first for 15s)",
        "      waited too long:",
        '        play "Le cabinet est fermé." (early)',
        "        hangup normal",
        "      too many calls: what the client's `on_full` says, else busy",
        "      nobody at work: he waits",
        "      closing while he waits: the rule that holds then",
        "queue for team medical (longest_idle, 12 s each, ines first for 15s)",
        "  waited too long:",
        '    play "Le cabinet est fermé." (early)',
        "    hangup normal",
        "  too many calls: what the client's `on_full` says, else busy",
        "  nobody at work: he waits",
        "  closing while he waits: the rule that holds then",
    ]


def test_secretaries_are_in_the_order_in_which_they_would_be_asked() -> None:
    found = trail()
    assert [(row["secretary"], row["after_s"]) for row in found["eligible"]] == [
        ("eva", 0.0),
        ("lea", 0.0),
        ("ines", 0.0),
        ("zoe", 20.0),
    ], "level first, then who speaks more of the client's languages, then the team he widens to"
    assert found["not_eligible"] == [{"secretary": "maria", "team": "medical", "why": "language"}]
    assert (found["queue"]["preferred"], found["queue"]["preferred_for_s"]) == (["ines"], 15.0)


def live(*overrides: Override, now: bool = True, **states: str) -> Live:
    rows = [
        {
            "client": o.client,
            "override": o.kind,
            "team": o.team,
            "since": iso(o.since),
            "until": iso(o.until),
            "author": o.author,
            "reason": o.reason,
        }
        for o in overrides
    ]
    secretaries = [{"id": name, "state": state} for name, state in states.items()]
    status: dict[str, Any] = {"overrides": rows, "secretaries": secretaries, "config_version": "v0"}
    return Live(status, now=now)


def test_what_the_running_exchange_says_counts() -> None:
    closed = Override("lilas", "closed", TUESDAY + 600, "chef", TUESDAY - 60)
    found = trail(live(closed, lea="free"))
    assert (found["rule"], found["open"]) == ("closed", False)
    assert found["hours"] == "closed: override by chef until 2026-11-24 10:10"
    assert found["next_change"]["local"] == "2026-11-24 10:10"
    assert trail(live(closed, lea="free"), TUESDAY + 600)["rule"] == "open", "it is over by then"
    moved = trail(live(Override("lilas", "team", TUESDAY + 600, "chef", TUESDAY - 60, "legal"), lea="free"))
    assert (moved["team"], moved["eligible"]) == ("legal", [])
    gone = trail(live(Override("lilas", "team", TUESDAY + 600, "chef", TUESDAY - 60, "gone"), lea="free"))
    assert gone["team"] == "medical", "a team that was removed cannot be waited for"


def test_who_is_at_work_counts_only_for_this_moment() -> None:
    assert trail(live(lea="logged_out", zoe="offline"))["rule"] == "nobody"
    assert trail(live(lea="paused"))["rule"] == "open"
    assert trail(live(lea="paused"))["at_work"] == {"lea": "paused"}
    later = trail(live(lea="logged_out", now=False))
    assert (later["rule"], later["at_work"]) == ("open", None)


@pytest.mark.parametrize(
    ("language", "talked", "expected"),
    [
        (
            "fr",
            False,
            "coupé par la panne d'Asterisk : jusqu'à 10:10 il retrouve sa place, en file depuis 09:55",
        ),
        (
            "fr",
            True,
            "coupé en conversation par la panne d'Asterisk : jusqu'à 10:10 il passe avant tout le monde",
        ),
        ("en", False, "cut off when Asterisk died: until 10:10 he has his place back, waiting since 09:55"),
        ("en", True, "cut off in a conversation when Asterisk died: until 10:10 he comes before everybody"),
    ],
)
def test_whom_the_end_of_asterisk_cut_off_is_told_that_he_has_his_place(
    language: str, talked: bool, expected: str
) -> None:
    row = {"client": "lilas", "caller": "+33639980101", "since": iso(TUESDAY - 300), "until": iso(TUESDAY + 600),
           "talked": talked, "secretary": "lea"}  # fmt: skip
    now = live(lea="free")
    now = replace(now, status={**now.status, "cut_off": [row]})
    for caller, said_so in (("0639980101", True), ("0639980102", False), (None, False)):
        found = explain(bureau(), FRANCE, Asked("0199001001", TUESDAY, caller), now, language)
        assert (expected in "\n".join(lines(found, FRANCE, language))) is said_so


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_lines_for_a_terminal_say_all_of_it(language: str) -> None:
    override = Override("lilas", "team", TUESDAY + 600, "chef", TUESDAY - 60, "medical")
    found = explain(
        bureau(), FRANCE, Asked("0199001001", TUESDAY, "0639980101"), live(override, eva="free"), language
    )
    text = "\n".join(lines(found, FRANCE, language))
    for part in ("lilas", "nuisance", "eva", "zoe", "maria", "chef", "Le cabinet est fermé.", "v0", "v1"):
        assert part in text, part
    if language == "fr":
        for part in ("règle open (ligne 18)", "niveau 1 de medical", "langue", "ouvert : mardi 08:00-19:00"):
            assert part in text, part
        assert not re.search(r"\b(the|is|open:|closed:|after)\b", text), text
    else:
        assert "rule open (line 18)" in text


def test_a_number_of_nobody_and_a_reason_without_a_line_are_explained_too() -> None:
    found = explain(bureau(), FRANCE, Asked("0199009999", TUESDAY))
    assert (found["client"], found["flags"], found["anonymous"]) == ("lilas", ["unknown_did"], True)
    asked = Asked("0199001001", TUESDAY, reason="no-answer")
    assert explain(bureau(), FRANCE, asked)["forward_reason"] == "no-answer"


# --- the core's sentences in French --------------------------------------------------------------


# as their own tests hold `autocom.advice` and `calls.deciding` to them
NO_ADVICE = {
    "it answered 503", "no answer within 800 ms", "it cannot be reached: ClientConnectorError",
    "its answer is no JSON", 'its answer is not {"rule": "NAME"}', "no time left",
    "it names a rule that the client does not have",
}  # fmt: skip


def sentences() -> set[str]:
    """What the core says of many calls, at many moments."""
    lines_ = (Line("+33199001001"), Line("+33199001005", "+33261912010"))
    first = memory.client("lilas", "+33199001001")
    first = replace(first, lines=lines_)
    second = replace(first, id="roux", lines=(Line("+33199001005", "+33353010101"),))
    third = replace(first, id="kine", lines=(Line("+33199001006"),))
    fourth = replace(first, id="syndic", lines=(Line("+33199001007", "+33465710101"),))
    book = NumberBook.of(memory.configuration(first, second, third, fourth))
    hello = "<sip:0639980101@telco.test>"
    raws = [
        RawHeaders("0199001001", from_=hello),
        RawHeaders("0199001005", from_=hello),
        RawHeaders("0199001005", from_=hello, diversion=("<sip:0261912010@x>;reason=no-answer",)),
        RawHeaders("0199001005", from_=hello, diversion=("<sip:0536490702@x>;reason=no-answer",)),
        RawHeaders("0199001005", from_=hello, diversion=("<sip:anonymous@x>;reason=busy",)),
        RawHeaders("0199001006", from_="<sip:0162001234@x>"),
        RawHeaders("0199001007", from_=hello),
        RawHeaders("0199009999", from_="<sip:bob@x>"),
        RawHeaders("trunk", to="<sip:0199001001@x>", from_="<sip:anonymous@anonymous.invalid>"),
        RawHeaders(
            "0199009999", to="<sip:0199001001@x>", from_=hello, p_asserted_identity="<sip:0639980102@x>"
        ),
        RawHeaders("trunk", to="<sip:nobody@x>", from_=hello),
    ]
    found = {
        sentence
        for raw in raws
        for did_in in ("request_uri", "to")
        for sentence in identify(raw, Trunk("operator", (), did_in), book, FRANCE).why
    }
    return found | conditions() | NO_ADVICE


def conditions() -> set[str]:
    whens = [
        When(caller=("+33199006666",)), When(open=True), When(open=False), When(absence=True), When(absence=False),
        When(forward_reason=(ForwardReason.BUSY,)), When(did=("+33199001009",)), When(days=(7,)),
        When(dates=((date(2020, 1, 1), date(2020, 1, 1)),)), When(time=(TimeRange(time(3), time(4)),)),
        When(waiting_over=4), When(nobody=True), When(nobody=False),
    ]  # fmt: skip
    ends = at("2026-01-01 00:00")
    whens += [
        When(caller=("nobody",), listed=(Listed("+33639980101", "vips", reason, until, "2025-12-31"),))
        for reason, until in (("", None), ("famille", None), ("famille", ends))
    ]
    noel = Closure(datetime.fromisoformat("2026-11-25"), datetime.fromisoformat("2026-11-26"), "Noël")
    hours = Hours("Europe/Paris", WEEK, {date(2026, 11, 27): "Férié"})
    kinds: list[Client] = []
    for changed, absences in (
        (hours, ()),
        (hours, (noel,)),
        (replace(hours, closures=(noel,)), ()),
        (replace(hours, openings=(noel,)), ()),
    ):
        for when in whens:
            rules = (Rule("asked", when, ()), Rule("last", None, ()))
            made = memory.client("lilas", "+33199001001", rules=rules, hours=changed)
            kinds.append(replace(made, absences=absences))
    overrides = [None, *(Override("lilas", kind, TUESDAY * 2, "chef", 0.0) for kind in ("open", "closed"))]
    about: list[dict[str, Any]] = [
        {"caller": "+33639980101", "did": "+33199001001", "forward_reason": ForwardReason.UNKNOWN},
        {"anonymous": True},
        {"nobody": True},
    ]
    found: set[str] = set()
    for client in kinds:
        for moment in ("2026-11-24 10:00", "2026-11-25 12:00", "2026-11-27 12:00", "2026-11-29 12:00"):
            for override in overrides:
                for more in about:
                    choice = choose(client, Circumstances(at(moment), override=override, **more))
                    found |= {t.failed for t in choice.trail if t.failed} | {choice.hours_why}
                    found |= {t.because for t in choice.trail if t.because}
    return found


def test_every_sentence_of_the_core_has_its_french_and_every_french_one_is_said() -> None:
    every = sentences()
    untranslated = {
        sentence for sentence in every if not any(pattern.fullmatch(sentence) for pattern, _ in _FRENCH)
    }
    assert untranslated == set()
    idle = [pattern.pattern for pattern, _ in _FRENCH if not any(pattern.fullmatch(s) for s in every)]
    assert idle == []
    for sentence in every:
        assert not re.search(r"\b(the|is|of|closed:|open:|Monday|Sunday)\b", said(sentence, "fr")), sentence
        assert said(sentence, "en") == sentence


# --- lists -----------------------------------------------------------------------------------


LISTED = Listed("+33639980101", "nuisance", "démarchage", at("2026-12-31 18:00"), "2026-12-31 18:00")
BLOCKING = Rule("blocked", When(caller=("nobody",), listed=(LISTED,)), (Hangup(HangupKind.BUSY),), 7)


def listing(moment: str, *, blocked: bool = False, caller: str | None = "0639980101") -> dict[str, Any]:
    rules = (Rule("known", BLOCKING.when, (Hangup(),), 3), *RULES)
    made = bureau(rules=rules)
    made = replace(made, blocked=BLOCKING if blocked else None)
    return explain(made, FRANCE, Asked("0199001001", at(moment), caller), None, "en")


def test_the_list_and_its_reason_are_in_the_trail_until_its_end_and_the_end_after_it() -> None:
    during, after = listing("2026-12-31 17:59"), listing("2026-12-31 18:00")
    assert during["rule"] == "known"
    assert during["trail"][0]["because"] == "the caller is in list nuisance: démarchage"
    assert (
        "rule known: its conditions hold because the caller is in list nuisance: démarchage" in during["why"]
    )
    assert during["next_change"]["local"] == "2026-12-31 18:00", "the clock alone changes it"
    assert after["trail"][0]["failed"] == "caller: stood in list nuisance until 2026-12-31 18:00"
    assert after["rule"] == "open"
    told = {language: "\n".join(lines(during, FRANCE, language)) for language in ("fr", "en")}
    assert (
        "known: ses conditions sont réunies, car l'appelant est dans la liste nuisance : démarchage"
        in told["fr"]
    )
    assert "known: its conditions hold because the caller is in list nuisance: démarchage" in told["en"]
    assert "caller : était dans la liste nuisance jusqu'au 2026-12-31 18:00" in "\n".join(
        lines(after, FRANCE, "fr")
    )


def test_whom_the_bureau_blocks_is_told_with_the_file_that_says_so() -> None:
    found = listing("2026-12-31 17:59", blocked=True)
    assert (found["rule"], found["line"], found["blocked"]) == ("blocked", 7, True)
    assert found["steps"] == ["hangup busy"]
    assert "rule blocked (bureau.yaml, line 7)" in list(lines(found, FRANCE, "en"))
    other = listing("2026-12-31 17:59", blocked=True, caller="0639980102")
    assert (other["rule"], other["trail"][0]["rule"], other["trail"][0]["line"]) == ("open", "blocked", 7)


def test_a_masked_caller_is_in_no_list_and_no_number_is_written() -> None:
    found = listing("2026-12-31 17:59", blocked=True, caller=None)
    assert found["rule"] == "open"
    assert {t["because"] for t in found["trail"]} == {None}
    assert "39980101" not in str(found["trail"]) + str(found["why"])


@pytest.mark.parametrize(
    ("language", "expected"), [("fr", "jusqu'à 2026-11-24 10:10"), ("en", "until 2026-11-24 10:10")]
)
def test_an_override_ends_at_a_time_of_the_bureau(language: str, expected: str) -> None:
    found = trail(live(Override("lilas", "closed", TUESDAY + 600, "chef", TUESDAY - 60), lea="free"))
    line = next(told for told in lines(found, FRANCE, language) if "chef" in told)
    assert expected in line


def test_the_clients_own_system_is_named_and_its_rule_is_the_default() -> None:
    asks = bureau(decision=Decision("https://agenda.example/decision?token=secret", 0.8))
    found = explain(asks, FRANCE, Asked("0199001001", TUESDAY, "0639980101"))
    assert found["decision"] == {"host": "agenda.example", "within_s": 0.8}
    assert found["rule"] == "open"
    for language, sentence in (
        ("fr", "agenda.example est d'abord interrogé et peut nommer une autre règle ; sans réponse en 800ms"),
        ("en", "agenda.example is asked first and may name another rule; without an answer within 800ms"),
    ):
        text = "\n".join(lines(found, FRANCE, language))
        assert sentence in text
        assert "secret" not in text
    assert trail()["decision"] is None


def night(at_: str) -> list[str]:
    """Explained in English: a rule that only asks the roster, whose nights begin on working days."""
    karim, lead = Contact("Karim", "+33639981012"), Contact("Lead", "+33639981015")
    nights = Shift((karim,), (1, 2, 3, 4, 5), TimeRange(time(20), time(8)))
    made = bureau(rules=(Rule("night", None, (OnCall("duty"), Hangup())),))
    made = replace(made, rosters={"duty": Roster("duty", (nights,), fallback=lead)})
    return list(lines(explain(made, FRANCE, Asked("0199001001", at(at_)), None, "en"), FRANCE, "en"))


def test_who_is_on_call_at_that_moment_is_named() -> None:
    assert "on call then (duty): Karim, 30s each, 2 times, then Lead" in night("2026-11-24 03:00")
    assert "nobody is on call then (duty), then Lead" in night("2026-11-24 12:00")
    assert not [line for line in lines(trail(), FRANCE, "en") if "on call" in line]

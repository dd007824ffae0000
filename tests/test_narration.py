"""`autocom call ID` in words: every decision with its reasons, as they were written at that moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autocom.core.journal import KINDS
from autocom.core.model import Enqueue, Hangup, Hours, Mode, Play, Rule, Team, When
from autocom.core.overrides import Override
from autocom.narration import told
from autocom.narrative import EN, FR
from autocom.timeline import iso
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration
from tests.support.fake_telephone import Habit
from tests.support.virtual import run

PARIS = ZoneInfo("Europe/Paris")


def as_read(bench: Bench, call: str = "c1") -> dict[str, Any]:
    """The call as the journal's queries return it."""
    record = bench.record(call)
    return {
        "wait_ms": record.wait_ms,
        "events": [{"at": iso(e.at), "kind": e.kind, **e.fields} for e in bench.of(call)],
        "segments": [
            {
                "kind": s.kind,
                "start": iso(s.start),
                "end": None if s.end is None else iso(s.end),
                "secretary": s.secretary,
            }
            for s in bench.segments(call)
        ],
    }


def served() -> Bench:
    """A caller whom ines let ring, then an override sent to legal, where marc took him."""

    async def whole() -> Bench:
        closed = Rule("closed", When(absence=True), (Play(CLOSED, Mode.ANSWERED), Hangup()))
        rules = (closed, Rule("open", None, (Play(WELCOME), Enqueue("medical", CALM, ring_for=3.0))))
        made = configuration(
            client("lilas", "+33199001001", rules=rules, hours=Hours("Europe/Paris", {})),
            ines={"medical": 1},
            lea={"medical": 2},
            marc={"legal": 1},
        )
        bench = Bench(replace(made, teams={"medical": Team("medical"), "legal": Team("legal")}))
        bench.telephone.habits.update({"ines": Habit(None), "lea": Habit(None), "marc": Habit(2.0)})
        bench.start()
        await bench.at_work("ines", "lea", "marc")
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(5)
        assert bench.switchboard is not None
        now = bench.clock.now()
        bench.switchboard.overrides.set(Override("lilas", "team", now + 600, "chef", now, "legal"))
        await bench.pass_time(10)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1)
        await bench.kill()
        return bench

    return run(whole())


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "fr",
            (
                "Le numéro appelé, +33199001001, est dans Request-URI.",
                "configuration v1",
                "règle open",
                "pas closed : absence : il n'y en a pas",
                "première règle dont les conditions sont réunies",
                "en file pour l'équipe medical (priorité 50 s)",
                "sonne chez ines (essai 1)",
                "niveau 1, libre depuis",
                "pas les autres : lea (niveau moins bon)",
                "fin de la sonnerie chez ines : sans réponse",
                "consigne : équipe legal au lieu de medical, il garde sa place",
                "en ligne avec marc",
                "par l'appelant",
                "fin : servi",
                "a attendu 7.",
                "sonnerie 3.0 s ines",
            ),
        ),
        (
            "en",
            (
                "The number called, +33199001001, stands in Request-URI.",
                "rule open",
                "not closed: absence: none is in force",
                "offered to ines (attempt 1)",
                "not the others: lea (level)",
                "override: team legal instead of medical, he keeps his place",
                "talks with marc",
                "ends: served",
                "ringing 3.0 s ines",
            ),
        ),
    ],
)
def test_why_this_rule_why_this_secretary_why_not_the_others(
    language: str, expected: tuple[str, ...]
) -> None:
    text = "\n".join(told(as_read(served()), language, PARIS))
    for part in expected:
        assert part in text, f"{part!r} is not in:\n{text}"


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fact_of_any_kind_has_its_line_also_where_fields_are_missing(kind: str, language: str) -> None:
    call = {"wait_ms": None, "events": [{"at": "2026-11-24T09:00:00.250Z", "kind": kind}], "segments": []}
    lines = list(told(call, language, PARIS))
    assert lines[0].startswith("10:00:00.250  ")
    assert "{" not in lines[0]


OF_THE_HOUSE = {
    "secretary_state", "quota_exceeded", "alert", "fault", "gap", "configuration", "override_set", "override_ended", "forgotten",
    "service", "voicemail_heard", "forward_set",
    "text_received", "text_attachments", "text_shown", "text_read", "text_queued", "text_sent", "text_delivered",
    "text_failed", "text_refused", "text_internal",
}  # fmt: skip


@pytest.mark.parametrize("words", [FR, EN], ids=["fr", "en"])
def test_every_kind_that_carries_a_call_has_its_sentence(words: dict[str, str]) -> None:
    assert KINDS.keys() - OF_THE_HOUSE <= words.keys()


def test_both_languages_have_the_same_sentences() -> None:
    """A French word of the journal is said as it is in English."""
    assert EN.keys() <= FR.keys()
    assert {word for word, text in FR.items() if "{" in text} == {
        word for word, text in EN.items() if "{" in text
    }


def line(kind: str, language: str = "fr", **fields: object) -> str:
    """The first line of a call with this fact alone."""
    event = {"at": "2026-11-24T09:00:00.250Z", "kind": kind, **fields}
    found = next(told({"wait_ms": None, "events": [event], "segments": []}, language, PARIS))
    return found.removeprefix("10:00:00.250  ")


def test_who_decided_in_how_long_and_why_an_answer_was_of_no_use() -> None:
    assert line("decided", rule="urgence", by="webhook", ms=120, error=None) == (
        "le système du client dit : règle urgence (120ms)"
    )
    assert line("decided", rule="ouvert", by="default", ms=40, error=None) == (
        "le système du client est sans avis : règle ouvert (40ms)"
    )
    late = {"rule": "ouvert", "by": "default", "ms": 800, "error": "no answer within 800 ms"}
    assert line("decided", **late) == (
        "pas de réponse utile du système du client (pas de réponse en 800 ms) : règle ouvert (800ms)"
    )
    assert line("decided", "en", **late) == (
        "no answer of use from the client's system (no answer within 800 ms): rule ouvert (800ms)"
    )


def test_what_he_was_told_of_his_place_and_of_his_wait() -> None:
    told_both = {
        "position": 3,
        "wait_from": 120.0,
        "wait_to": 300.0,
        "estimate_ms": 190_400,
        "ahead": 2,
        "staff": 4,
    }
    assert line("announced", **told_both) == (
        "annonce : place 3, attente de 2m à 5m (2 avant lui, 4 au travail pour lui, attente estimée 190.4 s)"
    )
    wait_only = told_both | {"position": None, "wait_from": 0.0, "wait_to": 60.0}
    assert line("announced", "en", **wait_only) == (
        "told a wait of less than 1m (2 before him, 4 at work for him, expected wait 190.4 s)"
    )


def test_a_message_made_from_text_is_told_by_its_text() -> None:
    assert line("message_started", sound="say-1f2e", text="Bonjour.") == "message « Bonjour. »"
    assert line("message_started", "en", sound="welcome") == "message welcome"
    ended = {"sound": "say-1f2e", "text": "Bonjour.", "heard_ms": 1500, "complete": False}
    assert line("message_ended", "en", **ended) == 'message "Bonjour." ends, heard 1.5s, cut'


@pytest.mark.parametrize(
    ("kind", "fields", "french", "english"),
    [
        ("ringback_started", {}, "il entend une sonnerie", "he hears ringing"),
        (
            "mail_queued",
            {"to": "a@b.example", "about": "voicemail"},
            "à envoyer à a@b.example : messagerie",
            "to be sent to a@b.example: voicemail",
        ),
        ("mail_sent", {"to": "a@b.example", "tries": 2}, "envoyé à a@b.example (essai 2)", "sent to a@b.example (try 2)"),
        (
            "mail_failed",
            {"to": "a@b.example", "error": "timed out", "final": True},
            "pas envoyé à a@b.example : timed out ; abandonné",
            "not sent to a@b.example: timed out; given up",
        ),
        ("step", {"step": "menu", "result": "digit 3"}, "étape menu : touche 3", "step menu: key 3"),
        (
            "step",
            {"step": "oncall", "result": "nobody is on call now"},
            "étape astreinte : personne n'est d'astreinte",
            "step on call: nobody is on call now",
        ),
        (
            "quality",
            {"leg": "ring-c1-2-lea", "lost_percent": 0.5, "jitter_ms": 3.0, "round_trip_ms": None},
            "qualité du son, lea : 0.5 % perdus, gigue 3 ms, aller-retour ?",
            "sound quality, lea: 0.5 % lost, jitter 3 ms, round trip ?",
        ),
        (
            "quality",
            {"leg": "1790000000.12", "lost_percent": 0, "jitter_ms": 3.5, "round_trip_ms": 20},
            "qualité du son, l'appelant : 0 % perdus, gigue 3.5 ms, aller-retour 20 ms",
            "sound quality, the caller: 0 % lost, jitter 3.5 ms, round trip 20 ms",
        ),
        ("crashed", {"error": "KeyError('x')"}, "erreur de notre côté : KeyError('x')", "an error of ours: KeyError('x')"),
        (
            "forward_started",
            {"name": None, "number": "+33639980105"},
            "transfert : +33639980105 est appelé",
            "forward: +33639980105 is rung",
        ),
        (
            "callback_ended",
            {"result": "answered"},
            "fin du rappel : décroché",
            "callback ends: answered",
        ),
        (
            "callback_ended",
            {"result": "given_up"},
            "fin du rappel : plus d'essai",
            "callback ends: no try left",
        ),
        ("voicemail_ended", {"seconds": None}, "fin de l'enregistrement", "recording ends"),
        ("dequeued", {"why": "rule"}, "quitte la file : autre règle", "leaves the queue: another rule"),
    ],
)  # fmt: skip
def test_facts_in_both_languages(kind: str, fields: dict[str, object], french: str, english: str) -> None:
    assert line(kind, **fields) == french
    assert line(kind, "en", **fields) == english


@pytest.mark.parametrize(("rung", "said"), [(True, "ends: nobody took the call"), (False, "ends: nobody")])
def test_nobody_at_work_is_told_apart_from_nobody_outside_who_took_the_call(rung: bool, said: str) -> None:
    at = "2026-11-24T09:00:00.250Z"
    rings = [{"at": at, "kind": "forward_started", "name": "", "number": "+33639980105"}] * rung
    events = [*rings, {"at": at, "kind": "ended", "outcome": "nobody"}]
    *_, last = told({"wait_ms": None, "events": events, "segments": []}, "en", PARIS)
    assert last.endswith(said)

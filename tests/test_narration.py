"""`autocom call ID` in words: every decision with its reasons, as they were written at that moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autocom.core.journal import KINDS
from autocom.core.model import Enqueue, Hangup, Hours, Mode, Play, Rule, Team, When
from autocom.core.overrides import Override
from autocom.narration import _EN, _FR, told
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


def test_both_languages_have_words_for_the_same_facts() -> None:
    assert {word for word in _EN if word in KINDS} == {word for word in _FR if word in KINDS}

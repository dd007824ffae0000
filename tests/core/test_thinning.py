"""What a call is without its fine facts, from any instant on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core.journal import Entry
from autocom.core.record import project, segments
from autocom.core.thinning import FINE

Told = tuple[float, str, dict[str, object]]

ARRIVES: list[Told] = [
    (0, "arrived", {}),
    (1, "message_started", {}),
    (1, "queued", {}),
    (2, "offered", {"secretary": "lea", "attempt": 1}),
    (3, "ringing", {"secretary": "lea"}),
    (6, "message_ended", {}),
    (12, "offer_ended", {"secretary": "lea", "attempt": 1, "result": "no_answer"}),
    (12, "offered", {"secretary": "ines", "attempt": 2}),
    (13, "ringing", {"secretary": "ines"}),
]
SERVED: list[Told] = [
    *ARRIVES,
    (15, "offer_ended", {"secretary": "ines", "attempt": 2, "result": "answered"}),
    (15, "answered", {}),
    (15, "bridged", {"secretary": "ines"}),
    (75, "talk_ended", {"secretary": "ines"}),
    (76, "ended", {"outcome": "served"}),
]
GIVES_UP: list[Told] = [*ARRIVES, (14, "ended", {"outcome": "abandoned"})]


def entries(facts: list[Told], thinned_from: float) -> list[Entry]:
    made = [Entry(1000.0 + at, kind, "c1", more) for at, kind, more in facts]  # type: ignore[arg-type]
    return [entry for entry in made if entry.kind not in FINE or entry.at < 1000.0 + thinned_from]


@pytest.mark.parametrize("facts", [SERVED, GIVES_UP], ids=["served", "gives up"])
@pytest.mark.parametrize("instant", [0, 1.5, 2.5, 3.5, 7, 12.5, 14, 100])
def test_a_call_is_the_same_without_its_fine_facts(facts: list[Told], instant: float) -> None:
    whole, thin = (project("c1", entries(facts, at)) for at in (1000, instant))
    assert thin.cause in {whole.cause, "during_music"} if whole.cause else thin.cause is None
    assert replace(thin, offers=whole.offers, cause=whole.cause) == whole
    assert set(segments(entries(facts, instant))) <= set(segments(entries(facts, 1000)))

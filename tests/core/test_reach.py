"""What rules lead to, who could ever take a client's calls, since when nobody of them is at work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.core.model import (
    Audio,
    Bureau,
    Client,
    Enqueue,
    Hangup,
    Hours,
    Line,
    Menu,
    Play,
    Rule,
    Secretary,
    Step,
    Team,
    Widening,
)
from autocom.core.posts import Post
from autocom.core.reach import branches, every_step, in_reach, nobody_since, queues

PROMPT = Audio("menu", "menu", 1.0)
BUREAU = Bureau("Essai", "+33199001000", "FR", "Europe/Paris", "fr", "lilas")
TEAMS = {
    "medical": Team("medical", (Widening(20, "general"),)),
    "general": Team("general", (Widening(20, "far"),)),
    "far": Team("far"),
    "legal": Team("legal"),
}


def client(*steps: Step, **changes: object) -> Client:
    rules = (Rule("open", None, steps),)
    made = Client("lilas", "L", "L", "general", (Line("+33199001001"),), Hours("Europe/Paris", {}), rules)
    return replace(made, **changes)  # type: ignore[arg-type]


def staff(**teams: str) -> dict[str, Secretary]:
    return {name: Secretary(name, name, "201", "x", {team: 1}) for name, team in teams.items()}


def queue(team: str, **ways: tuple[Step, ...]) -> Enqueue:
    return Enqueue(team, **ways)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["on_timeout", "on_full", "on_nobody", "on_closing", "on_long_wait"])
def test_a_queue_behind_any_way_out_is_found(way: str) -> None:
    inner = Menu(PROMPT, {"1": (queue("legal"),)}, otherwise=(queue("far"),))
    found = queues(client(Play(PROMPT), queue("medical", **{way: (inner, Hangup())})))
    assert [step.team for step in found] == ["medical", "legal", "far"]


def test_the_ways_out_are_named_by_their_keys() -> None:
    step = Enqueue("medical", keys={"2": (Hangup(),)})
    named = dict(branches(step))
    assert named.keys() == {"on_timeout", "on_full", "on_nobody", "on_closing", "on_long_wait", "key 2"}
    assert list(every_step((step,))) == [step, Hangup()]


def test_who_is_in_a_team_that_a_queue_reaches_in_time_is_in_reach() -> None:
    secretaries = staff(lea="medical", ines="general", zoe="far", paul="legal")
    assert in_reach(client(queue("medical")), TEAMS, secretaries, BUREAU) == {"lea", "ines"}
    assert in_reach(client(Hangup()), TEAMS, secretaries, BUREAU) == set(secretaries)


def test_languages_and_countries_narrow_the_reach() -> None:
    secretaries = staff(lea="medical", ines="medical", zoe="medical")
    secretaries["ines"] = replace(secretaries["ines"], languages=("de", "fr"))
    secretaries["zoe"] = replace(secretaries["zoe"], country="MG", languages=("de",))
    german = client(queue("medical"), languages=("de",))
    assert in_reach(german, TEAMS, secretaries, BUREAU) == {"ines", "zoe"}
    assert in_reach(replace(german, countries=("FR",)), TEAMS, secretaries, BUREAU) == {"ines"}


def test_nobody_counts_from_the_last_one_who_left() -> None:
    here = Post("lea", registered=True, logged_in=True, since=10.0)
    gone = Post("ines", registered=True, since=20.0)
    posts = {"lea": here, "ines": gone}
    assert nobody_since({"lea", "ines"}, posts) is None
    assert nobody_since({"lea", "ines"}, posts | {"lea": replace(here, logged_in=False, since=30.0)}) == 30.0
    assert nobody_since({"ines"}, posts) == 20.0
    assert nobody_since({"paul"}, posts) == float("-inf")

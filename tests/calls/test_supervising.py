"""A team lead at a secretary's conversation, told in virtual time: who hears whom, who knows of it, what is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest

from autocom.core.model import Audio, Configuration, Supervision, Team, TimeRange
from autocom.core.naming import ear_id
from tests.support.exchange_in_memory import Bench, client, configuration
from tests.support.fake_telephone import FakeChannel, Habit
from tests.support.virtual import run

ALWAYS = {day: (TimeRange(time(0), time(0)),) for day in range(1, 8)}
BEEP = Audio("beep", "beep", 0.35)
WINDOW = Supervision(ALWAYS)
LEA = "ring-c1-1-lea"


def bureau(window: Supervision | None = WINDOW, **changes: object) -> Configuration:
    """Lea and Ines answer, Awa leads them; what is dialled is 200 for lea, 201 for ines, 202 for awa."""
    made = configuration(
        client("lilas", "+33199001001", **changes),
        lea={"medical": 1},
        ines={"medical": 2},
        awa={"leading": 1},
    )
    teams = {
        "medical": Team("medical", leads=("awa",), supervision=window),
        "leading": Team("leading"),
    }
    return replace(
        made,
        teams=teams,
        stock=replace(made.stock, beep=BEEP, refusals={"supervision": Audio("no", "no", 1.5)}),
    )


async def talking(made: Configuration | None = None) -> Bench:
    """Lea talks with the caller of c1; Awa's phone is registered."""
    bench = Bench(bureau() if made is None else made)
    bench.telephone.lengths |= {"beep": 0.35, "no": 1.5}
    bench.telephone.habits["lea"] = Habit(answers=1.0)
    bench.telephone.habits["ines"] = Habit(answers=1.0)
    bench.start()
    await bench.pass_time(0.01)
    await bench.at_work("lea")
    bench.telephone.register("awa")
    bench.telephone.call_in("chan-1", "0199001001")
    await bench.pass_time(8.0)
    assert bench.telephone.joined[-1] == ("chan-1", LEA)
    return bench


def ears(bench: Bench) -> list[FakeChannel]:
    return [channel for channel in bench.telephone.channels.values() if channel.hears is not None]


def told(bench: Bench) -> list[str]:
    return [text for who, text in bench.telephone.told if who == "lea"]


def of_kind(bench: Bench, call: str, kind: str) -> list[dict[str, object]]:
    return [dict(e.fields) for e in bench.of(call) if e.kind == kind]


async def end(bench: Bench, *channels: str) -> None:
    """Everybody puts down; nothing is left."""
    for channel in channels:
        bench.telephone.caller_hangs_up(channel)
    await bench.pass_time(1.0)
    assert bench.failure() is None, bench.failure()
    assert not ears(bench), "a ghost listens"
    assert not bench.telephone.bridges, bench.telephone.bridges
    assert not [e for e in bench.journal.entries if e.kind == "crashed"]
    await bench.kill()


def test_a_lead_dials_and_hears_the_conversation_unheard_and_everybody_may_know() -> None:
    async def story() -> None:
        bench = await talking()
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(0.5)
        (ear,) = ears(bench)
        assert (ear.hears, ear.whispers, ear.to_all) == (LEA, False, False)
        assert lead.bridge == ear.bridge != bench.telephone.channels[LEA].bridge
        assert lead.up
        assert told(bench) == ["Votre responsable awa écoute."]
        for call in ("c1", "c2"):
            (started,) = of_kind(bench, call, "supervision_started")
            assert (started["lead"], started["secretary"], started["mode"]) == ("awa", "lea", "listen")
            assert started["supervisor"] == "c2"
        assert bench.switchboard is not None
        assert bench.switchboard.overseers.of_secretary("lea") == [{"lead": "awa", "mode": "listen"}]
        bench.telephone.caller_hangs_up(lead.id)
        await bench.pass_time(0.5)
        assert told(bench)[1:] == ["Votre responsable awa n'écoute plus."]
        for call in ("c1", "c2"):
            assert [f["by"] for f in of_kind(bench, call, "supervision_ended")] == ["lead"]
        assert bench.record("c2").outcome == "served"
        assert bench.telephone.channels["chan-1"].bridge == "talk-c1-1"
        await end(bench, "chan-1")

    run(story())


def test_keys_change_who_hears_her_and_each_change_is_told() -> None:
    async def story() -> None:
        bench = await talking()
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(0.5)
        for key, whispers, to_all in (("2", True, False), ("3", True, True), ("1", False, False)):
            bench.telephone.presses(lead.id, key)
            await bench.pass_time(0.5)
            (ear,) = ears(bench)
            assert (ear.whispers, ear.to_all) == (whispers, to_all), key
            assert lead.bridge == ear.bridge
        assert [f["mode"] for f in of_kind(bench, "c1", "supervision_mode")] == ["whisper", "barge", "listen"]
        assert told(bench)[1:] == [
            "Votre responsable awa vous parle, l'appelant ne l'entend pas.",
            "Votre responsable awa est dans la conversation.",
            "Votre responsable awa écoute.",
        ]
        bench.telephone.presses(lead.id, "1")
        bench.telephone.presses(LEA, "3")
        await bench.pass_time(0.5)
        assert len(of_kind(bench, "c1", "supervision_mode")) == 3, (
            "what it is already, and others' keys: nothing"
        )
        await end(bench, lead.id, "chan-1")

    run(story())


def test_when_the_conversation_ends_she_waits_with_music_and_hears_the_next_one_unheard() -> None:
    async def story() -> None:
        bench = await talking()
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(0.5)
        bench.telephone.presses(lead.id, "3")
        await bench.pass_time(0.5)
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(1.0)
        assert not ears(bench)
        assert lead.music == "music-stock"
        assert [f["by"] for f in of_kind(bench, "c1", "supervision_ended")] == ["conversation"]
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(8.0)
        assert bench.telephone.joined[-2][0] == "chan-2"
        (ear,) = ears(bench)
        assert (ear.hears, ear.to_all, ear.whispers) == ("ring-c3-1-lea", False, False)
        assert lead.music is None
        assert of_kind(bench, "c3", "supervision_started")[0]["mode"] == "listen"
        await end(bench, lead.id, "chan-2")

    run(story())


def test_the_star_leads_to_the_next_of_hers_who_talks() -> None:
    async def story() -> None:
        bench = await talking()
        await bench.at_work("ines")
        bench.telephone.call_in("chan-2", "0199001001")
        await bench.pass_time(8.0)
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(0.5)
        bench.telephone.presses(lead.id, "*")
        await bench.pass_time(0.5)
        (ear,) = ears(bench)
        assert ear.hears == "ring-c2-1-ines"
        assert [f["by"] for f in of_kind(bench, "c1", "supervision_ended")] == ["next"]
        bench.telephone.presses(lead.id, "*")
        await bench.pass_time(0.5)
        assert [ear.hears for ear in ears(bench)] == [LEA]
        await end(bench, lead.id, "chan-1", "chan-2")

    run(story())


@pytest.mark.parametrize(
    ("window", "who"),
    [
        (None, "awa"),
        (WINDOW, "ines"),
        (Supervision({1: (TimeRange(time(8), time(9)),)}), "awa"),
    ],
    ids=["no window", "no lead", "outside the window"],
)
def test_who_may_not_hears_why_and_nobody_is_told_anything(window: Supervision | None, who: str) -> None:
    async def story() -> None:
        bench = await talking(bureau(window))
        bench.telephone.register("ines")
        lead = bench.telephone.dials(who, "*3200")
        await bench.pass_time(0.5)
        assert not ears(bench)
        assert lead.heard[0][1] == "no"
        await bench.pass_time(4.0)
        assert lead.ended_with is not None
        assert bench.record("c2").outcome == "rejected"
        assert not told(bench)
        assert not of_kind(bench, "c1", "supervision_started")
        await end(bench, "chan-1")

    run(story())


@pytest.mark.parametrize("confidential", [False, True])
@pytest.mark.parametrize("profile", ["medical", "legal"])
def test_calls_under_secrecy_are_heard_only_where_the_window_says_so(
    profile: str, *, confidential: bool
) -> None:
    async def story() -> None:
        window = Supervision(ALWAYS, confidential=confidential)
        made = bureau(window)
        secret = replace(made.clients["lilas"], profile=profile)
        other = client("azur", "+33199001002")
        bench = await talking(replace(made, clients={"azur": other, "lilas": secret}))
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(0.5)
        assert bool(ears(bench)) is confidential
        await bench.pass_time(3.0)
        assert (lead.ended_with is None) is confidential
        await end(bench, lead.id, "chan-1")

    run(story())


def test_who_waits_for_the_next_conversation_does_not_hear_a_confidential_one() -> None:
    async def story() -> None:
        made = bureau()
        secret = replace(made.clients["lilas"], profile="medical")
        bench = Bench(replace(made, clients={"lilas": secret}))
        bench.telephone.habits["lea"] = Habit(answers=1.0)
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea")
        bench.telephone.register("awa")
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(0.5)
        assert lead.music == "music-stock"
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8.0)
        assert bench.telephone.joined[-1][0] == "chan-1"
        assert not ears(bench)
        assert lead.music == "music-stock"
        assert not bench.telephone.told
        await end(bench, lead.id, "chan-1")

    run(story())


def test_the_end_of_the_window_ends_it_in_the_middle_of_a_word() -> None:
    async def story() -> None:
        # virtual time begins on a Monday at 16:13:20 in Paris
        bench = await talking(bureau(Supervision({1: (TimeRange(time(8), time(16, 14)),)})))
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(0.5)
        assert len(ears(bench)) == 1
        await bench.pass_time(40.0)
        assert not ears(bench)
        assert lead.ended_with is not None
        assert [f["by"] for f in of_kind(bench, "c1", "supervision_ended")] == ["rule"]
        await end(bench, "chan-1")

    run(story())


def test_a_reload_that_takes_the_right_away_ends_it_and_a_mode_that_is_taken_away_falls_back() -> None:
    async def story() -> None:
        bench = await talking()
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(0.5)
        bench.telephone.presses(lead.id, "3")
        await bench.pass_time(0.5)
        assert bench.switchboard is not None
        bench.switchboard.use(bureau(Supervision(ALWAYS, ("listen",))))
        await bench.pass_time(0.5)
        (ear,) = ears(bench)
        assert (ear.whispers, ear.to_all) == (False, False)
        bench.telephone.presses(lead.id, "2")
        await bench.pass_time(0.5)
        assert not ears(bench)[0].whispers
        assert ("awa", "ce mode n'est pas permis dans son équipe") in bench.telephone.told
        bench.switchboard.use(bureau(None))
        await bench.pass_time(0.5)
        assert not ears(bench)
        assert lead.ended_with is not None
        await end(bench, "chan-1")

    run(story())


def test_her_private_call_is_not_heard() -> None:
    async def story() -> None:
        bench = Bench(bureau())
        bench.telephone.habits["lea"] = Habit(answers=0.5)
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea")
        bench.telephone.register("awa")
        bench.telephone.register("ines")
        hers = bench.telephone.dials("ines", "200")
        await bench.pass_time(2.0)
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(1.0)
        assert not ears(bench)
        await end(bench, lead.id, hers.id)

    run(story())


def test_a_soft_tone_for_her_alone_where_the_team_wants_one() -> None:
    async def story() -> None:
        bench = await talking(bureau(Supervision(ALWAYS, beep=True)))
        lead = bench.telephone.dials("awa", "*3200")
        await bench.pass_time(0.1)
        beeping = bench.telephone.channels[ear_id("c2", 1)]
        assert [what for _, what in beeping.heard] == ["beep"]
        assert beeping.whispers
        assert not beeping.to_all
        await bench.pass_time(1.5)
        (ear,) = ears(bench)
        assert ear.id == ear_id("c2", 2)
        assert not ear.whispers
        await end(bench, lead.id, "chan-1")

    run(story())


def test_a_program_has_the_leads_phone_rung_and_begins_in_the_mode_it_asked_for() -> None:
    async def story() -> None:
        bench = await talking()
        bench.telephone.habits["awa"] = Habit(answers=2.0)
        assert bench.switchboard is not None
        overseers = bench.switchboard.overseers
        answer = overseers.begin("awa", "lea", "whisper")
        assert answer == {"call": "c2", "lead": "awa", "secretary": "lea", "mode": "whisper"}
        await bench.pass_time(1.0)
        assert not ears(bench)
        rung = bench.telephone.channels["ring-c2-1-awa"].order
        assert rung is not None
        assert (rung.display, rung.number) == ("lea", "200")
        with pytest.raises(ValueError, match="already"):
            overseers.begin("awa", "lea", "listen")
        await bench.pass_time(2.0)
        (ear,) = ears(bench)
        assert ear.whispers
        assert overseers.switch("awa", "barge")["mode"] == "barge"
        await bench.pass_time(0.5)
        assert ears(bench)[0].to_all
        bench.telephone.phone_hangs_up("ring-c2-1-awa")
        await bench.pass_time(0.5)
        assert overseers.rows() == []
        await end(bench, "chan-1")

    run(story())


@pytest.mark.parametrize("habit", [Habit(None), Habit(offline=True), Habit(refuses=17)], ids=str)
def test_a_lead_who_does_not_pick_up_hears_nothing(habit: Habit) -> None:
    async def story() -> None:
        bench = await talking()
        bench.telephone.habits["awa"] = habit
        assert bench.switchboard is not None
        bench.switchboard.overseers.begin("awa", "lea", "listen")
        await bench.pass_time(40.0)
        assert bench.switchboard.overseers.rows() == []
        assert not told(bench)
        await end(bench, "chan-1")

    run(story())


def test_whoever_asks_wrongly_is_told_in_words() -> None:
    async def story() -> None:
        bench = await talking()
        assert bench.switchboard is not None
        overseers = bench.switchboard.overseers
        with pytest.raises(LookupError, match="leo"):
            overseers.begin("awa", "leo", "listen")
        with pytest.raises(LookupError, match="supervises nobody"):
            overseers.switch("awa", "listen")
        with pytest.raises(ValueError, match="unknown mode"):
            overseers.begin("awa", "lea", "spy")
        with pytest.raises(ValueError, match="aucune équipe"):
            overseers.begin("lea", "ines", "listen")
        with pytest.raises(ValueError, match="soi-même"):
            overseers.begin("awa", "awa", "listen")
        await end(bench, "chan-1")

    run(story())

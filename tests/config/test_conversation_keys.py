"""`hold_music`, `contacts` and `hold_reminder`: what is written arrives in the core, defaults too."""

from __future__ import annotations

import pytest

from autocom.core import model as core

from .conftest import BUREAU, CLIENT, Desk, tone

QUEUED = CLIENT.replace("{queue: {team: general}}", "{queue: {team: general, music: calme}}")


def lilas(desk: Desk) -> core.Client:
    return desk.load().configuration.clients["cab-lilas"]


@pytest.fixture
def desk(desk: Desk) -> Desk:
    tone(desk.folder / "sounds" / "calme.wav")
    tone(desk.folder / "sounds" / "garde.wav", hertz=500.0)
    return desk


def test_a_hold_music_of_its_own_comes_before_that_of_the_queue(desk: Desk) -> None:
    desk.write("clients/cab-lilas.yaml", QUEUED + "hold_music: garde\n")
    loaded = desk.load().configuration
    music = loaded.clients["cab-lilas"].hold_music
    assert music is not None
    assert music.name == "garde"
    assert music.moh_class in loaded.music, "Asterisk is told of it"


def test_without_one_the_music_of_the_first_queue_is_heard_on_hold(desk: Desk) -> None:
    desk.write("clients/cab-lilas.yaml", QUEUED)
    music = lilas(desk).hold_music
    assert music is not None
    assert music.name == "calme"


def test_without_any_music_it_is_the_houses(desk: Desk) -> None:
    assert lilas(desk).hold_music is None


def test_a_hold_music_that_is_not_there_is_a_fault(desk: Desk) -> None:
    desk.write("clients/cab-lilas.yaml", CLIENT + "hold_music: §rien\n")
    assert any("rien" in fault for fault in desk.refused())


def test_contacts_arrive_in_their_order(desk: Desk) -> None:
    desk.write(
        "clients/cab-lilas.yaml",
        CLIENT + 'contacts: [{name: Dr Roux, number: "06 39 98 10 21"}, {name: B, number: "+33639981022"}]\n',
    )
    assert lilas(desk).contacts == (
        core.Contact("Dr Roux", "+33639981021"),
        core.Contact("B", "+33639981022"),
    )
    desk.write("clients/cab-lilas.yaml", CLIENT)
    assert lilas(desk).contacts == ()


@pytest.mark.parametrize("number", ["+33199001001", "+33899001001"])
def test_a_contact_who_would_be_ourselves_or_dear_is_a_fault(desk: Desk, number: str) -> None:
    desk.write("clients/cab-lilas.yaml", CLIENT + f'contacts: [{{name: A, number: "{number}"}}]\n')
    assert any(number in fault for fault in desk.refused())


@pytest.mark.parametrize(("written", "seconds"), [("90s", 90.0), ("0s", 0.0), (None, 60.0)])
def test_the_reminder_of_who_is_on_hold(desk: Desk, written: str | None, seconds: float) -> None:
    line = "" if written is None else f"  hold_reminder: {written}\n"
    desk.write("bureau.yaml", BUREAU.replace("  holidays: FR\n", f"  holidays: FR\n{line}"))
    assert desk.load().configuration.bureau.hold_reminder == seconds

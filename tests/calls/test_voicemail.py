"""Leaving a message, in virtual time: what is heard, what is kept, who is to be told, and every crash between."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from autocom.calls.messages import alert_rows
from autocom.calls.ports import TelephoneDown
from autocom.core.journal import Entry
from autocom.core.letters import Alert, Letter, Note, Voice, VoiceNotice, letters, voices
from autocom.core.model import (
    Audio,
    Client,
    Configuration,
    Enqueue,
    Hangup,
    HangupKind,
    Menu,
    Play,
    Rule,
    SendMessage,
    Voicemail,
    When,
)
from autocom.core.references import reference
from tests.calls.test_crash import Plot, tell
from tests.support.exchange_in_memory import CALM, CLOSED, WELCOME, Bench, client, configuration, sounds
from tests.support.fake_telephone import FakeTelephone, Habit
from tests.support.virtual import EPOCH, run

LEAVE = Audio("voicemail", "leave", 3.0)
BEEP = Audio("beep", "beep", 0.3)
SAVED = Audio("voicemail-saved", "saved", 2.0)
MAIL = ("secretariat@lilas.example", "garde@lilas.example")
BOX = Voicemail(mail=MAIL, max_seconds=30.0)


def bench_with(*clients: Client) -> Bench:
    """A bench whose house has the sounds of a voicemail."""
    whole = configuration(*clients)
    stock = replace(whole.stock, voicemail=LEAVE, beep=BEEP, voicemail_saved=SAVED)
    bench = Bench(replace(whole, stock=stock))
    bench.telephone.lengths |= {"leave": 3.0, "beep": 0.3, "saved": 2.0}
    return bench


async def calling(*steps: object, says: float | None = None, **changes: object) -> Bench:
    bench = bench_with(client("lilas", "+33199001001", *steps, **changes))
    bench.start()
    await bench.pass_time(0.01)
    if says is not None:
        bench.telephone.says["chan-1"] = says
    bench.telephone.call_in("chan-1", "0199001001")
    return bench


def outbox(bench: Bench) -> list[Letter]:
    found, broken = letters(bench.journal.floor)
    assert not broken
    return found


def kept(bench: Bench) -> list[Voice]:
    found, broken = voices(bench.journal.floor)
    assert not broken
    return found


async def ended(bench: Bench) -> Bench:
    assert bench.failure() is None
    await bench.kill()
    return bench


def test_a_message_is_announced_recorded_thanked_for_and_everybody_named_is_to_be_told() -> None:
    async def story() -> Bench:
        bench = await calling(BOX, says=10.0)
        await bench.pass_time(40)
        return await ended(bench)

    bench = run(story())
    assert sounds(bench) == ["leave", "beep", "saved", "end"]
    assert bench.record().outcome == "voicemail"
    (voice,) = kept(bench)
    assert (voice.recording, voice.call, voice.client, voice.kept) == ("voice-c1-1", "c1", "lilas", False)
    assert voice.erase_at == voice.at + 30 * 86400
    first, second = outbox(bench)
    assert {first.to, second.to} == set(MAIL)
    assert {first.id, second.id} == {"voice-c1-1-to-1", "voice-c1-1-to-2"}
    notice = first.content
    assert isinstance(notice, VoiceNotice)
    assert (notice.client, notice.caller, notice.seconds) == ("Lilas", "06 39 98 01 01", 10.0)
    assert first.recording == "voice-c1-1"
    entries = bench.of("c1")
    (over,) = [e for e in entries if e.kind == "voicemail_ended"]
    assert over.fields == {"recording": "voice-c1-1", "seconds": 10.0, "ok": True}
    queued = [e.fields for e in entries if e.kind == "mail_queued"]
    assert [(f["to"], f["about"]) for f in queued] == [(to, "voicemail") for to in MAIL]
    answered = bench.record().answered_at
    assert answered is not None
    assert answered == pytest.approx(bench.record().arrived_at, abs=0.1), "voicemail needs the answered mode"


@pytest.mark.parametrize(
    ("how", "seconds"), [("hangs up", 6.0), ("presses #", 6.0), ("speaks too long", 30.0)]
)
def test_what_was_said_is_kept_however_the_recording_ends(how: str, seconds: float) -> None:
    async def story() -> Bench:
        bench = await calling(BOX)
        await bench.pass_time(3.3 + 0.03 + 6.0)
        if how == "hangs up":
            bench.telephone.caller_hangs_up("chan-1")
        elif how == "presses #":
            bench.telephone.presses("chan-1", "1#")
        await bench.pass_time(60)
        return await ended(bench)

    bench = run(story())
    assert bench.record().outcome == "voicemail"
    notice = outbox(bench)[0].content
    assert isinstance(notice, VoiceNotice)
    assert notice.seconds == pytest.approx(seconds, abs=0.2)
    assert not bench.journal.calls


@pytest.mark.parametrize("when", ["in the prompt", "at once after the tone", "in silence"])
def test_a_caller_who_says_nothing_leaves_no_message_and_nobody_is_mailed(when: str) -> None:
    async def story() -> Bench:
        bench = await calling(BOX, says=0.2)
        if when != "in silence":
            await bench.pass_time(1.0 if when == "in the prompt" else 3.6)
            bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(30)
        return await ended(bench)

    bench = run(story())
    assert bench.record().outcome == "abandoned"
    assert outbox(bench) == []
    assert kept(bench) == []
    assert bench.telephone.recordings == {}, "an empty recording is not left in Asterisk's store"
    assert "saved" not in sounds(bench)


def test_a_closed_rule_with_a_voicemail_is_closed_when_nothing_is_said() -> None:
    async def story() -> Bench:
        rules = (
            Rule("closed", When(open=False), (Play(CLOSED), BOX)),
            Rule("open", None, (Play(WELCOME), Enqueue("medical", CALM))),
        )
        bench = await calling(rules=rules, says=0.0)
        await bench.pass_time(30)
        return await ended(bench)

    assert run(story()).record().outcome == "closed"


def test_the_hash_key_skips_the_prompt_and_the_steps_behind_the_voicemail_follow() -> None:
    async def story() -> Bench:
        bench = await calling(BOX, Play(CLOSED), Hangup(HangupKind.NORMAL), says=2.0)
        await bench.pass_time(1.0)
        bench.telephone.presses("chan-1", "#")
        await bench.pass_time(30)
        return await ended(bench)

    bench = run(story())
    assert sounds(bench) == ["leave", "beep", "saved", "closed", "end"]
    beeps = [at for at, what in bench.telephone.past["chan-1"].heard if what == "beep"]
    assert beeps[0] - bench.telephone.past["chan-1"].heard[0][0] == pytest.approx(1.0, abs=0.1)
    assert bench.record().outcome == "voicemail"


def test_the_steps_own_prompt_is_preferred_and_music_does_not_play_into_the_recording() -> None:
    async def story() -> Bench:
        queue = Enqueue("medical", CALM, max_wait=5.0, on_timeout=(replace(BOX, prompt=CLOSED),))
        bench = await calling(queue, says=4.0)
        await bench.at_work("lea")
        bench.telephone.register("lea", reachable=False)
        await bench.pass_time(40)
        return await ended(bench)

    bench = run(story())
    assert sounds(bench) == ["music:music-calm", "closed", "beep", "saved", "end"]
    assert bench.record().outcome == "voicemail"


def test_without_any_prompt_or_tone_the_music_is_stopped_before_the_recording() -> None:
    async def story() -> Bench:
        queue = Enqueue("medical", CALM, max_wait=5.0, on_timeout=(BOX,))
        bench = Bench(configuration(client("lilas", "+33199001001", queue)))
        bench.start()
        await bench.pass_time(0.01)
        bench.telephone.says["chan-1"] = 4.0
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(40)
        return await ended(bench)

    bench = run(story())
    assert bench.record().outcome == "voicemail"


def test_two_voicemails_in_one_call_are_two_recordings() -> None:
    async def story() -> Bench:
        bench = await calling(BOX, BOX, says=3.0)
        await bench.pass_time(60)
        return await ended(bench)

    bench = run(story())
    assert [voice.recording for voice in kept(bench)] == ["voice-c1-1", "voice-c1-2"]
    assert len(outbox(bench)) == 4


# --- discretion ------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["medical", "legal"])
def test_a_notice_about_a_discreet_clients_caller_holds_nothing_of_the_call(profile: str) -> None:
    async def story() -> Bench:
        bench = await calling(BOX, says=5.0, profile=profile)
        await bench.pass_time(30)
        return await ended(bench)

    bench = run(story())
    rows = [row for key, row in bench.journal.floor.items() if key.startswith("mail:")]
    assert len(rows) == 2
    assert "639980101" not in str(rows).replace(" ", "")
    assert "Lilas" not in str(rows)
    (letter, _) = outbox(bench)
    assert letter.recording is None, "no sound leaves the house"
    assert isinstance(letter.content, VoiceNotice)
    assert letter.content.discreet
    assert letter.content.reference == reference("voice-c1-1")
    assert len(kept(bench)) == 1, "the sound is kept all the same"


def test_a_reference_is_four_characters_that_cannot_be_misheard_as_others() -> None:
    made = {reference(f"voice-c{n}-1") for n in range(2000)}
    assert len(made) > 1990
    assert all(len(word) == 4 and not set(word) & set("01IO") for word in made)


# --- the message step ------------------------------------------------------------------------


def test_a_message_is_wanted_once_and_the_call_goes_on_at_once() -> None:
    async def story() -> Bench:
        text = SendMessage("+33639981011", "{client}: {caller} a appelé à {time}")
        bench = await calling(text, SendMessage("lilas@lilas.example", "et un mail"), Play(CLOSED), Hangup())
        await bench.pass_time(10)
        return await ended(bench)

    bench = run(story())
    assert sounds(bench) == ["closed", "end"]
    by_route = {letter.route: letter for letter in outbox(bench)}
    assert by_route["text"].content == Note("Lilas: 06 39 98 01 01 a appelé à 16:13", "Lilas")
    assert (by_route["text"].id, by_route["mail"].id) == ("note-c1-1-to-1", "note-c1-2-to-1")
    assert by_route["mail"].client == "lilas"


def test_for_a_discreet_client_the_text_goes_out_as_the_admin_wrote_it() -> None:
    async def story() -> Bench:
        bench = await calling(
            SendMessage("+33639981011", "Un appel de {caller}"), Hangup(), profile="medical"
        )
        await bench.pass_time(5)
        return await ended(bench)

    (letter,) = outbox(run(story()))
    assert letter.content == Note("Un appel de {caller}", "")


def test_a_callers_own_words_cannot_ask_for_more_of_the_message() -> None:
    async def story() -> Bench:
        bench = bench_with(
            client("lilas", "+33199001001", SendMessage("a@lilas.example", "{caller}"), Hangup())
        )
        bench.start()
        await bench.pass_time(0.01)
        bench.telephone.call_in("chan-1", "0199001001", caller="{client}{time}")
        await bench.pass_time(5)
        return await ended(bench)

    (letter,) = outbox(run(story()))
    assert isinstance(letter.content, Note)
    assert "Lilas" not in letter.content.text


def test_a_message_chosen_in_a_menu_is_sent() -> None:
    async def story() -> Bench:
        menu = Menu(WELCOME, {"1": (SendMessage("a@lilas.example", "touche 1"),)}, wait=3.0)
        bench = await calling(menu, Play(CLOSED), Hangup())
        await bench.pass_time(1)
        bench.telephone.presses("chan-1", "1")
        await bench.pass_time(10)
        return await ended(bench)

    bench = run(story())
    assert [letter.content for letter in outbox(bench)] == [Note("touche 1", "Lilas")]
    assert sounds(bench)[-2:] == ["closed", "end"]


# --- alerts ----------------------------------------------------------------------------------


ALERT = Entry(EPOCH, "alert", None, {"alert": "no_answer_pause", "secretary": "lea", "misses": 3})


def supervised(*addresses: str) -> Configuration:
    whole = configuration()
    return replace(whole, bureau=replace(whole.bureau, supervisor=addresses))


def test_an_alert_is_one_mail_to_each_supervisor_however_often_it_is_decided() -> None:
    both = supervised("a@t.example", "b@t.example")
    entries, rows = alert_rows(both, [ALERT])
    assert rows == alert_rows(both, [ALERT])[1]
    assert [e.fields["about"] for e in entries] == ["no_answer_pause"] * 2
    found, _ = letters(rows)
    assert [letter.to for letter in found] == ["a@t.example", "b@t.example"]
    content = found[0].content
    assert isinstance(content, Alert)
    assert (content.key, content.about, content.fields["misses"]) == ("no_answer_pause", "lea", "3")


@pytest.mark.parametrize("entry", [replace(ALERT, kind="step"), replace(ALERT, fields={"alert": "other"})])
def test_what_is_no_alert_of_this_kind_mails_nobody(entry: Entry) -> None:
    assert alert_rows(supervised("a@t.example"), [entry]) == ([], {})


def test_a_bureau_without_a_supervisor_and_one_not_read_yet_mail_nobody() -> None:
    assert alert_rows(supervised(), [ALERT]) == ([], {})
    assert alert_rows(None, [ALERT]) == ([], {})


def test_a_secretary_who_is_paused_for_not_answering_is_told_of_by_mail() -> None:
    async def story() -> Bench:
        bench = Bench(supervised("chef@t.example"))
        bench.telephone.habits["lea"] = Habit(answers=None)
        bench.start()
        await bench.pass_time(0.01)
        await bench.at_work("lea")
        for n in range(1, 4):
            bench.telephone.call_in(f"chan-{n}", "0199001001")
        await bench.pass_time(60)
        return await ended(bench)

    bench = run(story())
    paused = [e for e in bench.journal.entries if e.kind == "alert"]
    assert len(paused) == 1
    (letter,) = outbox(bench)
    assert (letter.to, letter.at) == ("chef@t.example", paused[0].at)


# --- outages ---------------------------------------------------------------------------------


def test_a_recording_that_ended_while_the_events_were_away_is_found_ended() -> None:
    async def story() -> Bench:
        bench = await calling(BOX, says=2.0)
        await bench.pass_time(5.0)
        with bench.telephone.deaf():
            await bench.pass_time(20.0)
        await bench.pass_time(10.0)
        return await ended(bench)

    bench = run(story())
    assert bench.record().outcome == "voicemail"
    assert sounds(bench) == ["leave", "beep", "saved", "end"]


def test_a_caller_who_hung_up_while_the_events_were_away_has_left_his_message() -> None:
    async def story() -> Bench:
        bench = await calling(BOX)
        await bench.pass_time(8.0)
        with bench.telephone.deaf():
            bench.telephone.caller_hangs_up("chan-1")
            await bench.pass_time(3.0)
        await bench.pass_time(10.0)
        return await ended(bench)

    bench = run(story())
    assert bench.record().outcome == "voicemail"
    assert len(outbox(bench)) == 2


class Mute(FakeTelephone):
    """An Asterisk that answers nothing about recordings while `mute`."""

    mute = False

    async def recorded(self, recording: str) -> bytes:
        if self.mute:
            raise TelephoneDown("away")
        return await super().recorded(recording)


def test_asterisk_that_cannot_be_asked_at_the_hang_up_costs_no_message() -> None:
    async def story() -> Bench:
        bench = bench_with(client("lilas", "+33199001001", BOX))
        bench.telephone = mute = Mute(bench.clock, bench.telephone.lengths)
        bench.start()
        await bench.pass_time(0.01)
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(8.0)
        mute.mute = True
        bench.telephone.caller_hangs_up("chan-1")
        await bench.pass_time(5.0)
        return await ended(bench)

    bench = run(story())
    assert bench.record().outcome == "voicemail"
    notice = outbox(bench)[0].content
    assert isinstance(notice, VoiceNotice)
    assert notice.seconds is None


def test_asterisk_that_cannot_be_asked_for_a_while_holds_up_the_thanks_and_nothing_else() -> None:
    async def story() -> Bench:
        bench = bench_with(client("lilas", "+33199001001", BOX))
        bench.telephone = mute = Mute(bench.clock, bench.telephone.lengths)
        bench.start()
        await bench.pass_time(0.01)
        bench.telephone.says["chan-1"] = 3.0
        mute.mute = True
        bench.telephone.call_in("chan-1", "0199001001")
        await bench.pass_time(20.0)
        mute.mute = False
        await bench.pass_time(20.0)
        return await ended(bench)

    bench = run(story())
    assert sounds(bench) == ["leave", "beep", "saved", "end"]
    assert len(kept(bench)) == 1
    assert len(outbox(bench)) == 2


PLOTS = [
    Plot("silence ends it", (replace(BOX, max_seconds=20.0),), {}, ((0.0, 60.0),)),
    Plot("he hangs up", (replace(BOX, max_seconds=60.0),), {}, ((0.0, 12.0),)),
    Plot("a text first", (SendMessage("+33639981011", "x"), BOX), {}, ((0.0, 15.0),)),
]


@pytest.mark.parametrize("outage", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.name)
def test_killed_at_every_effect_one_message_is_kept_and_each_mail_wanted_once(
    plot: Plot, when: str, outage: float
) -> None:
    _, effects = run(tell(plot, None, 0.0, when=when))
    assert effects >= 4
    for kill_at in range(effects):
        bench, _ = run(tell(plot, kill_at, outage, when=when))
        where = f"killed {when} effect {kill_at}, away {outage} s"
        assert not bench.telephone.channels, where
        assert not bench.journal.calls, where
        for kind in ("ended", "mail_queued", "voicemail_started"):
            names = Counter(
                (e.call, e.fields.get("mail"), e.fields.get("recording"))
                for e in bench.journal.entries
                if e.kind == kind
            )
            assert set(names.values()) <= {1}, f"{where}: {names}"
        assert len(bench.telephone.recordings) <= 1, where
        # the whole outage may swallow the call; whatever was recorded is kept, and told of
        recorded = [n for n, r in bench.telephone.recordings.items() if (r.sound or 0) >= 1.0]
        assert recorded == [voice.recording for voice in kept(bench)], where
        told = [letter for letter in outbox(bench) if isinstance(letter.content, VoiceNotice)]
        assert len(told) == 2 * len(recorded), where
        if recorded:
            assert bench.record().outcome == "voicemail", where

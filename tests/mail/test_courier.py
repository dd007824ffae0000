"""The outbox in virtual time: everything goes out once, whatever fails, for how long, and whoever is killed."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.calls.ports import TelephoneDown
from autocom.core.journal import Entry
from autocom.core.letters import Letter, Note, Voice, VoiceNotice, letters, row_of, voices
from autocom.lane import MOST, Later, Refused, Unreachable
from autocom.mail.courier import Courier
from autocom.mail.keeper import STRAYS
from autocom.mail.lane import PATIENCE, REMEMBERED
from autocom.mail.route import Parcel
from autocom.mail.shelf import VoiceShelf
from tests.support.exchange_in_memory import MemoryJournal
from tests.support.fake_telephone import FakeRecording, FakeTelephone
from tests.support.virtual import EPOCH, VirtualClock, run

DAY = 86400.0
Answer = Callable[[Parcel], None]


class Server:
    """A route whose answers are the test's. `taken`: ids in order; `asked`: every try with its time."""

    def __init__(self, clock: VirtualClock, answer: Answer = lambda _: None) -> None:
        self.clock, self.answer = clock, answer
        self.taken: list[str] = []
        self.asked: list[tuple[float, str]] = []
        self.parcels: dict[str, Parcel] = {}
        self.audio: dict[str, bytes] = {}

    async def send(self, parcel: Parcel) -> None:
        self.asked.append((self.clock.now() - EPOCH, parcel.letter.id))
        self.parcels[parcel.letter.id] = parcel
        await asyncio.sleep(0.05)
        self.answer(parcel)
        self.taken.append(parcel.letter.id)
        if parcel.audio is not None:
            self.audio[parcel.letter.id] = parcel.audio.read_bytes()


async def at_once(what: Callable[[], object]) -> object:
    """Threads know no virtual time."""
    return what()


class Office:
    """What outlives a courier, and the courier of the moment."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.outbox = MemoryJournal()
        self.telephone = FakeTelephone(self.clock)
        self.shelf = VoiceShelf(folder / "voicemail")
        self.mail, self.text = Server(self.clock), Server(self.clock)
        self.routes: dict[str, Server] = {"mail": self.mail, "text": self.text}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> Courier:
        courier = Courier(self.outbox, self.clock, self.telephone, self.shelf, self.routes, at_once)
        self._task = asyncio.ensure_future(courier.run())
        return courier

    async def kill(self) -> None:
        assert self._task is not None
        assert not self._task.done(), self._task
        self._task.cancel()
        await asyncio.wait([self._task])
        self.outbox.followers.clear()

    def queue(self, *found: Letter | Voice) -> None:
        rows = {}
        for each in found:
            rows.update(row_of(each))
        entries = [queued(each, self.clock.now()) for each in found if isinstance(each, Letter)]
        self.outbox.save(entries, floor=rows)

    def left(self) -> list[Letter]:
        return letters(self.outbox.floor)[0]

    def kinds(self) -> Counter[str]:
        return Counter(entry.kind for entry in self.outbox.entries)


def queued(letter: Letter, at: float) -> Entry:
    return Entry(at, "mail_queued", letter.call, {"mail": letter.id, "to": letter.to, "about": "message"})


def mail(number: int, to: str = "a@lilas.example", at: float = EPOCH) -> Letter:
    return Letter(f"note-c{number}-1-to-1", to, at, "fr", Note("bonjour", "Lilas"), f"c{number}", "lilas")


def voice_mail(at: float = EPOCH, erase_after: float = 30 * DAY) -> tuple[Voice, Letter]:
    notice = VoiceNotice("voice-c1-1", "4F7K", "Lilas", "Tilleuls", at, "Europe/Paris", 3.0)
    voice = Voice("voice-c1-1", "c1", "lilas", at, at + erase_after)
    return voice, Letter("voice-c1-1-to-1", "a@lilas.example", at, "fr", notice, "c1", "lilas")


def no(error: Exception) -> Answer:
    def answer(_: Parcel) -> None:
        raise error

    return answer


def test_what_is_queued_goes_out_once_and_its_row_with_it(tmp_path: Path) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        office.queue(mail(1))
        courier = office.start()
        await asyncio.sleep(1)
        office.queue(mail(2), mail(3, "+33639981011"))
        await asyncio.sleep(1)
        assert courier.figures() == {"waiting": 0, "failed": 0}
        await office.kill()
        return office

    office = run(story())
    assert office.mail.taken == ["note-c1-1-to-1", "note-c2-1-to-1"]
    assert office.text.taken == ["note-c3-1-to-1"]
    assert office.left() == []
    sent = [e for e in office.outbox.entries if e.kind == "mail_sent"]
    assert [(e.call, e.fields["tries"]) for e in sent] == [("c1", 1), ("c2", 1), ("c3", 1)]


def test_a_server_that_is_away_is_asked_with_growing_pauses_and_everything_goes_when_it_is_back(
    tmp_path: Path,
) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        office.mail.answer = no(Unreachable("refused"))
        office.queue(*(mail(n) for n in range(20)), mail(99, "+33639981011"))
        office.start()
        await asyncio.sleep(3600)
        assert office.text.taken, "the other route is not held up"
        office.mail.answer = lambda _: None
        await asyncio.sleep(MOST + 10)
        await office.kill()
        return office

    office = run(story())
    assert sorted(office.mail.taken) == sorted(mail(n).id for n in range(20))
    away = [at for at, _ in office.mail.asked if at < 3600]
    pauses = [b - a for a, b in itertools.pairwise(away)]
    assert all(b >= a - 0.1 for a, b in itertools.pairwise(pauses)), pauses
    assert pauses[0] == pytest.approx(2.05, abs=0.1)
    assert max(pauses) == pytest.approx(MOST + 0.05, abs=0.1)
    assert len(away) < 25, "one try each time, not one for each letter"
    assert office.left() == []


def test_a_letter_that_makes_the_server_hang_up_does_not_hold_up_the_others(tmp_path: Path) -> None:
    def answer(parcel: Parcel) -> None:
        if parcel.letter.id == mail(0).id:
            raise Unreachable("connection lost")

    async def story() -> Office:
        office = Office(tmp_path)
        office.mail.answer = answer
        office.queue(*(mail(n) for n in range(5)))
        office.start()
        await asyncio.sleep(600)
        await office.kill()
        return office

    office = run(story())
    assert sorted(office.mail.taken) == sorted(mail(n).id for n in range(1, 5))
    assert [letter.id for letter in office.left()] == [mail(0).id]


def test_a_recipient_who_cannot_have_it_now_waits_alone_and_the_journal_is_not_filled(tmp_path: Path) -> None:
    def answer(parcel: Parcel) -> None:
        if parcel.letter.to == "full@lilas.example":
            raise Later("452 mailbox full")

    async def story() -> Office:
        office = Office(tmp_path)
        office.mail.answer = answer
        office.queue(mail(1, "full@lilas.example"), mail(2))
        office.start()
        await asyncio.sleep(DAY)
        office.mail.answer = lambda _: None
        await asyncio.sleep(MOST + 60)
        await office.kill()
        return office

    office = run(story())
    assert office.mail.taken == [mail(2).id, mail(1).id]
    assert office.kinds()["mail_failed"] == 1
    assert next(e for e in office.outbox.entries if e.kind == "mail_failed").fields["final"] is False


def test_a_recipient_who_is_refused_for_ever_is_given_up_at_once(tmp_path: Path) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        office.mail.answer = no(Refused("550 no such user\r\nX: y"))
        office.queue(mail(1))
        courier = office.start()
        await asyncio.sleep(10)
        assert courier.figures() == {"waiting": 0, "failed": 1}
        await asyncio.sleep(REMEMBERED + 120)
        assert courier.figures() == {"waiting": 0, "failed": 0}
        await office.kill()
        return office

    office = run(story())
    assert len(office.mail.asked) == 1
    (failed,) = [e for e in office.outbox.entries if e.kind == "mail_failed"]
    assert (failed.fields["final"], failed.fields["error"]) == (True, "550 no such user  X: y")


@pytest.mark.parametrize("error", [Unreachable("away"), Later("451 try again")])
def test_after_three_days_it_is_given_up_loudly(tmp_path: Path, error: Exception) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        office.mail.answer = no(error)
        office.queue(mail(1))
        office.start()
        await asyncio.sleep(PATIENCE - 60)
        assert [letter.given_up for letter in office.left()] == [None]
        await asyncio.sleep(2 * MOST)
        await office.kill()
        return office

    office = run(story())
    assert [letter.given_up is not None for letter in office.left()] == [True]
    assert [e.fields["final"] for e in office.outbox.entries if e.kind == "mail_failed"] == [False, True]


def test_without_a_mail_server_mail_waits_and_without_a_gateway_a_text_fails_in_words(tmp_path: Path) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        routes, office.routes = office.routes, {}
        office.queue(mail(1), mail(2, "+33639981011"))
        courier = office.start()
        await asyncio.sleep(DAY)
        assert courier.figures() == {"waiting": 1, "failed": 1}
        await office.kill()
        office.routes = routes
        office.start()
        await asyncio.sleep(1)
        await office.kill()
        return office

    office = run(story())
    assert office.mail.taken == [mail(1).id]
    (failed,) = [e for e in office.outbox.entries if e.kind == "mail_failed"]
    assert "AUTOCOM_SMS_URL" in str(failed.fields["error"])
    assert failed.fields["final"] is True


def test_a_letter_that_crashes_the_courier_is_given_up_and_the_others_go(tmp_path: Path) -> None:
    def answer(parcel: Parcel) -> None:
        if parcel.letter.id == mail(1).id:
            raise ZeroDivisionError("a bug")

    async def story() -> Office:
        office = Office(tmp_path)
        office.mail.answer = answer
        office.queue(mail(1), mail(2))
        office.start()
        await asyncio.sleep(5)
        await office.kill()
        return office

    office = run(story())
    assert office.mail.taken == [mail(2).id]
    assert "ZeroDivisionError" in office.left()[0].error


def test_a_row_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        office.outbox.floor["mail:x"] = {"_": "Letter", "id": 7}
        office.queue(mail(2))
        office.start()
        await asyncio.sleep(300)
        await office.kill()
        return office

    office = run(story())
    assert office.mail.taken == [mail(2).id]
    assert "mail:x" in office.outbox.floor


# --- recordings ------------------------------------------------------------------------------


def recorded(office: Office, seconds: float = 3.0) -> None:
    office.telephone.recordings["voice-c1-1"] = FakeRecording("chan-1", EPOCH, EPOCH + seconds, seconds)


def test_a_recording_is_fetched_mailed_and_erased_in_asterisk(tmp_path: Path) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        recorded(office)
        office.start()
        await asyncio.sleep(1)
        office.queue(*voice_mail())
        await asyncio.sleep(1)
        await office.kill()
        return office

    office = run(story())
    path = office.shelf.path("voice-c1-1")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(office.mail.audio["voice-c1-1-to-1"]) == 44 + 3 * 16000
    assert office.telephone.recordings == {}
    assert [key for key in office.outbox.floor if key.startswith("mail:")] == []


def test_a_mail_waits_for_its_recording_while_asterisk_is_away(tmp_path: Path) -> None:
    class Away(FakeTelephone):
        down = True

        async def recorded(self, recording: str) -> bytes:
            if self.down:
                raise TelephoneDown("away")
            return await super().recorded(recording)

    async def story() -> Office:
        office = Office(tmp_path)
        office.telephone = away = Away(office.clock)
        recorded(office)
        office.queue(*voice_mail())
        office.start()
        await asyncio.sleep(600)
        assert office.mail.asked == []
        away.down = False
        await asyncio.sleep(120)
        await office.kill()
        return office

    office = run(story())
    assert list(office.mail.audio) == ["voice-c1-1-to-1"]


def test_a_recording_that_is_lost_is_said_to_be_lost_and_the_notice_goes_all_the_same(tmp_path: Path) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        office.queue(*voice_mail())
        office.start()
        await asyncio.sleep(5)
        await office.kill()
        return office

    office = run(story())
    assert office.mail.taken == ["voice-c1-1-to-1"]
    assert office.mail.audio == {}
    assert "n'a pas pu être récupéré" in office.mail.parcels["voice-c1-1-to-1"].body


def test_a_recording_is_erased_when_its_time_is_over_but_never_before_its_mail_went_out(
    tmp_path: Path,
) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        recorded(office)
        office.mail.answer = no(Unreachable("away"))
        office.queue(*voice_mail(erase_after=DAY))
        office.start()
        await asyncio.sleep(2 * DAY)
        assert office.shelf.has("voice-c1-1"), "its mail still waits"
        office.mail.answer = lambda _: None
        await asyncio.sleep(MOST + 120)
        await office.kill()
        return office

    office = run(story())
    assert office.mail.audio
    assert not office.shelf.has("voice-c1-1")
    assert office.outbox.floor == {}


def test_a_message_that_is_listened_to_while_it_is_fetched_stays_listened_to(tmp_path: Path) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        recorded(office)
        voice, _ = voice_mail()

        def listened(what: str) -> None:
            if what == "erase_recording":
                office.outbox.save((), floor=row_of(replace(voice, heard=EPOCH + 1)))

        office.telephone.before = listened
        office.queue(voice)
        office.start()
        await asyncio.sleep(1)
        await office.kill()
        return office

    office = run(story())
    ((found,), _) = voices(office.outbox.floor)
    assert (found.kept, found.heard) == (True, EPOCH + 1)


def test_a_recording_that_nothing_is_known_of_is_erased_too_in_the_end(tmp_path: Path) -> None:
    async def story() -> Office:
        office = Office(tmp_path)
        office.shelf.put("voice-c9-1", b"a voice")
        os.utime(office.shelf.path("voice-c9-1"), (EPOCH - STRAYS + 2 * DAY,) * 2)
        (office.shelf.folder / "notes.wav").write_bytes(b"an admin's own")
        office.start()
        await asyncio.sleep(DAY)
        assert office.shelf.has("voice-c9-1")
        await asyncio.sleep(2 * DAY)
        await office.kill()
        return office

    office = run(story())
    assert [path.name for path in office.shelf.folder.iterdir()] == ["notes.wav"]
    assert office.outbox.floor == {}


# --- killed ----------------------------------------------------------------------------------


def test_killed_at_every_moment_no_mail_and_no_recording_is_lost(tmp_path: Path) -> None:
    """A second try may come only where the kill fell between the server's answer and our note of it."""

    async def story(folder: Path, kill_at: float) -> Office:
        office = Office(folder)
        recorded(office)
        office.queue(*voice_mail(), mail(2))
        office.start()
        await asyncio.sleep(kill_at)
        await office.kill()
        office.start()
        await asyncio.sleep(120)
        await office.kill()
        return office

    for step in range(40):
        kill_at = step * 0.005
        office = run(story(tmp_path / str(step), kill_at))
        assert set(office.mail.taken) == {"voice-c1-1-to-1", mail(2).id}, kill_at
        assert len(office.mail.taken) == 2, kill_at
        assert office.shelf.has("voice-c1-1")
        assert len(office.mail.audio["voice-c1-1-to-1"]) == 44 + 3 * 16000
        assert office.telephone.recordings == {}
        assert office.left() == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["ok", "away", "later", "refused"]), max_size=30), st.integers(1, 6))
def test_whatever_the_server_answers_every_letter_is_sent_once_or_given_up_once(
    answers: list[str], count: int
) -> None:
    async def story(folder: Path) -> Office:
        office = Office(folder)
        script = iter(answers)

        def answer(_: Parcel) -> None:
            match next(script, "ok"):
                case "away":
                    raise Unreachable("away")
                case "later":
                    raise Later("later")
                case "refused":
                    raise Refused("never")

        office.mail.answer = answer
        office.queue(*(mail(n) for n in range(count)))
        office.start()
        await asyncio.sleep(30 * MOST)
        await office.kill()
        return office

    with tempfile.TemporaryDirectory() as folder:
        office = run(story(Path(folder)))
    assert max(Counter(office.mail.taken).values(), default=1) == 1
    lost = {letter.id for letter in office.left() if letter.given_up is not None}
    assert lost | set(office.mail.taken) == {mail(n).id for n in range(count)}
    assert not lost & set(office.mail.taken)
    finals = [e.fields["mail"] for e in office.outbox.entries if e.fields.get("final")]
    assert sorted(finals) == sorted(lost)

"""The room of the alerts over a real local log, in virtual time: saved with what it tells, told once over kill -9."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from autocom import faults
from autocom.alert_post import PATIENCE, POST, Post, Posting, posting
from autocom.alerting import CURSOR, MAILED_ALREADY, SAVED_EVERY, AlertRoom, fact_of
from autocom.core.alerts import ALERT, CODEC, LOOKED_FOR, RULES, Alert, Alerting, Finding, Webhook
from autocom.core.journal import Entry, Json
from autocom.core.letters import letters
from autocom.journal.log import LocalLog
from autocom.mail.route import Parcel
from autocom.mail.smtp import compose
from autocom.mail.words import words
from autocom.shared_journal import SharedJournal
from tests.support.exchange_in_memory import configuration
from tests.support.listener import Listener
from tests.support.virtual import VirtualClock, run

HOOK = Webhook("http://127.0.0.1:9/never", "secret-of-ours")
TOLD = Alerting(mail=("chef@tilleuls.example", "nuit@tilleuls.example"))


class Station:
    """What outlives a room, and the room of the moment. `wrong`: what a look finds."""

    def __init__(self, folder: Path, alerting: Alerting = TOLD, supervisor: tuple[str, ...] = ()) -> None:
        self.path = folder / "journal.sqlite"
        self.clock = VirtualClock()
        base = configuration()
        self.configuration = replace(
            base, bureau=replace(base.bureau, alerts=alerting, supervisor=supervisor)
        )
        self.wrong: list[Finding] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> AlertRoom:
        self.local = LocalLog(self.path)
        self.journal = SharedJournal(self.local)
        self.room = AlertRoom(
            self.journal, self.local, self.clock, lambda: self.configuration, lambda: tuple(self.wrong)
        )
        self._task = asyncio.ensure_future(self.room.run())
        return self.room

    async def kill(self) -> None:
        assert self._task is not None
        assert not self._task.done(), self._task
        self._task.cancel()
        await asyncio.wait([self._task])
        self.local.close()

    def told(self) -> list[tuple[str, str]]:
        """The `alert` entries that were told, in order."""
        found = [entry for _, entry in self.local.read(0, 10_000) if entry.kind == "alert"]
        return [(str(e.fields["alert"]), str(e.fields["state"])) for e in found if "state" in e.fields]

    def mails(self) -> list[str]:
        return [words(letter, has_audio=False)[0] for letter in letters(self.local.rows("mail:"))[0]]

    def service(self, kind: str, **fields: Json) -> None:
        self.journal.save([Entry(self.clock.now(), kind, "c1" if kind == "ended" else None, fields)])


def story(folder: Path, plot: Callable[[Station], Awaitable[None]], **settings: Any) -> Station:
    async def play() -> Station:
        station = Station(folder, **settings)
        station.start()
        await asyncio.sleep(0.01)
        await plot(station)
        return station

    return run(play())


def test_an_alert_is_an_entry_a_mail_to_everybody_and_a_row(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        station.wrong = [Finding("database_down", detail="42")]
        await asyncio.sleep(6)
        assert station.told() == [("database_down", "raised")]
        assert station.mails() == ["Base de données absente"] * 2
        (row,) = station.room.rows()["active"]  # type: ignore[misc]
        assert row["severity"] == "warning"
        assert "42" in row["text"]["fr"]["sentence"]
        station.wrong = []
        await asyncio.sleep(20)
        assert station.told() == [("database_down", "raised"), ("database_down", "over")]
        assert station.mails()[2:] == ["Terminé : Base de données absente"] * 2
        assert station.room.rows()["active"] == []
        await station.kill()

    story(tmp_path, plot)


def test_a_mail_says_it_in_full_and_passes_the_wire(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        faults.note(station.journal, station.clock, "disk_low", "opé\r\nBcc: x@y.example", "503")
        await asyncio.sleep(20)
        letter = letters(station.local.rows("mail:"))[0][0]
        subject, body = words(letter, has_audio=False)
        message = compose(Parcel(letter, subject, body), "autocom@tilleuls.example")
        assert message["Bcc"] is None
        assert "503" in message.as_bytes(policy=SMTP).decode("latin-1")
        assert message["Message-ID"].startswith("<alert-disk-low-op")
        await station.kill()

    story(tmp_path, plot)


def test_a_kill_at_any_second_loses_no_alert_and_tells_none_twice(tmp_path: Path) -> None:
    for second in range(12):
        folder = tmp_path / str(second)
        folder.mkdir()

        async def plot(station: Station, second: int = second) -> None:
            station.wrong = [Finding("telephone_lost")]
            station.service("ended", outcome="fallback")
            await asyncio.sleep(second + 0.005)
            await station.kill()
            station.start()
            await asyncio.sleep(60)
            assert sorted(station.told()) == [("fallback_used", "raised"), ("telephone_lost", "raised")], (
                second
            )
            assert len(station.mails()) == 4
            station.wrong = []
            await asyncio.sleep(30)
            await station.kill()
            station.start()
            await asyncio.sleep(400)
            assert sorted(station.told()) == [
                ("fallback_used", "over"),
                ("fallback_used", "raised"),
                ("telephone_lost", "over"),
                ("telephone_lost", "raised"),
            ], second
            await station.kill()

        story(folder, plot)


def test_facts_that_were_saved_in_the_last_moment_are_heard_by_the_next_process(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        faults.note(
            station.journal, station.clock, "banned", "192.0.2.9", ""
        )  # heard: from here on a cursor stands
        await asyncio.sleep(5)
        assert station.local.rows(CURSOR)
        await station.kill()
        dying = LocalLog(station.path)
        now = station.clock.now()
        dying.save(
            [Entry(now, "ended", "c7", {"outcome": "fallback"}), Entry(now, "crashed", "c8", {"error": "x"})]
        )
        dying.close()
        station.wrong = [Finding("outbox_stuck", "mail", "20 min 00 s")]  # found before anything is caught up
        station.start()
        await asyncio.sleep(5)
        told = station.told()
        assert told.pop(told.index(("outbox_stuck", "raised")))
        assert told == [
            ("banned", "raised"),
            ("fallback_used", "raised"),
            ("call_crashed", "raised"),
        ]
        (banned,) = [a for a in station.room.active() if a.name == "banned"]
        assert banned.count == 1
        await station.kill()

    story(tmp_path, plot)


def test_what_is_to_be_read_again_after_a_crash_stays_short_though_nothing_happens(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        for _ in range(20):
            for _ in range(100):
                station.service("ended", outcome="served")
            await asyncio.sleep(1)
        await asyncio.sleep(2)
        cursor = station.local.rows(CURSOR)[CURSOR]
        assert isinstance(cursor, int)
        assert station.local.last - cursor < SAVED_EVERY
        await station.kill()

    story(tmp_path, plot)


def test_a_room_that_is_begun_again_hears_what_came_meanwhile(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        station.journal.begun()
        room = station.room
        assert station._task is not None
        station._task.cancel()
        await asyncio.wait([station._task])
        station.service("ended", outcome="fallback")
        station._task = asyncio.ensure_future(room.run())
        await asyncio.sleep(3)
        assert station.told() == [("fallback_used", "raised")]
        await station.kill()

    story(tmp_path, plot)


def test_the_first_fault_ever_is_heard_though_the_process_ended_with_it(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        await asyncio.sleep(2)
        await station.kill()
        next_one = LocalLog(station.path)  # it says why the last one ended, before there is a room for it
        faults.note(next_one, station.clock, "loop_blocked", "", "ended itself")
        next_one.close()
        station.start()
        await asyncio.sleep(3)
        assert station.told() == [("loop_blocked", "raised")]
        await station.kill()

    story(tmp_path, plot)


def test_what_this_process_writes_before_the_room_listens_is_heard(tmp_path: Path) -> None:
    async def play() -> None:
        station = Station(tmp_path)
        station.start()
        station.service("ended", outcome="fallback")  # the room was built, and does not run yet
        await asyncio.sleep(3)
        assert station.told() == [("fallback_used", "raised")]
        (alert,) = station.room.active()
        assert alert.count == 1
        await station.kill()

    run(play())


def test_a_crash_in_the_look_ends_nothing(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        class Broken(list[Finding]):
            def __iter__(self) -> Any:
                raise ZeroDivisionError

        station.wrong = Broken()
        await asyncio.sleep(5)
        station.wrong = [Finding("telephone_lost")]
        await asyncio.sleep(5)
        assert station.told() == [("telephone_lost", "raised")]
        await station.kill()

    story(tmp_path, plot)


@pytest.mark.parametrize("name", sorted(MAILED_ALREADY))
def test_the_supervisor_is_not_mailed_twice_of_what_she_is_mailed_anyway(tmp_path: Path, name: str) -> None:
    async def plot(station: Station) -> None:
        station.service("alert", alert=name, secretary="lea", misses=3, what="per_hour", used=10, limit=20)
        await asyncio.sleep(3)
        assert [letter.to for letter in letters(station.local.rows("mail:"))[0]] == ["nuit@tilleuls.example"]
        await station.kill()

    story(tmp_path, plot, supervisor=("chef@tilleuls.example",))


def test_only_what_is_about_somebody_says_a_name(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        lea = replace(station.configuration.secretaries["lea"], name="Léa Martin")
        station.configuration = replace(
            station.configuration, secretaries={**station.configuration.secretaries, "lea": lea}
        )
        station.service("alert", alert="no_answer_pause", secretary="lea", misses=3)
        faults.note(station.journal, station.clock, "part_failed", "lea", "ZeroDivisionError")
        await asyncio.sleep(3)
        rows: Any = station.room.rows()["active"]
        said = {row["alert"]: json.dumps(row["text"], ensure_ascii=False) for row in rows}
        assert "Léa Martin" in said["no_answer_pause"]
        assert "Léa Martin" not in said["part_failed"], "a part may have a name that is a secretary's as well"
        await station.kill()

    story(tmp_path, plot)


def test_nobody_is_mailed_where_the_files_name_nobody(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        station.wrong = [Finding("telephone_lost")]
        await asyncio.sleep(10)
        assert station.told() == [("telephone_lost", "raised")]
        assert station.mails() == []
        assert station.local.rows(POST) == {}
        await station.kill()

    story(tmp_path, plot, alerting=Alerting())


def test_a_posting_is_saved_with_its_alert(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        station.wrong = [Finding("no_secretary", "medical", "Lilas")]
        await asyncio.sleep(35)
        (row,) = station.local.rows(POST).values()
        body = json.loads(row["body"])  # type: ignore[index,call-overload]
        assert (body["event"], body["alert"], body["subject"], body["severity"], body["over"]) == (
            "raised", "no_secretary", "medical", "critical", None,
        )  # fmt: skip
        assert body["id"].startswith("alert-no-secretary-medical-")
        assert "Lilas" in body["text"]["en"]["sentence"]
        await station.kill()

    story(tmp_path, plot, alerting=Alerting(webhook=HOOK))


def test_a_damaged_row_is_forgotten_and_stops_nothing(tmp_path: Path) -> None:
    damaged = LocalLog(tmp_path / "journal.sqlite")
    damaged.save((), floor={f"{ALERT}x:": {"_": "Nonsense"}, CURSOR: "nonsense", f"{POST}y": 7})
    damaged.close()

    async def plot(station: Station) -> None:
        station.wrong = [Finding("telephone_lost")]
        await asyncio.sleep(10)
        assert station.told() == [("telephone_lost", "raised")]
        assert f"{ALERT}x:" not in station.local.rows(ALERT)
        await station.kill()

    story(tmp_path, plot)


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (Entry(1.0, "service", None, {"event": "asterisk_died", "detail": "11"}), "asterisk_died"),
        (Entry(1.0, "service", None, {"event": "telephone_lost"}), None),
        (Entry(1.0, "ended", "c1", {"outcome": "served"}), None),
        (Entry(1.0, "fault", None, {"fault": "no_such"}), None),
        (Entry(1.0, "fault", None, {"fault": "disk_low", "where": "disk"}), "disk_low"),
        # its own limit, and words of one language: what the look finds is told
        (Entry(1.0, "fault", None, {"fault": "journal_lag", "detail": "3 facts"}), None),
        (Entry(1.0, "fault", None, {}), None),
        (Entry(1.0, "alert", None, {"alert": "no_answer_pause", "state": "raised"}), None),  # our own
        (Entry(1.0, "crashed", "c1", {"error": "KeyError: '+33199006666'"}), "call_crashed"),
    ],
)
def test_which_facts_are_alerts(entry: Entry, name: str | None) -> None:
    found = fact_of(entry)
    assert (found[0].name if found else None) == name
    assert found is None or "+33" not in found[0].detail


def test_every_rule_can_be_raised_by_a_look_or_a_fact() -> None:
    by_fact = {name for name, rule in RULES.items() if rule.hold}
    with_an_end = {"asterisk_hung", "disk_low", "descriptors_low"}
    assert set(RULES) == by_fact | LOOKED_FOR | with_an_end
    assert not by_fact & LOOKED_FOR


def test_the_severity_that_the_files_say_is_the_one_that_is_shown_and_counted(tmp_path: Path) -> None:
    rules = {
        **RULES,
        "database_down": replace(RULES["database_down"], severity="critical", after=0.0),
        "telephone_lost": replace(RULES["telephone_lost"], severity="warning", after=0.0),
    }

    async def plot(station: Station) -> None:
        station.wrong = [Finding("telephone_lost"), Finding("database_down")]
        await asyncio.sleep(3)
        assert [(row["alert"], row["severity"]) for row in station.room.rows()["active"]] == [
            ("database_down", "critical"),
            ("telephone_lost", "warning"),
        ]
        assert station.room.counts() == {("database_down", "critical"): 1, ("telephone_lost", "warning"): 1}
        await station.kill()

    story(tmp_path, plot, alerting=replace(TOLD, rules=rules))


def test_an_alert_of_another_version_is_forgotten(tmp_path: Path) -> None:
    async def plot(station: Station) -> None:
        strange = Alert("of_tomorrow", "", 1.0, raised=2.0, over=3.0)
        station.journal.save((), floor={strange.key: CODEC.dump(strange)})
        await station.kill()
        room = station.start()
        assert room.rows() == {"active": [], "recent": []}
        assert strange.key not in station.local.rows(ALERT)
        await station.kill()

    story(tmp_path, plot)


# --- the webhook -------------------------------------------------------------------------------------------


class QuickClock:
    """Real, but pauses of seconds last milliseconds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return 1_790_000_000.0 + self.ahead

    async def until(self, instant: float) -> None:
        self.ahead = max(self.ahead, instant - 1_790_000_000.0)
        await asyncio.sleep(0.005)


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalLog]:
    log = LocalLog(tmp_path / "journal.sqlite")
    yield log
    log.close()


async def posted(local: LocalLog, listener: Listener, *bodies: str, hook: Webhook | None = None) -> None:
    """Run the lane until nothing waits."""
    clock = QuickClock()
    post = Post(local, clock, lambda: hook or listener.hook)
    for n, text in enumerate(bodies):
        local.save((), floor=posting(f"alert-{n}", clock.now() + n / 1000, {"text": text}))
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(post.run())
        while local.rows(POST):
            await asyncio.sleep(0.01)
        running.cancel()


async def test_a_posting_carries_the_proof_of_its_bytes(local: LocalLog) -> None:
    async with Listener() as listener:
        await posted(local, listener, "Léa & Cie")
    ((headers, raw),) = listener.taken
    assert json.loads(raw) == {"id": "alert-0", "text": "Léa & Cie"}
    proof = hmac.new(b"secret-of-ours", raw, hashlib.sha256).hexdigest()
    assert headers["X-Proof"] == f"sha256={proof}"
    assert headers["Idempotency-Key"] == "alert-0"
    assert headers["Content-Type"] == "application/json"


async def test_what_nobody_takes_comes_again_under_the_same_id_and_in_order(local: LocalLog) -> None:
    async with Listener(503, 500, 429) as listener:
        await posted(local, listener, "one", "two")
    ids = [json.loads(raw)["id"] for _, raw in listener.taken]
    assert ids == ["alert-0"] * 4 + ["alert-1"]
    assert len({raw for _, raw in listener.taken}) == 2


async def test_a_hook_that_refuses_for_good_holds_up_no_other(local: LocalLog) -> None:
    async with Listener(410) as listener:
        await posted(local, listener, "one", "two")
    assert [json.loads(raw)["id"] for _, raw in listener.taken] == ["alert-0", "alert-1"]


async def test_a_hook_that_was_taken_out_of_the_files_is_owed_nothing(local: LocalLog) -> None:
    local.save((), floor=posting("alert-9", 1.0, {"text": "old"}))
    post = Post(local, QuickClock(), lambda: None)
    (going,) = post._open()
    assert isinstance(going, Posting)
    await post._send(going)
    assert not local.rows(POST)


async def test_what_has_waited_for_more_than_a_day_is_not_posted_any_more(local: LocalLog) -> None:
    clock = QuickClock()
    local.save((), floor=posting("alert-9", clock.now() - PATIENCE, {"text": "of the day before yesterday"}))
    async with Listener() as listener:
        await posted(local, listener, "one")
    assert [json.loads(raw)["id"] for _, raw in listener.taken] == ["alert-0"]

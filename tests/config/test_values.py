"""Files that are right: what the core gets."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from autocom.config import ConfigurationRefused, PaperShelf, schema, stock_folder
from autocom.config.scalars import duration, time_range, weekdays
from autocom.core import model as core

from .conftest import ACCUEIL, BUREAU, CLIENT, load, tone

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "config"
moment = datetime.fromisoformat  # naive: local time of the client

EVERYTHING = """\
id: cab-lilas
name: Cabinet médical des Lilas
display: Cab. Lilas
profile: medical
numbers:
  - did: "+33199001001"
  - did: "+33199001005"
    forwarded_from: "02 61 91 20 10"
phrase: "Cabinet des Lilas, bonjour."
card: https://agenda.example/lilas
timezone: Indian/Reunion
holidays: FR-57
language: en
hours:
  mon-fri: ["08:00-12:30", "13:30-19:00"]
  sat: "20:00-02:00"
closures:
  - {from: "2026-12-24 12:00:30", to: "2026-12-27", name: Noël}
openings:
  - {from: "2026-12-26 08:00", to: "2026-12-26 12:00"}
absences:
  - {from: "2026-08-01", to: "2026-08-15", play: {say: "Away."}}
priority: 60
target: 800ms
max_calls: 6
early_limit: 30s
code: 12
rules:
  - name: special
    when:
      caller: [nuisance, anonymous, "0162*", "06 39 98 10 11"]
      hours: closed
      absence: false
      forward_reason: [no-answer, busy]
      did: "+33199001001"
      days: [sat-mon, wed]
      dates: [{from: "2026-12-01", to: "2026-12-31"}]
      time: "22:00-06:00"
      waiting_over: 3
      nobody: true
    do:
      - ringback: 5s
      - answer
      - menu:
          play: {say: "Press one."}
          keys: {1: [{on_call: {roster: night}}], "*": [{jump: open}]}
          wait: 4s
          otherwise: [{message: {to: "a@example.org", text: Hello}}, {hangup: congestion}]
  - name: closed
    when: {hours: closed}
    do:
      - play: {sound: lilas/ferme, mode: answered, must_hear: true, repeat: 2}
      - voicemail: {play: {sound: lilas/ferme}, max: 90s, mail: ["a@example.org"]}
  - name: open
    do:
      - queue:
          team: general
          music: dossier
          ring_for: 10s
          ring: round_robin
          announce: {position: true, every: 50s}
          max_wait: 5m
          on_timeout: [{forward: {to: "0639981011", ring_for: 20s, present: bureau, accept: 1}}]
          on_full: [{hangup: busy}]
wrap_up: {min: 1s, max: 20s}
outgoing: {number: "0261912010", verified: true}
retention: {calls: 30d}
recording: never
"""


@pytest.fixture
def full(desk):
    desk.write("bureau.yaml", BUREAU + 'rosters: {night: {order: [{name: A, number: "+33639981031"}]}}\n')
    desk.write("clients/cab-lilas.yaml", EVERYTHING)
    tone(desk.folder / "sounds/lilas/ferme.wav")
    tone(desk.folder / "sounds/dossier/a.wav")
    tone(desk.folder / "sounds/dossier/b.wav")
    return desk


def test_every_key_of_a_client_arrives_in_the_core(full):
    client = full.load().configuration.clients["cab-lilas"]
    assert client.lines == (core.Line("+33199001001"), core.Line("+33199001005", "+33261912010"))
    assert (client.phrase, client.card) == ("Cabinet des Lilas, bonjour.", "https://agenda.example/lilas")
    assert (client.language, client.priority, client.target, client.max_calls) == ("en", 60, 0.8, 6)
    assert (client.early_limit, client.code, client.wrap_up_min, client.wrap_up_max) == (
        30.0,
        "12",
        1.0,
        20.0,
    )
    assert (client.outgoing_number, client.outgoing_verified) == ("+33261912010", True)
    assert (client.retention_calls, client.retention_recordings) == (30 * 86400.0, 30 * 86400.0)
    hours = client.hours
    assert hours.zone == "Indian/Reunion"
    assert hours.week[1] == (core.TimeRange(time(8), time(12, 30)), core.TimeRange(time(13, 30), time(19)))
    assert hours.week[6] == (core.TimeRange(time(20), time(2)),)
    assert 7 not in hours.week
    assert hours.holidays[date(2027, 3, 26)] == "Vendredi saint"
    assert hours.closures == (core.Closure(moment("2026-12-24 12:00:30"), moment("2026-12-27"), "Noël"),)
    assert hours.openings[0].end == moment("2026-12-26 12:00")
    absence = client.absences[0]
    assert (absence.start, absence.play is not None) == (moment("2026-08-01"), True)


def test_every_condition_and_step_arrives_in_the_core(full):
    special, closed, opened = full.load().configuration.clients["cab-lilas"].rules
    assert special.when == core.When(
        caller=("+33199006666", "anonymous", "+33162*", "+33639981011"),
        open=False,
        absence=False,
        forward_reason=(core.ForwardReason.NO_ANSWER, core.ForwardReason.BUSY),
        did=("+33199001001",),
        days=(1, 3, 6, 7),
        dates=((date(2026, 12, 1), date(2026, 12, 31)),),
        time=(core.TimeRange(time(22), time(6)),),
        waiting_over=3,
        nobody=True,
    )
    assert special.line == EVERYTHING.splitlines().index("  - name: special") + 1
    ringback, answer, menu = special.do
    assert (ringback, answer) == (core.Ringback(5.0), core.Answer())
    assert isinstance(menu, core.Menu)
    (on_call,) = menu.keys["1"]
    assert isinstance(on_call, core.OnCall)
    assert (on_call.roster, on_call.wait_music and on_call.wait_music.name) == ("night", "dossier")
    assert menu.keys == {"1": (on_call,), "*": (core.Jump("open"),)}
    assert menu.otherwise[0] == core.SendMessage("a@example.org", "Hello")
    assert menu.otherwise[1] == core.Hangup(core.HangupKind.CONGESTION)
    play, voicemail = closed.do
    assert isinstance(play, core.Play)
    assert (play.audio.name, play.mode, play.must_hear, play.repeat) == (
        "lilas/ferme", core.Mode.ANSWERED, True, 2,
    )  # fmt: skip
    assert isinstance(voicemail, core.Voicemail)
    assert (voicemail.max_seconds, voicemail.mail) == (90.0, ("a@example.org",))
    (queue,) = opened.do
    assert isinstance(queue, core.Enqueue)
    assert queue.announce == core.Announcements(True, False, 50.0, 30.0)
    assert (queue.ring_for, queue.ring, queue.max_wait) == (10.0, core.Ringing.ROUND_ROBIN, 300.0)
    (forward,) = queue.on_timeout
    assert isinstance(forward, core.Forward)
    assert (forward.to, forward.ring_for, forward.present, forward.accept) == (
        "+33639981011", 20.0, "bureau", "1",
    )  # fmt: skip
    assert queue.music is not None
    assert re.fullmatch(r"music-dossier-[0-9a-f]{8}", queue.music.moh_class)


def test_a_call_over_max_calls_gets_the_on_full_of_the_first_queue_where_the_client_has_none(full):
    client = full.load().configuration.clients["cab-lilas"]
    assert client.on_full == (core.Hangup(core.HangupKind.BUSY),)


def test_the_bureau_arrives_in_the_core(desk):
    configuration = desk.load().configuration
    assert configuration.bureau == core.Bureau(
        "Secrétariat des Tilleuls", "+33199001000", "FR", "Europe/Paris", "fr", "accueil", 3
    )
    assert configuration.trunks == {
        "operator": core.Trunk("operator", ("127.0.0.1",), host="sip.operator.example")
    }
    assert configuration.secretaries["lea"].teams == {"general": 1}
    assert configuration.stock.please_wait.name == "please-wait"


def test_passwords_do_not_show_when_a_configuration_is_printed(desk):
    assert "lea-demo" not in repr(desk.load().configuration)


def test_a_client_overrides_the_defaults_key_by_key(desk):
    desk.write(
        "bureau.yaml", BUREAU + "defaults: {priority: 70, wrap_up: {max: 30s}, timezone: Indian/Reunion}\n"
    )
    desk.client(priority="20", wrap_up="{min: 5s, max: 10s}")
    clients = desk.load().configuration.clients
    lilas, accueil = clients["cab-lilas"], clients["accueil"]
    assert (accueil.priority, accueil.wrap_up_min, accueil.wrap_up_max) == (70, 0.0, 30.0)
    assert (lilas.priority, lilas.wrap_up_min, lilas.wrap_up_max) == (20, 5.0, 10.0)
    assert lilas.hours.zone == "Indian/Reunion"


def test_rules_and_hours_may_come_from_the_defaults_and_their_faults_stand_there(desk):
    rules = "defaults: {hours: {mon: ['08:00-12:00']}, rules: [{name: open, do: [{queue: {team: %s}}]}]}\n"
    bare = 'id: %s\nname: x\nnumbers: [{did: "+3319900100%s"}]\n'
    desk.write("clients/cab-lilas.yaml", bare % ("a", 1))
    desk.write("clients/other.yaml", bare % ("b", 2))
    desk.write("bureau.yaml", BUREAU + rules % "general")
    assert len(desk.load().configuration.clients) == 3
    desk.write("bureau.yaml", BUREAU + rules % "§genral")
    desk.refuses("there is no team `genral`: did you mean `general`?")


def test_hours_that_are_nowhere_are_missed_in_the_client_s_file(desk):
    desk.write("clients/cab-lilas.yaml", "§" + "".join(CLIENT.splitlines(keepends=True)[:3]) + "rules: []\n")
    desk.marks.add((str(desk.folder / "clients/cab-lilas.yaml"), 4, 8))
    desk.refuses("key `hours` is missing", "must not be empty")


def test_numbers_are_read_in_the_country_of_the_bureau(desk):
    desk.write("bureau.yaml", BUREAU.replace("country: FR", "country: BE").replace("FR", "BE"))
    desk.client(numbers='[{did: "02 555 12 34"}, {did: "0032 470 12 34 56"}]')
    assert [line.did for line in desk.load().configuration.clients["cab-lilas"].lines] == [
        "+3225551234", "+32470123456",
    ]  # fmt: skip


def test_equal_files_are_equal_versions_and_any_change_is_another(desk, tmp_path):
    first = desk.load().configuration.version
    assert re.fullmatch(r"[0-9a-f]{12}", first)
    assert desk.load().configuration.version == first
    elsewhere = tmp_path / "elsewhere"
    desk.folder.rename(elsewhere)
    assert load(elsewhere, PaperShelf(elsewhere / "sounds", desk.stock), 2026).configuration.version == first
    elsewhere.rename(desk.folder)
    desk.write("clients/cab-lilas.yaml", CLIENT + "# a remark\n")
    second = desk.load().configuration.version
    desk.client(rules="\n  - name: open\n    do: [{play: {sound: bonjour}}, {queue: {team: general}}]")
    tone(desk.folder / "sounds/bonjour.wav", hertz=440)
    third = desk.load().configuration.version
    tone(desk.folder / "sounds/bonjour.wav", hertz=441)
    fourth = desk.load().configuration.version
    assert len({first, second, third, fourth}) == 4


def test_the_version_follows_a_variable_but_tells_nothing_of_a_password(desk):
    desk.write(
        "bureau.yaml",
        BUREAU.replace("lea-demo", '"${PASS:-lea-demo}"').replace("name: Léa", 'name: "${NAME:-L}"'),
    )
    plain = desk.load().configuration.version
    assert desk.load(environment={"NAME": "Zoé"}).configuration.version != plain
    assert desk.load(environment={"PASS": "another-one"}).configuration.version == plain


def test_the_loaded_files_and_prompts_are_kept_for_the_record(desk):
    loaded = desk.load()
    assert loaded.files[str(desk.folder / "clients/accueil.yaml")] == ACCUEIL
    assert set(loaded.prompts) >= {"nobody", "logged-in", "refused"}


def test_a_music_is_one_class_of_asterisk_however_many_queues_play_it(desk):
    desk.client(rules="\n  - name: open\n    do: [{queue: {team: general, music: vive-1}}]")
    desk.write("clients/other.yaml", CLIENT.replace("cab-lilas", "b").replace("1001", "1002"))
    assert [music.name for music in desk.load().configuration.music.values()] == ["calme-1", "vive-1"]


def test_what_looks_like_an_oversight_is_noted_at_its_place_and_accepted(desk):
    desk.write(
        "bureau.yaml",
        BUREAU.replace("teams:\n", """\
  - §{id: zoe, name: Zoé, extension: "202", password: zoe-demo}
teams:
  §empty: {}
  reaching: {widen: [{after: 5s, to: general}]}
"""),
    )  # fmt: skip
    closed = """
  - name: closed
    when: {hours: closed}
    do: [{play: %s{say: "Le cabinet est fermé.%s", mode: answered}}, {hangup: normal}]
  - name: open
    do: [{queue: {team: general}}]"""
    desk.client(profile="medical", rules=closed % ("§", ""))
    notes = desk.load().notes
    assert [(note.file, note.line, note.column) for note in notes] == sorted(desk.marks)
    assert ["zoe" in notes[0].message, "`empty`" in notes[1].message, "15, 112" in notes[2].message] == [
        True
    ] * 3
    desk.client(profile="medical", rules=closed % ("", " Composez le 15."))
    assert len(desk.load().notes) == 2


def test_the_example_bureau_is_accepted():
    loaded = load(EXAMPLE, None, 2026, environment={})
    configuration = loaded.configuration
    assert loaded.notes == ()
    assert len(configuration.secretaries) == 8
    assert set(configuration.teams) == {"medical", "legal", "technical", "general"}
    shared = [
        client.id
        for client in configuration.clients.values()
        if any(x.did == "+33199001005" for x in client.lines)
    ]
    assert sorted(shared) == ["cab-lilas", "kines-garonne-ferrand", "kines-garonne-roux"]
    assert date(2027, 3, 26) in configuration.clients["cardio-vauban"].hours.holidays
    assert date(2027, 3, 26) not in configuration.clients["cab-lilas"].hours.holidays
    assert configuration.clients["idel-filaos"].hours.zone == "Indian/Reunion"
    assert configuration.bureau.unknown_client == "accueil"


def test_the_example_bureau_uses_numbers_of_fiction_only():
    fiction = ("+339900", "+33199", "+332619", "+3335301", "+3346571", "+3353649", "+336399")
    for client in load(EXAMPLE, None, 2026, environment={}).configuration.clients.values():
        for line in client.lines:
            for number in filter(None, (line.did, line.forwarded_from)):
                assert number.startswith(fiction), number


def test_the_schema_is_one_and_accepts_the_example_and_refuses_a_mistyped_key():
    both = schema()
    json.dumps(both)
    reader = YAML(typ="safe", pure=True)
    bureau = reader.load((EXAMPLE / "bureau.yaml").read_text())
    validators = {}
    for kind in ("bureau", "client"):
        Draft202012Validator.check_schema(both[kind])
        validators[kind] = Draft202012Validator(both[kind])
    assert list(validators["bureau"].iter_errors(bureau)) == []
    for path in sorted((EXAMPLE / "clients").iterdir()):
        client = reader.load(path.read_text())
        assert [error.message for error in validators["client"].iter_errors(client)] == [], path
        client["horaires"] = {}
        assert list(validators["client"].iter_errors(client))


def test_the_schema_accepts_every_key_and_step(full):
    client = YAML(typ="safe", pure=True).load(EVERYTHING)
    client["rules"][0]["do"][2]["menu"]["keys"] = {"1": [{"on_call": {"roster": "night"}}]}
    assert [e.message for e in Draft202012Validator(schema()["client"]).iter_errors(client)] == []


def test_check_without_stock_sounds_says_what_is_missing(desk, tmp_path):
    with pytest.raises(ConfigurationRefused) as refusal:
        load(desk.folder, PaperShelf(desk.folder / "sounds", tmp_path / "none"), 2026)
    assert f"{tmp_path}/none:1:1: stock prompt: sound `nobody` is not there" in str(refusal.value)


def test_the_stock_sounds_that_come_with_autocom_are_found():
    assert (stock_folder() / "fr").is_dir()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("800ms", 0.8),
        ("20s", 20.0),
        ("5m", 300.0),
        ("2h", 7200.0),
        ("90d", 7776000.0),
        ("1.5m", 90.0),
        ("0s", 0.0),
    ],
)
def test_durations_are_seconds(text, seconds):
    assert duration(text) == pytest.approx(seconds)


@given(st.text(max_size=12))
def test_no_text_makes_a_duration_a_range_or_a_day_crash(text):
    for read in (duration, time_range, weekdays):
        with contextlib.suppress(ValueError):
            assert read(text) is not None


@given(st.times(), st.times())
def test_every_range_of_minutes_is_read_back(start, end):
    start, end = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    if start == end:
        return
    read = time_range(f"{start:%H:%M}-{end:%H:%M}")
    assert (read.start, read.end) == (start, end)


def test_the_whole_day_is_midnight_to_midnight():
    assert time_range("00:00-24:00") == core.TimeRange(time(0), time(0))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", (1,)),
        ("mon-fri", (1, 2, 3, 4, 5)),
        ("sat-mon", (6, 7, 1)),
        ("every-day", (1, 2, 3, 4, 5, 6, 7)),
    ],
)
def test_days_are_iso_weekdays(text, days):
    assert weekdays(text) == days

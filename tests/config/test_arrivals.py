"""Rosters, queue keys, callers, secretaries and the house: what is written arrives in the core, defaults too."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from autocom.config import AudioShelf, ConfigurationRefused, PaperShelf, SayCommand
from autocom.config.asking import forward_ask, on_call_ask
from autocom.core import model as core
from autocom.core.numbers import FRENCH_PLATFORMS

from .conftest import BUREAU, CLIENT, load

ROSTERS = BUREAU.replace("  holidays: FR\n", """\
  holidays: FR
  pauses: {break: {max: 15m, per_day: 45m, times: 3}, lunch: {max: 1h}}
  breather: {after: 8, for: 60s}
  supervisor: {mail: chef@example.org}
""") + """\
rosters:
  plain: {order: [{name: A, number: "06 39 98 10 31"}]}
  night:
    shifts:
      - days: mon-fri
        time: ["20:00-23:00", "23:00-08:00"]
        dates: {from: "2026-12-01", to: "2026-12-31"}
        order: [{name: A, number: "+33639981031"}, {name: B, number: "+33639981032"}]
      - {order: [{name: C, number: "+33639981033"}]}
    ring_for: 20s
    rounds: 3
    pause: 30s
    accept: 5
    fallback: {name: D, number: "+33639981034"}
"""  # fmt: skip
CLIENT_KEYS = """\
phrases: {no-answer: "Pas de réponse chez le docteur.", busy: "La ligne est occupée."}
languages: [de, fr]
countries: FR
vip: {callers: ["0639981011", "01 99*", nuisance], advance: 90s}
returning: {within: 10m}
fax: {detect: true, do: [{message: {to: "fax@example.org", text: Un fax}}, {hangup: busy}]}
"""
QUEUE = """
  - name: open
    do:
      - queue:
          team: general
          announce: {position: true, first_after: 10s, play: {say: "Tapez 1."}}
          preferred: {secretaries: [lea], for: 20s}
          keys: {"1": [{voicemail: {}}], "*": [{callback: {tries: 2, retry_after: 1m}}]}
          on_closing: [{hangup: normal}]"""


def the_client(desk) -> core.Client:
    return desk.load().configuration.clients["cab-lilas"]


def test_rosters_arrive_with_their_shifts_in_order(desk):
    desk.write("bureau.yaml", ROSTERS)
    rosters = desk.load().configuration.rosters
    a, b = core.Contact("A", "+33639981031"), core.Contact("B", "+33639981032")
    assert rosters["plain"] == core.Roster("plain", (core.Shift((a,)),))
    december, week = (date(2026, 12, 1), date(2026, 12, 31)), (1, 2, 3, 4, 5)
    assert rosters["night"] == core.Roster(
        "night",
        (
            core.Shift((a, b), week, core.TimeRange(time(20), time(23)), december),
            core.Shift((a, b), week, core.TimeRange(time(23), time(8)), december),
            core.Shift((core.Contact("C", "+33639981033"),)),
        ),
        ring_for=20.0,
        rounds=3,
        pause=30.0,
        accept="5",
        fallback=core.Contact("D", "+33639981034"),
    )


def test_quotas_breather_and_supervisor_arrive(desk):
    desk.write("bureau.yaml", ROSTERS)
    house = desk.load().configuration.bureau
    assert house.quotas == {"break": core.Quota(900.0, 2700.0, 3), "lunch": core.Quota(3600.0)}
    assert (house.breather, house.supervisor) == (core.Breather(8, 60.0), ("chef@example.org",))


def test_the_keys_of_a_client_about_callers_arrive(desk):
    desk.write("clients/cab-lilas.yaml", CLIENT + CLIENT_KEYS)
    client = the_client(desk)
    assert client.phrases == {
        core.ForwardReason.NO_ANSWER: "Pas de réponse chez le docteur.",
        core.ForwardReason.BUSY: "La ligne est occupée.",
    }
    assert (client.languages, client.countries) == (("de", "fr"), ("FR",))
    assert (client.vip, client.vip_advance) == (("+33639981011", "+33199*", "+33199006666"), 90.0)
    assert client.returning_within == 600.0
    assert client.fax
    assert client.on_fax == (core.SendMessage("fax@example.org", "Un fax"), core.Hangup(core.HangupKind.BUSY))


def test_a_client_that_says_nothing_hangs_up_on_fax_machines_and_knows_no_vip(desk):
    client = the_client(desk)
    assert (client.fax, client.on_fax) == (True, (core.Hangup(),))
    assert (client.phrases, client.languages, client.countries, client.vip) == ({}, (), (), ())
    assert client.returning_within == 0.0


def test_the_ways_out_of_a_queue_arrive(desk):
    desk.client(rules=QUEUE)
    (queue,) = the_client(desk).rules[0].do
    assert isinstance(queue, core.Enqueue)
    announce = queue.announce
    assert announce is not None
    assert (announce.position, announce.wait, announce.every, announce.first_after) == (
        True,
        False,
        45.0,
        10.0,
    )
    assert announce.play is not None
    assert (queue.prefer, queue.prefer_for) == (("lea",), 20.0)
    assert queue.keys == {"1": (core.Voicemail(),), "*": (core.Callback(2, 60.0),)}
    assert (queue.on_closing, queue.serve_after_closing) == ((core.Hangup(),), False)


def test_a_queue_may_serve_after_closing(desk):
    desk.client(rules="\n  - name: open\n    do: [{queue: {team: general, after_closing: serve}}]")
    (queue,) = the_client(desk).rules[0].do
    assert isinstance(queue, core.Enqueue)
    assert queue.serve_after_closing


def test_the_callers_named_platform_are_the_blocks_of_automated_platforms(desk):
    desk.client(
        rules="\n  - name: p\n    when: {caller: [platform, nuisance]}\n    do: [{hangup: busy}]\n  - name: open\n    do: [{queue: {team: general}}]"
    )
    when = the_client(desk).rules[0].when
    assert when is not None
    assert set(when.caller) == {*(f"+33{block[1:]}*" for block in FRENCH_PLATFORMS), "+33199006666"}


def test_what_is_under_a_client_s_announcement_key_or_forward_is_music_of_the_whole(desk):
    desk.client(
        rules="\n  - name: open\n    do: [{queue: {team: general, music: vive-1, "
        'on_closing: [{queue: {team: general, music: calme-2}}], keys: {"1": [{forward: {to: "+33639981011"}}]}}}]'
    )
    assert {music.name for music in desk.load().configuration.music.values()} == {
        "vive-1",
        "calme-1",
        "calme-2",
    }


@pytest.mark.parametrize(
    ("rules", "music"),
    [
        ('[{forward: {to: "+33639981011"}}]', "calme-1"),
        (
            '[{queue: {team: general, music: vive-1, on_timeout: [{forward: {to: "+33639981011"}}]}}]',
            "vive-1",
        ),
    ],
)
def test_who_is_forwarded_hears_the_music_of_the_first_queue_or_the_stock_one(desk, rules, music):
    desk.client(rules=f"\n  - name: open\n    do: {rules}")
    (step,) = the_client(desk).rules[0].do
    forward = step.on_timeout[0] if isinstance(step, core.Enqueue) else step
    assert isinstance(forward, core.Forward)
    assert forward.wait_music is not None
    assert (forward.wait_music.name, forward.ask) == (music, None)


class Spoken(PaperShelf):
    """Remembers what it is to say, and knows what was announced ahead."""

    def __init__(self, config_sounds: Path, stock_sounds: Path) -> None:
        super().__init__(config_sounds, stock_sounds)
        self.said: list[tuple[str, str]] = []
        self.ahead: set[tuple[str, str]] = set()

    def prepare(self, texts) -> None:
        self.ahead |= set(texts)

    def say(self, text: str, language: str) -> core.Audio:
        self.said.append((text, language))
        return super().say(text, language)


def speaking(desk) -> tuple[core.Configuration, Spoken]:
    shelf = Spoken(desk.folder / "sounds", desk.stock)
    return load(desk.folder, shelf, 2026, environment={}).configuration, shelf


def test_asks_are_spoken_in_the_language_of_the_client_and_all_texts_are_announced_ahead(desk):
    desk.write("bureau.yaml", ROSTERS)
    steps = '{forward: {to: "+33639981011", accept: "*"}}, {on_call: {roster: night}}'
    desk.client(rules=f"\n  - name: open\n    do: [{steps}]", language="en")
    configuration, shelf = speaking(desk)
    forward, on_call = configuration.clients["cab-lilas"].rules[0].do
    assert isinstance(forward, core.Forward)
    assert isinstance(on_call, core.OnCall)
    assert forward.ask is not None
    assert on_call.ask is not None
    assert shelf.said == [
        ("A call for Cabinet des Lilas. To take it, press star.", "en"),
        ("You are on call for Cabinet des Lilas. A caller is waiting. To take the call, press 5.", "en"),
    ]
    assert set(shelf.said) <= shelf.ahead


def test_the_french_asks():
    assert forward_ask("Azur", "1", "fr") == "Un appel pour Azur. Pour le prendre, composez le 1."
    assert forward_ask("Azur", "#", "fr") == "Un appel pour Azur. Pour le prendre, appuyez sur dièse."
    assert on_call_ask("Azur", "1", "fr").endswith("Pour le prendre, composez le 1.")


def test_the_names_of_clients_are_spoken_for_a_secretary_who_wants_to_hear_them_and_only_theirs(desk):
    whispering = BUREAU.replace(
        "teams:\n",
        '  - {id: zoe, name: Zoé, extension: "202", password: zoe-demo, teams: {other: 1}, whisper: true}\nteams:\n  other: {}\n',
        1,
    )
    desk.write("bureau.yaml", whispering)
    desk.write(
        "clients/other.yaml",
        CLIENT.replace("cab-lilas", "other")
        .replace("1001", "1002")
        .replace("des Lilas", "Voisin")
        .replace("team: general", "team: other")
        + "language: en\n",
    )
    configuration, shelf = speaking(desk)
    assert configuration.secretaries["zoe"].whisper
    assert not configuration.secretaries["lea"].whisper
    assert set(configuration.stock.whispers) == {"other"}
    assert shelf.said == [("Cabinet Voisin", "fr")]
    desk.write("bureau.yaml", whispering.replace("general: {}", "general: {widen: [{after: 1m, to: other}]}"))
    assert set(speaking(desk)[0].stock.whispers) == {"accueil", "cab-lilas", "other"}


def test_nobody_whispers_where_nobody_asks_for_it(desk):
    assert speaking(desk)[0].stock.whispers == {}


def test_a_name_that_cannot_be_spoken_is_a_fault_at_the_name(desk, tmp_path):
    desk.write("bureau.yaml", BUREAU.replace("teams: {general: 1}", "teams: {general: 1}, whisper: true"))
    shelf = AudioShelf(
        tmp_path / "cache", desk.folder / "sounds", desk.stock, SayCommand("false {text} {out}")
    )
    with pytest.raises(ConfigurationRefused) as refusal:
        load(desk.folder, shelf, 2026, environment={})
    assert [(fault.line, "cannot be spoken" in fault.message) for fault in refusal.value.faults] == [
        (2, True)
    ] * 2

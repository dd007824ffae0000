"""What `check` says to broken files: `§` marks the place of each fault."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autocom.config import ConfigurationRefused

from .conftest import ACCUEIL, BUREAU, CLIENT, load


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("display", '§"Cabinet médical des Lilas"', "has 25 characters, at most 20 are allowed"),
        ("display", '§"a\\nb"', "one line without control characters"),
        ("display", '§"\\u202ecba"', "one line without control characters"),
        ("profile", "§medcal", "`medcal` is not one of medical, legal, general: did you mean `medical`?"),
        ("timezone", "§Europe/Pari", "`Europe/Pari` is no time zone: did you mean `Europe/Paris`?"),
        ("timezone", "§Europe", "`Europe` is no time zone"),
        ("timezone", "§../../etc/passwd", "is no time zone"),
        ("holidays", "§FR-GES", "`FR-GES` has no public holidays of its own"),
        ("holidays", "§XX", "no public holidays are known of XX"),
        ("holidays", "§france", "is no calendar"),
        ("language", "§de", "`de` is not one of fr, en"),
        ("phrase", "§[a]", "expected one value, found a list"),
        ("priority", "§101", "101 is out of range: 0 to 100"),
        ("priority", "§high", "`high` is not a whole number"),
        ("target", "§20", "`20` is no duration: write a number with ms, s, m, h or d"),
        ("target", "§20 s", "is no duration"),
        ("target", "§0s", "must be longer than nothing"),
        ("max_calls", "§0", "0 is out of range"),
        ("early_limit", "§51s", "at most 50s"),
        ("card", '§"javascript:alert(1)"', "is not a web address"),
        ("wrap_up", "{min: 20s, max: §10s}", "is shorter than `min`"),
        ("wrap_up", "§20s", "expected a mapping"),
        ("hours", '{§mon-fry: ["08:00-12:00"]}', "`mon-fry` is no day"),
        ("hours", '{mon: [§"08:00"]}', "`08:00` is no range of times"),
        ("hours", '{mon: [§"8:00-12:00"]}', "`8:00` is no time of day: write it as 08:30"),
        ("hours", '{mon: [§"08:00-25:00"]}', "`25:00` is no time of day"),
        ("hours", '{mon: [§"24:00-08:00"]}', "a range cannot start at 24:00"),
        ("hours", '{mon: [§"08:00-08:00"]}', "is empty"),
        ("hours", '{mon: ["08:00-12:00", §"11:00-14:00"]}', "overlaps another of the same day"),
        ("hours", '{mon-fri: ["08:00-12:00"], wed: §"11:59-14:00"}', "overlaps another"),
        ("hours", '{mon: ["22:00-06:00"], tue: [§"05:00-12:00"]}', "overlaps another"),
        ("hours", '{sun: ["22:00-06:00"], mon: [§"05:00-12:00"]}', "overlaps another"),
        ("hours", "§[]", "expected a mapping"),
        ("closures", '[{from: "2026-12-24", to: §"2026-12-24"}]', "ends before it begins"),
        ("closures", '[{from: §"2026-02-30", to: "2026-03-01"}]', "2026-02-30 is not in the calendar"),
        ("closures", '[{from: §"24/12/2026", to: "2026-12-27"}]', "is no moment: write it as"),
        ("closures", '[§{from: "2026-12-24"}]', "key `to` is missing"),
        ("absences", '[{from: "2026-12-24", to: "2026-12-25", play: §{}}]', "needs either `sound` or `say`"),
        ("numbers", '[{did: §"12"}]', "`12` is no telephone number"),
        ("numbers", '[{did: §"+33 12"}]', "is no telephone number"),
        ("numbers", '[{did: §"sip:lea@example.org"}]', "is no telephone number"),
        ("numbers", '[{§dd: "+33199001001", did: "+33199001001"}]', "unknown key `dd`: did you mean `did`?"),
        ("numbers", "§[]", "a client needs at least one number"),
        (
            "numbers",
            '[{did: "+33199001001"}, {did: §"01 99 00 10 01"}]',
            "stands twice; the first is in line 3",
        ),
        ("id", "§Cab_Lilas", "`Cab_Lilas` is no id: 1 to 32 of a-z, 0-9 and -"),
        ("id", "§aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "is no id"),
        ("id", "§[a]", "expected one value, found a list"),
        ("name", '§""', "must not be empty"),
        ("name", '§"Un nom de plus de vingt lettres"', "give a `display` of at most 20"),
        ("recording", "§sometimes", "is not one of never, on_demand, always"),
        ("rules", "§[]", "must not be empty"),
    ],
)
def test_a_bad_value_of_a_client_is_refused_at_its_place(desk, key, value, words):
    desk.client(**{key: value})
    desk.refuses(words)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("{§paly: {sound: nobody}}", "unknown key `paly`: did you mean `play`?"),
        ("{play: {§mod: early, sound: nobody}}", "unknown key `mod`: did you mean `mode`?"),
        ("{play: {sound: §nobdy}}", "sound `nobdy` is not there: did you mean `nobody`?"),
        ("{play: {sound: §../stock/nobody}}", "is no sound name"),
        ("{play: {sound: §/etc/passwd}}", "is no sound name"),
        ("{play: {sound: §nobody.wav}}", "is no sound name"),
        ('{play: §{sound: nobody, say: "x"}}', "needs either `sound` or `say`"),
        ('{play: {say: §"  "}}', "there is nothing to say"),
        ("{play: {sound: nobody, mode: §late}}", "`late` is not one of early, answered"),
        ("{play: {sound: nobody, must_hear: §maybe}}", "`maybe` is neither true nor false"),
        ("{play: {sound: nobody, must_hear: true, mode: §early}}", "`must_hear` needs `mode: answered`"),
        ("{play: §{sound: nobody, must_hear: true}}", "`must_hear` needs `mode: answered`"),
        ("{queue: {team: §medcal}}", "there is no team `medcal`"),
        ("{queue: {team: §generall}}", "there is no team `generall`: did you mean `general`?"),
        ("{queue: {team: general, music: §calme-9}}", "music `calme-9` is not there: did you mean `calme-"),
        ("{queue: {team: general, §ringfor: 12s}}", "unknown key `ringfor`: did you mean `ring_for`?"),
        ("{queue: {team: general, on_timeout: [{hangup: §bsy}]}}", "did you mean `busy`?"),
        (
            "{queue: {team: general, on_timeout: [{§hangp: busy}]}}",
            "unknown key `hangp`: did you mean `hangup`?",
        ),
        ("{§queue: {ring_for: 12s}}", "key `team` is missing"),
        ("§hangup", "`hangup` alone is no step"),
        ("§{play: {sound: nobody}, hangup: normal}", "a step has one key, this one has 2"),
        ("{jump: §opn}", "there is no rule `opn`: did you mean `open`?"),
        ("{jump: §open}", "goes in circles: it leads back to `open`"),
    ],
)
def test_a_bad_step_is_refused_at_its_place(desk, step, words):
    desk.client(rules=f"\n  - name: open\n    do: [{step}]")
    desk.refuses(words)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("{§callr: [nuisance]}", "unknown key `callr`: did you mean `caller`?"),
        ("{caller: [§nuisanc]}", "no list: did you mean `nuisance`?"),
        ("{caller: [§anonymus]}", "did you mean `anonymous`?"),
        ('{caller: ["+33199*", §"3114"]}', "`3114` is no number, no prefix"),
        ("{hours: §opened}", "did you mean `open`?"),
        ("{forward_reason: §noanswer}", "did you mean `no-answer`?"),
        ('{did: §"+33199001002"}', "is not one of this client's numbers: did you mean `+33199001001`?"),
        ("{days: [mon, §tus]}", "`tus` is no day"),
        ('{dates: [{from: "2026-12-24", to: §"2026-12-23"}]}', "ends before it begins"),
        ('{time: §"8-9"}', "is no time of day"),
        ("{waiting_over: §-1}", "-1 is out of range"),
        ("§{}", "an empty `when` asks nothing"),
    ],
)
def test_a_bad_condition_is_refused_at_its_place(desk, when, words):
    desk.client(
        rules=f"""
  - name: special
    when: {when}
    do: [{{hangup: busy}}]
  - name: open
    do: [{{queue: {{team: general}}}}]"""
    )
    desk.refuses(words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: Secrétariat des Tilleuls", '§nom: "x"\n  name: x', "unknown key `nom`"),
        ("country: FR", "country: §France", "`France` is no country"),
        ("timezone: Europe/Paris", "timezone: §Paris", "`Paris` is no time zone"),
        ("language: fr", "language: §de", "is not one of fr, en"),
        ("holidays: FR", "holidays: §FR-75", "`FR-75` has no public holidays of its own"),
        (
            "unknown_client: accueil",
            "unknown_client: §acceuil",
            "no client `acceuil`: did you mean `accueil`?",
        ),
        ('"+33199001000"', '§"0199"', "`0199` is no telephone number of FR"),
        ('match: ["127.0.0.1"]', 'match: [§"operator.example"]', "is no address or network"),
        ('match: ["127.0.0.1"]', 'match: [§"0.0.0.0/0"]', "is the whole world"),
        ('match: ["127.0.0.1"]', "match: §[]", "must not be empty"),
        ('match: ["127.0.0.1"]', 'match: ["127.0.0.1"], did_in: §from', "`from` is not request_uri, to"),
        ("id: operator,", "id: §Operator,", "is no id"),
        ('extension: "201"', 'extension: §"801"', "is not an extension"),
        ('extension: "201"', 'extension: §"0201"', "is not an extension"),
        ('extension: "201"', 'extension: §"112"', "`112` is an emergency number, never an extension"),
        ("  general: {}", '  general: {extension: §"15"}', "`15` is an emergency number"),
        ("  general: {}", '  general: {extension: §"201"}', "extension `201` stands twice"),
        ("  general: {}", '  general: {extension: §"801"}', "is not an extension"),
        ("password: lea-demo", "password: §lea", "is not a password"),
        ("password: lea-demo", 'password: §"a;b c d e"', "is not a password"),
        ("teams: {general: 1}", "teams: {§medical: 1}", "there is no team `medical`"),
        ("teams: {general: 1}", "teams: {general: §4}", "4 is out of range: 1 to 3"),
        ("id: lea", "id: §trunk-lea", "cannot begin with `trunk-`"),
        ("  general: {}", "  general: {widen: [{after: 20s, to: §medical}]}", "there is no team `medical`"),
        ("  general: {}", "  general: {widen: [{after: 20s, to: §general}]}", "cannot widen to itself"),
        ('["+33199006666"]', '[§"66"]', "is no number, no prefix ending in *"),
        ("  nuisance:", "  §anonymous:", "cannot name a list"),
        ("  nuisance:", "  §Nuisance list:", "is no id"),
        ("lists:", "§default: {}\nlists:", "unknown key `default`: did you mean `defaults`?"),
        ("lists:", "defaults: {§id: x}\nlists:", "unknown key `id`"),
        ("lists:", "defaults: {priority: §200}\nlists:", "200 is out of range"),
        ("lists:", "defaults: {early_limit: §55s}\nlists:", "at most 50s"),
    ],
)
def test_a_bad_bureau_is_refused_at_its_place(desk, old, new, words):
    assert old in BUREAU
    desk.write("bureau.yaml", BUREAU.replace(old, new, 1))
    desk.refuses(words)


def test_doubles_in_the_bureau_are_refused_and_the_first_is_named(desk):
    desk.write(
        "bureau.yaml",
        BUREAU.replace("  - {id: operator, match: [\"127.0.0.1\"], host: sip.operator.example}\n", """\
  - {id: operator, match: ["127.0.0.0/29"]}
  - {id: §operator, match: [§"127.0.0.1"]}
""").replace("teams:\n", """\
  - {id: §lea, name: Léa, extension: §"201", password: lea-demo}
teams:
"""),
    )  # fmt: skip
    desk.refuses(
        "trunk `operator` stands twice; the first is in line 10",
        "127.0.0.1 is an address of trunk `operator` already",
        "secretary `lea` stands twice; the first is in line 13",
        "extension `201` stands twice",
    )


def test_two_clients_cannot_have_one_id_one_number_or_one_code(desk):
    desk.client(code="12")
    desk.write("clients/zz.yaml", CLIENT.replace("id: ", "id: §").replace('"+', '§"+') + "code: §12\n")
    desk.refuses(
        "client id `cab-lilas` is taken",
        "is a number of client `cab-lilas` too",
        "code 12 is that of client `cab-lilas`",
    )


def test_a_shared_number_is_told_apart_by_the_forwarded_line_and_else_refused(desk):
    shared = '[{did: "+33199001005", forwarded_from: "+33536490701"}]'
    desk.client(numbers=shared)
    other = CLIENT.replace("cab-lilas", "other")
    desk.write("clients/other.yaml", other.replace('[{did: "+33199001001"}]', shared.replace("0701", "0702")))
    assert len(desk.load().configuration.clients) == 3
    desk.write(
        "clients/other.yaml", other.replace('[{did: "+33199001001"}]', shared.replace('"+335', '§"+335'))
    )
    desk.refuses("+33536490701 forwarded to +33199001005 is client `cab-lilas` too")


def test_a_rule_behind_one_that_always_holds_is_never_reached(desk):
    desk.client(
        rules="""
  - name: first
    do: [{hangup: busy}]
  - §name: second
    when: {hours: closed}
    do: [{hangup: busy}]
  - §name: last
    do: [{hangup: busy}]"""
    )
    desk.refuses(
        "rule `second` is never reached: `first` before it has no `when`", "rule `last` is never reached"
    )


def test_a_rule_that_asks_more_than_one_before_it_is_never_reached(desk):
    desk.client(
        rules="""
  - name: closed
    when: {hours: closed}
    do: [{hangup: busy}]
  - §name: same
    when: {hours: closed}
    do: [{hangup: busy}]
  - §name: narrower
    when: {days: sun, hours: closed}
    do: [{hangup: busy}]
  - name: wider
    when: {days: sun}
    do: [{hangup: busy}]
  - name: last
    do: [{hangup: busy}]"""
    )
    desk.refuses(
        "rule `same` is never reached: `closed` before it holds whenever", "rule `narrower` is never"
    )


def test_the_last_rule_must_always_hold(desk):
    desk.client(
        rules="""
  - name: closed
    §when: {hours: closed}
    do: [{hangup: busy}]"""
    )
    desk.refuses("the last rule must hold always")


def test_steps_behind_a_hangup_are_refused_at_any_depth(desk):
    desk.client(
        rules="""
  - name: open
    do:
      - queue: {team: general, on_timeout: [{hangup: busy}, §answer]}
      - hangup: normal
      - §hangup: busy"""
    )
    desk.refuses("never reached: `hangup` before it ends the steps", "never reached")


def test_jumps_in_a_circle_over_other_rules_are_refused(desk):
    desk.client(
        rules="""
  - name: a
    when: {hours: closed}
    do: [{queue: {team: general, on_timeout: [{jump: §b}]}}]
  - name: b
    do: [{jump: §a}]"""
    )
    desk.refuses("`jump: b` goes in circles", "`jump: a` goes in circles")


def test_two_rules_of_one_name_are_refused(desk):
    desk.client(
        rules="""
  - name: a
    when: {hours: closed}
    do: [{hangup: busy}]
  - name: §a
    do: [{hangup: busy}]"""
    )
    desk.refuses("a rule `a` stands before it already")


CLOSED = """
  - name: closed
    when: {hours: closed}
    do: [%s]
  - name: open
    do: [{queue: {team: general}}]"""


@pytest.mark.parametrize(
    "steps",
    [
        "{play: {sound: closed, mode: answered}}, {hangup: normal}",
        "answer, {play: {sound: closed}}, {hangup: normal}",
        "{ringback: 3s}, {play: {sound: closed, mode: answered}}, {queue: {team: general}}",
    ],
)
def test_a_medical_client_that_tells_callers_when_it_is_closed_is_accepted(desk, steps):
    desk.client(profile="medical", rules=CLOSED % steps)
    assert desk.load().configuration.clients["cab-lilas"].profile == "medical"


@pytest.mark.parametrize(
    "rules",
    [
        "\n  - name: open\n    do: [{queue: {team: general}}]",
        CLOSED % "{hangup: busy}",
        CLOSED.replace("hours: closed", "hours: closed, days: sun")
        % "{play: {sound: closed, mode: answered}}",
        CLOSED % "{queue: {team: general, on_timeout: [{play: {sound: closed, mode: answered}}]}}",
    ],
    ids=["no closed rule", "no message", "not always", "only after a queue"],
)
def test_a_medical_client_without_a_certain_closed_message_is_refused(desk, rules):
    keys = f"profile: medical\n§rules:{rules}\n"
    desk.write("clients/cab-lilas.yaml", CLIENT.split("rules:")[0] + keys)
    desk.refuses("a medical client needs a rule `when: {hours: closed}`")


def test_the_message_of_a_closure_must_not_be_early(desk):
    desk.client(rules=CLOSED % "{play: {sound: closed, mode: §early}}, {hangup: normal}")
    desk.refuses("the message of a closure needs `mode: answered`")


def test_an_early_message_before_a_queue_is_fine_even_when_closed(desk):
    desk.client(rules=CLOSED % "{play: {sound: please-wait}}, {queue: {team: general}}")
    assert desk.load().configuration.clients["cab-lilas"].rules[0].name == "closed"


@pytest.mark.parametrize("profile", ["medical", "legal"])
def test_medical_and_legal_calls_are_never_recorded(desk, profile):
    desk.client(
        profile=profile,
        recording="§always",
        rules=CLOSED % "{play: {sound: closed, mode: answered}}, {hangup: normal}",
    )
    desk.refuses(f"a {profile} client's calls are never recorded")


def test_recordings_kept_longer_than_half_a_year_are_refused(desk):
    desk.client(retention="{recordings: §181d}")
    desk.refuses("180d at most")


def test_tones_that_leave_no_room_for_words_are_refused(desk):
    desk.client(recording="on_demand", recording_beep="§4s")
    desk.refuses("at least 5s")


def test_a_forward_to_a_number_of_the_bureau_would_come_back_and_is_refused(desk):
    desk.client(rules='\n  - name: open\n    do: [{forward: {to: §"01 99 00 10 01"}}]')
    desk.refuses("is a number of this bureau")


def test_all_faults_of_all_files_are_told_at_once_by_place(desk):
    desk.write("bureau.yaml", BUREAU.replace("language: fr", "language: §de").replace("FR\n", "§ZZ\n"))
    desk.write("clients/accueil.yaml", ACCUEIL.replace("id: accueil", "id: accueil\n§nam: x"))
    desk.write("clients/broken.yaml", "a: [\n§")
    desk.write("clients/cab-lilas.yaml", CLIENT.replace("name: Cab", "§nom: Cab"))
    faults = desk.refused()
    assert [fault.split(": ")[0] for fault in faults] == [
        "bureau.yaml:4:12", "bureau.yaml:6:13", "bureau.yaml:7:13",
        "clients/accueil.yaml:2:1",
        "clients/broken.yaml:1:4",
        "clients/cab-lilas.yaml:2:1",
    ]  # fmt: skip


def test_a_team_is_not_called_unknown_where_the_bureau_could_not_be_read(desk):
    desk.write("bureau.yaml", "bureau: [§\n")
    desk.marks = {(str(desk.folder / "bureau.yaml"), 1, 9)}
    desk.refuses("stream end")


def test_an_unknown_client_is_not_missed_where_its_file_could_not_be_read(desk):
    desk.write("clients/accueil.yaml", "id: §\tx\n")
    desk.refuses("a tab stands here")


def test_a_file_of_ten_megabytes_is_refused_without_being_read(desk):
    desk.write("clients/big.yaml", b"# " + b"x" * 10_000_000)
    assert desk.refused() == ["clients/big.yaml:1:1: the file has 9765 KB; at most 256 KB are read"]


def test_invalid_utf8_is_refused_at_its_byte(desk):
    desk.write("clients/cab-lilas.yaml", CLIENT.replace("Cabinet", "Médecin").encode("latin-1"))
    assert desk.refused() == ["clients/cab-lilas.yaml:2:8: byte 0xe9 is not UTF-8: save the file in UTF-8"]


def test_a_file_that_is_a_folder_or_no_mapping_is_refused(desk):
    (desk.folder / "clients/folder.yaml").mkdir()
    desk.write("clients/list.yaml", "- a\n")
    assert desk.refused() == [
        "clients/folder.yaml:1:1: cannot be read: Is a directory",
        "clients/list.yaml:1:1: the file must be a mapping: lines of `key: value`",
    ]


def test_a_pipe_among_the_files_is_refused_and_never_read(desk):
    os.mkfifo(desk.folder / "clients/pipe.yaml")
    assert desk.refused() == ["clients/pipe.yaml:1:1: is no file: a pipe or a device cannot be read"]


def test_a_file_that_would_be_ignored_is_refused_and_editors_leftovers_are_not(desk):
    desk.write("clients/typo.yml", CLIENT)
    desk.write("clients/.cab-lilas.yaml.swp", "x")
    desk.write("clients/cab-lilas.yaml~", "x")
    desk.write("clients/notes.txt", "x")
    assert desk.refused() == ["clients/typo.yml:1:1: would be ignored: name it .yaml"]


def test_missing_files_and_folders_are_faults(desk, tmp_path):
    with pytest.raises(ConfigurationRefused, match="there is no such folder"):
        load(tmp_path / "nowhere", None, 2026)
    (desk.folder / "bureau.yaml").unlink()
    assert desk.refused() == ["bureau.yaml:1:1: cannot be read: No such file or directory"]


def test_faults_name_the_file_as_the_folder_was_typed(desk, monkeypatch):
    desk.write("bureau.yaml", "x: 1\ny\n")
    monkeypatch.chdir(desk.folder.parent)
    with pytest.raises(ConfigurationRefused) as refusal:
        load(Path("bureau"), None, 2026)
    assert str(refusal.value.faults[0]).startswith("bureau/bureau.yaml:2:1: a key without")


def test_an_environment_variable_without_default_is_missed_at_its_place(desk):
    desk.write("bureau.yaml", BUREAU.replace("lea-demo", '§"${LEA_PASSWORD}"'))
    desk.refuses("environment variable LEA_PASSWORD is not set and has no default")
    assert (
        desk.load(environment={"LEA_PASSWORD": "secret1"}).configuration.secretaries["lea"].password
        == "secret1"
    )


def test_a_broken_variable_is_refused(desk):
    desk.client(phrase='§"${LEA"')
    desk.refuses("write ${NAME} or ${NAME:-default}")


def test_a_rule_that_is_only_jumped_to_is_reached(desk):
    desk.client(
        rules="\n  - name: open\n    do: [{queue: {team: general, on_timeout: [{jump: bye}]}}]"
        "\n  - name: bye\n    do: [{hangup: busy}]"
    )
    assert [rule.name for rule in desk.load().configuration.clients["cab-lilas"].rules] == ["open", "bye"]

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocom.asterisk.conf import Net, Paths, Secrets, Unwritable, phone_endpoint, render, write
from autocom.asterisk.conf.text import quoted, section, value
from autocom.core.model import Client, Enqueue, Hours, Line, Music, Rule, Team, Trunk, Widening
from tests.asterisk.host_support import bureau, private

NET = Net(("127.0.0.1", 5060), (10000, 10999), 8088, 5038, ("127.0.0.1", 4573))
SECRETS = Secrets("ari-secret", "ami-secret")


def paths(state: Path = Path("/srv/state")) -> Paths:
    return Paths(
        state, Path("/modules"), Path("/share"), Path("/repository/dialplan"), state / "run", {}, Path("/py")
    )


def sections(text: str) -> list[tuple[str, dict[str, list[str]]]]:
    """The file as Asterisk's parser reads it (config.c): comments from an unescaped `;`, trimmed values."""
    found: list[tuple[str, dict[str, list[str]]]] = []
    for raw in text.splitlines():
        line = re.sub(r"(?<!\\);.*", "", raw).replace(r"\;", ";").strip()
        if head := re.match(r"\[([^\]]+)\]", line):
            found.append((head[1], {}))
        elif "=" in line:
            key, _, text_ = line.partition("=")
            found[-1][1].setdefault(key.strip(), []).append(text_.removeprefix(">").strip())
    return found


def test_equal_configurations_give_equal_bytes_whatever_the_order_of_the_yaml():
    one = bureau(secretaries=8)
    other = replace(one, secretaries=dict(reversed(list(one.secretaries.items()))))
    assert render(one, paths(), NET, SECRETS) == render(other, paths(), NET, SECRETS)


def test_only_what_changed_is_written_and_reloaded(tmp_path: Path):
    where = paths(tmp_path)
    assert "pjsip.conf" in write(bureau(), where, NET, SECRETS).names
    assert not write(bureau(), where, NET, SECRETS)
    changed = write(bureau(secretaries=3), where, NET, SECRETS)
    assert changed.names == ("extensions.conf", "pjsip.conf")
    assert changed.reloads == ("res_pjsip.so", "res_pjsip_mwi.so", "pbx_config.so")
    assert not changed.restart
    moved = write(bureau(secretaries=3), where, replace(NET, rtp=(11000, 11099)), SECRETS)
    assert moved.names == ("asterisk.conf", "rtp.conf")
    assert moved.restart


def test_each_team_is_a_queue_with_its_levels_and_its_widening_also_one_that_no_rule_names():
    people = {
        who: replace(each, teams={"one": 2} if who == "lea" else {"two": 1})
        for who, each in bureau().secretaries.items()
    }
    rules = (Rule("open", None, (Enqueue("one"),)),)
    lilas = Client("lilas", "L", "L", "medical", (Line("+33199001001"),), Hours("Europe/Paris", {}), rules)
    teams = {"one": Team("one", (Widening(20.0, "two"),)), "two": Team("two")}
    files = render(
        replace(bureau(), secretaries=people, teams=teams, clients={"lilas": lilas}), paths(), NET, SECRETS
    )
    (_, (queue, options), (other, others)) = sections(files["queues.conf"])
    assert (queue, other) == ("one", "two")
    assert others["member"] == ["Local/202@autocom-standby-member/n,1,ines,hint:ines@autocom-standby-state"]
    assert options["member"] == [
        "Local/202@autocom-standby-member/n,11,ines,hint:ines@autocom-standby-state",
        "Local/201@autocom-standby-member/n,2,lea,hint:lea@autocom-standby-state",
    ]
    assert (options["ringinuse"], options["strategy"], options["defaultrule"]) == (
        ["no"],
        ["rrmemory"],
        ["one"],
    )
    assert sections(files["queuerules.conf"])[1:] == [
        ("one", {"penaltychange": ["16,,,9", "20,19"]}),
        ("two", {"penaltychange": ["16,,,9"]}),
    ]
    assert "exten = lea,hint,PJSIP/lea&PJSIP/lea@web&Stasis:away-lea" in files["extensions.conf"]
    assert dict(sections(files["logger.conf"]))["general"]["queue_log"] == ["no"], (
        "it would hold callers' numbers"
    )


def test_a_file_of_an_older_version_is_removed(tmp_path: Path):
    where = paths(tmp_path)
    where.etc.mkdir(parents=True)
    (where.etc / "users.conf").write_text("[old]\n")
    write(bureau(), where, NET, SECRETS)
    assert not (where.etc / "users.conf").exists()


def test_a_configuration_that_cannot_be_written_leaves_the_files_as_they_were(tmp_path: Path):
    where = paths(tmp_path)
    write(bureau(), where, NET, SECRETS)
    before = {file.name: file.read_bytes() for file in where.etc.iterdir()}
    broken = bureau(trunks={"operator": Trunk("operator", ("not an address",))})
    with pytest.raises(Unwritable, match="trunk operator"):
        write(broken, where, NET, SECRETS)
    assert {file.name: file.read_bytes() for file in where.etc.iterdir()} == before


def test_a_phone_needs_its_password_and_a_trunk_its_address():
    parsed = sections(render(bureau(secretaries=1), paths(), NET, SECRETS)["pjsip.conf"])
    by_name: dict[str, list[dict[str, list[str]]]] = {}
    for name, options in parsed:
        by_name.setdefault(name, []).append(options)
    for endpoint in (phone_endpoint("lea"), phone_endpoint("lea", websocket=True)):
        assert by_name[endpoint][0]["auth"] == ["lea"]
    assert by_name["autocom-phone"][0]["identify_by"] == ["username"]
    assert by_name["autocom-trunk"][0]["identify_by"] == ["ip"]
    assert by_name["autocom-trunk"][0]["allow_transfer"] == ["no"]
    assert by_name["autocom-trunk"][0]["ignore_183_without_sdp"] == ["yes"]
    assert "auth" not in by_name["trunk-operator"][0]
    assert by_name["trunk-operator"][1]["match"] == ["127.0.0.1/32"]
    for template in ("autocom-phone", "autocom-web"):
        assert by_name[template][0]["context"] == ["autocom-phone"]
        # what a phone's transfer button asks for is ours to obey (PJSIP_TRANSFER_HANDLING); a trunk asks for nothing
        assert by_name[template][0]["allow_transfer"] == ["yes"]
        assert "trust_id_inbound" not in by_name[template][0]


def test_a_phone_that_died_in_a_call_is_given_up_soon_and_a_caller_who_says_nothing_while_he_waits_is_not():
    templates = dict(sections(render(bureau(), paths(), NET, SECRETS)["pjsip.conf"]))
    found = {kind: templates[f"autocom-{kind}"]["rtp_timeout"] for kind in ("phone", "web", "trunk")}
    assert found == {"phone": ["18"], "web": ["18"], "trunk": ["600"]}


@pytest.mark.parametrize(("ports", "calls"), [((10000, 10999), 400), ((27000, 27199), 80), ((9000, 9001), 1)])
def test_callers_leave_a_fifth_of_the_ports_to_the_phones_that_ring_for_them(ports, calls):
    options = dict(sections(render(bureau(), paths(), replace(NET, rtp=ports), SECRETS)["asterisk.conf"]))
    assert options["options"]["maxcalls"] == [str(calls)]


def test_no_password_stands_in_clear_in_any_file():
    configuration = bureau()
    text = "".join(render(configuration, paths(), NET, SECRETS).values())
    for secretary in configuration.secretaries.values():
        assert secretary.password not in text


def test_networks_of_a_trunk_are_matched_each():
    trunks = {"operator": Trunk("operator", ("127.0.0.9", "10.1.2.3/24", "2001:db8::/32"))}
    parsed = sections(render(bureau(trunks=trunks), paths(), NET, SECRETS)["pjsip.conf"])
    (identify,) = (options for _, options in parsed if options.get("type") == ["identify"])
    assert identify["match"] == ["127.0.0.9/32", "10.1.2.0/24", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (
            lambda c: replace(c, trunks={"o": Trunk("o", ("127.0.0.1",), did_in="header:X-A: b")}),
            "no SIP header name",
        ),
        (lambda c: replace(c, trunks={"o": Trunk("o", ("127.0.0.1",), host="h;x")}), "no host"),
        (lambda c: replace(c, trunks={"o p": Trunk("o p", ("127.0.0.1",))}), "cannot be a name"),
        (lambda c: with_secretary(c, id="autocom-phone"), "used by autocom itself"),
        (lambda c: with_secretary(c, id="trunk-operator"), "used by autocom itself"),
        (lambda c: with_secretary(c, id="a\nb"), "cannot be a name"),
        (lambda c: with_secretary(c, extension="20a"), "must be digits"),
        (
            lambda c: replace(c, stock=replace(c.stock, nobody=replace(c.stock.nobody, media="/a&b"))),
            "'&' has a meaning",
        ),
        (lambda c: replace(c, music={"m": Music("m", "m", ("/a\nb",))}), "control characters"),
    ],
)
def test_what_asterisk_could_misread_is_refused_by_name(broken, says: str):
    with pytest.raises(Unwritable, match=re.escape(says)):
        render(broken(bureau()), paths(), NET, SECRETS)


def with_secretary(configuration, **changed):
    lea = replace(configuration.secretaries["lea"], **changed)
    return replace(configuration, secretaries={lea.id: lea})


@given(st.text(max_size=200))
def test_a_name_never_leaves_its_line(name: str):
    configuration = with_secretary(bureau(secretaries=1), name=name)
    plain = with_secretary(bureau(secretaries=1), name="Plain")
    got = sections(render(configuration, paths(), NET, SECRETS)["pjsip.conf"])
    expected = sections(render(plain, paths(), NET, SECRETS)["pjsip.conf"])
    for (title, options), (title_, options_) in zip(got, expected, strict=True):
        assert title == title_
        assert {**options, "callerid": 0} == {**options_, "callerid": 0}
        for shown in options.get("callerid", []):
            assert shown == f"{quoted(name)} <201>"


@given(st.text(max_size=80))
def test_a_value_is_read_back_as_it_was_or_refused(text: str):
    try:
        written = section("x", [("key", text)])
    except Unwritable:
        assert text != text.strip() or not text.isprintable()
        return
    (parsed,) = sections(written)
    assert parsed[1].get("key", [""]) == [text]


def test_a_value_longer_than_asterisks_line_is_refused():
    with pytest.raises(Unwritable, match="longer"):
        value("é" * 5000, "name")


def test_music_is_a_class_each_and_the_house_s_stands_for_unknown_names():
    text = render(bureau(), paths(), NET, SECRETS)["musiconhold.conf"]
    parsed = dict(sections(text))
    assert parsed["default"]["entry"] == parsed["music-calme-1234"]["entry"] == ["/nowhere/music"]
    assert parsed["default"]["mode"] == ["playlist"]


def test_http_and_ami_listen_on_loopback_with_the_secrets_given():
    files = render(bureau(), paths(), NET, SECRETS)
    http = dict(sections(files["http.conf"]))["general"]
    assert (http["bindaddr"], http["bindport"]) == (["127.0.0.1"], ["8088"])
    ami = dict(sections(files["manager.conf"]))
    assert ami["general"]["bindaddr"] == ["127.0.0.1"]
    assert ami["autocom"]["secret"] == ["ami-secret"]
    assert not {"all", "command", "originate", "config"} & set(ami["autocom"]["write"][0].split(","))
    assert dict(sections(files["ari.conf"]))["autocom"]["password"] == ["ari-secret"]


async def test_music_with_an_odd_path_and_a_password_of_any_signs_are_read_by_the_real_asterisk():
    async with private() as (place, asterisk):
        odd = place.sounds / "musique; à [l'heure] & co"
        odd.with_suffix(".wav").write_bytes((place.sounds / "music.wav").read_bytes())
        configuration = place.bureau()
        more = {**configuration.music, "odd": Music("odd", "music-odd", (str(odd),))}
        changed = await asterisk.apply(replace(configuration, music=more))
        assert changed.names == ("musiconhold.conf",)
        assert asterisk.troubles() == []


def test_a_digit_that_stalls_for_a_third_of_a_second_is_still_one_digit():
    rtp = dict(sections(render(bureau(), paths(), NET, SECRETS)["rtp.conf"]))["general"]
    # samples; by the default of 22.10 a code of *1202# became *12002#
    assert int(rtp["dtmftimeout"][0]) >= 8000 * 0.3


def test_star_eight_is_the_dialplans_and_not_asterisks_own_pickup():
    text = render(bureau(), paths(), NET, SECRETS)["features.conf"]
    assert "pickupexten = nobody-dials-this" in text

"""Lamps on the generated configuration and the real Asterisk: names, states, counts, and who may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from autocom.asterisk.ari.client import AriClient
from autocom.asterisk.ari.generated import Ari
from autocom.asterisk.conf import Unwritable, render
from autocom.asterisk.conf.pjsip import SHORTEST_SUBSCRIPTION
from autocom.asterisk.lamps import STATES, LampCommands
from autocom.asterisk.private import PrivateAsterisk
from autocom.core.model import Configuration, Enqueue, Team, Voicemail
from autocom.core.presence import Lamp
from tests.asterisk.host_support import Folder, bureau, folder, password
from tests.asterisk.test_conf import NET, SECRETS, paths, sections
from tests.asterisk.test_dialplan_websocket import WebPhone
from tests.support.exchange_in_memory import client
from tests.support.sip_phone import SipLine, SipPhone
from tests.support.watcher import ACCEPT, Watcher, shown


class Commands(LampCommands):
    """The adapter's two commands over a client of the test's own."""

    def __init__(self, ari: Ari) -> None:
        self._ari = ari


def equipped(plain: Configuration) -> Configuration:
    """The phones of a bureau in team medical, level 1 and 2; lilas has a queue, a box and a code."""
    people = {
        name: replace(who, teams={"medical": level})
        for level, (name, who) in enumerate(plain.secretaries.items(), start=1)
    }
    lilas = client("lilas", "+33199001001", Enqueue("medical"), Voicemail(), code="12")
    roses = client("roses", "+33199001002", Enqueue("medical"))
    return replace(
        plain,
        secretaries=people,
        teams={"medical": Team("medical", extension="301")},
        clients={"lilas": lilas, "roses": roses},
    )


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Folder, PrivateAsterisk, Commands]]:
    """A started Asterisk on that bureau, and the adapter's commands to it."""
    async with folder() as place:
        asterisk = place.asterisk()
        await asterisk.start(equipped(place.bureau()))
        doors = asterisk.doors
        async with AriClient(doors.ari_url, doors.ari_user, doors.ari_password) as ari:
            yield place, asterisk, Commands(ari.ari)


# --- what is written -------------------------------------------------------------------------


def hints(configuration: Configuration) -> dict[str, str]:
    """The generated context: devices by name."""
    text = render(configuration, paths(), NET, SECRETS)["extensions.conf"]
    found = dict(sections(text))["autocom-presence"].get("exten", [])
    parts = [line.split(",") for line in found]
    assert all(kind == "hint" for _, kind, _ in parts)
    return {name: to for name, _, to in parts}


def test_every_name_is_written_once_with_its_devices() -> None:
    assert hints(equipped(bureau())) == {
        "201": "PJSIP/lea&PJSIP/lea@web&Stasis:post-lea",
        "202": "PJSIP/ines&PJSIP/ines@web&Stasis:post-ines",
        "queue-medical": "Stasis:team-medical",
        "301": "Stasis:team-medical",
        "client-lilas": "Stasis:client-lilas",
        "client-roses": "Stasis:client-roses",
        "box-lilas": "Stasis:box-lilas",
        "*9712": "Stasis:box-lilas",
    }


def test_a_name_that_two_would_have_is_the_first_ones() -> None:
    made = equipped(bureau())
    made = replace(made, teams={"medical": Team("medical", extension="201")})
    assert hints(made)["201"].startswith("PJSIP/lea&")


@pytest.mark.parametrize("code", ["1,2", "", "1;2", "é", "1\n2"])
def test_a_code_that_is_none_is_never_written(code: str) -> None:
    made = equipped(bureau())
    with pytest.raises(Unwritable):
        hints(replace(made, clients={"lilas": replace(made.clients["lilas"], code=code)}))


def test_only_phones_may_subscribe_and_only_to_lamps() -> None:
    parsed = sections(render(equipped(bureau()), paths(), NET, SECRETS)["pjsip.conf"])
    templates = dict(parsed)
    for kind in ("phone", "web"):
        assert templates[f"autocom-{kind}"]["allow_subscribe"] == ["yes"]
        assert templates[f"autocom-{kind}"]["subscribe_context"] == ["autocom-presence"]
    assert templates["autocom-trunk"]["allow_subscribe"] == ["no"]
    assert "subscribe_context" not in templates["autocom-trunk"]


def test_a_box_lights_the_phones_of_those_who_know_the_client_and_is_no_place_to_register() -> None:
    parsed = sections(render(equipped(bureau()), paths(), NET, SECRETS)["pjsip.conf"])
    of_lea = [options for name, options in parsed if name == "lea"]
    assert [o["mailboxes"] for o in of_lea if "mailboxes" in o] == [["lilas@autocom"]] * 2  # endpoint and aor
    assert not any("mailboxes" in o for name, o in parsed if name in {"ines", "lea@web"})
    for box in ("box-lilas", "*9712"):
        (found,) = [options for name, options in parsed if name == box]
        assert found == {"type": ["aor"], "mailboxes": ["lilas@autocom"]}


def test_a_secretary_cannot_have_the_name_of_a_box() -> None:
    made = equipped(bureau())
    people = {"box-lilas": replace(made.secretaries["lea"], id="box-lilas")}
    with pytest.raises(Unwritable, match="box-lilas"):
        render(replace(made, secretaries=people), paths(), NET, SECRETS)


# --- what phones see -------------------------------------------------------------------------

SEEN = {
    Lamp.IDLE: ("terminated", "Ready"),
    Lamp.RINGING: ("early", "Ringing"),
    Lamp.BUSY: ("confirmed", "On the phone"),
    Lamp.HELD: ("held", "On hold"),
    Lamp.SILENT: ("terminated", "Unavailable"),  # where no phone is beside it
}


async def test_every_lamp_is_seen_as_it_is_meant_and_again_after_a_restart_of_asterisk() -> None:
    assert STATES.keys() == SEEN.keys()
    async with (
        running() as (place, asterisk, commands),
        Watcher(place.server, "lea", password("lea")) as lea,
    ):
        key = await lea.subscribe("queue-medical")
        same = await lea.subscribe("301")
        note = await lea.subscribe("queue-medical", "presence")
        for lamp, (dialog, said) in SEEN.items():
            await commands.show_state("team-medical", lamp)
            await note.shows(said)
            await key.shows(dialog)
            await same.shows(dialog)
        await commands.show_state("team-medical", Lamp.HELD)
        await note.shows("On hold")
        assert asterisk.troubles() == []
        await asterisk.stop(5)
        again = place.asterisk()
        await again.start(equipped(place.bureau()))
        fresh = await lea.subscribe("queue-medical")
        await fresh.shows("held")
        assert again.troubles() == []


async def test_a_lamp_that_is_taken_away_goes_out_and_may_be_taken_away_twice() -> None:
    async with running() as (place, _, commands), Watcher(place.server, "lea", password("lea")) as lea:
        note = await lea.subscribe("client-roses", "presence")
        await commands.show_state("client-roses", Lamp.BUSY)
        await note.shows("On the phone")
        await commands.show_state("client-roses", None)
        # out either way: 22.10 tells of the removal before or after the state itself is gone
        await note.shows("Unavailable", "Ready")
        await commands.show_state("client-roses", None)
        await commands.show_state("client-nobody", None)


async def test_what_a_phone_does_itself_is_seen_with_what_we_say_of_her() -> None:
    async with (
        running() as (place, _, commands),
        Watcher(place.server, "lea", password("lea")) as lea,
    ):
        note = await lea.subscribe("202", "presence")
        key = await lea.subscribe("202")
        await note.shows("Unavailable")
        await commands.show_state("post-ines", Lamp.SILENT)
        async with SipPhone(place.server, "ines", password("ines")):
            await note.shows("Ready")
            await commands.show_state("post-ines", Lamp.HELD)
            await note.shows("On hold")
            await commands.show_state("post-ines", Lamp.SILENT)
            await note.shows("Ready")
            await key.shows("terminated")
        await note.shows("Unavailable")


async def test_counts_reach_who_subscribed_and_whose_lamp_it_is() -> None:
    async with (
        running() as (place, asterisk, commands),
        Watcher(place.server, "lea", password("lea")) as lea,
        Watcher(place.server, "ines", password("ines")) as ines,
    ):
        await lea.lamp("no 0/0")
        box = await ines.subscribe("box-lilas", "message-summary")
        same = await ines.subscribe("*9712", "message-summary")
        for new, old in ((1, 0), (2, 3), (0, 5), (0, 0)):
            await commands.show_mailbox("lilas", new, old)
            what = f"{'yes' if new else 'no'} {new}/{old}"
            await box.shows(what)
            await same.shows(what)
            await lea.lamp(what)
        assert ines.unsolicited == []
        # two of one phone: her own lamp, asked for, is not told beside it any more
        mine = await lea.subscribe("lea", "message-summary")
        assert mine.status == 200
        before = len(lea.unsolicited)
        await commands.show_mailbox("lilas", 4, 0)
        await mine.shows("yes 4/0")
        assert len(lea.unsolicited) == before
        assert (await ines.subscribe("box-roses", "message-summary")).status == 404
        assert asterisk.troubles() == []


async def test_a_box_that_a_new_configuration_brings_lights_the_lamp_of_a_phone_that_stays_registered() -> (
    None
):
    async with (
        running() as (place, asterisk, commands),
        Watcher(place.server, "lea", password("lea")) as lea,
    ):
        await lea.lamp("no 0/0")
        await commands.show_mailbox("lilas", 1, 0)
        await lea.lamp("yes 1/0")
        mine = await lea.subscribe("202")
        made = equipped(place.bureau())
        roses = replace(made.clients["roses"], on_full=(Voicemail(),))
        await asterisk.apply(replace(made, clients={**made.clients, "roses": roses}))
        await commands.show_mailbox("roses", 2, 1)
        await lea.lamp("yes 3/1")
        box = await lea.subscribe("box-roses", "message-summary")
        await box.shows("yes 2/1")
        assert mine.notifies[-1].header("Subscription-State").startswith("active")
        assert asterisk.troubles() == []


async def test_a_phone_in_a_browser_is_told_over_its_web_socket() -> None:
    async with (
        running() as (_, asterisk, commands),
        WebPhone(asterisk.doors.websocket, "lea", password("lea"), "web") as phone,
    ):
        assert (await phone.ask("REGISTER", None)).status == 200
        await commands.show_mailbox("lilas", 2, 0)
        waiting = await phone.wait_for(lambda m: m.method == "NOTIFY" and "yes" in m.body)
        assert shown(waiting) == "yes 2/0"
        wants = ("Event: dialog", f"Accept: {ACCEPT['dialog']}", "Expires: 300")
        assert (await phone.ask("SUBSCRIBE", "queue-medical", headers=wants)).status == 200
        await commands.show_state("team-medical", Lamp.RINGING)
        lit = await phone.wait_for(
            lambda m: m.method == "NOTIFY" and m.header("Event") == "dialog" and shown(m) == "early"
        )
        assert lit.header("Subscription-State").startswith("active")


# --- who may ask -----------------------------------------------------------------------------


async def test_operators_and_strangers_learn_nothing() -> None:
    async with running() as (place, asterisk, _), SipLine(place.server) as line:
        for event, name in (
            ("dialog", "201"),
            ("presence", "queue-medical"),
            ("message-summary", "box-lilas"),
        ):
            uri = f"sip:{name}@{place.server}"
            # an operator's address, any name: that is the trunk
            made = line.request(
                "SUBSCRIBE",
                uri,
                frm="<sip:0639980101@operator.example>",
                headers=(f"Event: {event}", f"Accept: {ACCEPT[event]}", "Expires: 300"),
            )
            line.send(made)
            call_id = line.sent[-1].call_id
            answer = await line.wait_for(lambda m, i=call_id: m.call_id == i and (m.status or 0) >= 200)
            assert answer.status == 603
        assert [m for m in line.received if m.method == "NOTIFY"] == []
        assert all("not permitted for endpoint trunk-operator" in each for each in asterisk.troubles())


async def test_a_secretarys_name_without_her_password_learns_nothing() -> None:
    async with (
        running() as (place, _, _),
        Watcher(place.server, "lea", "a guess", registers=False) as stranger,
    ):
        assert (await stranger.subscribe("202")).status == 401
        assert (await stranger.subscribe("box-lilas", "message-summary")).status == 401
        assert [m for m in stranger.received if m.method == "NOTIFY"] == []


@pytest.mark.parametrize(
    "name", ["15", "*45", "s", "h", "299", "queue-legal", "lea", "%24%7BEXTEN%7D", "0639980101"]
)
async def test_what_is_no_lamp_cannot_be_subscribed_to(name: str) -> None:
    async with running() as (place, _, _), Watcher(place.server, "lea", password("lea")) as lea:
        assert (await lea.subscribe(name)).status == 404


async def test_nobody_registers_at_a_box_and_nothing_short_is_kept() -> None:
    async with running() as (place, _, _), Watcher(place.server, "lea", password("lea")) as lea:
        short = await lea.subscribe("202", expires=SHORTEST_SUBSCRIPTION - 30)
        assert short.status == 423
        lasting = await lea.subscribe("202", expires=SHORTEST_SUBSCRIPTION)
        assert lasting.status == 200
        assert (await lasting.again(SHORTEST_SUBSCRIPTION)).status == 200
        assert (await lasting.again(0)).status == 200
        await lasting.ended()
        to = f"<sip:box-lilas@{place.server}>"
        made = lea.request("REGISTER", f"sip:{place.server}", frm=f"<sip:lea@{place.server}>", to=to)
        answer = await lea.authenticated(made, lea_call(made))
        assert (answer.status or 0) >= 400


def lea_call(text: str) -> str:
    """The Call-ID of a request as text."""
    return next(line for line in text.split("\r\n") if line.startswith("Call-ID: "))[9:]

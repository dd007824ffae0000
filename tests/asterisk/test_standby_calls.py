"""The dialplan that serves each client's callers by itself, on the real Asterisk: from the file, from nothing, from rubbish."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autocom.asterisk import spool
from autocom.asterisk.clock import SteadyClock
from autocom.asterisk.conf import GATE, login_variable
from autocom.asterisk.private import PrivateAsterisk
from autocom.asterisk.telephone import AsteriskTelephone
from autocom.core.model import (
    Audio,
    Client,
    Configuration,
    Enqueue,
    Forward,
    Hangup,
    Hours,
    Line,
    Mode,
    Play,
    Rule,
    Step,
    Team,
    Trunk,
    Widening,
)
from autocom.core.standby import foretell
from autocom.core.telephony import CallEntered, TelephoneBack
from autocom.standby import NAME, write_file
from tests.asterisk.ari_support import Listener
from tests.asterisk.host_support import (
    MUSIC,
    NOBODY,
    PLEASE_WAIT,
    AriApp,
    Folder,
    eventually,
    folder,
    password,
)
from tests.asterisk.test_dialplan_calls import complaints
from tests.support import tones
from tests.support.fault_matrix import Measured
from tests.support.phones import Phones
from tests.support.ports import free_port
from tests.support.sip_phone import SipLine, SipPhone

LILAS, VAUBAN = "0199001001", "0199001002"
HELLO, OTHER = 620, 890
CELL = "+33639981021"


def configuration(place: Folder, *steps: Step, secretaries: int = 3, **more: Any) -> Configuration:
    """Two clients: `lilas` with these steps, `vauban` with a message alone; every secretary in `one`."""
    for name, hertz in (("hello", HELLO), ("other", OTHER)):
        tones.write_wav(place.sounds / f"{name}.wav", tones.sine(hertz, 1.0))
    made = place.bureau(secretaries=secretaries, **more)
    hello = Audio("hello", str(place.sounds / "hello"), 1.0)
    other = Audio("other", str(place.sounds / "other"), 1.0)
    always = Hours("Europe/Paris", {})
    people = {
        who: replace(each, teams={"one": 1} if who != "chloe" else {"two": 1})
        for who, each in made.secretaries.items()
    }
    shared = (Line("+33199001005", "+33536490701"),)
    clients = (
        Client("roux", "R", "Cab. Roux", "general", shared, always, (Rule("open", None, (Enqueue("one"),)),)),
        Client("accueil", "A", "Accueil", "general", (Line("+33199001009"),), always, (Rule("r", None, ()),)),
        Client(
            "lilas", "L", "Cab. Lilas", "general", (Line("+33199001001"),), always,
            (Rule("open", None, steps or (Play(hello), Enqueue("one"))),),
        ),
        Client(
            "vauban", "V", "Dr Vauban", "general", (Line("+33199001002"),), always,
            (Rule("open", None, (Play(other, Mode.ANSWERED), Enqueue("one"))),),
        ),
    )  # fmt: skip
    teams = {"one": Team("one", (Widening(4.0, "two"),)), "two": Team("two")}
    return replace(made, secretaries=people, teams=teams, clients={c.id: c for c in clients})


@asynccontextmanager
async def standing_by(
    *steps: Step, **more: Any
) -> AsyncIterator[tuple[Folder, PrivateAsterisk, Configuration]]:
    """A started Asterisk whose fallback knows the clients."""
    async with folder() as place:
        asterisk = place.asterisk()
        made = configuration(place, *steps, **more)
        await asterisk.start(made)
        write_file(asterisk.paths.state, foretell(made, time.time()))
        yield place, asterisk, made


@asynccontextmanager
async def telephone(asterisk: PrivateAsterisk) -> AsyncIterator[tuple[AsteriskTelephone, Listener]]:
    """autocom's own hand on it."""
    doors = asterisk.doors
    line, ear = (
        AsteriskTelephone(doors.ari_url, doors.ari_user, doors.ari_password, clock=SteadyClock()),
        Listener(),
    )
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(line.run()), tasks.create_task(ear.listen(line.facts()))]
        await ear.fact(TelephoneBack)
        yield line, ear
        for task in running:
            task.cancel()


async def phone(phones: Phones, place: Folder, who: str, **habits: Any):
    return await phones.secretary(who, password(who), place.server, **habits)


async def test_two_callers_are_served_in_their_order_by_who_is_free_and_at_work():
    async with standing_by() as (place, asterisk, _), Phones() as phones:
        lea = await phone(phones, place, "lea", say=1060)
        ines = await phone(phones, place, "ines", answer_after=0.0)
        async with telephone(asterisk) as (line, _ear):
            await line.tell_fallback("ines", at_work=False)
        first = await phones.dial(f"sip:{LILAS}@{place.server}", say=740)
        await first.hears(HELLO)
        await lea.rings()
        second = await phones.dial(f"sip:{VAUBAN}@{place.server}", "0639980102", say=740)
        await second.hears(MUSIC)
        third = await phones.dial(f"sip:{LILAS}@{place.server}", "0639980103", say=740)
        await third.hears(MUSIC)
        await lea.answer()
        await first.hears(1060)
        await first.hangup()
        leg = await lea.rings(2)
        assert "Dr Vauban · 06 39 98 01 02" in leg.invite.header("From")
        await second.hangup()
        leg = await lea.rings(3)
        assert "Cab. Lilas · 06 39 98 01 03" in leg.invite.header("From")
        assert ines.calls == []
        await third.hangup()
        await eventually(lambda: len(spool.read(asterisk.paths.spool)) == 3)
        assert complaints(asterisk) == []


async def test_a_team_is_widened_as_the_caller_waits_and_a_phone_that_refuses_is_passed_over():
    async with (
        standing_by() as (place, _, _),
        SipPhone(place.server, "lea", password("lea")) as lea,
        SipPhone(place.server, "chloe", password("chloe")) as chloe,
        Phones() as phones,
    ):
        lea.answer = 486
        caller = await phones.dial(f"sip:{LILAS}@{place.server}")
        began = time.monotonic()
        await lea.invited()
        await chloe.invited()
        assert time.monotonic() - began >= 3.5
        await caller.hears(MUSIC)
        await caller.hangup()
        await chloe.cancelled()


async def test_a_caller_who_withholds_his_number_is_shown_as_such():
    async with (
        standing_by() as (place, asterisk, _),
        SipPhone(place.server, "lea", password("lea")) as lea,
        SipLine(place.server) as line,
    ):
        for frm, header, shown in (
            ("<sip:anonymous@anonymous.invalid>", "Privacy: id", '"Cab. Lilas · Masqué" <sip:anonymous@'),
            ('"x${EXTEN}\\", é" <sip:boss@op.example>', "X-A: b", "Cab. Lilas · x${EXTEN}"),
        ):
            text = line.request(
                "INVITE", f"sip:{LILAS}@{place.server}", frm=frm, headers=(header,), body=line.silent_sdp()
            )
            line.send(text)
            invite = await lea.invited(len(lea.invites) + 1)
            assert shown in invite.header("From")
            answer = next(m for m in reversed(line.received) if (m.status or 0) > 100)
            line.end(answer)
            await lea.cancelled(len(lea.invites))
        assert complaints(asterisk) == []


async def test_with_the_gate_closed_all_that_the_network_said_of_a_call_is_known_as_well():
    async with (
        standing_by() as (place, asterisk, _),
        SipPhone(place.server, "lea", password("lea")) as lea,
        SipLine(place.server) as line,
    ):
        async with AriApp(asterisk) as app:
            await app.call("POST", "asterisk/variable", variable=GATE, value="closed")
        said = ("Diversion: <sip:0536490701@op.example>;reason=no-answer", "Privacy: id")
        frm = "<sip:0639980101@op.example>"
        line.send(
            line.request(
                "INVITE", f"sip:0199001005@{place.server}", frm=frm, headers=said, body=line.silent_sdp()
            )
        )
        invite = await lea.invited()
        assert "Cab. Roux · Masqué" in invite.header("From"), "of several clients with this number his own"
        assert "0639980101" not in invite.text, "he withholds it"
        line.end(next(m for m in reversed(line.received) if (m.status or 0) > 100))
        await lea.cancelled()


@pytest.mark.parametrize("how", ["offline", "away"])
async def test_where_nobody_is_there_he_is_told_so_or_takes_the_clients_way_out(how: str):
    async with standing_by() as (place, asterisk, _), Phones() as phones:
        if how == "away":
            await phone(phones, place, "lea")
            async with AriApp(asterisk) as app:
                await app.call("POST", "asterisk/variable", variable=login_variable("lea"), value="out")
        caller = await phones.dial(f"sip:{LILAS}@{place.server}")
        await caller.hears(HELLO)
        await caller.hears(NOBODY)
        await caller.closed()
        (record,) = await eventually(lambda: spool.read(asterisk.paths.spool))
        assert (record.client, record.team, record.secretary) == ("lilas", "one", None)


async def test_a_forward_is_made_only_where_the_trunk_has_room_and_shows_the_callers_number():
    operator = f"127.0.0.1:{free_port()}"
    forward = Forward(CELL, ring_for=3.0, present="caller")
    for most, rung in ((10, True), (2, False)):
        trunks = {"operator": Trunk("operator", ("127.0.0.1",), host=operator, max_calls=most)}
        async with (
            standing_by(forward, Play(AUDIO(), Mode.ANSWERED), Hangup(), trunks=trunks) as (
                place,
                asterisk,
                _,
            ),
            Phones(listen=operator) as phones,
        ):
            cell = await phones.outside(CELL, answer_after=0.2, say=1060)
            caller = await phones.dial(f"sip:{LILAS}@{place.server}", say=740)
            if rung:
                await caller.hears(1060)
                await cell.call.hears(740)
                assert "sip:+33639980101@" in cell.call.invite.header("From")
                await cell.call.hangup()
                await caller.closed()
            else:
                await caller.closed()
                assert cell.calls == []
            (record,) = await eventually(lambda: spool.read(asterisk.paths.spool))
            assert record.number == (CELL if rung else None)


def AUDIO() -> Audio:  # noqa: N802 - stands where a constant would
    return Audio("gone", "/nowhere/gone", 1.0)


async def test_who_was_given_back_is_not_told_again_and_stays_his_clients_caller():
    async with standing_by() as (place, asterisk, _), telephone(asterisk) as (line, ear), Phones() as phones:
        lea = await phone(phones, place, "lea")
        caller = await phones.dial(f"sip:{LILAS}@{place.server}")
        channel = (await ear.fact(CallEntered)).channel
        await line.play(channel, "play-c1-1", str(place.sounds / "nobody"))
        await line.to_fallback(channel, "vauban", heard=True)
        leg = await lea.rings()
        assert "Dr Vauban · " in leg.invite.header("From")
        await caller.hears(MUSIC, for_seconds=0.6)
        assert not {(HELLO,), (OTHER,)} & set(caller.heard())
        await caller.hangup()


async def test_a_new_configuration_reaches_the_queues_and_drops_nobody_who_waits():
    async with standing_by(secretaries=1) as (place, asterisk, before), Phones() as phones:
        lea = await phone(phones, place, "lea")
        caller = await phones.dial(f"sip:{LILAS}@{place.server}", say=740)
        await lea.rings()
        await asterisk.apply(configuration(place, secretaries=2))
        await caller.hears(MUSIC)
        ines = await phone(phones, place, "ines", answer_after=0.2, say=1160)
        await lea.call.closed(within=20)  # her turn is over
        await caller.hears(1160, within=20)
        await ines.call.hears(740)
        await caller.hangup()
        assert before.version == "v1"


BROKEN = {
    "missing": None,
    "empty": b"",
    "no json": b"{",
    "another version": b'{"standby": 99}\n',
    "half a line": b"half",
    "binary": os.urandom(4000),
}


async def test_with_a_file_that_is_missing_broken_or_too_old_he_is_served_as_one_of_the_house():
    async with standing_by() as (place, asterisk, made), Phones() as phones:
        path = asterisk.paths.standby
        whole = path.read_bytes()
        for number, content in enumerate(BROKEN.values(), start=1):
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(whole[: len(whole) // 2] if content == b"half" else content)
            caller = await phones.dial(f"sip:{VAUBAN}@{place.server}", f"06399801{number:02}")
            await caller.hears(PLEASE_WAIT, for_seconds=0.2)
            await caller.hangup()
        write_file(asterisk.paths.state, foretell(made, time.time() - 16 * 86_400))
        caller = await phones.dial(f"sip:{VAUBAN}@{place.server}")
        await caller.hears(PLEASE_WAIT, for_seconds=0.2)
        await caller.hangup()


async def test_a_script_that_hangs_costs_seconds_and_no_call(measured: Measured):
    async with standing_by() as (place, asterisk, _), Phones() as phones:
        asterisk.paths.standby.unlink()
        os.mkfifo(asterisk.paths.standby)  # whoever opens it waits for ever
        began = time.monotonic()
        caller = await phones.dial(f"sip:{LILAS}@{place.server}")
        await caller.hears(PLEASE_WAIT, for_seconds=0.2)
        took = time.monotonic() - began
        assert took >= 2.5
        measured("a script that hangs: INVITE to message", took, at_most=6.0)
        await caller.hangup()


async def test_the_script_answers_within_150_ms_with_two_hundred_clients(tmp_path: Path):
    async with folder() as place:
        made = configuration(place)
        many = {
            f"client-{n}": replace(made.clients["lilas"], id=f"client-{n}", lines=(Line(f"+3326191{n:04}"),))
            for n in range(200)
        }
        write_file(tmp_path, foretell(replace(made, clients=made.clients | many), time.time()))
    took = [await asyncio.to_thread(spoken, tmp_path / NAME, "0261910150") for _ in range(5)]
    _, said = took[0]
    assert said[-1] == 'SET VARIABLE AUTOCOM_ROUTE "ready"'
    assert 'SET VARIABLE __AUTOCOM_CLIENT "client-150"' in said
    for known, served in (("client-7", "client-7"), ("of former files", "client-150")):
        _, said = await asyncio.to_thread(spoken, tmp_path / NAME, "0261910150", known)
        assert f'SET VARIABLE __AUTOCOM_CLIENT "{served}"' in said
    # of processor time: the machine that runs the tests does much else meanwhile
    assert min(seconds for seconds, _ in took) < 0.15, took


def spoken(path: Path, user: str, client: str = "") -> tuple[float, list[str]]:
    """Run the script as Asterisk does: its seconds of processor time, and the commands it gave."""
    script = Path(__file__).parents[2] / "dialplan" / "standby_route.py"
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", str(script), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    given = {
        "AUTOCOM_TRUNK": "operator",
        "AUTOCOM_REQUEST_USER": user,
        "AUTOCOM_CLIENT": client,
        "AUTOCOM_FROM": "<sip:0639980101@op.example>",
    }
    said: list[str] = []
    with child.stdin, child.stdout:
        print("agi_uniqueid: 1.1\nagi_callerid: unknown\n", file=child.stdin, flush=True)
        for line in child.stdout:
            said.append(line.rstrip("\n"))
            found = re.fullmatch(r"GET VARIABLE (\S+)", said[-1])
            value = "NOT_INUSE:" if "FULL" in line else given.get(found[1]) if found else None
            print(f"200 result=1 ({value})" if value else "200 result=0", file=child.stdin, flush=True)
        _, _, used = os.wait4(child.pid, 0)
    child.returncode = 0
    return used.ru_utime + used.ru_stime, said


def test_the_file_is_for_its_owner_alone_and_whole(tmp_path: Path):
    async def made() -> Configuration:
        async with folder() as place:
            return configuration(place)

    found = asyncio.run(made())
    write_file(tmp_path / "asterisk", foretell(found, 1_795_373_872.0))
    path = tmp_path / "asterisk" / NAME
    assert path.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["clients"] == len(lines) - 1 == 4

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autocom.asterisk import ami as module
from autocom.asterisk.ami import Ami, AmiRefused
from autocom.asterisk.ari.feed import BESIDE_WITHIN
from autocom.calls.ports import TelephoneDown
from autocom.core.telephony import PhoneInUse, PhoneRegistered, TelephoneBack
from tests.asterisk.ari_support import PASSWORD, Impostor, Listener, telephone_at, throwaway_asterisk
from tests.support import PATIENCE
from tests.support.eventually import eventually
from tests.support.phones import Phones
from tests.support.ports import free_port

Action = dict[str, str]


@dataclass
class Switch:
    """An AMI server. `contacts` are the registered secretaries; `silent` makes it a frozen one."""

    port: int = field(default_factory=free_port)
    password: str = PASSWORD
    contacts: list[str] = field(default_factory=list)
    silent: bool = False
    actions: list[Action] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                action = dict(line.split(": ", 1) for line in raw.decode().split("\r\n") if ": " in line)
                self.actions.append(action)
                if not self.silent:
                    self.answer(writer, action)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, writer: asyncio.StreamWriter, action: Action) -> None:
        def send(*lines: str) -> None:
            writer.write(("\r\n".join([*lines, f"ActionID: {action['ActionID']}"]) + "\r\n\r\n").encode())

        match action["Action"]:
            case "Login" if action["Secret"] != self.password:
                send("Response: Error", "Message: Authentication failed")
            case "PJSIPShowEndpoints":
                send("Response: Success", "EventList: start", "Message: A listing follows")
                for name in ("lea", "zoé"):
                    send("Event: EndpointList", f"ObjectName: {name}")
                send("Event: EndpointListComplete", "EventList: Complete")
            case "PJSIPShowContacts" if not self.contacts:
                send("Response: Error", "Message: No Contacts found")
            case "PJSIPShowContacts":
                send("Response: Success", "EventList: start", "Message: A listing follows")
                for name in self.contacts:
                    send(
                        "Event: ContactList",
                        f"Endpoint: {name}",
                        f"Uri: sip:{name}@127.0.0.1",
                        "Status: Reachable",
                    )
                send("Event: ContactListComplete", "EventList: Complete")
            case "CoreShowChannels":
                send("Response: Success", "EventList: start", "Message: Channels will follow")
                send("Event: CoreShowChannelsComplete", "EventList: Complete")
            case "Reload" if action["Module"] == "nope.so":
                send("Response: Error", "Message: No such module")
            case _:
                send("Response: Success", "Message: ok")

    def say(self, *lines: str) -> None:
        self.writers[-1].write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def did(self, name: str) -> int:
        return sum(action["Action"] == name for action in self.actions)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Switch]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            for writer in self.writers:
                writer.close()


@asynccontextmanager
async def running(port: int, secret: str = PASSWORD) -> AsyncIterator[tuple[Ami, Listener]]:
    ami, ear = Ami("127.0.0.1", port, "autocom", secret), Listener()
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(ami.run(ear.hear))
        try:
            yield ami, ear
        finally:
            run.cancel()


async def test_every_phone_is_told_at_login_also_when_none_is_registered():
    async with Switch().listening() as switch, running(switch.port) as (ami, ear):
        await ear.fact(PhoneRegistered, secretary="lea", reachable=False)
        await ear.fact(PhoneRegistered, secretary="zoé", reachable=False)
        await ear.fact(PhoneInUse, secretary="zoé", in_use=False)
        await eventually(lambda: ami.up)


async def test_a_letter_that_is_cut_by_the_network_stays_a_letter():
    async with Switch().listening() as switch, running(switch.port) as (ami, ear):
        await eventually(lambda: ami.up)
        event = "Event: ContactStatus\r\nURI: sip:x\r\nContactStatus: Reachable\r\nEndpointName: zoé\r\n\r\n".encode()
        middle = event.index(b"\xc3") + 1
        switch.writers[-1].write(event[:middle])
        await switch.writers[-1].drain()
        await asyncio.sleep(0.1)  # two segments, or there is nothing to try
        switch.writers[-1].write(event[middle:])
        await ear.fact(PhoneRegistered, secretary="zoé", reachable=True)


async def test_no_phone_is_told_before_everything_that_it_may_do_is_heard():
    """From the first filter on Asterisk sends only what a filter names: an emergency number dialled before the
    last one stands would never be written down."""

    told: list[int] = []

    class Registering(Switch):
        def answer(self, writer: asyncio.StreamWriter, action: Action) -> None:
            super().answer(writer, action)
            if action["Action"] in ("Login", "Filter"):
                self.say(
                    "Event: ContactStatus", "URI: sip:z", "EndpointName: zoé", "ContactStatus: Reachable"
                )
                told.append(len(ear.all(PhoneRegistered)))

    switch = Registering(contacts=["zoé"])
    async with switch.listening(), running(switch.port) as (_, ear):
        await ear.fact(PhoneRegistered, secretary="zoé", reachable=True)
    assert told == [0] * (1 + len(module.FILTERS))


async def test_a_frozen_peer_is_noticed_and_left(monkeypatch):
    monkeypatch.setattr(module, "PING_EVERY", 0.05)
    monkeypatch.setattr(module, "ANSWER_WITHIN", 0.3)
    async with Switch().listening() as switch, running(switch.port) as (ami, ear):
        await eventually(lambda: ami.up)
        switch.silent = True
        await eventually(lambda: not ami.up)
        switch.silent = False
        switch.contacts = ["lea"]
        await eventually(lambda: ami.up)
        # the new connection tells everything anew
        await ear.fact(PhoneRegistered, secretary="lea", reachable=True)
        assert len(ear.all(PhoneInUse, secretary="lea")) == 2


async def test_an_action_while_ami_is_away_fails_at_once_and_is_never_carried_out_later(monkeypatch):
    monkeypatch.setattr(module, "ANSWER_WITHIN", 0.3)
    async with Switch().listening() as switch, running(switch.port) as (ami, _):
        await eventually(lambda: ami.up)
        switch.silent = True
        with pytest.raises(TelephoneDown):
            await ami.reload("res_pjsip.so")  # sent, never answered
        switch.silent = False
        switch.writers[-1].transport.abort()
        await eventually(lambda: not ami.up)
        with pytest.raises(TelephoneDown):
            await ami.reload("res_musiconhold.so")  # not sent
        await eventually(lambda: ami.up)
        await ami.reload("pbx_config.so")
    assert [a["Module"] for a in switch.actions if a["Action"] == "Reload"] == [
        "res_pjsip.so",
        "pbx_config.so",
    ]


async def test_an_action_that_is_refused_says_why():
    async with Switch().listening() as switch, running(switch.port) as (ami, _):
        await eventually(lambda: ami.up)
        with pytest.raises(AmiRefused, match="No such module"):
            await ami.reload("nope.so")


async def test_a_wrong_password_is_no_connection_and_no_storm():
    async with Switch().listening() as switch, running(switch.port, "wrong") as (ami, ear):
        await eventually(lambda: switch.did("Login") >= 3)
        assert not ami.up
        assert ear.facts == []
        assert switch.did("Login") == len(switch.writers)  # one each: nothing retries behind our back
        assert switch.did("PJSIPShowEndpoints") == 0


async def test_a_peer_that_is_not_there_yet_is_found_when_it_comes():
    port = free_port()
    async with running(port) as (ami, ear):
        await asyncio.sleep(0.3)  # some attempts fail
        async with Switch(port=port).listening():
            await ear.fact(PhoneRegistered, secretary="lea")
            await eventually(lambda: ami.up)


async def test_a_message_that_never_ends_is_left_and_what_ami_tells_is_read_anew(monkeypatch):
    monkeypatch.setattr(module, "LONGEST_MESSAGE", 50_000)
    async with Switch(contacts=["lea"]).listening() as switch, running(switch.port) as (ami, ear):
        await eventually(lambda: ami.up)
        switch.say("Event: Unheard", f"Of: {'x' * 40_000}")
        switch.contacts.append("zoé")
        switch.writers[-1].write(b"a line without an end" * 5_000)
        await eventually(lambda: ear.all(PhoneRegistered, secretary="zoé", reachable=True))
        assert switch.did("Login") == 2


async def test_a_connection_that_is_cut_during_the_first_lists_is_made_again():
    switch = Switch()

    class Cutting(Switch):
        def answer(self, writer: asyncio.StreamWriter, action: Action) -> None:
            if action["Action"] == "PJSIPShowContacts" and self.did("PJSIPShowContacts") < 3:
                writer.transport.abort()
            else:
                super().answer(writer, action)

    switch = Cutting()
    async with switch.listening(), running(switch.port) as (_, ear):
        await ear.fact(PhoneRegistered, secretary="lea")
    assert switch.did("Login") == 3


async def test_a_phone_that_registers_anew_was_never_absent(monkeypatch):
    monkeypatch.setattr(module, "ABSENCE_GRACE", 0.1)
    async with Switch(contacts=["lea"]).listening() as switch, running(switch.port) as (ami, ear):
        await eventually(lambda: ami.up)
        contact = ("Event: ContactStatus", "URI: sip:lea@127.0.0.1", "EndpointName: lea")
        switch.say(*contact, "ContactStatus: Removed")
        switch.say(*contact, "ContactStatus: NonQualified")
        switch.say("Event: ContactStatus", "URI: sip:z", "EndpointName: zoé", "ContactStatus: Reachable")
        await ear.fact(PhoneRegistered, secretary="zoé", reachable=True)
        switch.say(*contact, "ContactStatus: Removed")
        await ear.fact(PhoneRegistered, secretary="lea", reachable=False)
        assert [f.reachable for f in ear.all(PhoneRegistered, secretary="lea")] == [True, True, False], (
            "moved perhaps"
        )


async def test_the_real_ami_tells_registrations_own_calls_and_reloads(tmp_path: Path):
    async with throwaway_asterisk(tmp_path, "lea", "zoe") as asterisk, Phones() as phones:
        async with running(asterisk.ami) as (ami, ear):
            await ear.fact(PhoneRegistered, secretary="lea", reachable=False)
            await ear.fact(PhoneInUse, secretary="zoe", in_use=False)
            lea = await phones.secretary("lea", PASSWORD, asterisk.server)
            await ear.fact(PhoneRegistered, secretary="lea", reachable=True)
            call = await lea.dial(f"sip:600@{asterisk.server}")
            await ear.fact(PhoneInUse, secretary="lea", in_use=True)
            await call.hangup()
            await ear.fact(PhoneInUse, secretary="lea", in_use=False)
            await ami.reload("res_pjsip.so")
            with pytest.raises(AmiRefused):
                await ami.reload("nope.so")
            await lea.offline()
            await ear.fact(PhoneRegistered, secretary="lea", reachable=False)
        # a new connection reads what is
        await lea.online()
        async with running(asterisk.ami) as (_, ear):
            await ear.fact(PhoneRegistered, secretary="lea", reachable=True)
            await ear.fact(PhoneRegistered, secretary="zoe", reachable=False)
        assert ear.all(PhoneRegistered, secretary="trunk-operator") == []


async def test_whose_phone_is_in_use_is_told_before_anybody_can_be_rung():
    async with (
        Impostor().serving() as server,
        Switch().listening() as switch,
        telephone_at(server.url, switch.port) as line,
    ):
        kinds = [type(fact) for fact in line.ear.facts]
        assert kinds.index(PhoneInUse) < kinds.index(TelephoneBack), kinds


async def test_an_ami_that_is_frozen_does_not_keep_callers_waiting():
    async with (
        Impostor().serving() as server,
        Switch(silent=True).listening() as switch,
        asyncio.timeout(BESIDE_WITHIN + PATIENCE),
        telephone_at(server.url, switch.port) as line,
    ):
        assert [type(fact) for fact in line.ear.facts] == [TelephoneBack]

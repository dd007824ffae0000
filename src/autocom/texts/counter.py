"""What Asterisk took: texts of operators come in, and what secretaries write from their softphones goes out.

The address that she writes to says what she means (`core.texting.target`): an answer, a number for a client,
a colleague. What cannot be sent is said to her on her phone. Must not know files. Invariant: a text is dealt
with once, however often it is brought, since what it leads to has its name; only a message between two
colleagues may be shown twice after a crash.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from autocom.calls.ports import Gone, Messenger, ShownText, TelephoneDown
from autocom.core import texting
from autocom.core.model import Configuration, Trunk
from autocom.core.numbers import normalise
from autocom.core.texts import Arrival, Incoming, Outgoing, Spooled, outgoing_id
from autocom.texts import words
from autocom.texts.despatch import Despatch
from autocom.texts.ledger import Ledger
from autocom.texts.reception import Reception


class Counter:
    """Over one ledger."""

    def __init__(
        self, ledger: Ledger, reception: Reception, despatch: Despatch, messenger: Messenger
    ) -> None:
        self._ledger, self._reception, self._despatch = ledger, reception, despatch
        self._messenger = messenger

    async def take(self, text: Spooled) -> None:
        """Deal with it. Raises TelephoneDown where a colleague's phone could not be asked: bring it again."""
        if text.secretary is None:
            self._from_outside(text)
        elif text.secretary in self._ledger.configuration().secretaries:
            await self._from_secretary(text, text.secretary)

    def _from_outside(self, text: Spooled) -> None:
        configuration = self._ledger.configuration()
        trunk = trunk_at(configuration, text.address)
        headers = text.headers
        if trunk is not None and trunk.did_in.startswith("header:"):
            headers = replace(headers, did_header=text.others.get(trunk.did_in.removeprefix("header:"), ""))
        providers = configuration.texts.providers.values()
        known = (each.id for each in providers if trunk is not None and each.trunk == trunk.id)
        arrival = Arrival(
            provider=next(known, f"trunk-{trunk.id}" if trunk is not None else "trunk"),
            did_text="",
            sender_text="",
            body=text.body,
            message=text.name,
            flags=() if text.complete else ("too_long",),
        )
        self._reception.received(arrival, headers=headers, trunk=trunk.id if trunk is not None else None)

    async def _from_secretary(self, text: Spooled, who: str) -> None:
        configuration = self._ledger.configuration()
        if not text.complete:
            await self._refused(who, "too_long_sip")
            return
        match texting.target(text.headers.request_user, configuration):
            case None:
                await self._refused(who, "unknown")
            case texting.ToColleague(colleague):
                await self._to_colleague(text, who, colleague)
            case texting.Answer(reference, client):
                answered = self._incoming(client, reference=reference)
                if answered is None:
                    await self._refused(who, "too_old")
                else:
                    await self._send(text, who, client, answered.peer or "", answered)
            case texting.ToNumber(number, client):
                peer = normalise(number, self._ledger.plan)
                answered = self._incoming(client, peer=peer) if client is not None and peer else None
                await self._send(text, who, client, number, answered)

    def _incoming(
        self, client: str, *, reference: str | None = None, peer: str | None = None
    ) -> Incoming | None:
        """The newest text to this client with the reference, or of this number that nobody has answered."""
        found = [t for t in self._ledger.all() if isinstance(t, Incoming) and t.client == client]
        if reference is not None:
            found = [text for text in found if text.reference == reference]
        else:
            found = [text for text in found if text.peer == peer and text.answered is None]
        return found[-1] if found else None

    async def _send(
        self, text: Spooled, who: str, client: str | None, to: str, answers: Incoming | None
    ) -> None:
        name = outgoing_id(f"phone:{who}", text.name)
        wish = texting.Wish(name, client, to, text.body, secretary=who, answers=answers)
        made = self._despatch.send(wish)
        if not isinstance(made, Outgoing):
            await self._refused(who, made)

    async def _to_colleague(self, text: Spooled, who: str, colleague: str) -> None:
        people = self._ledger.configuration().secretaries
        mine = people[who]
        said = [
            ShownText(mine.extension, mine.name, each) for each in words.pieces(texting.body_of(text.body))
        ]
        try:
            for each in said:
                await self._messenger.show_text(colleague, each)
        except Gone:
            language = self._ledger.configuration().bureau.language
            away = words.said(language, "colleague_away", name=people[colleague].name)
            await self._tell(who, away)
            return
        self._ledger.put([], self._ledger.entry("text_internal", secretary=who, to=colleague))

    async def _refused(self, who: str, why: str) -> None:
        language = self._ledger.configuration().bureau.language
        await self._tell(who, words.refusal(language, why))

    async def _tell(self, who: str, sentence: str) -> None:
        try:
            await self._messenger.show_text(who, ShownText(words.SERVICE, words.SERVICE, sentence))
        except (Gone, TelephoneDown):
            return  # she wrote and went: nobody is there to be told


def trunk_at(configuration: Configuration, address: str) -> Trunk | None:
    """The trunk that sends from this address (`host:port`), as Asterisk found it."""
    host = address.rpartition(":")[0].strip("[]") or address
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    for trunk in configuration.trunks.values():
        for each in trunk.match:
            network = ipaddress.ip_network(each, strict=False)
            if found.version == network.version and found in network:
                return trunk
    return None

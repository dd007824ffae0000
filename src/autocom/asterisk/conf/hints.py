"""Hints and mailboxes: what a secretary's softphone can subscribe to, and nothing else.

    201             a colleague: her phones, put together with what autocom says of her
    queue-medical   the queue of a team, as its extension where it has one
    client-lilas    the callers of one client who wait
    box-lilas       messages left for one client, as `*97` and its code; also RFC 3842 with counts

A context of its own, in which nothing can be dialled; `pjsip.conf` lets phones subscribe there and trunks
nowhere. The states come over ARI (`asterisk.lamps`), their meaning is `core.presence`. Invariant: only ids
of the configuration are written; a name that two things would have is given to the first, never to both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from autocom.asterisk.conf.text import Option, digits, name, section
from autocom.core.model import Configuration
from autocom.core.presence import box_lamp, boxed, boxes_of, client_lamp, post_lamp, team_lamp

CONTEXT = "autocom-presence"
BOXES = "*97"
DOMAIN = "autocom"


def device(lamp: str) -> str:
    """The device of Asterisk that a lamp is (ARI takes no other kind than `Stasis:`)."""
    return f"Stasis:{lamp}"


def box(client: str) -> str:
    """The name by which a client's messages are subscribed to."""
    return f"box-{client}"


def mailbox(client: str) -> str:
    """The mailbox of Asterisk that counts a client's messages."""
    return f"{client}@{DOMAIN}"


def hints(configuration: Configuration) -> str:
    """The context with every name. Raises Unwritable where an id cannot be expressed."""
    found: dict[str, str] = {}
    for name_, devices in _names(configuration):
        found.setdefault(name_, devices)
    return section(CONTEXT, (("exten", f"{each},hint,{to}") for each, to in found.items()))


def _names(configuration: Configuration) -> Iterator[Option]:
    for who, secretary in sorted(configuration.secretaries.items()):
        phone = name(who, "secretary id")
        yield digits(secretary.extension, who), f"PJSIP/{phone}&PJSIP/{phone}@web&{device(post_lamp(phone))}"
    for team in sorted(configuration.teams):
        state = device(team_lamp(name(team, "team id")))
        yield f"queue-{team}", state
        extension = configuration.teams[team].extension
        if extension is not None:
            yield digits(extension, team), state
    for client in sorted(configuration.clients):
        yield f"client-{client}", device(client_lamp(name(client, "client id")))
    for client in boxed(configuration):
        yield box(client), device(box_lamp(client))
        code = configuration.clients[client].code
        if code is not None:
            yield f"{BOXES}{digits(code, client)}", device(box_lamp(client))


def mailboxes(configuration: Configuration) -> dict[str, tuple[Option, ...]]:
    """For each secretary who has any: the option that names the boxes that light her phone's lamp."""
    return {
        who: (("mailboxes", ",".join(map(mailbox, clients))),)
        for who, clients in boxes_of(configuration).items()
        if clients
    }


def box_sections(configuration: Configuration) -> Iterable[str]:
    """An address of record for each name of a client's box, at which nobody can register: its counts alone."""
    for client in boxed(configuration):
        options: list[Option] = [("type", "aor"), ("mailboxes", mailbox(name(client, "client id")))]
        yield section(box(client), options)
        code = configuration.clients[client].code
        if code is not None:
            yield section(f"{BOXES}{digits(code, client)}", options)

"""extensions.conf: the values that the hand-written dialplan needs, as globals, and its includes.

`dialplan/` is written by hand and never changes with the bureau; everything that does (who can
be rung, whose extension is whose, which prompts exist) reaches it as a global variable from
here. Invariant: every value is checked to be free of dialplan syntax before it is written, since
the dialplan expands it inside applications' arguments.
"""

from __future__ import annotations

from collections.abc import Iterable

from autocom.asterisk.conf.hints import hints
from autocom.asterisk.conf.queues import standby_hints
from autocom.asterisk.conf.text import HEADER, Option, dialplan_word, digits, name, section
from autocom.asterisk.conf.values import Net, Paths
from autocom.core.model import Configuration

FILES = ("inbound.conf", "fallback.conf", "standby.conf", "phone.conf", "lamps.conf")
# Only where its script can be run: without the file a sender is refused instead of lost.
TEXTS = "texts.conf"
TEXT_RECORDER = "record-text"
# Finds a caller's client while autocom is away.
ROUTER = "standby-route"
# Written by autocom at run time, through ARI or AMI; unset after Asterisk's start.
GATE = "AUTOCOM_GATE"
HAND_OVER = "AUTOCOM_HANDOVER"
"""Until when (whole seconds since 1970, by Asterisk's clock) callers ring whom nobody claims: a new process takes over."""


def login_variable(secretary: str) -> str:
    """The global that keeps the fallback from ringing her: set to `out` when she logs out or pauses, to
    empty when she is back. Unset (Asterisk restarted while autocom was away) means: ring her."""
    return f"AUTOCOM_LOGIN_{secretary}"


def extensions_conf(configuration: Configuration, where: Paths, net: Net) -> str:
    """The whole file. Raises Unwritable where a path or id cannot be expressed."""
    globals_ = [
        *_prompts(configuration, where),
        *_phones(configuration),
        *_services(where, net),
        *_texts(configuration),
    ]
    files = (*FILES, TEXTS) if where.python is not None else FILES
    includes = [
        f'#include "{dialplan_word(str(where.dialplan / file), "dialplan folder")}"\n' for file in files
    ]
    return "\n".join(
        [
            HEADER,
            section("general", [("static", "yes"), ("writeprotect", "yes"), ("clearglobalvars", "no")]),
            section("globals", globals_),
            hints(configuration),
            standby_hints(configuration),
            *includes,
        ]
    )


def _prompts(configuration: Configuration, where: Paths) -> Iterable[Option]:
    stock = configuration.stock
    spoken = {
        "PLEASE_WAIT": stock.please_wait.media,
        "NOBODY": stock.nobody.media,
        "REFUSED": where.prompts.get("refused", ""),
        "EMERGENCY": where.prompts.get("emergency-refused", ""),
    }
    for prompt, media in spoken.items():
        yield f"AUTOCOM_SAY_{prompt}", dialplan_word(media, f"prompt {prompt.lower()}")
    yield "AUTOCOM_MUSIC", name(stock.music.moh_class, "music class")


def _phones(configuration: Configuration) -> Iterable[Option]:
    ids = sorted(configuration.secretaries)
    yield "AUTOCOM_PHONES", str(len(ids))
    # one global each, not one list: the expander cuts values at 4095 bytes
    for n, secretary in enumerate(ids, start=1):
        yield f"AUTOCOM_PHONE_{n}", name(secretary, "secretary id")
    for secretary in ids:
        extension = digits(configuration.secretaries[secretary].extension, f"extension of {secretary}")
        yield f"AUTOCOM_EXT_{extension}", secretary


def _services(where: Paths, net: Net) -> Iterable[Option]:
    host, port = net.agi
    yield "AUTOCOM_AGI", f"agi://{f'[{host}]' if ':' in host else host}:{port}"
    yield "AUTOCOM_RECORDER", "record-fallback" if where.python else ""
    yield "AUTOCOM_ROUTER", ROUTER if where.python else ""


def _texts(configuration: Configuration) -> Iterable[Option]:
    places = [trunk.did_in for _, trunk in sorted(configuration.trunks.items())]
    headers = {place.removeprefix("header:") for place in places if place.startswith("header:")}
    yield "AUTOCOM_TEXT_RECORDER", TEXT_RECORDER
    # several arguments of the script: a comma is meant
    yield "AUTOCOM_TEXT_HEADERS", ",".join(name(header, "header of a trunk") for header in sorted(headers))

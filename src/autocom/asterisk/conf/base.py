"""The files of Asterisk that do not depend on who works at the bureau.

Bound to loopback, least privileges, no shell, no files that the service does not need; several
empty files only keep modules from complaining that they are missing. Must not know secretaries
or clients. Invariant: equal arguments give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from autocom.asterisk.conf.text import HEADER, Option, section
from autocom.asterisk.conf.values import Net, Paths, Secrets
from autocom.asterisk.modules import MODULES, REQUIRED
from autocom.core.model import Configuration, Music

# Asked for by the core or by loaded modules at start; absent ones are log lines.
EMPTY = (
    "acl",
    "ccss",
    "cdr",
    "cel",
    "cli",
    "cli_aliases",
    "cli_permissions",
    "codecs",
    "dnsmgr",
    "dsp",
    "extconfig",
    "minivm",
    "pjproject",
    "sorcery",
    "stasis",
    "udptl",
    "websocket_client",
)


RESCUE = "rescue"
"""The rescuer's user in ARI and AMI."""


def _file(*sections: str) -> str:
    return "\n".join((HEADER, *sections))


def calls_at_most(net: Net) -> int:
    """How many calls may come in: each takes two ports for its sound, and a fifth of all stays for the phones that
    have to ring for them."""
    low, high = net.rtp
    return max(1, (high - low + 1) // 2 * 4 // 5)


def asterisk_conf(where: Paths, net: Net) -> str:
    """Directories and the options of the process."""
    state = where.state
    places: list[Option] = [
        ("astetcdir", str(where.etc)),
        ("astmoddir", str(where.modules)),
        ("astvarlibdir", str(state / "lib")),
        ("astdbdir", str(state / "lib")),
        ("astkeydir", str(state / "lib")),
        ("astdatadir", str(where.share)),
        ("astagidir", str(where.scripts)),
        ("astspooldir", str(state / "spool")),
        ("astrundir", str(where.run)),
        ("astlogdir", str(where.log)),
        ("astcachedir", str(state / "lib")),
    ]
    options: list[Option] = [
        ("live_dangerously", "no"),
        ("disable_remote_console_shell", "yes"),
        ("dumpcore", "no"),
        # one more is refused with 503: without a port for her phone nobody who waits could be served any more. Legs that
        # we make do not count (tried on 22.10.1)
        ("maxcalls", str(calls_at_most(net))),
        ("nocolor", "yes"),
        ("hideconnect", "yes"),
        ("verbose", "0"),
        ("debug", "0"),
    ]
    return _file(
        section("directories", places),
        section("options", options),
        section("files", [("astctlpermissions", "0600")]),
    )


def modules_conf() -> str:
    """Exactly our modules, in order."""
    loads = [("require" if module in REQUIRED else "load", f"{module}.so") for module in MODULES]
    return _file(section("modules", [("autoload", "no"), *loads]))


def logger_conf() -> str:
    """One file with what went wrong; nothing of ordinary calls."""
    # app_queue's own log holds callers' numbers
    general: list[Option] = [("dateformat", "%F %T.%3q"), ("rotatestrategy", "rotate"), ("queue_log", "no")]
    return _file(section("general", general), section("logfiles", [("messages", "notice,warning,error")]))


def http_conf(net: Net) -> str:
    """ARI and the WebSocket phones share this server, hence the session limit."""
    options: list[Option] = [
        ("enabled", "yes"),
        ("bindaddr", net.http_host),
        ("bindport", str(net.http_port)),
        ("enable_static", "no"),
        ("enable_status", "no"),
        ("sessionlimit", "1000"),
        ("session_keep_alive", "60000"),
        ("session_inactivity", "60000"),
    ]
    return _file(section("general", options))


def ari_conf(secrets: Secrets) -> str:
    """One user, and the rescuer, who may only look. No allowed origin: no web page may speak to ARI."""
    general: list[Option] = [
        ("enabled", "yes"),
        ("pretty", "no"),
        # 100 ms, the default, cuts a client off that is busy for a moment (asterisk PR 2141)
        ("websocket_write_timeout", "5000"),
    ]
    user: list[Option] = [("type", "user"), ("read_only", "no"), ("password", secrets.ari_password)]
    rescuer: list[Option] = [("type", "user"), ("read_only", "yes"), ("password", secrets.rescue_password)]
    more = [section(RESCUE, rescuer)] if secrets.rescue_password else []
    return _file(section("general", general), section(secrets.ari_user, user), *more)


def ami_conf(net: Net, secrets: Secrets) -> str:
    """One user from loopback: registrations, devices and quality to read; reload, redirect and
    variables to write. No command, no originate, no configuration. The rescuer reads no event, and may list and
    redirect channels and set variables (`call`, `reporting`), nothing else."""
    general: list[Option] = [
        ("enabled", "yes"),
        ("webenabled", "no"),
        ("bindaddr", "127.0.0.1"),
        ("port", str(net.ami_port)),
    ]
    user: list[Option] = [
        ("secret", secrets.ami_password),
        ("deny", "0.0.0.0/0.0.0.0"),
        ("permit", "127.0.0.1/255.255.255.255"),
        (
            "read",
            "system,call,user,dialplan,reporting,security",
        ),  # dialplan: VarSet has the quality of each leg; security: who is refused
        ("write", "system,call,reporting"),
        ("writetimeout", "5000"),
    ]
    rescuer: list[Option] = [
        ("secret", secrets.rescue_password),
        ("deny", "0.0.0.0/0.0.0.0"),
        ("permit", "127.0.0.1/255.255.255.255"),
        ("write", "call,reporting"),
    ]
    more = [section(RESCUE, rescuer)] if secrets.rescue_password else []
    return _file(section("general", general), section(secrets.ami_user, user), *more)


def rtp_conf(net: Net) -> str:
    """Ports of the voice. ICE is used by WebRTC endpoints only."""
    low, high = net.rtp
    options: list[Option] = [
        ("rtpstart", str(low)),
        ("rtpend", str(high)),
        ("strictrtp", "yes"),
        ("icesupport", "yes"),
        # samples: after 150 ms without a packet (the default of 22.10) a digit counts as over, and what then still
        # comes of it as a second one
        ("dtmftimeout", "3000"),
    ]
    return _file(section("general", options))


def indications_conf() -> str:
    """French tones (ETSI TR 101 041-2). Without this file `tone:` plays nothing and says nothing."""
    fr: list[Option] = [
        ("description", "France"),
        ("ringcadence", "1500,3500"),
        ("dial", "440"),
        ("busy", "440/500,0/500"),
        ("ring", "440/1500,0/3500"),
        ("congestion", "440/250,0/250"),
        ("callwaiting", "440/300,0/10000"),
        ("dialrecall", "!350+440/100,!0/100,!350+440/100,!0/100,!350+440/100,!0/100,350+440"),
        ("record", "1400/500,0/15000"),
        ("info", "!950/330,!1400/330,!1800/330"),
        ("stutter", "!440/100,!0/100,!440/100,!0/100,!440/100,!0/100,!440/100,!0/100,440"),
    ]
    return _file(section("general", [("country", "fr")]), section("fr", fr))


def features_conf() -> str:
    """Nothing is Asterisk's to decide in a conversation. Without a line for it, chan_pjsip takes `*8` for a pickup of its
    own (22.10: it is never seen in the dialplan, and refused with 403); no phone dials this word, and no phone is in
    a group that it could pick up from."""
    return _file(section("general", [("pickupexten", "nobody-dials-this")]))


def musiconhold_conf(configuration: Configuration) -> str:
    """A class per music, played in turn for ever; `default` is the house's, for unknown names."""
    stock = configuration.stock.music
    by_class = {music.moh_class: music for music in (*configuration.music.values(), stock)}
    by_class.pop("default", None)
    return _file(
        section("general", [("cachertclasses", "no")]),
        *_music_class("default", stock),
        *(part for title, music in sorted(by_class.items()) for part in _music_class(title, music)),
    )


def _music_class(title: str, music: Music) -> Iterable[str]:
    # a class without a file is a warning at load and silence on the line
    if music.files:
        yield section(title, [("mode", "playlist"), *(("entry", each) for each in music.files)])

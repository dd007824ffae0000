"""pjsip.conf: the secretaries' phones, the trunks, and who may be taken for whom.

A secretary has two endpoints over one address of record: `lea` for ordinary softphones over UDP
and `lea@web` for WebRTC. Asterisk 22 cannot serve both from one endpoint: with DTLS set it offers
`UDP/TLS/RTP/SAVPF` to everybody, and ICE on every phone invites a deadlock (fixed in 22.11). Calls
*to* her go to the endpoint that fits her registration (`phone_endpoint`); calls *from* a browser
are taken as `lea@web` because its SIP domain is `web` (the transport's own `domain` would be
neater, but the identifier does not look at WebSocket transports; tried on 22.10.1).

Who is who: a From user that is a secretary's id is that secretary, and must prove it by digest;
otherwise the address decides. Trunks are identified by address alone (`identify_by=ip`), so
nobody becomes a trunk by writing its name. Must not know about calls or queues.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from autocom.asterisk.conf import hints
from autocom.asterisk.conf.bans import FILE as BANS
from autocom.asterisk.conf.text import HEADER, HOST, Option, Unwritable, name, quoted, section
from autocom.asterisk.conf.values import Net
from autocom.core.accounts import EXPIRES, REALM, WEB_DOMAIN, at, ha1
from autocom.core.model import Bureau, Configuration, Secretary, Trunk

SHORTEST_SUBSCRIPTION = 60
"""Seconds for which a phone must subscribe at least: Asterisk 22.10 has no other limit to their number, and
what was forgotten is gone by then."""

_PHONE = "autocom-phone"
_WEB = "autocom-web"
_TRUNK = "autocom-trunk"
_RESERVED = frozenset({_PHONE, _WEB, _TRUNK, "global", "system", "udp", "tls", "ws", "anonymous"})
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


def phone_endpoint(secretary: str, *, websocket: bool = False) -> str:
    """The endpoint to dial for a secretary, by what her phone registered over."""
    return f"{secretary}@{WEB_DOMAIN}" if websocket else secretary


def trunk_endpoint(trunk: str) -> str:
    """The endpoint of a trunk."""
    return f"trunk-{trunk}"


def pjsip_conf(configuration: Configuration, net: Net) -> str:
    """The whole file. Raises Unwritable where an id or host cannot be expressed."""
    parts = [HEADER, f"#tryinclude {BANS}\n", *_transports(net), *_templates(configuration.bureau, net)]
    taken = set(_RESERVED) | {trunk_endpoint(trunk) for trunk in configuration.trunks}
    taken |= {hints.box(client) for client in configuration.clients}
    boxes = hints.mailboxes(configuration)
    for _, secretary in sorted(configuration.secretaries.items()):
        if secretary.id in taken:
            raise Unwritable(f"secretary {secretary.id}: this id is used by autocom itself")
        parts += _phone(secretary, boxes.get(secretary.id, ()))
    parts += hints.box_sections(configuration)
    for _, trunk in sorted(configuration.trunks.items()):
        parts += _trunk(trunk)
    return "\n".join(parts)


def _transports(net: Net) -> Iterable[str]:
    host, port = net.sip
    yield section(
        "global",
        [
            ("type", "global"),
            ("user_agent", "autocom"),
            ("endpoint_identifier_order", "username,ip"),
            ("default_realm", REALM),
            # a phone that registers is told at once what waits in its boxes
            ("mwi_disable_initial_unsolicited", "no"),
            # "Refer-Sub: false" in a transfer that is ours to carry out ends Asterisk (22.10, fixed in 22.11);
            # phones send it only where this is announced
            ("norefersub", "no"),
        ],
    )
    yield section("system", [("type", "system"), ("timer_t1", "500")])
    yield section("udp", [("type", "transport"), ("protocol", "udp"), ("bind", at(host, port))])
    if net.tls is not None:
        tls: list[Option] = [
            ("type", "transport"),
            ("protocol", "tls"),
            ("bind", at(*net.tls.bind)),
            ("cert_file", str(net.tls.certificate)),
            ("priv_key_file", str(net.tls.key)),
            ("method", "tlsv1_2"),
        ]
        yield section("tls", tls)
    ws = [
        ("type", "transport"),
        ("protocol", "ws"),
        # never opened: WebSocket phones come in through Asterisk's HTTP server
        ("bind", at(net.http_host, net.http_port)),
        ("websocket_write_timeout", "2000"),
    ]
    yield section("ws", ws)


def _templates(bureau: Bureau, net: Net) -> Iterable[str]:
    common: list[Option] = [
        ("type", "endpoint"),
        ("disallow", "all"),
        ("direct_media", "no"),
        ("allow_overlap", "no"),
        ("send_connected_line", "no"),
        ("trust_connected_line", "no"),
        ("timers", "yes"),
        ("rtp_timeout_hold", "600"),
        ("language", bureau.language),
        ("tone_zone", "fr"),
    ]
    # Who died in a call sends no BYE. It does not count before the answer: early media may be as long as it
    # likes (tried on 22.10.1). A softphone sends a packet every 20 ms, muted or not, and its caller hears nothing for
    # as long as we believe in it. A caller's network may save packets in his silence, and who waits says nothing for
    # minutes: he is believed as long as one on hold. Who talks with nobody is told so and hangs up (`calls.quality`).
    patience: Option = ("rtp_timeout", "600")
    impatience: Option = ("rtp_timeout", "18")
    host = net.sip[0]
    if not ipaddress.ip_address(host).is_unspecified:
        # also keeps Asterisk from looking up the machine's own name for every call
        common += [("media_address", host), ("bind_rtp_to_media_address", "yes")]
    phone: list[Option] = [
        *common,
        ("context", "autocom-phone"),
        ("message_context", "autocom-texts-phone"),
        ("allow_subscribe", "yes"),
        ("subscribe_context", hints.CONTEXT),
        ("sub_min_expiry", str(SHORTEST_SUBSCRIPTION)),
        # a phone that asks for its lamp itself is told in its subscription, and not beside it
        ("mwi_subscribe_replaces_unsolicited", "yes"),
        # a REFER comes to us: PJSIP_TRANSFER_HANDLING is ari-only on every channel
        ("allow_transfer", "yes"),
        ("identify_by", "username"),
        ("send_diversion", "no"),
        ("force_rport", "yes"),
        ("rewrite_contact", "yes"),
    ]
    plain: list[Option] = [impatience, ("rtp_symmetric", "yes"), ("allow", "alaw,ulaw")]
    if net.srtp:
        # without `optimistic`: a phone that offers no keys is refused (488), and none is offered plain voice
        plain.append(("media_encryption", "sdes"))
    web: list[Option] = [
        impatience,
        ("webrtc", "yes"),
        ("dtls_auto_generate_cert", "yes"),
        ("allow", "alaw,ulaw,opus"),
    ]
    trunk: list[Option] = [
        *common,
        patience,
        ("context", "autocom-inbound"),
        ("message_context", "autocom-texts-trunk"),
        ("allow_subscribe", "no"),
        ("allow_transfer", "no"),
        ("transport", "udp"),
        ("identify_by", "ip"),
        ("trust_id_inbound", "yes"),
        ("send_pai", "yes"),
        # else a 183 that carries no sound is told as one that does, and who dialled would hear silence
        ("ignore_183_without_sdp", "yes"),
        ("allow", "alaw,ulaw"),
    ]
    yield section(_PHONE, [*phone, *plain], template=True)
    yield section(_WEB, [*phone, *web], template=True)
    yield section(_TRUNK, trunk, template=True)


def _phone(secretary: Secretary, boxes: tuple[Option, ...]) -> Iterable[str]:
    who = name(secretary.id, "secretary id")
    own: list[Option] = [
        ("auth", who),
        ("aors", who),
        ("callerid", f"{quoted(secretary.name)} <{name(secretary.extension, f'extension of {who}')}>"),
        ("set_var", f"AUTOCOM_SECRETARY={who}"),
    ]
    # one endpoint of the two tells the lamp: both have the same contact
    yield section(phone_endpoint(who), [*own, *boxes], base=_PHONE)
    yield section(phone_endpoint(who, websocket=True), own, base=_WEB)
    yield section(
        who,
        [
            ("type", "auth"),
            ("auth_type", "digest"),
            ("username", who),
            ("realm", REALM),
            # the clear password stands in no file of ours
            ("password_digest", f"MD5:{ha1(who, secretary.password)}"),
        ],
    )
    yield section(
        who,
        [
            ("type", "aor"),
            ("max_contacts", "1"),
            ("remove_existing", "yes"),
            ("minimum_expiration", "30"),
            ("maximum_expiration", "3600"),
            ("default_expiration", str(EXPIRES)),
            ("qualify_frequency", "20"),
            ("qualify_timeout", "3.0"),
            *boxes,
        ],
    )


def _trunk(trunk: Trunk) -> Iterable[str]:
    title = name(trunk_endpoint(trunk.id), "trunk id")
    header = ""
    if trunk.did_in.startswith("header:"):
        header = trunk.did_in.removeprefix("header:")
        if not _HEADER_NAME.fullmatch(header):
            raise Unwritable(f"trunk {trunk.id}: {header!r} is no SIP header name")
    own: list[Option] = [
        ("set_var", f"AUTOCOM_TRUNK={trunk.id}"),
        ("set_var", f"AUTOCOM_DID_HEADER={header}"),
    ]
    if trunk.host is not None:
        if not HOST.fullmatch(trunk.host):
            raise Unwritable(f"trunk {trunk.id}: {trunk.host!r} is no host")
        own.append(("aors", title))
    yield section(title, own, base=_TRUNK)
    try:
        networks = [ipaddress.ip_network(each, strict=False) for each in trunk.match]
    except ValueError as wrong:
        raise Unwritable(f"trunk {trunk.id}: {wrong}") from None
    match: list[Option] = [("match", str(network)) for network in networks]
    yield section(title, [("type", "identify"), ("endpoint", title), ("srv_lookups", "no"), *match])
    if trunk.host is not None:
        # Asterisk dials no contact that it finds unreachable (22.10): only where he is known to answer OPTIONS
        asked: list[Option] = [("qualify_frequency", "30")] if trunk.qualify else []
        yield section(title, [("type", "aor"), ("contact", f"sip:{trunk.host}"), *asked])

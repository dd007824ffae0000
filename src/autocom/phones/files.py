"""An account as the files of softphones: baresip, Linphone, MicroSIP, and a sheet for those set up by hand.

Each function is one client's format and nothing else. Text only: who writes it where, and how it is kept
from other eyes, is the caller's business. Invariant: no value can end its line or its quotes; one that a
format cannot hold is refused in words (`Unwritable`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape, quoteattr

from autocom.core.accounts import CODECS, EXPIRES, REALM, Account

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Files = dict[str, str]
"""Content by file name."""


class Unwritable(ValueError):  # noqa: N818 - reads as what is wrong with the value
    """A value that a client's format cannot hold."""


def _plain(text: str, of: str, forbidden: str = "") -> str:
    if _CONTROL.search(text) or any(each in text for each in forbidden):
        shown = " ".join(forbidden) or "control characters"
        raise Unwritable(f"{of}: this client's files cannot hold {shown}")
    return text


def baresip(account: Account) -> Files:
    """`accounts` and `config` for a folder of its own: `baresip -f FOLDER`."""
    password = _plain(account.password, "password", '"\\')
    name = _plain(account.name, "name").replace("\\", "").replace('"', "")
    encrypted = ";mediaenc=srtp-mand" if account.srtp else ""
    line = (
        f'"{name}" <sip:{account.user}@{account.registrar};transport={account.transport}>'
        f';auth_user={account.user};auth_pass="{password}";regint={EXPIRES}'
        f";audio_codecs=pcma,pcmu;dtmfmode=rtpevent;answermode=manual{encrypted}"
    )
    config = [
        "# baresip -f with this folder; what stands here is what autocom needs, the rest is yours",
        "module_path /usr/lib/baresip/modules",
        "poll_method epoll",
        "call_local_timeout 120",
        "call_max_calls 4",
        "audio_source alsa,default",
        "audio_player alsa,default",
        "audio_alert alsa,default",
        *(f"module {each}.so" for each in ("stdio", "g711", "alsa", "srtp")),
        *(f"module_app {each}.so" for each in ("account", "contact", "menu")),
    ]
    if account.transport == "tls":
        config += [
            "# on Debian; with autocom's own certificate: the file of the authority",
            "sip_cafile /etc/ssl/certs/ca-certificates.crt",
            "sip_verify_server yes",
        ]
    return {"accounts": line + "\n", "config": "\n".join(config) + "\n"}


def microsip(account: Account) -> Files:
    """`MicroSIP.ini`, beside the portable program or in its folder of %APPDATA%. MicroSIP replaces the clear
    password with an encrypted one at its first start."""
    for value, of in ((account.password, "password"), (account.name, "name")):
        _plain(value, of)
    if account.password != account.password.strip() or account.password[:1] in ("'", '"'):
        raise Unwritable("password: an .ini file loses spaces and quotes at its ends")
    keys = {
        "label": account.name,
        "server": account.registrar,
        "proxy": "",
        "domain": account.registrar,
        "username": account.user,
        "password": account.password,
        "authID": account.user,
        "displayName": account.name,
        "transport": account.transport,
        "publicAddr": "",
        "SRTP": "mandatory" if account.srtp else "",
        "registerRefresh": str(EXPIRES),
        "keepAlive": "15",
        "publish": "0",
        "ICE": "0",
        "allowRewrite": "0",
        "disableSessionTimer": "0",
    }
    audio = {
        "accountId": "1",
        "audioCodecs": "PCMA/8000/1 PCMU/8000/1",
        "VAD": "0",
        "enableSTUN": "0",
        "STUN": "",
    }
    text = ["[Settings]", *(f"{key}={value}" for key, value in audio.items())]
    text += ["[Account1]", *(f"{key}={value}" for key, value in keys.items())]
    return {"MicroSIP.ini": "\r\n".join(text) + "\r\n"}


def encoded(file: str, content: str) -> bytes:
    """As it lies on the disk: Windows takes an .ini for its own code page unless it begins like this."""
    if file.endswith(".ini"):
        return b"\xff\xfe" + content.encode("utf-16-le")
    return content.encode()


def linphone(account: Account) -> str:
    """The XML of Linphone's remote provisioning, whose address a QR code holds. It is fetched once: Linphone
    forgets the address (`transient_provisioning`). The digest instead of the password: it opens nothing else."""
    scheme = f"<sip:{account.registrar};transport={account.transport}>"
    sections: dict[str, Mapping[str, str]] = {
        "misc": {"transient_provisioning": "1"},
        "sip": {
            "default_proxy": "0",
            "media_encryption": "srtp" if account.srtp else "none",
            "media_encryption_mandatory": "1" if account.srtp else "0",
        },
        "net": {"stun_server": "", "nat_policy_ref": ""},
        "proxy_0": {
            "reg_proxy": scheme,
            "reg_identity": f'"{_plain(account.name, "name", chr(34))}" <sip:{account.user}@{account.registrar}>',
            "reg_sendregister": "1",
            "reg_expires": str(EXPIRES),
            "realm": REALM,
            "publish": "0",
            "quality_reporting_enabled": "0",
        },
        "auth_info_0": {
            "username": account.user,
            "userid": account.user,
            "ha1": account.ha1,
            "realm": REALM,
            "algorithm": "MD5",
        },
    }
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">',
    ]
    for title, entries in sections.items():
        lines.append(f"  <section name={quoteattr(title)}>")
        for key, value in entries.items():
            lines.append(f'    <entry name={quoteattr(key)} overwrite="true">{escape(value)}</entry>')
        lines.append("  </section>")
    return "\n".join([*lines, "</config>"]) + "\n"


def linphone_files(account: Account) -> Files:
    """The same as a file, for a web server of yours."""
    return {"linphone.xml": linphone(account)}


SHEET: Mapping[str, tuple[tuple[str, str], ...]] = {
    "fr": (
        ("serveur (domaine)", "server"),
        ("port", "port"),
        ("transport", "transport"),
        ("utilisateur", "user"),
        ("mot de passe", "password"),
        ("nom affiché", "name"),
        ("codecs", "codecs"),
        ("chiffrement de la voix (SRTP)", "srtp"),
        ("STUN, ICE, TURN", "stun"),
        ("DTMF", "dtmf"),
        ("enregistrement", "expires"),
    ),
    "en": (
        ("server (domain)", "server"),
        ("port", "port"),
        ("transport", "transport"),
        ("user", "user"),
        ("password", "password"),
        ("display name", "name"),
        ("codecs", "codecs"),
        ("voice encryption (SRTP)", "srtp"),
        ("STUN, ICE, TURN", "stun"),
        ("DTMF", "dtmf"),
        ("registration", "expires"),
    ),
}
_WORDS = {
    "fr": {"none": "aucun", "off": "non", "required": "obligatoire (SDES)"},
    "en": {"none": "none", "off": "off", "required": "required (SDES)"},
}


def settings(account: Account, language: str = "en", *, password: str | None = None) -> dict[str, str]:
    """What a person types, by the words of `SHEET`; `password` stands in for hers, as `********`."""
    word = _WORDS["en" if language == "en" else "fr"]
    return {
        "server": account.server,
        "port": str(account.port),
        "transport": account.transport.upper(),
        "user": account.user,
        "password": account.password if password is None else password,
        "name": account.name,
        "codecs": ", ".join(CODECS),
        "srtp": word["required" if account.srtp else "off"],
        "stun": word["none"],
        "dtmf": "RFC 4733 (RFC 2833)",
        "expires": f"{EXPIRES} s",
    }


def sheet(account: Account, language: str = "en", *, password: str | None = None) -> str:
    """The settings as lines, for Zoiper and every softphone that is set up by hand."""
    rows = SHEET["en" if language == "en" else "fr"]
    values = settings(account, language, password=password)
    return "".join(f"{label:<32} {_plain(values[key], key)}\n" for label, key in rows)


def other(account: Account, language: str = "en") -> Files:
    """A sheet to type from."""
    return {"softphone.txt": sheet(account, language)}


CLIENTS: Mapping[str, Callable[[Account], Files]] = {
    "baresip": baresip,
    "linphone": linphone_files,
    "microsip": microsip,
    "other": other,
}

"""What strangers and tired admins send: hostile SIP headers, and YAML that is broken in every way.

A caller's text is data from the first byte to the last: it is shown and stored, or dropped, but never
carried out, never breaks a line of a log or of an INVITE, and his call is served like any other. A
configuration that is no good is refused as a whole, with its place, while calls go on by the old one.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from tests.support import PATIENCE, asked, oracle
from tests.support.bureau import MESSAGE, Bureau
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.sip_phone import SipLine, SipPhone
from tests.support.sip_text import SipMessage

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"
PLACED = re.compile(r"^[^:\n]+\.yaml:\d+:\d+: .+")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    """One exchange for all strangers: what one of them breaks, the next one notices."""
    bureau = Bureau.at(tmp_path_factory.mktemp("hostile"), secretaries=1)
    async with Exchange(bureau) as running:
        yield running


# --- strangers --------------------------------------------------------------------------------

MARK = "/tmp/autocom-was-here"
HOSTILE = {
    "sql": "'; DROP TABLE calls;--",
    "shell in the dialplan": f"${{SHELL(touch {MARK})}}",
    "a function of the dialplan": "${CHANNEL(state)}$[1+1]${EVAL(${EXTEN})}",
    "separators": "a,b|c&d;e~f^g",
    "quotes": 'say \\"hi\\" \\\\',
    "percents": "%s%n%x%0d%0aX-Evil: 1%00",
    "right to left": "\u202e\u05d0\u05d1\u200f \u0645\u0631\u062d\u0628\u0627",
    "emoji": "\U0001f4a9\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "not utf-8": "caf\udce9 \udcff\udcfe\udc80",
    "8 kB": "A" * 8192,
    "a header in folded lines": "a\r\n X-Evil: 1\r\n b",
}
PLAIN = "<sip:0639980101@operator.example>"


async def served(exchange: Exchange, *, frm: str = PLAIN, did: str = DID, **parts: Any) -> SipMessage:
    """A call with these headers is offered, joined and ended; the INVITE that the secretary's phone got."""
    bureau = exchange.bureau
    lea = bureau.secretaries[0]
    before = len(await asked.calls(exchange.bureau))
    async with SipPhone(bureau.sip, lea.id, lea.password) as phone, SipLine(bureau.sip) as line:
        phone.answer = 200
        await asked.are(bureau, lea="free")
        early = await line.invite(did, frm=frm, headers=tuple(parts.get("headers", ())))
        assert (early.status or 0) < 300, early.text
        invite = await phone.invited()
        answer = await line.wait_for(lambda m: m.status == 200 and m.cseq_method == "INVITE")
        await asked.until(bureau, lambda s: s["secretaries"][0]["state"] == "talking" and not s["waiting"])
        line.end(answer)
        await asked.until(bureau, lambda s: s["calls"] == 0)
    calls = await asked.calls(exchange.bureau)
    assert len(calls) == before + 1
    assert calls[0]["outcome"] == "served"
    assert calls[0]["client"] == "lilas"
    return invite


def is_sane(invite: SipMessage, exchange: Exchange) -> None:
    """The secretary's phone got our headers, each once, and nothing of the caller's making."""
    assert invite.from_display.startswith("Cab. Lilas · "), invite.header("From")
    for name in ("From", "X-Autocom-Call", "X-Autocom-Client", "X-Autocom-Phrase", "Call-Info", "Alert-Info"):
        assert len(invite.headers(name)) == 1, (name, invite.text)
    assert not invite.headers("X-Evil"), invite.text
    assert "uid=" not in invite.text
    for line in exchange.output.splitlines():
        is_event = line.startswith("{") and isinstance(json.loads(line), dict)
        assert is_event or re.match(r"ready |\w.* …$|\w.*: done in ", line), f"not one line an event: {line}"


NAMES = {name: text for name, text in HOSTILE.items() if "\n" not in text}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
async def test_a_hostile_name_is_only_a_name(exchange: Exchange, text: str) -> None:
    invite = await served(exchange, frm=f'"{text}" {PLAIN}')
    is_sane(invite, exchange)
    assert "06 39 98 01 01" in invite.from_display
    assert (await asked.calls(exchange.bureau))[0]["caller"] == "+33639980101"


@pytest.mark.parametrize(
    "user",
    [
        "'%3B%20DROP%20TABLE%20calls%3B--",
        "%24%7BSHELL(id)%7D",
        "0639980101%0d%0aX-Evil:%201",
        "0639980101&SIP",
        "0639980101;phone-context=x,y",
        "%F0%9F%92%A9",
        "%ff%fe",
        "9" * 400,
        "%00",
        "",
    ],
)
async def test_a_hostile_number_is_no_number(exchange: Exchange, user: str) -> None:
    address = f"sip:{user}@operator.example" if user else "sip:operator.example"
    invite = await served(exchange, frm=f"<{address}>")
    is_sane(invite, exchange)
    shown = invite.from_display.removeprefix("Cab. Lilas · ")
    assert re.fullmatch(r"[\d ]{2,20}|Masqué|[^<>\r\n\"]{1,40}", shown), shown
    caller = (await asked.calls(exchange.bureau))[0]["caller"]
    assert caller is None or re.fullmatch(r"\+?[0-9]{1,20}", caller), caller


@pytest.mark.parametrize(
    "header",
    [
        *(f'Diversion: "{text}" <sip:0261912010@op>;reason=unconditional' for text in HOSTILE.values()),
        f"Diversion: <sip:${{SHELL(touch {MARK})}}@op>;reason=no-answer",
        'Diversion: <sip:0261912010@op>;reason="\'; DROP TABLE calls;--";counter=99999999999999999999',
        "Diversion: <<<>>>;;;=,,,",
        "Diversion: ",
        'Diversion: "open <sip:x',
        "History-Info: <sip:0261912010@op?Reason=SIP%3Bcause%3D302%0d%0aX-Evil:1>;index=1.1.1.1.1.1.1.1",
        "History-Info: <sip:%24%7BSHELL(id)%7D@op>;index=-1, ,,<>;index=",
        "P-Asserted-Identity: <sip:${EVAL(x)}@op>",
        "Privacy: ;;;id;;;\u202e",
        "P-Called-Party-ID: <tel:+33\udcff>",
        *("Diversion: <sip:0261912010@op>;reason=" + "x" * 1500 for _ in range(1)),
    ],
    ids=lambda text: re.sub(r"[^A-Za-z-]+", " ", text)[:40],
)
async def test_a_hostile_header_costs_no_call(exchange: Exchange, header: str) -> None:
    is_sane(await served(exchange, headers=(header,)), exchange)


async def test_forty_diversions_are_read_as_far_as_it_makes_sense(exchange: Exchange) -> None:
    many = tuple(f"Diversion: <sip:02619120{n:02}@op>;reason=unconditional" for n in range(40))
    is_sane(await served(exchange, headers=many), exchange)


@pytest.mark.parametrize(
    "message",
    [
        b"INVITE sip:0199001001@{server} SIP/2.0\r\n\r\n",
        b"INVITE\r\n\r\n",
        b"INVITE sip:0199001001@{server} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKf\r\nFrom: \"a\r\n X-Evil: 1\r\n b\" <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: folded\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:9>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        b"\x00\xff\xfe" * 300,
        b"INVITE sip:0199001001@{server} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\nFrom: \"\x01\x02\x00\" <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: control\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
        b"INVITE sip:0199001001@{server} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKz\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: length\r\nCSeq: 4294967296 INVITE\r\nContent-Length: -5\r\n\r\nv=0",
        b"REGISTER sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKr\r\nFrom: <sip:${SHELL(id)}@b>;tag=1\r\nTo: <sip:';DROP TABLE calls@y>\r\nCall-ID: register\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["no headers", "a word", "a name in folded lines", "noise", "control characters", "impossible numbers", "register"],
)  # fmt: skip
async def test_what_is_no_sip_is_dropped_and_the_next_call_is_served(
    exchange: Exchange, message: bytes
) -> None:
    asterisk = exchange.bureau.state / "asterisk" / "run" / "asterisk.pid"
    process = psutil.Process(int(asterisk.read_text()))
    async with SipLine(exchange.bureau.sip) as line:
        line.send(message.replace(b"{server}", exchange.bureau.sip.encode()))
    is_sane(await served(exchange), exchange)
    assert process.is_running(), "Asterisk crashed"
    assert process.pid == int(asterisk.read_text())


async def test_after_all_that_nothing_was_carried_out_and_nothing_is_left(exchange: Exchange) -> None:
    for text in (HOSTILE["shell in the dialplan"], "`touch " + MARK + "`"):
        await served(exchange, frm=f'"{text}" {PLAIN}', headers=(f'Diversion: "{text}" <sip:0261912010@op>',))
    assert not Path(MARK).exists()
    await oracle.nothing_is_left(exchange)
    await oracle.each_call_ended_once(exchange)
    assert oracle.events(exchange) == []
    assert oracle.events(exchange, "critical") == []


# --- tired admins -----------------------------------------------------------------------------


def _good(name: str = "extra", did: str = "+33199001050") -> str:
    return (
        f'id: {name}\nname: Cabinet {name}\nprofile: general\nnumbers:\n  - did: "{did}"\n'
        'hours:\n  every-day: ["00:00-24:00"]\nrules:\n  - name: open\n    do:\n'
        "      - play: {sound: message}\n      - queue: {team: general, music: music}\n"
    )


BROKEN: dict[str, bytes] = {
    "unknown key": (_good() + "colour: blue\n").encode(),
    "duplicate key": (_good() + "name: Another\n").encode(),
    "a number of another client": _good(did="+33199001001").encode(),
    "an id of another client": _good("lilas").encode(),
    "a missing sound": _good().replace("sound: message", "sound: nowhere").encode(),
    "an unknown team": _good().replace("team: general", "team: nobody").encode(),
    "a rule nobody reaches": (_good() + "  - name: never\n    do: [{hangup: normal}]\n").encode(),
    "a last rule with a condition": _good().replace("open\n    do", "open\n    when: {hours: open}\n    do").encode(),
    "no colon": b"id extra\n",
    "a tab": _good().replace("  - name", "\t- name").encode(),
    "open bracket": (_good() + "closures: [\n").encode(),
    "a number without quotes": _good().replace('"+33199001050"', "+33199001050").encode(),
    "hours without quotes": _good().replace('"00:00-24:00"', "08:00").encode(),
    "on": (_good() + "on: yes\n").encode(),
    "a list": b"- 1\n- 2\n",
    "empty": b"",
    "not utf-8": _good("caf").encode() + b"# \xe9t\xe9\n",
    "binary": bytes(range(256)),
    "an anchors bomb": b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(ord("b"), ord("k"))
    ),
    "ten megabytes": b"# " + b"x" * 10_000_000,
    "deep": b"[" * 20_000,
    "another document": (_good() + "---\n" + _good("two", "+33199001051")).encode(),
    "a tag": b"id: !!python/object/apply:os.system ['true']\n",
}  # fmt: skip


@pytest.fixture
def extra(exchange: Exchange) -> Any:
    """The path of one client more; away again afterwards."""
    path = exchange.bureau.config / "clients" / "extra.yaml"
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.fault("F30")
async def test_broken_yaml_is_refused_with_its_place_and_changes_nothing(
    exchange: Exchange, extra: Any, content: bytes
) -> None:
    version = (await asked.status(exchange.bureau))["config_version"]
    extra.write_bytes(content)
    began = time.monotonic()
    answer = await asked.reload(exchange.bureau)
    assert time.monotonic() - began < 5
    assert answer["applied"] is False, answer
    assert answer["version"] == version
    assert answer["faults"]
    for fault in answer["faults"]:
        assert PLACED.match(fault), fault
    assert any("extra.yaml:" in fault or "lilas.yaml:" in fault for fault in answer["faults"]), answer
    status = await asked.status(exchange.bureau)
    assert status["config_version"] == version
    assert status["asterisk"]["state"] == "up"


async def test_a_refused_reload_says_where_and_the_next_call_goes_by_the_old_one(
    exchange: Exchange, extra: Any
) -> None:
    version = (await asked.status(exchange.bureau))["config_version"]
    extra.write_bytes(BROKEN["unknown key"])
    done = await exchange.run("reload")
    assert done.returncode == 1
    first, *_, last = done.stderr.splitlines()
    assert re.match(r".*extra\.yaml:13:1: .*colour", first), done.stderr
    assert last == f"refused: version {version} stays in force"
    await served(exchange)
    assert (await asked.calls(exchange.bureau))[0]["config_version"] == version
    extra.unlink()
    done = await exchange.run("reload")
    assert (done.returncode, done.stdout) == (0, f"version {version} is in force\n")


@pytest.mark.fault("F31")
async def test_a_changed_file_applies_within_five_seconds_and_a_live_call_keeps_its_version(
    exchange: Exchange,
) -> None:
    bureau = exchange.bureau
    old = (await asked.status(bureau))["config_version"]
    async with Phones() as phones:
        before = await phones.dial(bureau.uri(DID), "0639980101")
        await before.hears(MESSAGE)
        bureau.client("lilas")["display"] = "Lilas Nouveau"
        bureau.write()
        await asked.until(bureau, lambda s: s["config_version"] != old, within=5.0)
        lea = bureau.secretaries[0]
        phone = await phones.secretary(lea.id, lea.password, bureau.sip)
        assert "Cab. Lilas" in (await phone.rings()).invite.from_display, "his call was decided before"
        await before.hangup()
        await asked.are(bureau, lea="free")
        after = await phones.dial(bureau.uri(DID), "0639980102")
        assert "Lilas Nouveau" in (await phone.rings(2)).invite.from_display
        await after.hangup()
        await exchange.finished_call()
    versions = {
        call["caller"][-2:]: call["config_version"] for call in (await asked.calls(exchange.bureau))[:2]
    }
    assert versions["01"] == old
    assert versions["02"] == (await asked.status(bureau))["config_version"] != old
    bureau.client("lilas")["display"] = "Cab. Lilas"
    bureau.write()
    await asked.until(bureau, lambda s: s["config_version"] == old)


async def test_a_broken_file_that_is_only_saved_is_said_once_and_forgotten_when_mended(
    exchange: Exchange, extra: Any
) -> None:
    version = (await asked.status(exchange.bureau))["config_version"]
    refusals = len([e for e in oracle.events(exchange) if e["event"].startswith("configuration refused")])
    extra.write_bytes(BROKEN["unknown key"])

    async with asyncio.timeout(PATIENCE):
        while True:
            said = [e for e in oracle.events(exchange) if e["event"].startswith("configuration refused")]
            if len(said) > refusals:
                break
            await asyncio.sleep(0.05)
    assert "extra.yaml:13:1:" in said[-1]["first"]
    assert (await asked.status(exchange.bureau))["config_version"] == version
    extra.write_text(_good())
    await asked.until(exchange.bureau, lambda s: s["config_version"] != version)

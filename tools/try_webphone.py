"""Try a secretary's phone in a real browser against a real exchange, and print a verdict as JSON.

    apt-get install --no-install-recommends chromium
    .venv/bin/python -m pip install playwright        # the package alone, not its browsers
    .venv/bin/python tools/try_webphone.py

Starts `autocom up` on folders and ports of its own, registers JsSIP in headless Chromium with the
secretary's id and password at the address that `autocom status` names, and places calls from the
telephone network: to the browser, then to an ordinary softphone with the same account, then to the
browser again. Everyone speaks a sine, so what was heard is measured. Exit 0 only where every call had
sound both ways and Asterisk's log stayed free of warnings. It takes a minute, over loopback alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.bureau import CALLER, VOICES, Bureau
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.phones import Phones
from tests.support.webphone.browser import Browser, Look, WebPhone

DID = "0199001001"
ATTEMPT = 30.0  # seconds for one of the calls below, all waits included
Verdict = dict[str, Any]


async def main() -> int:
    """Run everything; 0 where the verdict is good."""
    with tempfile.TemporaryDirectory(prefix="autocom-web-") as folder:
        bureau = Bureau.at(Path(folder), secretaries=1)
        try:
            verdict = await try_all(bureau)
        except AssertionError as wrong:  # it did not start, did not register, or left something running
            verdict = {"exchange": {"good": False, "why": str(wrong)}}
        finally:
            bureau.tidy()
    verdict["good"] = all(verdict[part]["good"] for part in verdict)
    print(json.dumps(verdict, indent=1, ensure_ascii=False))
    return 0 if verdict["good"] else 1


async def try_all(bureau: Bureau) -> Verdict:
    """One exchange, one account, its two kinds of phone in turn."""
    verdict: Verdict = {}
    account = bureau.secretaries[0]
    async with Exchange(bureau) as exchange, Browser() as browser, Phones() as phones:
        start = troubles(bureau)
        url = (await exchange.status())["websocket"]
        web = await browser.phone(account.id, account.password, url, say=account.voice)
        await exchange.free(account.id)
        verdict["browser"] = await attempt(web_call(exchange, phones, web, hang_up="secretary"))
        verdict["codes"] = await attempt(codes(exchange, web))
        plain = await phones.secretary(
            account.id, account.password, bureau.sip, say=account.voice, answer_after=1
        )
        verdict["softphone"] = await attempt(plain_call(exchange, phones, plain, web))
        await plain.offline()
        await web.do("online")
        await exchange.free(account.id)
        verdict["browser_again"] = await attempt(web_call(exchange, phones, web, hang_up="caller"))
        await web.do("offline")
        gone = await exchange.until_status(lambda now: now["secretaries"][0]["state"] == "offline")
        verdict["offline"] = {"good": not gone["secretaries"][0]["registered"]}
        found = troubles(bureau)
        verdict["asterisk_log"] = {"good": not found, "at_start": start, "all": found}
        verdict["page"] = {
            "good": not web.complaints,
            "chromium": browser.version,
            "complaints": web.complaints,
        }
    return verdict


async def attempt(what: Any) -> Verdict:
    """One part of the verdict; what did not come to pass is said, and the next part is tried."""
    try:
        async with asyncio.timeout(ATTEMPT):
            part: Verdict = await what
    except (AssertionError, TimeoutError) as wrong:
        return {"good": False, "why": str(wrong) or type(wrong).__name__}
    return part


async def web_call(exchange: Exchange, phones: Phones, web: WebPhone, *, hang_up: str) -> Verdict:
    """A caller waits in the queue, the browser rings, she picks up; each must hear the other."""
    before = len((await web.look())["calls"])
    finished = len([call for call in await exchange.calls() if call["ended_at"]])
    caller = await phones.dial(exchange.bureau.uri(DID), say=CALLER)
    ringing = newest(await web.until(lambda page: len(page["calls"]) > before))
    await web.do("answer")
    talking = await web.hears(CALLER)
    await caller.hears(VOICES[0], within=5, for_seconds=1.0)
    talking = await web.until(lambda page: (page.get("figures") or {}).get("round_trip_ms") is not None)
    state = (await exchange.status())["secretaries"][0]["state"]
    await (web.do("hangup") if hang_up == "secretary" else caller.hangup())
    await caller.closed(5)
    ended = newest(await web.until(lambda page: newest(page)["state"] == "ended"))
    call = await exchange.finished_call(finished + 1)
    figures = talking["figures"]
    good = (
        "Cab. Lilas · 06 39 98 01 01" in (ringing["display"] or "")
        and ringing["user"] == "+33639980101"
        and ringing["headers"]["X-Autocom-Client"] == "lilas"
        and state == "talking"
        and call["outcome"] == "served"
        and figures["dtls"] == "connected"
        and figures["codec"] == figures["sent_codec"] == f"audio/{codec_of(caller)}"
    )
    return {
        "good": good,
        "shown": {key: ringing[key] for key in ("display", "user", "headers")},
        "offered": ringing["offered"],
        "she_hears": talking["hears"],
        "caller_heard": caller.heard(),
        "longest_gap_s": max((gap.seconds for gap in caller.gaps()), default=0),
        "caller_codec": codec_of(caller),
        "figures": figures,
        "state": state,
        "end": {key: ended.get(key) for key in ("state", "why", "reason")},
        "outcome": call["outcome"],
        "talk_ms": call["talk_ms"],
    }


async def plain_call(exchange: Exchange, phones: Phones, plain: Any, web: WebPhone) -> Verdict:
    """The same account, an ordinary softphone: it alone rings."""
    before = len((await web.look())["calls"])
    finished = len([call for call in await exchange.calls() if call["ended_at"]])
    await exchange.free(plain.user)
    caller = await phones.dial(exchange.bureau.uri(DID), say=CALLER)
    leg = await plain.rings()
    await caller.hears(VOICES[0], within=8, for_seconds=1.0)
    await leg.hears(CALLER)
    await caller.hangup()
    await leg.closed(5)
    call = await exchange.finished_call(finished + 1)
    rung = len((await web.look())["calls"]) - before
    return {
        "good": call["outcome"] == "served" and rung == 0 and call["offers"] == 1,
        "shown": leg.invite.header("From"),
        "caller_heard": caller.heard(),
        "caller_codec": codec_of(caller),
        "browser_rung": rung,
        "offers": call["offers"],
        "outcome": call["outcome"],
    }


async def codes(exchange: Exchange, web: WebPhone) -> Verdict:
    """She logs out and in again by dialling; each is confirmed by a voice and a hang-up."""
    states: list[str] = []
    ends: list[Any] = []
    for code, state in (("*46", "logged_out"), ("*45", "free")):
        before = len((await web.look())["calls"])
        await web.do("dial", code)
        over = await web.until(
            lambda page, n=before: (
                len(page["calls"]) > n
                and "why" in newest(page)
                and newest(page)["state"] in {"ended", "failed"}
            ),
            within=12,
        )
        ends.append({key: newest(over).get(key) for key in ("state", "why", "status")})
        now = await exchange.until_status(lambda all_, s=state: all_["secretaries"][0]["state"] == s)
        states.append(now["secretaries"][0]["state"])
    return {"good": all(end["state"] == "ended" for end in ends), "states": states, "ends": ends}


def newest(page: Look) -> Look:
    """The last call of a page."""
    call: Look = page["calls"][-1]
    return call


def codec_of(caller: Leg) -> str | None:
    """What the operator's side speaks, by the answer to its INVITE."""
    answer = next(
        (m for m in caller.wire if m.cseq_method == "INVITE" and m.status in {183, 200} and m.body), None
    )
    if answer is None:
        return None
    first = next(line for line in answer.body.splitlines() if line.startswith("m=audio")).split()[3]
    return {"8": "PCMA", "0": "PCMU"}.get(first, first)


def troubles(bureau: Bureau) -> list[str]:
    """Asterisk's warnings and errors so far."""
    text = (bureau.state / "asterisk" / "log" / "messages").read_text(errors="replace")
    return [line for line in text.splitlines() if " WARNING[" in line or " ERROR[" in line]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

"""How long callers who wait are without an exchange: from `exec autocom up` after kill -9 to the first INVITE at a phone.

    .venv/bin/python bench/start.py [--rounds 5] [--clients 2] [--json]

Each round: a caller waits, one phone rings, a second secretary is free; the exchange is killed, the ringing phone
declines, and the exchange is started again: it has to find that out and ring the other phone. Asterisk and PostgreSQL
stay. Wall seconds, and the processor's seconds of the exchange until then, which say more on a busy machine; the parts
are those that the exchange writes into its log. The target is 1 s on an idle machine; exit code 1 where it is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.engines import cpu_seconds
from tests.support.bureau import Bureau, client, play, queue
from tests.support.exchange import Exchange
from tests.support.sip_phone import SipLine, SipPhone

TARGET = 1.0
RESTS = 12.0
"""Seconds after which a phone that declined more than once is rung again like any other."""
DID = "0199001001"


def bureau_of(folder: Path, clients: int) -> Bureau:
    """Two secretaries, whom a refusal never pauses, and so many clients beside theirs."""
    made = Bureau.at(folder, secretaries=2)
    made.bureau["bureau"]["no_answer"] = {"pause_after": 0}
    made.clients.pop("lilas")
    steps = [play("message"), queue(team="general", ring_for="60s")]
    made.add(client("lilas", "+33199001001", rules=[{"name": "open", "do": steps}]))
    for number in range(clients):
        made.add(client(f"other-{number}", f"+331990{10000 + number}", rules=[{"name": "open", "do": steps}]))
    made.settings["AUTOCOM_LOG"] = "info"
    made.write()
    return made


async def one_round(exchange: Exchange, phones: list[SipPhone], number: int) -> dict[str, float]:
    """Seconds, by part."""
    before = [len(phone.invites) for phone in phones]
    async with SipLine(exchange.bureau.sip) as caller:
        call = asyncio.create_task(caller.invite(DID, frm=f"<sip:+336399801{number:02d}@127.0.0.1>"))
        rung = await _first(phones, before)
        await exchange.kill9()
        phones[rung].finish(486)
        offset = len(exchange.output)
        other = 1 - rung
        cancels = sum(m.method == "CANCEL" for m in phones[other].received)
        began = time.monotonic()
        starting = asyncio.create_task(exchange.start())
        await phones[other].invited(before[other] + 1, within=30.0)
        wall = time.monotonic() - began
        cpu = cpu_seconds(exchange.pid)
        await starting
        caller.end(await call)
        await phones[other].cancelled(cancels + 1, within=10.0)
    await exchange.free()
    return {
        "first ring": wall,
        "processor": cpu,
        "ready": exchange.ready_after,
        **parts(exchange.output[offset:]),
    }


async def _first(phones: list[SipPhone], before: list[int]) -> int:
    while True:
        for index, phone in enumerate(phones):
            if len(phone.invites) > before[index]:
                return index
        await asyncio.sleep(0.01)


def parts(output: str) -> dict[str, float]:
    """What the exchange said of this start: seconds since its exec, by what was done by then."""
    for line in output.splitlines():
        if '"event": "calls_taken_over"' in line:
            said: dict[str, Any] = json.loads(line)
            return {name: value for name, value in said.items() if isinstance(value, float)}
    return {}


async def measure(rounds: int, clients: int) -> list[dict[str, float]]:
    """Every round's figures."""
    with tempfile.TemporaryDirectory(prefix="bench-start-") as folder:
        async with Exchange(bureau_of(Path(folder), clients)) as exchange:
            phones = [
                SipPhone(exchange.bureau.sip, account.id, account.password)
                for account in exchange.bureau.secretaries
            ]
            async with phones[0], phones[1]:
                await exchange.free()
                return [await one_round(exchange, phones, number) for number in range(rounds)]


def main() -> int:
    """The command."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--clients", type=int, default=0, help="clients beside the two that are needed")
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    found = asyncio.run(measure(asked.rounds, asked.clients))
    names = list(dict.fromkeys(name for row in found for name in row))
    table = {name: [row[name] for row in found if name in row] for name in names}
    if asked.json:
        print(json.dumps(table))
    else:
        for name, values in table.items():
            print(
                f"{name:<14} median {statistics.median(values):.3f} s  best {min(values):.3f}  worst {max(values):.3f}"
            )
    return 0 if statistics.median(table["first ring"]) < TARGET else 1


if __name__ == "__main__":
    sys.exit(main())

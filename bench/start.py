"""How long callers who wait are without an exchange: from `exec autocom up` after kill -9 to the first INVITE at a phone.

    .venv/bin/python bench/start.py [--rounds 5] [--clients 0] [--json]

Each round: the one secretary talks, another caller waits; the exchange is killed, the two who talk hang up, and the
exchange is started again: it has to find that out and ring her phone. Asterisk and PostgreSQL stay. Wall seconds, and the processor's seconds of the exchange until then, which say more on a busy machine; the parts
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
from tests.support import asked
from tests.support.bureau import Bureau, client, play, queue
from tests.support.eventually import eventually
from tests.support.exchange import Exchange
from tests.support.light_sip import Callers, Desk
from tests.support.sip_phone import address_of

TARGET = 1.0
DID = "0199001001"


def bureau_of(folder: Path, clients: int) -> Bureau:
    """One secretary without wrap-up, and so many clients beside hers."""
    made = Bureau.at(folder, secretaries=1)
    made.clients.pop("lilas")
    steps = [play("message"), queue(team="general", ring_for="60s")]
    made.add(client("lilas", "+33199001001", rules=[{"name": "open", "do": steps}]))
    for number in range(clients):
        made.add(client(f"other-{number}", f"+331990{10000 + number}", rules=[{"name": "open", "do": steps}]))
    made.settings["AUTOCOM_LOG"] = "info"
    made.write()
    return made


async def one_round(exchange: Exchange, callers: Callers, lea: Desk) -> dict[str, float]:
    """Seconds, by part. One talks with her, one waits; that talk ends while there is no exchange."""
    rung: list[float] = []
    lea.on_invite = lambda dialogue: (rung.append(time.time()), lea.answer(dialogue))
    talks = callers.dial(DID, "0639980101")
    await eventually(lambda: "answered" in talks.at)
    waits = callers.dial(DID, "0639980102")
    await asked.until(exchange.bureau, lambda now: len(now["waiting"]) == 1)
    await exchange.kill9()
    callers.hang_up(talks)
    for dialogue in list(lea.open.values()):
        lea.bye(dialogue)
    rung.clear()
    offset = len(exchange.output)
    began = time.time()
    starting = asyncio.create_task(exchange.start())
    await eventually(lambda: bool(rung))
    cpu = cpu_seconds(exchange.pid)
    await starting
    await eventually(lambda: "answered" in waits.at)
    callers.hang_up(waits)
    await exchange.free()
    return {
        "first ring": rung[0] - began,
        "processor": cpu,
        "ready": exchange.ready_after,
        **parts(exchange.output[offset:]),
    }


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
            bureau = exchange.bureau
            (account,) = bureau.secretaries
            server = address_of(bureau.sip)
            callers, lea = Callers(server), Desk(server, account.id, account.password)
            try:
                await lea.register()
                await exchange.free()
                return [await one_round(exchange, callers, lea) for _ in range(rounds)]
            finally:
                callers.close()
                lea.close()


def main() -> int:
    """The command."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--clients", type=int, default=0, help="clients beside the two that are needed")
    words.add_argument("--json", action="store_true")
    chosen = words.parse_args()
    found = asyncio.run(measure(chosen.rounds, chosen.clients))
    names = list(dict.fromkeys(name for row in found for name in row))
    table = {name: [row[name] for row in found if name in row] for name in names}
    if chosen.json:
        print(json.dumps(table))
    else:
        for name, values in table.items():
            print(
                f"{name:<14} median {statistics.median(values):.3f} s  best {min(values):.3f}  worst {max(values):.3f}"
            )
    return 0 if statistics.median(table["first ring"]) < TARGET else 1


if __name__ == "__main__":
    sys.exit(main())

"""Events that Asterisk sent and that never arrive, without a gap that anybody could notice: found within 25 s each."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from autocom.asterisk.installation import find
from tests.support.bureau import CALLER as HIM
from tests.support.bureau import VOICES, Bureau, queue
from tests.support.elsewhere import running, written
from tests.support.eventually import eventually
from tests.support.exchange import COMMAND, READY
from tests.support.leg import Leg
from tests.support.lossy import Lossy
from tests.support.phones import Phones, Softphone
from tests.support.ports import free_ports

pytestmark = pytest.mark.timeout(240)
DID = "+33199001001"
HER = VOICES[0]
WITHIN = 25.0
ENDS = frozenset({"ChannelHangupRequest", "StasisEnd", "ChannelDestroyed"})
ANSWERS = frozenset({"ChannelStateChange", "Dial"})


class House:
    """An exchange behind a lossy line, lea's phone, and what was repaired."""

    def __init__(self, ari: Lossy, phones: Phones, lea: Softphone, said: Path, bureau: Bureau) -> None:
        self.ari, self.phones, self.lea, self._said, self._bureau = ari, phones, lea, said, bureau

    def repaired(self) -> list[str]:
        lines = [line for line in self._said.read_text().splitlines() if "difference_repaired" in line]
        return [found[1] for line in lines if (found := re.search(r'"where": ?"(\w+)"', line))]

    async def call(self) -> Leg:
        return await self.phones.dial(self._bureau.uri(DID), say=HIM)

    def loses(self, kinds: frozenset[str], of: Callable[[str], bool]) -> None:
        """From now on, of the channels whose name fits."""

        def lose(event: dict[str, Any]) -> bool:
            channel = event.get("channel") or event.get("peer") or {}
            return event["type"] in kinds and of(channel.get("id", ""))

        self.ari.lose = lose

    def heals(self) -> None:
        assert self.ari.lost, "nothing was lost: the test proves nothing"
        self.ari.lost.clear()
        self.ari.lose = lambda _: False


@asynccontextmanager
async def house(bureau: Bureau, folder: Path) -> AsyncIterator[House]:
    asterisk = await find()
    assert asterisk is not None
    http, ami = free_ports(2)
    async with Lossy(http) as ari:
        bureau.client("lilas")["rules"][0]["do"] = [queue(ring_for="40s")]
        bureau.write()
        bureau.settings |= {
            "AUTOCOM_DATABASE_URL": "postgresql+psycopg://autocom:none@127.0.0.1:1/none",
            "AUTOCOM_ARI_URL": f"http://127.0.0.1:{ari.port}",
            "AUTOCOM_ARI_USER": "bureau",
            "AUTOCOM_ARI_PASSWORD": "ari-fiction",
            "AUTOCOM_AMI_HOST": "127.0.0.1",
            "AUTOCOM_AMI_PORT": str(ami),
            "AUTOCOM_AMI_USER": "bureau",
            "AUTOCOM_AMI_PASSWORD": "ami-fiction",
        }
        etc, said = bureau.state / "asterisk" / "etc", folder / "serve.log"
        with running(COMMAND, "serve", environment=bureau.environment, log=said):
            await eventually(lambda: written(bureau), "nothing is written for Asterisk", READY)
            conf = etc / "http.conf"
            conf.write_text(conf.read_text().replace(str(ari.port), str(http)))  # the line lies in between
            elsewhere = (asterisk.program, "-f", "-C", etc / "asterisk.conf")
            with running(*elsewhere, environment=dict(os.environ), log=folder / "asterisk.log"):
                await eventually(lambda: "\nready" in said.read_text(), "not ready", READY)
                account = bureau.secretaries[0]
                async with Phones() as phones:
                    lea = await phones.secretary(
                        account.id, account.password, bureau.sip, say=HER, answer_after=0.3
                    )
                    yield House(ari, phones, lea, said, bureau)


async def test_an_entry_an_answer_and_the_ends_that_never_arrive_are_made_up_for(
    bureau: Bureau, tmp_path: Path
) -> None:
    async with house(bureau, tmp_path) as here:
        # his entry: he would hear nothing, for ever
        here.loses(frozenset({"StasisStart"}), lambda channel: not channel.startswith("ring-"))
        caller = await here.call()
        await eventually(lambda: here.ari.lost, "no entry was lost")
        here.heals()
        await caller.hears(HER, within=WITHIN)
        assert here.repaired() == ["stranger"]
        # his end: she would sit in a dead conversation
        here.loses(ENDS, lambda channel: not channel.startswith("ring-"))
        ended = here.lea.call
        await caller.hangup()
        await ended.closed(within=WITHIN)
        here.heals()
        assert here.repaired() == ["stranger", "gone"]
        # her answer: she would say hello to nobody
        here.loses(ANSWERS, lambda channel: channel.startswith("ring-"))
        caller = await here.call()
        await caller.hears(HER, within=WITHIN)
        here.heals()
        assert here.repaired() == ["stranger", "gone", "answered"]
        # her end: he would hear nothing more
        here.loses(ENDS, lambda channel: channel.startswith("ring-"))
        await here.lea.call.hangup()
        await caller.closed(within=WITHIN)
        here.heals()
        assert here.repaired() == ["stranger", "gone", "answered", "gone"]
        # and the next one is served as ever
        caller = await here.call()
        await caller.hears(HER)
        await caller.hangup()
        await here.lea.call.closed()

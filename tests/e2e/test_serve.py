"""`autocom serve`: an Asterisk that runs elsewhere reads what we write for it, at its start and at a reload, and stays."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import aiohttp
import pytest

from autocom.asterisk.installation import find
from tests.support.bureau import MESSAGE, Bureau
from tests.support.elsewhere import running, written
from tests.support.eventually import eventually
from tests.support.exchange import COMMAND, READY
from tests.support.phones import Phones
from tests.support.ports import free_ports

pytestmark = pytest.mark.timeout(150)
DID = "+33199001001"


async def test_an_asterisk_elsewhere_serves_calls_follows_a_reload_and_outlives_us(
    bureau: Bureau, tmp_path: Path
) -> None:
    asterisk = await find()
    assert asterisk is not None
    ari, ami = free_ports(2)
    bureau.settings |= {
        "AUTOCOM_DATABASE_URL": "postgresql+psycopg://autocom:none@127.0.0.1:1/none",  # calls go on without it
        "AUTOCOM_ARI_URL": f"http://127.0.0.1:{ari}",
        "AUTOCOM_ARI_USER": "bureau",
        "AUTOCOM_ARI_PASSWORD": "ari-fiction",
        "AUTOCOM_AMI_HOST": "127.0.0.1",
        "AUTOCOM_AMI_PORT": str(ami),
        "AUTOCOM_AMI_USER": "bureau",
        "AUTOCOM_AMI_PASSWORD": "ami-fiction",
    }
    environment, conf = bureau.environment, bureau.state / "asterisk" / "etc" / "asterisk.conf"
    said = tmp_path / "serve.log"

    async def knows(who: str) -> bool:
        url = f"http://127.0.0.1:{ari}/ari/endpoints/PJSIP/{who}"
        who_asks = {"Authorization": aiohttp.encode_basic_auth("bureau", "ari-fiction")}
        async with aiohttp.ClientSession(headers=who_asks) as session, session.get(url) as reply:
            return reply.status == 200

    with running(COMMAND, "serve", environment=environment, log=said) as serve:
        await eventually(lambda: written(bureau), "nothing is written for Asterisk", READY)
        elsewhere = (asterisk.program, "-f", "-C", conf)
        with running(*elsewhere, environment=dict(os.environ), log=tmp_path / "asterisk.log") as other:
            await eventually(lambda: "\nready" in said.read_text(), "not ready", READY)
            async with Phones() as phones:
                caller = await phones.dial(bureau.uri(DID), "0639980102")
                await caller.hears(MESSAGE)
                await caller.hangup()
            assert not await knows("zoe")
            first = bureau.bureau["secretaries"][0]
            bureau.bureau["secretaries"].append(first | {"id": "zoe", "extension": "299"})
            bureau.write()
            done = await asyncio.to_thread(
                subprocess.run,
                [COMMAND, "reload"],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            async with asyncio.timeout(READY):
                while not await knows("zoe"):
                    await asyncio.sleep(0.05)
            serve.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(serve.wait, 30) == 0
            assert other.poll() is None
            assert await knows("zoe")

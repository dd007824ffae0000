"""What the rescuer's users may do in a real Asterisk, and what not."""

from __future__ import annotations

import aiohttp
import pytest

from autocom.asterisk.conf import GATE
from autocom.asterisk.conf.base import RESCUE
from autocom.rescue import ami, canary
from autocom.rescue.ami import AmiAway, AmiRefused
from tests.asterisk.host_support import private


async def test_it_may_look_redirect_and_set_the_gate_and_nothing_else() -> None:
    async with private() as (_, asterisk):
        doors, secret = asterisk.doors, asterisk.rescue_password
        async with ami.connected(doors.ami_host, doors.ami_port, RESCUE, secret) as wire:
            await wire.do("Setvar", Variable=GATE, Value="closed")
            assert (await wire.do("Getvar", Variable=GATE))["Value"] == "closed"
            assert await wire.rows("CoreShowChannels", "CoreShowChannel") == []
            with pytest.raises(AmiRefused, match=r"[Cc]hannel"):
                await wire.do(
                    "Redirect", Channel="PJSIP/x-1", Context="autocom-fallback", Exten="s", Priority="1"
                )
            forbidden = {
                "Originate": {
                    "Channel": "Local/s@autocom-fallback",
                    "Context": "autocom-fallback",
                    "Exten": "s",
                },
                "Command": {"Command": "core show version"},
                "Reload": {"Module": "res_pjsip.so"},
                "GetConfig": {"Filename": "manager.conf"},
                "DBPut": {"Family": "x", "Key": "y", "Val": "z"},
            }
            for action, headers in forbidden.items():
                with pytest.raises(AmiRefused, match=r"Permission denied|Invalid/unknown command"):
                    await wire.do(action, **headers)
        with pytest.raises(AmiRefused, match="Authentication failed"):
            async with ami.connected(doors.ami_host, doors.ami_port, RESCUE, doors.ami_password):
                pass
        assert await canary.look(doors.ari_url, RESCUE, secret, "autocom") == canary.ALIVE
        who = {"Authorization": aiohttp.encode_basic_auth(RESCUE, secret)}
        async with aiohttp.ClientSession(doors.ari_url.removesuffix("ari"), headers=who) as http:
            for method, path, status in (
                ("GET", "ari/channels", 200),
                ("POST", f"ari/asterisk/variable?variable={GATE}&value=open", 403),
                ("DELETE", "ari/channels/1", 403),
            ):
                async with http.request(method, path) as answer:
                    assert answer.status == status, (method, path)


async def test_an_asterisk_that_is_gone_is_away() -> None:
    async with private() as (_, asterisk):
        doors, secret = asterisk.doors, asterisk.rescue_password
    with pytest.raises(AmiAway):
        async with ami.connected(doors.ami_host, doors.ami_port, RESCUE, secret):
            pass
    assert await canary.look(doors.ari_url, RESCUE, secret, "autocom") == canary.ABSENT

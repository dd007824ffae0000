"""Softphones over TLS with encrypted voice, on certificates of ours and of others; and that these do not run out."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

import pytest

from autocom.phones.certificates import own
from tests.support.bureau import CALLER, VOICES, Bureau
from tests.support.exchange import Exchange
from tests.support.phones import Phones
from tests.support.ports import free_port

pytestmark = [pytest.mark.timeout(120)]
DID = "0199001001"


@pytest.fixture
def secure(bureau: Bureau) -> tuple[Bureau, str]:
    """A bureau whose softphones must come over TLS and encrypt, and where they come to."""
    at = f"127.0.0.1:{free_port()}"
    bureau.settings |= {"AUTOCOM_SIP_TLS_BIND": at, "AUTOCOM_SRTP": "required"}
    return bureau, at


async def test_a_softphone_registers_over_tls_and_talks_encrypted_both_ways_and_a_plain_one_is_refused(
    secure: tuple[Bureau, str],
) -> None:
    bureau, at = secure
    async with Exchange(bureau) as exchange, Phones(trusts=bureau.state / "tls/authority.crt") as phones:
        lea = await phones.secretary(
            "lea", "lea-fiction", at, say=VOICES[0], answer_after=0.3, transport="tls", srtp=True
        )
        await exchange.free("lea")
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await caller.hears(VOICES[0])
        leg = await lea.rings()
        await leg.hears(CALLER)
        offer = leg.invite.body
        assert "m=audio" in offer
        assert "RTP/SAVP" in offer
        assert "a=crypto:" in offer
        await caller.hangup()
        await leg.closed()
        assert (await exchange.finished_call(within=20))["outcome"] == "served"
        plain = await phones.secretary("ines", "ines-fiction", bureau.sip)
        refused = await plain.dial(f"sip:201@{bureau.sip}")
        assert (await refused.closed()).startswith("488")
        certificate = (await exchange.status())["certificate"]
        assert certificate["own"]
        assert not certificate["soon"]
        assert "127.0.0.1" in certificate["names"]


async def shown(address: str, authority: Path) -> int:
    """The serial number of the certificate that a server shows to who trusts this authority."""
    host, port = address.split(":")
    trusting = ssl.create_default_context(cafile=authority)
    _, writer = await asyncio.open_connection(host, int(port), ssl=trusting)
    found = writer.get_extra_info("ssl_object").getpeercert()
    writer.close()
    return int(found["serialNumber"], 16)


async def test_a_certificate_that_was_replaced_is_in_use_after_a_reload_for_phones_and_browsers(
    secure: tuple[Bureau, str], tmp_path: Path
) -> None:
    bureau, sip = secure
    first = own(tmp_path / "tls", ["127.0.0.1", "localhost"], time.time())
    https = f"127.0.0.1:{free_port()}"
    bureau.settings |= {
        "AUTOCOM_HTTPS_BIND": https,
        "AUTOCOM_TLS_CERT": str(first.certificate),
        "AUTOCOM_TLS_KEY": str(first.key),
    }
    assert first.authority
    async with Exchange(bureau) as exchange:
        before = {await shown(at, first.authority) for at in (sip, https)}
        assert len(before) == 1
        assert "certificate of 127.0.0.1, localhost" in (await exchange.cli("status"))
        own(tmp_path / "tls", ["127.0.0.1"], time.time())  # under the same authority
        await exchange.cli("reload")
        after = {await shown(at, first.authority) for at in (sip, https)}
        assert len(after) == 1
        assert after != before
        assert "certificate of 127.0.0.1: until" in (await exchange.cli("status"))

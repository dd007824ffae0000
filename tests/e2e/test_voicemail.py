"""Voicemail and messages from outside: a real call, a real SMTP server, the sound told by its tone."""

from __future__ import annotations

import asyncio
import io
import wave
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import tones
from tests.support.bureau import CALLER, Bureau
from tests.support.exchange import Exchange
from tests.support.leg import Leg
from tests.support.mail_server import Gateway, MailServer
from tests.support.phones import Phones

pytestmark = [pytest.mark.timeout(120)]

DID = "0199001001"
MAIL = "secretariat@lilas.example"
PROMPT, TONE = 440, 1390  # the bureau's message as the prompt, and a beep of its own


def voicemail(bureau: Bureau, **keys: Any) -> None:
    bureau.sound("beep", TONE, 0.4)
    step = {"voicemail": {"play": {"sound": "message"}, "mail": [MAIL], "max": "20s", **keys}}
    bureau.client("lilas")["rules"] = [{"name": "open", "do": [step]}]
    bureau.write()


async def speaks_after_the_tone(caller: Leg, seconds: float = 2.0) -> None:
    await caller.hears(PROMPT)
    await caller.hears(TONE, for_seconds=0.2)
    await asyncio.sleep(seconds)


def sound_of(mail: EmailMessage) -> tones.Samples:
    (attachment,) = list(mail.iter_attachments())
    with wave.open(io.BytesIO(attachment.get_content())) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")


async def until_mailed(exchange: Exchange) -> None:
    await exchange.until_status(lambda state: state["mail"] == {"waiting": 0, "failed": 0})


async def test_a_message_of_a_tone_arrives_as_one_mail_with_that_tone(
    bureau: Bureau, start_exchange: Any, tmp_path: Path
) -> None:
    voicemail(bureau)
    async with MailServer() as server, Phones() as phones:
        bureau.settings |= server.settings
        exchange = await start_exchange(bureau)
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await speaks_after_the_tone(caller)
        assert caller.at("CALL_ESTABLISHED") is not None
        await caller.hangup()
        (mail,) = await server.mails(1)
        call = await exchange.finished_call()
        assert call["outcome"] == "voicemail"
        assert mail["To"] == MAIL
        assert mail["Message-ID"] == f"<voice-{call['id']}-1-to-1@tilleuls.example>"
        assert "06 39 98 01 01" in mail["Subject"]
        assert tones.heard(sound_of(mail)) == [(CALLER,)]
        assert 1.5 < len(sound_of(mail)) / 8000 < 4.0
        await until_mailed(exchange)
        assert list((bureau.state / "asterisk/spool/recording").glob("*")) == []
        story = await exchange.call(call["id"])
        kinds = [event["kind"] for event in story["events"]]
        for kind in ("voicemail_started", "voicemail_ended", "mail_queued", "mail_sent"):
            assert kinds.count(kind) == 1, (kind, kinds)
        (listed,) = [line for line in (await exchange.cli("voicemail", "--json")).splitlines() if line]
        assert f'"id": "voice-{call["id"]}-1"' in listed
        out = tmp_path / "out.wav"
        await exchange.cli("voicemail", f"voice-{call['id']}-1", "--out", str(out))
        assert tones.heard(tones.read_wav(out)[0]) == [(CALLER,)]
        assert out.stat().st_mode & 0o777 == 0o600


async def test_for_a_practice_of_health_the_notice_says_nothing_and_the_sound_stays_here(
    bureau: Bureau, start_exchange: Any
) -> None:
    voicemail(bureau)
    practice = bureau.client("lilas")
    practice["profile"] = "medical"
    closed = {"play": {"say": "En cas d'urgence, composez le 15.", "mode": "answered"}}
    practice["rules"].insert(
        0, {"name": "closed", "when": {"hours": "closed"}, "do": [closed, {"hangup": "normal"}]}
    )
    bureau.write()
    async with MailServer() as server, Phones() as phones:
        bureau.settings |= server.settings
        exchange = await start_exchange(bureau)
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await speaks_after_the_tone(caller)
        await caller.press("#")
        await caller.closed()
        (mail,) = await server.mails(1)
        raw = server.raw[0].decode()
        assert mail["Subject"].startswith("1 message, réf. ")
        assert list(mail.iter_attachments()) == []
        body = mail.get_body()
        assert body is not None
        said = body.get_content() + str(mail["Subject"])
        for secret in ("639980101", "39 98 01 01", "ilas", "audio"):
            assert secret not in said.replace("secretariat", "")
            assert secret not in raw.replace("lilas.example", "")
        call = await exchange.finished_call()
        assert call["outcome"] == "voicemail"
        (kept,) = (bureau.state / "voicemail").glob("*.wav")
        assert kept.stat().st_mode & 0o777 == 0o600
        assert kept.parent.stat().st_mode & 0o777 == 0o700
        assert tones.heard(tones.read_wav(kept)[0])[0] == (CALLER,)
        reference = mail["Subject"].rpartition(" ")[2]
        assert reference in await exchange.cli("voicemail")


async def test_mail_server_down_and_both_killed_in_between_one_mail_arrives(
    bureau: Bureau, start_exchange: Any
) -> None:
    voicemail(bureau)
    server = MailServer()
    bureau.settings |= server.settings
    exchange = await start_exchange(bureau)
    async with Phones() as phones:
        caller = await phones.dial(bureau.uri(DID), say=CALLER)
        await speaks_after_the_tone(caller, 1.0)
        await exchange.kill9()  # in the middle of the recording
        await asyncio.sleep(1.0)
        await exchange.start()
        await asyncio.sleep(1.0)
        await caller.hangup()
        call = await exchange.finished_call()
        assert call["outcome"] == "voicemail"
        await exchange.until_status(lambda state: state["mail"] == {"waiting": 1, "failed": 0})
        await exchange.kill9()  # with the mail unsent
        async with server:
            await exchange.start()
            (mail,) = await server.mails(1, within=20)
            await until_mailed(exchange)
            assert tones.heard(sound_of(mail)) == [(CALLER,)]
            assert len(sound_of(mail)) / 8000 > 2.5, (
                "what was said while nobody listened to Asterisk is in it"
            )
            await exchange.kill9()  # with the mail sent
            await exchange.start()
            await until_mailed(exchange)
            await asyncio.sleep(1.0)
            assert len(server.taken) == 1


async def test_a_text_goes_to_the_gateway_and_the_call_goes_on(bureau: Bureau, start_exchange: Any) -> None:
    bureau.client("lilas")["rules"] = [
        {
            "name": "open",
            "do": [
                {"message": {"to": "0639981011", "text": "{caller} appelle {client}"}},
                {"play": {"sound": "closed-tone", "mode": "answered"}},
                {"hangup": "normal"},
            ],
        }
    ]
    bureau.write()
    async with Gateway() as gateway, Phones() as phones:
        bureau.settings |= {"AUTOCOM_SMS_URL": gateway.url, "AUTOCOM_SMS_TOKEN": "fiction"}
        exchange = await start_exchange(bureau)
        caller = await phones.dial(bureau.uri(DID))
        await caller.closed()
        await until_mailed(exchange)
        call = await exchange.finished_call()
        (text,) = gateway.texts
        assert text["to"] == "+33639981011"
        assert text["text"].startswith("06 39 98 01 01 appelle ")
        assert (text["call"], text["client"]) == (call["id"], "lilas")
        assert gateway.headers[0]["Authorization"] == "Bearer fiction"

"""Texts on the real Asterisk and the real PostgreSQL: raw SIP phones, an HTTP operator, a real SMSC."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from smpp34 import DeliverSmResp

from tests.support import PATIENCE
from tests.support.bureau import Bureau, client, queue
from tests.support.exchange import Exchange
from tests.support.sip_phone import SipLine, SipPhone
from tests.support.text_providers import HttpOperator, Smsc, messages, told, write

pytestmark = [pytest.mark.timeout(120)]
LILAS, KELLER, LINE = "+33199001001", "+33199001002", "+33261912010"
PATIENT, OTHER = "+33639980101", "+33639980202"
PICTURE = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(200)


def bureau_with(bureau: Bureau, *providers: dict[str, Any]) -> Bureau:
    """Lilas is Léa's and Inès's, Keller (legal) too; Chloé is of another team."""
    bureau.bureau["teams"] = {"general": {}, "other": {}}
    bureau.bureau["secretaries"][2]["teams"] = {"other": 1}
    bureau.bureau["texts"] = {"providers": list(providers)}
    verified = {"number": LINE, "verified": True}
    rules = [{"name": "open", "do": [queue(on_nobody=[{"hangup": "busy"}])]}]
    bureau.add(client("lilas", LILAS, outgoing=verified, rules=rules))
    bureau.add(client("keller", KELLER, profile="legal", rules=rules))
    bureau.write()
    return bureau


def phone(bureau: Bureau, index: int) -> SipPhone:
    account = bureau.secretaries[index]
    return SipPhone(bureau.sip, account.id, account.password)


async def says(bureau: Bureau, index: int, line: SipPhone, to: str, body: str) -> int:
    account = bureau.secretaries[index]
    return await write(line, to, body, frm=f"<sip:{account.id}@autocom>", auth=(account.id, account.password))


async def text_facts(exchange: Exchange, reference: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await exchange.cli("text", reference, "--json"))
    return found


@pytest.fixture
def bureau(tmp_path) -> Bureau:
    return Bureau.at(tmp_path, secretaries=3)


async def test_a_text_is_shown_on_the_right_phones_answered_and_leaves_with_the_clients_number(
    bureau, start_exchange
):
    async with HttpOperator() as operator:
        exchange = await start_exchange(bureau_with(bureau, operator.yaml("op")))
        async with phone(bureau, 0) as lea, phone(bureau, 1) as ines, phone(bureau, 2) as chloe:
            await exchange.free()
            body = "Bonjour, ouvert demain ? 🙂\nMerci, Zoé"
            post = {"id": "a1", "from": "06 39 98 01 01", "to": LILAS, "text": body, "media": []}
            began = time.monotonic()
            assert (await operator.post(bureau.http, "op", post))[0] == 200
            (shown,) = await told(lea)
            assert time.monotonic() - began < 5
            await told(ines)
            assert shown.body == body
            assert shown.from_display == "Cab. Lilas · 06 39 98 01 01"
            # where her phone answers to: the machine that it registered at
            assert f"<sip:{PATIENT}*lilas@127.0.0.1>" in shown.header("From")

            assert await says(bureau, 0, lea, shown.from_user, "Oui, dès 8 h. À demain 🙂") == 202
            (left,) = await operator.texts(1)
            assert (left["from"], left["to"], left["text"]) == (LINE, PATIENT, "Oui, dès 8 h. À demain 🙂")
            (_, answered) = await told(ines, 2)
            assert "Lea a répondu" in answered.body
            # the operator's second try of the first text, and its receipt for ours
            assert (await operator.post(bureau.http, "op", post))[1] == {"taken": [None]}
            receipt = {"message": f"op-{operator.keys[0]}", "status": "delivered"}
            assert await operator.post(bureau.http, "op", receipt, "/receipts") == (200, {"taken": 1})
            # of a discreet client the phone is told nothing, and the content is read with the reference
            discreet = {"id": "a2", "from": PATIENT, "to": KELLER, "text": "mes résultats"}
            assert (await operator.post(bureau.http, "op", discreet, secret="wrong-secret"))[0] == 401
            assert (await operator.post(bureau.http, "op", discreet))[0] == 200
            notice = (await told(lea, 2))[1]
            assert notice.body.startswith("1 message pour Cab. Keller, réf. ")
            assert "résultats" not in notice.text
            assert "639980101" not in notice.text
            reference = notice.body.split("réf. ")[1][:6]
            assert (await text_facts(exchange, reference))["body"] == "mes résultats"
            assert messages(chloe) == []

        rows = [json.loads(row) for row in (await exchange.cli("texts", "--json")).splitlines()]
        assert {(row["client"], row["direction"], row["state"]) for row in rows} == {
            ("lilas", "in", "answered"), ("lilas", "out", "delivered"), ("keller", "in", "shown"),
        }  # fmt: skip
        assert (await exchange.status())["texts"] == {"waiting": 0, "failed": 0, "unseen": 0}


async def test_an_operators_sip_message_is_a_text_and_nobody_elses_is(bureau, start_exchange):
    async with SipPhone(bureau.sip, "operator", "", registers=False) as operator:
        bureau.bureau["trunks"][0]["host"] = f"127.0.0.1:{operator.port}"
        exchange = await start_exchange(
            bureau_with(bureau, {"id": "sip", "kind": "trunk", "trunk": "operator"})
        )
        async with phone(bureau, 0) as lea, SipLine(bureau.sip, "127.0.0.2") as stranger:
            await exchange.free("lea")
            frm = f'"Zoé" <sip:{PATIENT}@operator.example>'
            body = 'Ligne 1) "x" ${EVIL}\nligne 2, €🙂'
            assert await write(operator, LILAS, body, frm=frm) == 202
            (shown,) = await told(lea)
            assert shown.body == body
            assert shown.from_user == f"{PATIENT}*lilas"
            assert await says(bureau, 0, lea, shown.from_user, "Bien reçu 🙂") == 202
            (left,) = await told(operator)
            assert left.first_line.startswith(f"MESSAGE sip:{PATIENT}@127.0.0.1:{operator.port}")
            assert (left.from_user, left.body) == (LINE, "Bien reçu 🙂")

            assert await write(stranger, LILAS, "bonjour", frm=frm) == 401
            # nobody becomes a secretary by writing her name
            assert await write(operator, LILAS, "bonjour", frm="<sip:lea@autocom>") == 401
            # Asterisk drops a body from 1024 bytes on: that something came is told all the same
            assert await write(operator, LILAS, "x" * 3000, frm=frm) == 202
            assert "trop long" in (await told(lea, 2))[1].body
            assert await says(bureau, 0, lea, "0639980202", "x" * 3000) == 202
            assert "1 000 caractères" in (await told(lea, 3))[2].body
            assert await says(bureau, 0, lea, "114", "au secours") == 202
            assert "urgence" in (await told(lea, 4))[3].body


async def test_while_autocom_is_away_no_text_is_lost_and_none_leaves_twice(bureau, start_exchange):
    async with HttpOperator() as operator:
        exchange = await start_exchange(bureau_with(bureau, operator.yaml("op")))
        async with phone(bureau, 0) as lea, SipLine(bureau.sip) as trunk:
            await exchange.free("lea")
            operator.status = 503
            assert await says(bureau, 0, lea, f"{PATIENT}*lilas", "pendant la panne") == 202
            await exchange.until_status(lambda state: state["texts"]["waiting"] == 1)
            await exchange.kill9()
            assert await says(bureau, 0, lea, "0639980202", "sans autocom") == 202
            assert await write(trunk, LILAS, "vous êtes là ?", frm=f"<sip:{OTHER}@operator.example>") == 202
            operator.status = 200
            await exchange.start()
            left = await operator.texts(2, within=20)
            assert sorted((text["from"], text["to"], text["text"]) for text in left) == [
                ("+33199001000", OTHER, "sans autocom"),
                (LINE, PATIENT, "pendant la panne"),
            ]
            assert (await told(lea))[0].body == "vous êtes là ?"
            # a kill between the operator's answer and our note of it would mean the same key again
            await exchange.until_status(
                lambda state: state["texts"] == {"waiting": 0, "failed": 0, "unseen": 0}
            )
            await exchange.kill9()
            await exchange.start()
            await exchange.until_status(lambda state: state["texts"]["waiting"] == 0)
            assert len(operator.keys) == 2, "what was handed over is not handed over again"
            assert len(messages(lea)) == 1


async def test_texts_over_smpp_in_parts_both_ways_with_receipts_and_a_restarted_smsc(bureau, start_exchange):
    async with Smsc() as smsc:
        exchange = await start_exchange(bureau_with(bureau, smsc.yaml("smsc")))
        async with phone(bureau, 0) as lea:
            await exchange.free("lea")
            first = "Bonjour ê🙂".encode("utf-16-be")
            answers: list[DeliverSmResp] = [
                await smsc.deliver(PATIENT, LILAS, head + part, esm_class=0x40, data_coding=8)
                for head, part in (
                    (bytes((5, 0, 3, 7, 2, 2)), first[10:]),
                    (bytes((5, 0, 3, 7, 2, 1)), first[:10]),
                )
            ]
            assert all(answer.is_success for answer in answers)
            (shown,) = await told(lea)
            assert shown.body == "Bonjour ê🙂"

            long = "Le cabinet vous attend à 8 h 30 précises, au 12 rue des Tilleuls. [€] " * 4
            assert await says(bureau, 0, lea, shown.from_user, long) == 202
            parts = await smsc.texts(2)
            assert all((p.source_addr, p.destination_addr) == (LINE[1:], PATIENT[1:]) for p in parts)
            assert [bytes(p.short_message)[:6] for p in parts] == [
                bytes((5, 0, 3, parts[0].short_message[3], 2, n)) for n in (1, 2)
            ]
            # the SMSC's word for the second part is here, too, and no part is sent again
            await exchange.until_status(lambda state: state["texts"]["waiting"] == 0)
            await smsc.stop()
            assert await says(bureau, 0, lea, "0639980202", "pendant la panne") == 202
            await exchange.until_status(lambda state: state["texts"]["waiting"] == 1)
            await smsc.start()
            assert bytes((await smsc.texts(3, within=30))[2].short_message) == b"pendant la panne"
            for name in ("smsc-1", "smsc-2"):
                assert (await smsc.receipt(name)).is_success
            assert (await smsc.receipt("smsc-3", 5, "UNDELIV")).is_success
            assert "n'est pas parti" in (await told(lea, 2))[1].body
        rows = [json.loads(row) for row in (await exchange.cli("texts", "--json")).splitlines()]
        assert [row["state"] for row in rows] == ["failed", "delivered", "answered"]


async def test_an_mms_is_kept_by_its_content_read_by_its_reference_and_forgotten(bureau, start_exchange):
    async with HttpOperator() as operator:
        operator.files["photo"] = PICTURE
        exchange = await start_exchange(bureau_with(bureau, operator.yaml("op")))
        async with phone(bureau, 0) as lea:
            await exchange.free("lea")
            media = [
                f"http://127.0.0.1:{operator.port}/media/photo",
                "http://127.0.0.1:1/secret",
                {"content": "TVqQAAMAAAAEAAAA"},
            ]
            post = {"id": "m1", "from": PATIENT, "to": LILAS, "text": "", "media": media}
            assert (await operator.post(bureau.http, "op", post))[0] == 200
            (shown,) = await told(lea)
            assert "pièce" in shown.body
        reference = shown.body.split("text ")[1][:6]
        async with asyncio.timeout(PATIENCE):
            while not (found := await text_facts(exchange, reference))["attachments"]:
                await asyncio.sleep(0.1)
        assert [(a["type"], a["size"]) for a in found["attachments"]] == [("image/png", len(PICTURE))]
        folder = bureau.state / "out"
        await exchange.cli("text", reference, "--out", str(folder))
        assert [path.read_bytes() for path in folder.iterdir()] == [PICTURE]
        kept = list((bureau.state / "attachments").iterdir())
        assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]
        assert len(kept[0].name) == 64

"""What is posted to us: proved before it is read, and read without ever failing otherwise than in words."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.core.model import Configuration
from autocom.core.texts import Incoming, Outgoing, Texting, TextProvider
from autocom.lane import Refused, Unreachable
from autocom.texts import webhook
from autocom.texts.provider import Receipt
from autocom.texts.webhook import Malformed, Webhook, arrival, posted, proved, receipt
from tests.support.text_providers import SECRET, TOKEN, HttpOperator
from tests.support.virtual import run
from tests.texts.office import DID, PATIENT, House, bureau

OP = TextProvider("op", "webhook", url="http://x/", secret=SECRET)
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(200)


def signed(raw: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def one(content_type: str, raw: bytes) -> webhook.Posted:
    (item,) = posted(content_type, raw)
    return item


# --- proof -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "headers", "is_proved"),
    [
        (OP, {"X-Signature": signed(b"{}")}, True),
        (OP, {"X-Signature": "sha256=" + signed(b"{}").upper()}, True),
        (OP, {"X-Signature": signed(b"{} ")}, False),
        (OP, {"X-Signature": signed(b"{}", "another")}, False),
        (OP, {"X-Signature": "é"}, False),
        (OP, {}, False),
        (TextProvider("op", "webhook", secret=SECRET, signature="X-Op"), {"X-Op": signed(b"{}")}, True),
        (TextProvider("op", "webhook", inbound_token=TOKEN), {"Authorization": f"Bearer {TOKEN}"}, True),
        (TextProvider("op", "webhook", inbound_token=TOKEN), {"Authorization": "Bearer "}, False),
        (TextProvider("op", "webhook", inbound_token=TOKEN), {}, False),
        (TextProvider("op", "webhook", url="http://x/"), {"Authorization": "Bearer None"}, False),
    ],
)
def test_only_who_knows_the_secret_is_read(
    provider: TextProvider, headers: dict[str, str], is_proved: bool
) -> None:
    assert proved(provider, headers, b"{}") is is_proved


# --- bodies ----------------------------------------------------------------------------------

TEXT = {"id": "7", "from": PATIENT, "to": DID, "text": "Bonjour é 🙂"}


def multipart(*parts: tuple[str, str | None, bytes]) -> tuple[str, bytes]:
    lines = b""
    for name, filename, content in parts:
        disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
        lines += b"--zz\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"
    return "multipart/form-data; boundary=zz", lines + b"--zz--\r\n"


@pytest.mark.parametrize(
    ("content_type", "raw"),
    [
        ("application/json; charset=utf-8", json.dumps(TEXT).encode()),
        ("", json.dumps(TEXT, ensure_ascii=False).encode()),
        ("application/x-www-form-urlencoded", urlencode(TEXT).encode()),
        multipart(*((name, None, value.encode()) for name, value in TEXT.items())),
    ],
)
def test_a_text_may_come_as_json_a_form_or_multipart(content_type: str, raw: bytes) -> None:
    found = arrival(OP, one(content_type, raw))
    assert (found.message, found.sender_text, found.did_text, found.body) == (
        "7",
        PATIENT,
        DID,
        "Bonjour é 🙂",
    )


def test_a_provider_may_have_other_names_for_things() -> None:
    fields = {"id": "data.messageId", "from": "data.msisdn", "to": "data.to", "text": "data.body"}
    provider = TextProvider("op", "webhook", secret=SECRET, fields=fields)
    raw = json.dumps({"data": {"messageId": 17, "msisdn": PATIENT, "to": DID, "body": "x"}}).encode()
    assert arrival(provider, one("application/json", raw)).message == "17"


@settings(deadline=None)
@given(st.binary(max_size=3000))
def test_files_of_a_multipart_body_keep_every_byte(content: bytes) -> None:
    if b"--zz" in content:
        content = b""
    item = one(*multipart(("from", None, b"1"), ("photo", "../../etc/passwd", content)))
    assert item.files == (content,)


def test_attachments_are_addresses_or_base64() -> None:
    media = ["http://a/1", {"url": "http://a/2"}, {"content": base64.b64encode(PNG).decode()}]
    found = arrival(OP, webhook.Posted({**TEXT, "media": media}, (b"file",)))
    assert found.media == ("http://a/1", "http://a/2")
    assert found.content == (b"file", PNG)


@pytest.mark.parametrize("withheld", [{}, {"from": None}, {"from": ""}, {"from": "Anonymous"}])
def test_who_withholds_his_number_is_heard_all_the_same_and_nothing_is_kept_of_him(
    tmp_path: Path, withheld: dict[str, object]
) -> None:
    text = {key: value for key, value in TEXT.items() if key != "from"}
    status, _, house = post(tmp_path, text | withheld)
    assert status == 200
    (came,) = house.ledger.all()
    assert isinstance(came, Incoming)
    assert (came.peer, came.sender) == (None, "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": PATIENT, "to": DID, "text": "without a name"},
        {**TEXT, "id": ""},
        {**TEXT, "id": "x" * 300},
        {**TEXT, "id": True},
        {**TEXT, "to": None},
        {**TEXT, "from": ["+33639980101"]},
        {**TEXT, "text": None},
        {**TEXT, "text": 7},
        {**TEXT, "media": [7]},
        {**TEXT, "media": {"content": "%%%"}},
    ],
)
def test_what_is_no_text_is_said_in_words(wrong: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        arrival(OP, webhook.Posted(wrong))


@settings(deadline=None)
@given(
    st.sampled_from(["application/json", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=zz", "multipart/form-data", "text/html"]),
    st.one_of(
        st.binary(max_size=400),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "from", "to", "text", "media", "url", "content", "message", "status"]), inner),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
        st.binary(max_size=200).map(lambda raw: b"--zz\r\nContent-Disposition: form-data; name=id\r\n" + raw),
    ),
)  # fmt: skip
def test_whatever_is_posted_it_is_a_value_or_a_refusal_in_words(content_type: str, raw: bytes) -> None:
    try:
        for item in posted(content_type, raw):
            found = arrival(OP, item)
            assert isinstance(found.body, str)
            assert receipt(OP, item)
    except Malformed:
        return


def test_deep_nesting_is_refused_and_does_not_crash() -> None:
    with pytest.raises(Malformed):
        posted("application/json", b"[" * 100_000)


@pytest.mark.parametrize(
    ("status", "delivered"),
    [("delivered", True), ("DELIVRD", True), ("undelivered", False), ("expired", False), ("sent", None)],
)
def test_receipts_in_the_words_that_providers_use(status: str, delivered: bool | None) -> None:
    item = webhook.Posted({"message": "m1", "status": status, "error": 17})
    assert receipt(OP, item) == Receipt("m1", delivered, "17")


# --- the office ------------------------------------------------------------------------------


def house_of(folder: Path, made: Configuration | None = None) -> House:
    house = House(folder, made or bureau(texts=Texting(providers={"op": OP})))
    house.start()
    return house


def post(
    folder: Path, body: object, what: str = "texts", name: str = "op"
) -> tuple[int, dict[str, object], House]:
    async def story() -> tuple[int, dict[str, object], House]:
        house = house_of(folder)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"X-Signature": signed(raw), "Content-Type": "application/json"}
        status, answer = await house.office.posted(name, what, headers, raw)
        await house.kill()
        return status, answer, house  # type: ignore[return-value]

    return run(story())


def test_a_list_of_texts_is_taken_at_once_each_one_once(tmp_path: Path) -> None:
    status, answer, house = post(tmp_path, [TEXT, {**TEXT, "id": "8"}, TEXT])
    assert status == 200
    first, second, again = answer["taken"]  # type: ignore[misc]
    assert first != second
    assert again is None
    assert len(house.entries("text_received")) == 2


@pytest.mark.parametrize(
    ("body", "name", "status"),
    [
        (b"{", "op", 400),
        ([], "op", 400),
        ([TEXT, {}], "op", 400),
        (TEXT, "other", 404),
        (TEXT, "__class__", 404),
    ],
)
def test_a_body_that_is_wrong_is_refused_as_a_whole(
    tmp_path: Path, body: object, name: str, status: int
) -> None:
    got, answer, house = post(tmp_path, body, name=name)
    assert got == status
    assert answer["error"]
    assert house.journal.entries == []


def test_an_attachment_that_is_refused_is_told_on_the_phone_and_with_the_text(tmp_path: Path) -> None:
    async def story() -> House:
        house = House(tmp_path)
        house.start()
        house.at_work("lea")
        came = house.text_in()
        assert came is not None
        house.reception.attached(came.id, (), lost=1, why="of a kind that is not kept")
        await asyncio.sleep(1)
        await house.kill()
        return house

    house = run(story())
    assert house.phones.told("lea") == ["Bonjour\n[1 pièce jointe n'a pas été gardée]"]
    (row,) = house.library.rows.values()
    assert row["failure"] == "1 attachment not kept: of a kind that is not kept"


def test_a_disk_that_is_full_makes_the_provider_try_again(tmp_path: Path) -> None:
    (tmp_path / "attachments").write_text("a file where the folder would be")

    async def story() -> tuple[int, House]:
        house = house_of(tmp_path)
        raw = json.dumps({**TEXT, "media": {"content": base64.b64encode(PNG).decode()}}).encode()
        headers = {"X-Signature": signed(raw), "Content-Type": "application/json"}
        # the thread of the disk is real, and so must the loop be
        status, _ = await house.office.posted("op", "texts", headers, raw)
        await house.kill()
        return status, house

    import asyncio

    status, house = asyncio.run(story())
    assert status == 503
    assert house.journal.entries == []


# --- sending, over a real socket -------------------------------------------------------------


def text(name: str = "to1") -> Outgoing:
    return Outgoing(name, "ABCDEF", "op", "lilas", "+33261912010", PATIENT, "Bonjour 🙂", 0.0, 0.0)


async def test_a_text_goes_with_its_key_and_comes_back_with_its_name() -> None:
    async with HttpOperator() as operator:
        provider = Webhook(
            TextProvider("op", "webhook", url=f"http://127.0.0.1:{operator.port}/send", token=TOKEN)
        )
        assert await provider.send(text(), 0) == "op-to1"
        operator.names = False
        assert await provider.send(text(), 0) == ""
    assert operator.keys == ["to1", "to1"]
    assert operator.taken == [{"id": "to1", "from": "+33261912010", "to": PATIENT, "text": "Bonjour 🙂"}]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (422, Refused),
        (302, Unreachable),
        (401, Unreachable),
        (429, Unreachable),
        (500, Unreachable),
    ],
)
async def test_what_an_answer_means(status: int, error: type[Exception]) -> None:
    async with HttpOperator() as operator:
        operator.status = status
        provider = Webhook(
            TextProvider("op", "webhook", url=f"http://127.0.0.1:{operator.port}/send", token=TOKEN)
        )
        with pytest.raises(error):
            await provider.send(text(), 0)


async def test_nobody_there_is_said_without_the_address() -> None:
    provider = Webhook(TextProvider("op", "webhook", url="http://127.0.0.1:1/secret-path", token=TOKEN))
    with pytest.raises(Unreachable) as away:
        await provider.send(text(), 0)
    assert "secret" not in str(away.value)

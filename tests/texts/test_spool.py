"""What Asterisk wrote down, and the parts that an SMSC delivers: read without failing, each text once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.asterisk import text_spool
from autocom.core.model import Trunk
from autocom.core.telephony import RawHeaders
from autocom.core.texts import Incoming, Spooled
from autocom.texts.counter import trunk_at
from autocom.texts.segments import COMPLETE_WITHIN, Part, Segments
from tests.support.virtual import run
from tests.texts.office import DID, PATIENT, House, bureau

SCRIPT = Path(__file__).resolve().parents[2] / "dialplan" / "record_text.py"
RECORD = {
    "version": 1, "kind": "phone", "at": 1.0, "extension": "0639980202", "from": '"Léa" <sip:lea@x>', "to": "",
    "address": "127.0.0.1:5060", "p_asserted_identity": "", "privacy": "", "p_called_party_id": "",
    "content_length": "7", "body": "Bonjour", "headers": {},
}  # fmt: skip


def spooled(folder: Path, name: str = "1", **changes: object) -> list[Spooled]:
    (folder / f"{name}.json").write_text(json.dumps({**RECORD, **changes}))
    return text_spool.read(folder)


def test_a_phones_text_is_its_secretarys_and_a_trunks_is_whoever_wrote_it(tmp_path: Path) -> None:
    (text,) = spooled(tmp_path)
    assert (text.secretary, text.headers.request_user, text.body) == ("lea", "0639980202", "Bonjour")
    (text,) = spooled(tmp_path, kind="trunk", headers={"X-Called": DID})
    assert text.secretary is None
    assert text.others == {"X-Called": DID}
    text_spool.forget(tmp_path, text)
    assert text_spool.read(tmp_path) == []


@pytest.mark.parametrize(("length", "complete"), [("2000", False), ("0", True), ("", True), ("x", True)])
def test_a_body_that_asterisk_dropped_is_noticed(tmp_path: Path, length: str, complete: bool) -> None:
    (text,) = spooled(tmp_path, body="", content_length=length)
    assert text.complete is complete


def test_texts_are_read_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    for name in ("00002-a", "00010-a", "00001-b"):
        spooled(tmp_path, name)
    assert [text.name for text in text_spool.read(tmp_path)] == ["00001-b", "00002-a", "00010-a"]


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.dictionaries(st.sampled_from([*RECORD, "x"]), st.none() | st.integers() | st.text(max_size=20) | st.lists(st.text()))
        .map(lambda changes: json.dumps({**RECORD, **changes}).encode()),
    )
)  # fmt: skip
def test_a_file_of_any_content_is_a_text_or_put_aside(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    (folder / "1.json").write_bytes(raw)
    found = text_spool.read(folder)
    assert len(found) == len(list(folder.glob("*.json")))
    assert len(found) + len(list(folder.glob("*.unreadable"))) == 1
    assert all(isinstance(text.body, str) for text in found)


def agi(folder: Path, values: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Asterisk's side of the conversation: one answer for each command, several lines long where the value is."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(SCRIPT), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines = ["agi_request: record-text", "agi_extension: +33199001001"]
    lines += [f"agi_arg_{n}: {word}" for n, word in enumerate(arguments, start=1)]
    process.stdin.write("\n".join(lines) + "\n\n")
    process.stdin.flush()
    known = dict(values)
    for command in process.stdout:
        verb, _, rest = command.strip().partition(" VARIABLE ")
        if verb == "SET":
            name, _, value = rest.partition(" ")
            known[name] = value
            answer = "200 result=1"
        else:
            answer = f"200 result=1 ({known[rest]})" if rest in known else "200 result=0"
        process.stdin.write(answer + "\n")
        process.stdin.flush()
    process.stdin.close()
    error = process.stderr.read() if process.stderr is not None else ""
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    return subprocess.CompletedProcess([], process.wait(10), "", error)


@pytest.mark.parametrize(
    "body",
    [
        "Bonjour",
        "deux\nlignes)\n200 result=1 (0123)\n",
        "200 result=1 (x)\n)",
        "é🙂 ${SHELL(id)} \\ \" '",
        "",
        "\n\n",
        "HANGUP\n",
    ],
)
def test_the_script_writes_down_what_was_sent_to_the_letter(tmp_path: Path, body: str) -> None:
    values = {
        "MESSAGE(from)": '"Zoé" <sip:+33639980101@op>',
        "MESSAGE(body)": body,
        "MESSAGE_DATA(PJSIP_RECVADDR)": "127.0.0.1:5060",
        "MESSAGE_DATA(X-Called)": DID,
    }
    done = agi(tmp_path, values, "trunk", "X-Called", "X-Evil) x", "")
    assert (done.returncode, done.stderr) == (0, "")
    (path,) = tmp_path.glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    (text,) = text_spool.read(tmp_path)
    assert text.body == body
    assert text.others == {"X-Called": DID}
    assert text.headers.request_user == "+33199001001"


@pytest.mark.parametrize(
    ("address", "trunk"),
    [
        ("127.0.0.1:5060", "operator"),
        ("10.1.2.3:5060", "other"),
        ("[2001:db8::7]:5060", "other"),
        ("192.0.2.1:5060", None),
        ("", None),
        ("nonsense", None),
    ],
)
def test_the_trunk_is_the_one_of_the_address(address: str, trunk: str | None) -> None:
    from dataclasses import replace

    made = bureau()
    other = Trunk("other", ("10.0.0.0/8", "2001:db8::/32"))
    made = replace(made, trunks={**made.trunks, "other": other})
    found = trunk_at(made, address)
    assert (found.id if found else None) == trunk


def test_an_operators_message_has_its_did_where_the_trunk_says(tmp_path: Path) -> None:
    from dataclasses import replace

    made = bureau()
    made = replace(made, trunks={"operator": Trunk("operator", ("127.0.0.1",), did_in="header:X-Called")})

    async def story() -> House:
        house = House(tmp_path, made)
        house.start()
        headers = RawHeaders(request_user="gateway", from_=f"<sip:{PATIENT}@op>", to="<sip:gateway@us>")
        house.spooled += [
            Spooled("1", None, headers, "127.0.0.1:5060", "Bonjour", {"X-Called": DID}),
            Spooled(
                "2", None, replace(headers, privacy="id"), "127.0.0.1:5060", "anonyme", {"X-Called": DID}
            ),
        ]
        house.room.came.set()
        await asyncio.sleep(1)
        await house.kill()
        return house

    named, withheld = (text for text in run(story()).ledger.all() if isinstance(text, Incoming))
    assert (named.client, named.peer, named.provider) == ("lilas", PATIENT, "trunk-operator")
    assert (withheld.client, withheld.peer, withheld.sender) == ("lilas", None, "")


# --- parts -----------------------------------------------------------------------------------


def part(number: int, total: int, body: str, *, at: float, group: int = 7) -> Part:
    return Part("op", DID, PATIENT, group, number, total, body, at)


@settings(deadline=None)
@given(st.permutations(range(1, 5)), st.sets(st.integers(1, 4)), st.sets(st.integers(0, 3)))
def test_parts_are_one_text_in_whatever_order_however_often_and_whoever_is_killed(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], twice: set[int], kills: set[int]
) -> None:
    async def story() -> House:
        house = House(tmp_path_factory.mktemp("texts"))
        house.start()
        for position, number in enumerate(order):
            made = part(number, 4, str(number) * 3, at=house.clock.now())
            segments = Segments(house.ledger, house.reception)
            segments.take(made)
            if number in twice and position < 3:
                segments.take(made)
            if position in kills:
                await house.kill()
                house.start()
        await asyncio.sleep(1)
        await house.kill()
        return house

    house = run(story())
    (text,) = house.ledger.all()
    assert isinstance(text, Incoming)
    assert text.body == "111222333444"
    assert [key for key in house.journal.floor if key.startswith("textpart:")] == []


def test_what_stays_incomplete_is_a_text_all_the_same(tmp_path: Path) -> None:
    async def story() -> House:
        house = House(tmp_path)
        house.start()
        Segments(house.ledger, house.reception).take(part(2, 3, "…la suite\ud83d", at=house.clock.now()))
        await asyncio.sleep(COMPLETE_WITHIN - 120)
        assert house.ledger.all() == []
        await asyncio.sleep(240)
        await house.kill()
        return house

    house = run(story())
    (text,) = house.ledger.all()
    assert isinstance(text, Incoming)
    assert (text.body, text.flags) == ("…la suite�", ("incomplete",))


def test_an_emoji_that_was_cut_in_two_is_whole_again(tmp_path: Path) -> None:
    async def story() -> House:
        house = House(tmp_path)
        house.start()
        segments = Segments(house.ledger, house.reception)
        for number, body in ((1, "ah \ud83d"), (2, "\ude42 oui")):
            segments.take(part(number, 2, body, at=house.clock.now()))
        await house.kill()
        return house

    (text,) = run(story()).ledger.all()
    assert text.body == "ah 🙂 oui"


def test_what_a_broken_session_says_again_is_one_text_and_what_he_says_twice_is_two(tmp_path: Path) -> None:
    async def story() -> House:
        house = House(tmp_path)
        house.start()

        def says(body: str, session: str) -> None:
            house.text_in(body, message=None, session=session)

        says("oui", "s1")
        says("oui", "s1")
        await house.kill()
        house.start()
        says("oui", "s2")
        says("non", "s2")
        await asyncio.sleep(3600)
        says("non", "s3")
        await asyncio.sleep(1)
        await house.kill()
        return house

    bodies = [text.body for text in run(story()).ledger.all()]
    assert bodies == ["oui", "oui", "non", "non"]

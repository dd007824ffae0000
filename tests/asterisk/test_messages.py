"""SIP MESSAGE: what Asterisk is told of it, and what leaves for a phone or an operator."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocom.asterisk.ari.generated import Ari
from autocom.asterisk.conf import render, write
from autocom.asterisk.messages import MessageCommands
from autocom.calls.ports import ShownText
from autocom.core.model import Trunk
from tests.asterisk.host_support import bureau
from tests.asterisk.test_conf import NET, SECRETS, paths, sections
from tests.support.virtual import run


def test_phones_and_operators_write_into_contexts_of_their_own():
    conf = dict(sections(render(bureau(), paths(), NET, SECRETS)["pjsip.conf"]))
    assert conf["autocom-phone"]["message_context"] == ["autocom-texts-phone"]
    assert conf["autocom-web"]["message_context"] == ["autocom-texts-phone"]
    assert conf["autocom-trunk"]["message_context"] == ["autocom-texts-trunk"]


def test_without_anything_to_run_the_script_the_contexts_are_not_there_and_a_sender_is_refused():
    with_script = render(bureau(), paths(), NET, SECRETS)["extensions.conf"]
    without = render(bureau(), replace(paths(), python=None), NET, SECRETS)["extensions.conf"]
    assert "texts.conf" in with_script
    assert "texts.conf" not in without


def test_the_script_is_told_in_which_headers_a_trunk_has_the_number_called():
    made = bureau()
    trunks = {
        "one": Trunk("one", ("192.0.2.1",), did_in="header:X-Called"),
        "two": Trunk("two", ("192.0.2.2",), did_in="header:X-Did"),
        "three": Trunk("three", ("192.0.2.3",)),
    }
    text = render(replace(made, trunks=trunks), paths(), NET, SECRETS)["extensions.conf"]
    assert "AUTOCOM_TEXT_HEADERS = X-Called,X-Did\n" in text


def test_the_script_is_written_beside_the_other_one_and_its_spool_is_its_owners_alone(tmp_path: Path):
    where = replace(
        paths(tmp_path), python=Path(sys.executable), dialplan=Path(__file__).parents[2] / "dialplan"
    )
    write(bureau(), where, NET, SECRETS)
    script = where.scripts / "record-text"
    assert script.stat().st_mode & 0o777 == 0o700
    assert where.texts.stat().st_mode & 0o777 == 0o700
    question = "agi_request: record-text\nagi_arg_1: phone\nagi_extension: 0639980202\n\n"
    subprocess.run([script], input=question, text=True, timeout=20, check=False, capture_output=True)
    # nobody answered it: what it wrote down is empty, and complete under its name
    assert [path.suffix for path in where.texts.iterdir()] == [".json"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in where.texts.iterdir())


class Wire:
    """What was asked of Asterisk."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []

    async def call(self, method: str, path: str, query: Mapping[str, Any], body: object = None) -> Any:
        self.asked.append((method, path, query))

    async def download(self, path: str) -> bytes:
        raise AssertionError(path)

    async def upgrade(self, path: str, query: Mapping[str, Any]) -> Any:
        raise AssertionError(path)


class Telephone(MessageCommands):
    def __init__(self) -> None:
        self.wire = Wire()
        self._ari = Ari(self.wire)

    def phone_of(self, secretary: str) -> str:
        return f"PJSIP/{secretary}@web"

    def sent(self) -> Mapping[str, Any]:
        ((method, path, query),) = self.wire.asked
        assert (method, path) == ("PUT", "/endpoints/sendMessage")
        return query


def test_a_text_goes_to_the_endpoint_that_her_phone_registered_at():
    telephone = Telephone()
    shown = ShownText("+33639980101*cab-lilas", "Cab. Lilas · 06 39 98 01 01", "deux\nlignes 🙂")
    run(telephone.show_text("lea", shown))
    assert telephone.sent() == {
        "to": "pjsip:lea@web",
        "from": '"Cab. Lilas · 06 39 98 01 01" <sip:+33639980101*cab-lilas@localhost>',
        "body": "deux\nlignes 🙂",
    }


@settings(deadline=None)
@given(user=st.text(), display=st.text(), body=st.text())
def test_nothing_that_a_sender_wrote_becomes_a_header_or_an_address(user: str, display: str, body: str):
    telephone = Telephone()
    run(telephone.show_text("lea", ShownText(user, display, body)))
    sent = telephone.sent()
    name, _, address = sent["from"].rpartition(" <")
    assert "\r" not in sent["from"]
    assert "\n" not in sent["from"]
    assert name.startswith('"')
    assert name.endswith('"')
    assert '"' not in name[1:-1]
    assert "\\" not in name
    assert address.removeprefix("sip:").removesuffix("@localhost>").isascii()
    assert not set(address.removeprefix("sip:").removesuffix("@localhost>")) & set('<>@;:"\\ ?')
    assert "\r" not in sent["body"]
    assert "\0" not in sent["body"]


def test_to_people_outside_by_a_trunk_and_never_to_what_is_no_number():
    telephone = Telephone()
    run(telephone.text_outside("operator", "sip.example:5070", "+33639980101", "+33261912010", "Bonjour"))
    assert telephone.sent() == {
        "to": "pjsip:trunk-operator/sip:+33639980101@sip.example:5070",
        "from": "<sip:+33261912010@localhost>",
        "body": "Bonjour",
    }
    for trunk, host, number, sender in (
        ("operator", "sip.example", "0639980101", "+33261912010"),
        ("operator", "sip.example", "+33639980101", "anonymous"),
        ("op/../x", "sip.example", "+33639980101", "+33261912010"),
        ("operator", "sip.example", "+33639980101@evil", "+33261912010"),
        ("operator", "sip.example;lr", "+33639980101", "+33261912010"),
        ("operator", "", "+33639980101", "+33261912010"),
    ):
        with pytest.raises(ValueError):
            run(telephone.text_outside(trunk, host, number, sender, "x"))

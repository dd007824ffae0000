"""What AMI tells of operators: asked only where the files say so, and never taken for a phone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autocom.asterisk.ami_facts import PhoneBook
from autocom.asterisk.conf import pjsip
from autocom.core.model import Configuration, Trunk
from tests.support.exchange_in_memory import configuration


def bureau(*, qualify: bool) -> Configuration:
    trunk = Trunk("operator", ("192.0.2.7",), host="sip.operator.example", qualify=qualify)
    return replace(configuration(), trunks={"operator": trunk})


@pytest.mark.parametrize("qualify", [True, False])
def test_asterisk_asks_an_operator_only_where_the_files_say_so(qualify: bool) -> None:
    text = "".join(str(part) for part in pjsip._trunk(bureau(qualify=qualify).trunks["operator"]))
    assert ("qualify_frequency=30" in text.replace(" ", "")) is qualify
    assert "contact=sip:sip.operator.example" in text.replace(" ", "")


def contact(status: str, endpoint: str = "trunk-operator") -> dict[str, str]:
    return {
        "Event": "ContactStatus",
        "EndpointName": endpoint,
        "AOR": endpoint,
        "URI": "sip:sip.operator.example",
        "ContactStatus": status,
    }


def test_an_operator_is_known_by_his_contact_and_is_nobodys_phone() -> None:
    book = PhoneBook()
    for status in ("NonQualified", "Reachable", "Unreachable", "Reachable"):
        assert book.on(contact(status)) is None
        assert book.trunks == {"operator": status}
    assert book.secretaries() == []


def test_the_inventory_says_it_in_other_words() -> None:
    book = PhoneBook()
    listed = {"Endpoint": "trunk-operator", "Uri": "sip:sip.operator.example"}
    book.inventory([], [{**listed, "Status": "Unavailable"}], [])
    assert book.trunks == {"operator": "Unreachable"}
    book.inventory([], [{**listed, "Status": "Reachable"}], [])
    assert book.trunks == {"operator": "Reachable"}


def test_a_secretary_is_no_operator() -> None:
    book = PhoneBook()
    book.on(contact("Reachable", "lea"))
    assert book.trunks == {}
